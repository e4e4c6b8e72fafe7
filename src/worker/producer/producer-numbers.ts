// Owns producer id, epoch and the reaction to an error about sequences: retry, raise the epoch, or give up. Network thread. Each
// idempotent producer has one. Must not send: idempotent-start.ts and the transaction do.
// Source: KIP-98, KIP-360 (epoch bump), Kafka's TransactionManager. The rules are in section "Idempotence" of docs/producer.md.

import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import type { PartitionState } from './partition-state.ts';
import { addSequence, type ProducerBatch } from './producer-batch.ts';

const maxEpoch = 32767;

/** Is told of a gap in the sequences that cannot be closed, if the producer has transactions. */
export interface GapListener {
  /** Records in the middle of the partition's records may be lost, so the transaction must be aborted. */
  onGap(partition: PartitionState): void;
}

export class ProducerNumbers {
  readonly isTransactional: boolean;
  /** An int64 in halves. Both are -1 if there is none. */
  producerIdLow = -1;
  producerIdHigh = -1;
  producerEpoch = -1;
  /**
   * The partitions whose batches must be numbered again with another epoch. The value has the batches that must be settled first: they
   * were sent before the gap and may be in the log, and with other numbers they would be written twice.
   */
  readonly #toRenumber = new Map<PartitionState, ReadonlySet<ProducerBatch>>();
  /** The partitions in which a batch was sent and then given up. */
  readonly #unresolved = new Set<PartitionState>();
  #needsNewId = false;

  constructor(isTransactional: boolean) {
    this.isTransactional = isTransactional;
  }

  /** Whether batches can be numbered. */
  get isKnown(): boolean {
    return this.producerEpoch >= 0 && !this.#needsNewId;
  }

