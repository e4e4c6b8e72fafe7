// Owns what callers of a producer give and get. Types only. Application thread.

import type Long from 'long';
import type { ProducerConfigInput } from '../../common/config/producer-config.ts';
import type { BytesInput, HeadersInput } from './record-input.ts';

/** Called on the calling thread. `key` and `value` are as given, or as the serializer made them. */
export type Partitioner = (
  topic: string,
  key: BytesInput | null,
  value: BytesInput | null,
  partitionCount: number,
) => number;

/** Makes bytes of a key or value; a promise is waited for, and keeps the order. Null stays null. */
export type Serializer<T> = (value: T, topic: string) => BytesInput | null | Promise<BytesInput | null>;

/** One record. */
export interface ProducerRecord<K = BytesInput, V = BytesInput> {
  /** Default null: no key. */
  readonly key?: K | null | undefined;
  /** Null: a tombstone. */
  readonly value: V | null;
  readonly headers?: HeadersInput | null | undefined;
  /** ms since the epoch; default: now. */
  readonly timestamp?: number | undefined;
  /** Default: the partitioner's choice. */
  readonly partition?: number | undefined;
}

export interface SendRecordOptions {
  /** Default: the record's own, else the partitioner's choice. */
  readonly partition?: number | undefined;
  /** How long the record may wait for company, ms; default: it does not, unless a batch of its partition is on its way. */
  readonly lingerMs?: number | undefined;
}

/** Where a record is. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 with `acks` 0, and where the broker no longer knew: the record is in the log. */
  readonly offset: Long;
  /** ms since the epoch: the broker's where the topic keeps that, else the record's own. */
  readonly timestampMs: number;
}

/** Records of one batch that failed together. */
export interface RecordFailure {
  readonly topic: string;
  /** -1: no partition was chosen. */
  readonly partition: number;
  /** How many records. */
  readonly records: number;
  readonly error: Error;
}

export interface DeliveryReport {
  /** Records that were settled, one way or the other. */
  readonly records: number;
  readonly failed: number;
  /** The first 100. */
  readonly failures: readonly RecordFailure[];
}

export interface ProducerCounters {
  /** Records that this thread has given to the producer. */
  readonly appended: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Records of all threads that were sent again, each time. */
  readonly retried: number;
  /** Bytes of batches and records that are not settled, of all threads, without those still in this thread's ring. */
  readonly usedBytes: number;
}

export interface ProducerHooks<K = BytesInput, V = BytesInput> {
  /** Before a record is serialized; what it returns is sent instead. */
  beforeAppend?(topic: string, record: ProducerRecord<K, V>): ProducerRecord<K, V>;
  /** After each record of `send`. */
  afterDelivery?(topic: string, record: ProducerRecord<K, V>, result: RecordMetadata | Error): void;
}

/** What `client.producer` takes: the options of docs/configuration.md, and these. */
export interface ProducerOptions<K = BytesInput, V = BytesInput> extends Omit<ProducerConfigInput, 'partitioner'> {
  partitioner?: 'murmur2' | 'crc32' | Partitioner | undefined;
  /** Of `send` and `sendAll`; `append` takes bytes. */
  serializeKey?: Serializer<K> | undefined;
  serializeValue?: Serializer<V> | undefined;
  hooks?: ProducerHooks<K, V> | undefined;
}

/** What `Producer.attach` takes: functions do not cross threads, each has its own. */
export interface AttachedProducerOptions<K = BytesInput, V = BytesInput>
  extends Pick<ProducerOptions<K, V>, 'serializeKey' | 'serializeValue' | 'hooks'> {
  /** In place of the shared producer's choice. */
  partitioner?: Partitioner | undefined;
}

/** Given to the callback of `sendAll`: writes records without an object for each. */
export interface GroupAppender {
  /** False: there is no room; nothing was written. */
  append(key: BytesInput | null, value: BytesInput | null, partition?: number): boolean;
}

export type RecordsSource<K, V> = Iterable<ProducerRecord<K, V>> | AsyncIterable<ProducerRecord<K, V>>;
