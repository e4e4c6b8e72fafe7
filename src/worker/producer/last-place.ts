// Owns the place of the last record of a link: the next one goes into the same batch, without anything being decided again, if it is like that one
// in all that decides. Network thread. It does not see what becomes of the batch and of the producer: whoever lets anything else happen than
// the taking of records must call `forget` before. That way a record takes a quarter less time (bench/micro/record-intake.ts).

import type { Accumulator } from './accumulator.ts';
import type { PartitionState } from './partition-state.ts';
import type { ProducerBatch } from './producer-batch.ts';
import type { UnplacedRecord } from './staging.ts';
import type { StickyPartitioner } from './sticky-partitioner.ts';
import type { TopicState } from './topic-state.ts';

export class LastPlace {
  readonly #accumulator: Accumulator;
  #topic: TopicState | null = null;
  /** Null: there is no place. */
  #batch: ProducerBatch | null = null;
  #index = -1;
  /** The partition that records must name. -1: none. */
  #named = -1;
  /** It has chosen the partition. Null: records name it. */
  #sticky: StickyPartitioner | null = null;
  #lingerMs = 0;
  #maxBytes = 0;

  constructor(accumulator: Accumulator) {
    this.#accumulator = accumulator;
  }

  forget(): void {
    this.#batch = null;
  }

  /** The record went into the last batch of this partition, and its key had no part in that. */
  note(record: UnplacedRecord, partition: PartitionState): void {
    const batch = partition.queue.at(-1);
    if (batch === undefined || batch.isFull) return;
    this.#batch = batch;
    this.#topic = record.topic;
    this.#named = record.partition;
    this.#sticky = record.partition < 0 ? record.topic.sticky : null;
    this.#index = partition.index;
    this.#lingerMs = record.lingerMs;
    this.#maxBytes = this.#accumulator.maxBodyBytes;
  }

  /** Takes a record if nothing has to be decided for it. @returns false otherwise; nothing was done then */
  append(record: UnplacedRecord): boolean {
    const batch = this.#batch;
    if (batch === null || record.topic !== this.#topic || record.partition !== this.#named) return false;
    const byteCount = record.to - record.from;
    if (record.lingerMs !== this.#lingerMs || byteCount > this.#maxBytes) return false;
    const sticky = this.#sticky;
    if ((sticky !== null && record.keyFrom >= 0) || !this.#accumulator.addTo(batch, record)) return false;
    const { isFull } = batch;
    if (sticky?.appended(record.topic, this.#index, byteCount, isFull) === true || isFull) this.#batch = null;
    return true;
  }
}
