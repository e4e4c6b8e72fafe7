// Owns the types of a producer's arguments and results. Types only. Application thread.

import type Long from 'long';
import type { ProducerConfigInput } from '../../common/config/producer-config.ts';
import type { BytesInput, HeadersInput } from './record-input.ts';

/**
 * Returns the partition of a record: an integer from 0 to `partitionCount - 1`. Anything else fails the record with TypeError. Called on
 * the calling thread. `key` and `value` are those of the record, after the serializers.
 */
export type Partitioner = (
  topic: string,
  key: BytesInput | null,
  value: BytesInput | null,
  partitionCount: number,
) => number;

/** Makes bytes from a key or value. If it returns a promise, the record waits for it, and records keep their order. Null stays null. */
export type Serializer<T> = (value: T, topic: string) => BytesInput | null | Promise<BytesInput | null>;

/** One record. */
export interface ProducerRecord<K = BytesInput, V = BytesInput> {
  /** Null means no key. Default null. */
  readonly key?: K | null | undefined;
  /** Null means a tombstone. */
  readonly value: V | null;
  readonly headers?: HeadersInput | null | undefined;
  /** In ms since the epoch. Default: now. */
  readonly timestamp?: number | undefined;
  /** Default: the partitioner chooses. */
  readonly partition?: number | undefined;
}

export interface SendRecordOptions {
  /** Default: the record's own. If it has none, the partitioner chooses. */
  readonly partition?: number | undefined;
  /** How long the record may wait for more records, in ms. Default: it does not wait, unless a batch of its partition is under way. */
  readonly lingerMs?: number | undefined;
  /**
   * Gives up the wait: the Future fails with AbortError. A record that still waits for its serializer or for metadata is then not sent. One
   * that was handed over is delivered or fails as any other: it counts in `counters`, in `flush` and for `on('failure')`.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface SendAllOptions {
  /** Gives up the wait: the Future fails with AbortError, and no later record is taken. What was taken is delivered or fails as any other. */
  readonly signal?: AbortSignal | undefined;
}

export interface FlushOptions {
  /** In ms. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Gives up the wait: the Future fails with AbortError. The records go on as they would. */
  readonly signal?: AbortSignal | undefined;
}

/** The place of a record in the log. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 with `acks` 0. Also -1 if the record was written but the broker does not know its offset any more. */
  readonly offset: Long;
  /** In ms since the epoch: the broker's time if the topic uses LogAppendTime, otherwise the record's own. */
  readonly timestampMs: number;
}

/** Records of one batch that have failed together. */
export interface RecordFailure {
  readonly topic: string;
  /** -1: no partition was chosen. */
  readonly partition: number;
  /** How many records have failed. */
  readonly records: number;
  readonly error: Error;
}

export interface DeliveryReport {
  /** How many records have succeeded or failed. */
  readonly records: number;
  readonly failed: number;
  /** The first 100 failures. */
  readonly failures: readonly RecordFailure[];
}

export interface ProducerCounters {
  /** How many records this thread has given to the producer. */
  readonly appended: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** How many records of all threads were sent again. A record counts each time. */
  readonly retried: number;
  /** The bytes of batches and records that are not settled, of all threads. Records that are still in this thread's ring do not count. */
  readonly usedBytes: number;
}

export interface ProducerHooks<K = BytesInput, V = BytesInput> {
  /** Called before a record is serialized. The record that it returns is sent instead. */
  beforeAppend?(topic: string, record: ProducerRecord<K, V>): ProducerRecord<K, V>;
  /** Called after the delivery or failure of each record of `send`. */
  afterDelivery?(topic: string, record: ProducerRecord<K, V>, result: RecordMetadata | Error): void;
}

/** The options of `client.producer`: those in docs/configuration.md, and these. */
export interface ProducerOptions<K = BytesInput, V = BytesInput> extends Omit<ProducerConfigInput, 'partitioner'> {
  partitioner?: 'murmur2' | 'crc32' | Partitioner | undefined;
  /** For `send` and `sendAll`. `append` takes bytes. */
  serializeKey?: Serializer<K> | undefined;
  serializeValue?: Serializer<V> | undefined;
  hooks?: ProducerHooks<K, V> | undefined;
}

/** The options of `Producer.attach`. Functions cannot cross threads, so each thread has its own. */
export interface AttachedProducerOptions<K = BytesInput, V = BytesInput>
  extends Pick<ProducerOptions<K, V>, 'serializeKey' | 'serializeValue' | 'hooks'> {
  /** Used instead of the shared producer's partitioner. */
  partitioner?: Partitioner | undefined;
}

/** The argument of the callback of `sendAll`. It writes records without an object for each. */
export interface GroupAppender {
  /** Returns false when there is no room. Nothing was written then. */
  append(key: BytesInput | null, value: BytesInput | null, partition?: number): boolean;
}

export type RecordsSource<K, V> = Iterable<ProducerRecord<K, V>> | AsyncIterable<ProducerRecord<K, V>>;
