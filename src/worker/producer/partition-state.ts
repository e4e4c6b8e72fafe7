// Owns what a producer knows of one partition: batches that wait, batches that were sent, and the sequence numbers between them.
// Network thread. Must not decide what an error means: sequences.ts does.

import { addSequence, noSequence, type ProducerBatch } from './producer-batch.ts';
import type { TopicState } from './topic-state.ts';

export class PartitionState {
  readonly topic: TopicState;
  readonly index: number;
  /** Batches to be sent, oldest first; those to be sent again stand before all others; the last may be open. */
  readonly queue: ProducerBatch[] = [];
  /** Batches that were sent and are not settled, in the order of their sequences, also those that are to be sent again. */
  readonly sent: ProducerBatch[] = [];
  /** Whether it is in the accumulator's list of partitions with something to do. */
  isListed = false;
  /** The numbers under which the next batch is sent. */
  producerIdLow = -1;
  producerIdHigh = -1;
  producerEpoch = -1;
  nextSequence = 0;
  /** -1: nothing was acknowledged under these numbers. */
  lastAckedSequence = noSequence;
  /** The leader has written something of this producer, and so checks the sequences of what follows. */
  isKnownToLeader = false;
  /** Of the last record acknowledged; -1 for none. As a number: compared with a log start only. */
  lastAckedOffset = -1;
  /** The sequence after the last one of a batch that was sent and given up, so that nobody knows whether it is in the log; -1: none. */
  unresolvedSequence = noSequence;
  /** When its leader's connection first refused what was ready here; -1: it did not. */
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

  /** Whether a batch that starts with this sequence is the one after the last acknowledged. */
  isNext(sequence: number): boolean {
    return sequence === (this.lastAckedSequence === noSequence ? 0 : addSequence(this.lastAckedSequence, 1));
  }

  /** Gives the batch the next sequences. */
  number(batch: ProducerBatch): void {
    batch.number(this.producerIdLow, this.producerIdHigh, this.producerEpoch, this.nextSequence);
    this.nextSequence = addSequence(this.nextSequence, batch.count);
  }

  /** Takes other numbers and starts again at 0: batches that were sent and are not settled come first, in their order. */
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

  /** Notes that the broker has the batch; `offset` is that of its last record, -1 unknown. */
  acknowledged(batch: ProducerBatch, offset: number): void {
    this.isKnownToLeader = true;
    if (!this.hasNumbersOf(batch)) return;
    const last = batch.lastSequence;
    // Within half the range, later is what is ahead: sequences wrap.
    const isLater =
      this.lastAckedSequence === noSequence || (last - this.lastAckedSequence + 2147483648) % 2147483648 < 1073741824;
    if (isLater) this.lastAckedSequence = last;
    if (offset > this.lastAckedOffset) this.lastAckedOffset = offset;
  }

  /** Whether the batch has the producer id and epoch that the partition's next one will have. */
  hasNumbersOf(batch: ProducerBatch): boolean {
    return (
      batch.hasSequence &&
      batch.producerIdLow === this.producerIdLow &&
      batch.producerIdHigh === this.producerIdHigh &&
      batch.producerEpoch === this.producerEpoch
    );
  }

  /** A batch failed without being written: those sent after it move down, so that no gap is left. */
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

  /** Puts a batch back to be sent again: before all that were never sent, and in the order of `sent`. */
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
