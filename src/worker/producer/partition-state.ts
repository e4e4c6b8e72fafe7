// Owns a producer's state of one partition: waiting batches, sent batches, and their sequence numbers. Network thread. Must not decide
// what an error means: producer-numbers.ts does.

import { addSequence, noSequence, type ProducerBatch } from './producer-batch.ts';
import type { TopicState } from './topic-state.ts';

export class PartitionState {
  readonly topic: TopicState;
  readonly index: number;
  /** Batches to be sent, oldest first. Batches to be sent again come before all others. The last one may be open. */
  readonly queue: ProducerBatch[] = [];
  /** Batches that were sent and are not settled, in the order of their sequences. Batches to be sent again are here too. */
  readonly sent: ProducerBatch[] = [];
  /** Whether the partition is in the accumulator's list of partitions with batches. */
  isListed = false;
  /** The producer id, epoch and sequence of the next batch. */
  producerIdLow = -1;
  producerIdHigh = -1;
  producerEpoch = -1;
  nextSequence = 0;
  /** -1: nothing was acknowledged with this producer id and epoch. */
  lastAckedSequence = noSequence;
  /** The leader has written records of this producer, so it checks the next sequences. */
  isKnownToLeader = false;
  /** The offset of the last acknowledged record. -1 for none. It is a number, because it is only compared with a log start offset. */
  lastAckedOffset = -1;
  /** The sequence after a batch that was sent and then given up, so that it is unknown whether it was written. -1: none. */
  unresolvedSequence = noSequence;
  /** The time at which the leader's connection first refused a ready batch. -1: it did not. */
  refusedSince = -1;

  constructor(topic: TopicState, index: number) {
    this.topic = topic;
    this.index = index;
  }

  get isIdle(): boolean {
    return this.queue.length === 0 && this.sent.length === 0;
  }

  get isUnresolved(): boolean {
    return this.unresolvedSequence !== noSequence;
  }

  /** Whether a batch with this first sequence comes directly after the last acknowledged one. */
  isNext(sequence: number): boolean {
    return sequence === (this.lastAckedSequence === noSequence ? 0 : addSequence(this.lastAckedSequence, 1));
  }

  /** Gives the batch the next sequences. */
  number(batch: ProducerBatch): void {
    batch.number(this.producerIdLow, this.producerIdHigh, this.producerEpoch, this.nextSequence);
    this.nextSequence = addSequence(this.nextSequence, batch.count);
  }

  /** Changes producer id and epoch, and numbers again from 0. Sent batches that are not settled come first, in their order. */
  restart(producerIdLow: number, producerIdHigh: number, producerEpoch: number): void {
    this.producerIdLow = producerIdLow;
    this.producerIdHigh = producerIdHigh;
    this.producerEpoch = producerEpoch;
    this.nextSequence = 0;
    this.lastAckedSequence = noSequence;
    this.unresolvedSequence = noSequence;
    for (const batch of this.sent) {
      this.number(batch);
      batch.isRenumbered = true;
    }
  }

  /** Notes that the broker has the batch. `offset` is the offset of its last record; -1 for unknown. */
  acknowledged(batch: ProducerBatch, offset: number): void {
    this.isKnownToLeader = true;
    if (!this.hasNumbersOf(batch)) return;
    const last = batch.lastSequence;
    // Sequences wrap around. A sequence is later if it is ahead by less than half of the range.
    const isLater =
      this.lastAckedSequence === noSequence || (last - this.lastAckedSequence + 2147483648) % 2147483648 < 1073741824;
    if (isLater) this.lastAckedSequence = last;
    if (offset > this.lastAckedOffset) this.lastAckedOffset = offset;
  }

  /** Whether the batch has the producer id and epoch of the partition's next batch. */
  hasNumbersOf(batch: ProducerBatch): boolean {
    return (
      batch.hasSequence &&
      batch.producerIdLow === this.producerIdLow &&
      batch.producerIdHigh === this.producerIdHigh &&
      batch.producerEpoch === this.producerEpoch
    );
  }

  /** A batch failed and was not written. The batches sent after it get lower sequences, so that there is no gap. */
  closeGap(failed: ProducerBatch): void {
    if (!this.hasNumbersOf(failed)) return;
    const from = this.sent.indexOf(failed);
    this.nextSequence = addSequence(this.nextSequence, 2147483648 - failed.count);
    for (const batch of this.sent.slice(from + 1)) {
      if (!this.hasNumbersOf(batch)) continue;
      const sequence = addSequence(batch.baseSequence, 2147483648 - failed.count);
      batch.number(batch.producerIdLow, batch.producerIdHigh, batch.producerEpoch, sequence);
      batch.isRenumbered = true;
    }
  }

  /** Puts a batch back into the queue to be sent again: before all batches that were never sent, and in the order of `sent`. */
  requeue(batch: ProducerBatch): void {
    const order = this.sent.indexOf(batch);
    let at = 0;
    if (order >= 0) {
      while (at < this.queue.length) {
        const other = this.sent.indexOf(this.queue[at]!);
        if (other < 0 || other > order) break;
        at++;
      }
    }
    batch.isQueued = true;
    this.queue.splice(at, 0, batch);
  }

  removeSent(batch: ProducerBatch): void {
    const at = this.sent.indexOf(batch);
    if (at >= 0) this.sent.splice(at, 1);
  }

  removeQueued(batch: ProducerBatch): void {
    const at = this.queue.indexOf(batch);
    if (at >= 0) this.queue.splice(at, 1);
    batch.isQueued = false;
  }
}
