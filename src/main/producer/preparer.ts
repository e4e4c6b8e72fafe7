// Owns what happens to a record before it is written: hooks, serializers, the caller's own partitioner. Records keep their order even
// if a serializer is asynchronous. Application thread. Must not write a record.

import { IllegalStateError, SerializationError } from '../../common/errors/errors.ts';
import { shown } from '../../common/text.ts';
import { thrownError } from '../../common/thrown.ts';
import type { ClientHost } from '../link/client-host.ts';
import type { Future } from '../link/future.ts';
import type { Partitioner, ProducerOptions, ProducerRecord, RecordMetadata } from './producer-types.ts';
import {
  type BytesInput,
  checkRecord,
  type HeaderPair,
  headerPairs,
  serializationError,
  serialized,
  timestampOf,
} from './record-input.ts';

/** A record in the form in which it is written. */
export interface Prepared {
  readonly key: BytesInput | null;
  readonly value: BytesInput | null;
  readonly headers: readonly HeaderPair[] | null;
  readonly partition: number;
  readonly timestampMs: number;
}

/** What waits for a serializer. */
interface Waiting {
  /** The transaction that it was given in. */
  readonly transaction: number;
  /** Fails it. What its serializers return is thrown away. */
  readonly drop: (error: Error) => void;
}

export class Preparer<K, V> {
  /** Resolves after the last record that waits for a serializer. Later records wait for it too. Null: no record waits. */
  tail: Promise<void> | null = null;
  /** The transaction that records are given in: the id of the call that began it. */
  transaction = 0;
  readonly #options: ProducerOptions<K, V>;
  readonly #host: Pick<ClientHost, 'partitionCount'>;
  readonly #learn: (topic: string) => Promise<number>;
  readonly #partitioner: Partitioner | null;
  readonly hasPartitioner: boolean;
  readonly #waiting = new Set<Waiting>();
  /** Called when everything that waited was dropped. */
  readonly #dropListeners = new Set<() => void>();

  /** @param learn returns the number of a topic's partitions when metadata has come */
  constructor(
    options: ProducerOptions<K, V>,
    host: Pick<ClientHost, 'partitionCount'>,
    learn: (topic: string) => Promise<number>,
  ) {
    this.#options = options;
    this.#host = host;
    this.#learn = learn;
    this.#partitioner = typeof options.partitioner === 'function' ? options.partitioner : null;
    this.hasPartitioner = this.#partitioner !== null;
  }

  /** Resolves when the records that wait now have been written or have failed. */
  async serialized(): Promise<void> {
    const { tail } = this;
    if (tail === null) return;
    await new Promise<void>((resolve) => {
      this.#dropListeners.add(resolve);
      void tail.then(() => {
        this.#dropListeners.delete(resolve);
        resolve();
      });
    });
  }

  /**
   * The records that wait fail, however long their serializers take, and are never written. Later ones do not wait for them.
   * @param transaction only those that were given in it; default: all, because nothing can be written any more
   */
  drop(error: Error, transaction?: number): void {
    const dropped = [...this.#waiting].filter((one) => transaction === undefined || one.transaction === transaction);
    for (const one of dropped) this.#waiting.delete(one);
    if (this.#waiting.size === 0) {
      this.tail = null;
      for (const listener of this.#dropListeners) listener();
      this.#dropListeners.clear();
    }
    for (const one of dropped) one.drop(error);
  }

  /** The outcome of `prepare`, or the error of `drop` if that is called before. */
  unlessDropped(preparing: Promise<Prepared>): Promise<Prepared> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { transaction: this.transaction, drop: reject };
      this.#waiting.add(waiting);
      preparing.finally(() => this.#waiting.delete(waiting)).then(resolve, reject);
    });
  }

  /** Whether nothing has to be done with a record before it is written. */
  get isPlain(): boolean {
    const { serializeKey, serializeValue, hooks } = this.#options;
    const isAsIs = serializeKey === undefined && serializeValue === undefined && hooks?.beforeAppend === undefined;
    return isAsIs && this.#partitioner === null;
  }