  /** Sets id and epoch from a broker's answer. */
  take(producerIdLow: number, producerIdHigh: number, producerEpoch: number): void {
    this.producerIdLow = producerIdLow;
    this.producerIdHigh = producerIdHigh;
    this.producerEpoch = producerEpoch;
    this.#needsNewId = false;
    for (const partition of this.#due()) this.#restart(partition);
  }

  /**
   * Checks gaps when nothing is in flight, and raises the epoch where it must be raised.
   * @param gaps is told of gaps if the producer has transactions
   * @returns whether another producer id must be requested
   */
  poll(gaps: GapListener | null): boolean {
    for (const partition of this.#unresolved) {
      if (!partition.isUnresolved) this.#unresolved.delete(partition);
      else if (partition.sent.length === 0) {
        this.#unresolved.delete(partition);
        // Nothing is missing if a batch that was given up, or a later one, was acknowledged.
        const isWhole = partition.isNext(partition.nextSequence);
        partition.unresolvedSequence = -1;
        if (isWhole) continue;
        if (gaps === null) this.#toRenumber.set(partition, new Set());
        else gaps.onGap(partition);
      }
    }
    if (this.isTransactional || !this.isKnown) return !this.isKnown;
    const due = this.#due();
    if (due.length === 0) return false;
    if (this.producerEpoch >= maxEpoch) {
      this.#needsNewId = true;
      return true;
    }
    this.producerEpoch++;
    for (const partition of due) this.#restart(partition);
    return false;
  }

  /** Whether the sequences allow that the first batch of the partition's queue is sent now. */
  maySend(partition: PartitionState, batch: ProducerBatch): boolean {
    if (!this.isKnown) return false;
    if (!batch.hasSequence) {
      if (partition.isUnresolved || this.#toRenumber.has(partition)) return false;
      // A leader that does not know the producer accepts any sequence. So the second batch must wait for the answer to the first.
      if (!partition.isKnownToLeader && partition.sent.length > 0) return false;
      // A new epoch starts at sequence 0. The batches in flight with the old epoch must be answered first, otherwise they would come too late.
      return !(partition.sent.length > 0 && this.#isStale(partition));
    }
    const before = this.#toRenumber.get(partition);
    if (before !== undefined && !before.has(batch)) return false;
    // Only the first batch that is not settled is sent again, and alone. So the order is kept.
    return partition.sent[0] === batch;
  }

  /** Numbers a batch before it is sent for the first time. */
  number(partition: PartitionState, batch: ProducerBatch): void {
    if (this.#isStale(partition)) this.#restart(partition);
    partition.number(batch);
  }

  /**
   * Whether a batch that failed with this code must be sent again. Undefined if the code is not about sequences.
   * @param logStartOffset the log start offset in the answer; -1 for unknown
   */
  retries(batch: ProducerBatch, errorCode: number, logStartOffset: number): boolean | undefined {
    const { partition } = batch;
    if (errorCode === errorCodes.UNKNOWN_PRODUCER_ID) {
      partition.isKnownToLeader = false;
      if (logStartOffset < 0 || batch.isRenumbered) return true;
      if (partition.lastAckedOffset < logStartOffset) {
        // Retention has removed this producer's records, so the broker does not know its sequences any more.
        if (this.isTransactional) this.#restart(partition);
        else this.#renumberFrom(batch);
        return true;
      }
      if (this.isTransactional) return false;
      this.#renumberFrom(batch);
      return true;
    }
    if (errorCode === errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      const isGap = !batch.isRenumbered && partition.isNext(batch.baseSequence);
      if (!partition.isUnresolved && !isGap) return true;
      if (this.isTransactional) return false;
      if (!partition.isUnresolved || partition.unresolvedSequence === batch.baseSequence) {
        this.#renumberFrom(batch);
      }
      return true;
    }
    if (errorCode === errorCodes.INVALID_PRODUCER_EPOCH && !this.isTransactional) {
      if (!batch.isRenumbered && partition.hasNumbersOf(batch)) this.#renumberFrom(batch);
      return true;
    }
    return undefined;
  }

  /**
   * A batch has failed finally. It is still in the list of sent batches.
   * @param isInDoubt false if it is certain that the broker has not written it
   */
  failed(batch: ProducerBatch, errorCode: number, isInDoubt: boolean): void {
    const { partition } = batch;
    if (!batch.hasSequence || !partition.sent.includes(batch)) return;
    if (!this.isTransactional) {
      if (!isInDoubt || errorCode === errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER) this.#renumberFrom(batch);
    } else if (errorCode === errorCodes.UNKNOWN_PRODUCER_ID) {
      partition.nextSequence = 0;
      partition.lastAckedSequence = -1;
    } else if (!isInDoubt) {
      partition.closeGap(batch);
    }
  }

  /** A sent batch is given up, and it is unknown whether it was written. */
  givenUp(batch: ProducerBatch): void {
    const { partition } = batch;
    if (!partition.hasNumbersOf(batch)) return;
    partition.unresolvedSequence = addSequence(batch.baseSequence, batch.count);
    this.#unresolved.add(partition);
  }

  #due(): PartitionState[] {
    const due: PartitionState[] = [];
    for (const [partition, before] of this.#toRenumber) {
      if (!partition.sent.some((batch) => before.has(batch))) due.push(partition);
    }
    return due;
  }

  /** The batch and later ones are numbered again. Earlier ones keep their numbers until they are settled. */
  #renumberFrom(batch: ProducerBatch): void {
    const { partition } = batch;
    const { sent } = partition;
    const before = new Set(sent.slice(0, Math.max(sent.indexOf(batch), 0)));
    const known = this.#toRenumber.get(partition);
    if (known === undefined || before.size < known.size) this.#toRenumber.set(partition, before);
  }

  #isStale(partition: PartitionState): boolean {
    return (
      partition.producerEpoch !== this.producerEpoch ||
      partition.producerIdLow !== this.producerIdLow ||
      partition.producerIdHigh !== this.producerIdHigh
    );
  }

  #restart(partition: PartitionState): void {
    partition.restart(this.producerIdLow, this.producerIdHigh, this.producerEpoch);
    this.#unresolved.delete(partition);
    this.#toRenumber.delete(partition);
  }
}