  /** Prepares the record now, or after the records that still wait for their serializers. */
  inOrder(
    topic: string,
    record: ProducerRecord<K, V>,
    partition: number,
    onReady: (prepared: Prepared) => void,
    onError: (error: Error) => void,
  ): void {
    let isDropped = false;
    const { transaction } = this;
    const failed = (thrown: unknown): void => onError(thrownError(thrown));
    const ready = (prepared: Prepared): void => {
      if (isDropped) return;
      // It was given after the end of a transaction, and another one has begun while it waited. At once, it would have been refused.
      if (transaction !== 0 && transaction !== this.transaction) onError(givenOutside());
      else onReady(prepared);
    };
    const run = (): Promise<void> | null => {
      if (isDropped) return null;
      let prepared: Prepared | Promise<Prepared>;
      try {
        prepared = this.prepare(topic, record, partition);
      } catch (error) {
        if (!(error instanceof SerializationError)) throw error;
        onError(error);
        return null;
      }
      if (prepared instanceof Promise) return prepared.then(ready).catch(failed);
      ready(prepared);
      return null;
    };
    const wait = this.tail === null ? run() : this.tail.then(run).catch(failed);
    if (wait === null) return;
    const drop = (error: Error): void => {
      isDropped = true;
      onError(error);
    };
    const waiting: Waiting = { transaction, drop };
    this.#waiting.add(waiting);
    const tail = wait.then(() => {
      this.#waiting.delete(waiting);
      if (this.tail === tail) this.tail = null;
    });
    this.tail = tail;
  }

  prepare(topic: string, given: ProducerRecord<K, V>, partition: number): Prepared | Promise<Prepared> {
    const record = this.#options.hooks?.beforeAppend?.(topic, given) ?? given;
    if (record !== given) checkRecord(record);
    const { serializeKey, serializeValue } = this.#options;
    const timestampMs = timestampOf(record.timestamp);
    const headers = headerPairs(record.headers);
    const key = serialized(serializeKey, record.key ?? null, topic);
    const value = serialized(serializeValue, record.value, topic);
    const finish = (keyBytes: BytesInput | null, valueBytes: BytesInput | null): Prepared | Promise<Prepared> => {
      const prepared = { key: keyBytes, value: valueBytes, headers, partition, timestampMs };
      if (partition >= 0 || this.#partitioner === null) return prepared;
      if (this.#host.partitionCount(topic) !== null)
        return { ...prepared, partition: this.partitionFor(topic, keyBytes, valueBytes) };
      return this.#learn(topic).then(() => ({
        ...prepared,
        partition: this.partitionFor(topic, keyBytes, valueBytes),
      }));
    };
    if (!(key instanceof Promise) && !(value instanceof Promise)) return finish(key, value);
    return Promise.all([key, value]).then(
      ([keyBytes, valueBytes]) => finish(keyBytes, valueBytes),
      (cause: unknown) => {
        throw serializationError(topic, cause);
      },
    );
  }

  /**
   * Calls the caller's partitioner. Throws IllegalStateError while the number of partitions is not known, and TypeError for what is none of
   * the topic's partitions.
   */
  partitionFor(topic: string, key: BytesInput | null, value: BytesInput | null): number {
    const count = this.#host.partitionCount(topic);
    if (count === null) {
      throw new IllegalStateError(
        `the partitioner needs to know how many partitions topic '${topic}' has: await partitionsFor('${topic}') first`,
      );
    }
    const partition: unknown = this.#partitioner!(topic, key, value, count);
    if (Number.isInteger(partition) && (partition as number) >= 0 && (partition as number) < count)
      return partition as number;
    throw new TypeError(
      `the partitioner returned ${shown(partition)} for topic '${topic}': it must return an integer from 0 to ${count - 1}`,
    );
  }

  /** Tells the hook the outcome of the record. */
  tellHook(topic: string, record: ProducerRecord<K, V>, future: Future<RecordMetadata>): void {
    const afterDelivery = this.#options.hooks?.afterDelivery?.bind(this.#options.hooks);
    if (afterDelivery !== undefined) future.addBoth((result) => afterDelivery(topic, record, result));
  }
}

function givenOutside(): IllegalStateError {
  return new IllegalStateError('the record was given after the end of a transaction: begin one first');
}
