// Owns producer id, epoch and what follows from an error about sequences: retry, raise the epoch, or give up. Network thread. One
// for each producer; without idempotence there is none. Must not send: idempotent-start.ts and the transaction do.
// Source: KIP-98, KIP-360 (epoch bump), Kafka's TransactionManager; the rules are those of section "Idempotence" in docs/producer.md.

import type { PartitionState } from './partition-state.ts';
import { addSequence, type ProducerBatch } from './producer-batch.ts';

const maxEpoch = 32767;

export const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
export const INVALID_PRODUCER_EPOCH = 47;
export const UNKNOWN_PRODUCER_ID = 59;

/** What a producer with a transaction does about a gap that it cannot close. */
export interface GapListener {
  /** Records of the partition may be lost, in the middle: the transaction must be aborted. */
  onGap(partition: PartitionState): void;
}

export class ProducerNumbers {
  readonly isTransactional: boolean;
  /** int64 in halves; both -1: none was given. */
  producerIdLow = -1;
  producerIdHigh = -1;
  producerEpoch = -1;
  /**
   * Partitions whose batches are to be numbered anew under another epoch, each with batches that must be over first: those sent
   * before the gap may be in the log, and would be there twice under other numbers.
   */
  readonly #toRenumber = new Map<PartitionState, ReadonlySet<ProducerBatch>>();
  /** Partitions in which a batch was sent and given up. */
  readonly #unresolved = new Set<PartitionState>();
  #needsNewId = false;

  constructor(isTransactional: boolean) {
    this.isTransactional = isTransactional;
  }

  /** Whether batches can be numbered. */
  get isKnown(): boolean {
    return this.producerEpoch >= 0 && !this.#needsNewId;
  }

  /** Takes id and epoch from an answer of a broker. */
  take(producerIdLow: number, producerIdHigh: number, producerEpoch: number): void {
    this.producerIdLow = producerIdLow;
    this.producerIdHigh = producerIdHigh;
    this.producerEpoch = producerEpoch;
    this.#needsNewId = false;
    for (const partition of this.#due()) this.#restart(partition);
  }

  /** Nothing is valid any more: another id has to be asked for. */
  forget(): void {
    this.producerEpoch = -1;
    this.producerIdLow = -1;
    this.producerIdHigh = -1;
  }

  /**
   * Settles what is settled by itself once nothing is in flight, and raises the epoch where that was asked for.
   * @param gaps told of gaps instead where there is a transaction
   * @returns whether another producer id must be asked for
   */
  poll(gaps: GapListener | null): boolean {
    for (const partition of this.#unresolved) {
      if (!partition.isUnresolved) this.#unresolved.delete(partition);
      else if (partition.sent.length === 0) {
        this.#unresolved.delete(partition);
        // A batch that was given up was acknowledged, or one after it: then nothing is missing.
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

  /** Whether the batch at the head of the partition's queue may be sent now, as far as its number goes. */
  maySend(partition: PartitionState, batch: ProducerBatch): boolean {
    if (!this.isKnown) return false;
    if (!batch.hasSequence) {
      if (partition.isUnresolved || this.#toRenumber.has(partition)) return false;
      // A leader that knows nothing of a producer takes any sequence: the second batch must not come before the first.
      if (!partition.isKnownToLeader && partition.sent.length > 0) return false;
      // A new epoch starts at 0: what is in flight under the old one must be over, or it would come too late.
      return !(partition.sent.length > 0 && this.#isStale(partition));
    }
    const before = this.#toRenumber.get(partition);
    if (before !== undefined && !before.has(batch)) return false;
    // One that is sent again is sent alone, the first of those that are not settled: so the order holds.
    return partition.sent[0] === batch;
  }

  /** Numbers a batch that is about to be sent for the first time. */
  number(partition: PartitionState, batch: ProducerBatch): void {
    if (this.#isStale(partition)) this.#restart(partition);
    partition.number(batch);
  }

  /**
   * Whether a batch that failed with this code is to be sent again, whatever other codes would mean; undefined: the code has
   * nothing to do with numbers.
   * @param logStartOffset of the answer; -1 unknown
   */
  retries(batch: ProducerBatch, errorCode: number, logStartOffset: number): boolean | undefined {
    const { partition } = batch;
    if (errorCode === UNKNOWN_PRODUCER_ID) {
      partition.isKnownToLeader = false;
      if (logStartOffset < 0 || batch.isRenumbered) return true;
      if (partition.lastAckedOffset < logStartOffset) {
        // Retention removed what this producer wrote, and the broker's memory of it.
        if (this.isTransactional) this.#restart(partition);
        else this.#renumberFrom(batch);
        return true;
      }
      if (this.isTransactional) return false;
      this.#renumberFrom(batch);
      return true;
    }
    if (errorCode === OUT_OF_ORDER_SEQUENCE_NUMBER) {
      const isGap = !batch.isRenumbered && partition.isNext(batch.baseSequence);
      if (!partition.isUnresolved && !isGap) return true;
      if (this.isTransactional) return false;
      if (!partition.isUnresolved || partition.unresolvedSequence === batch.baseSequence) {
        this.#renumberFrom(batch);
      }
      return true;
    }
    if (errorCode === INVALID_PRODUCER_EPOCH && !this.isTransactional) {
      if (!batch.isRenumbered && partition.hasNumbersOf(batch)) this.#renumberFrom(batch);
      return true;
    }
    return undefined;
  }

  /**
   * A batch has failed for good; it is still among those sent.
   * @param isInDoubt false: the broker has not written it, which is certain
   */
  failed(batch: ProducerBatch, errorCode: number, isInDoubt: boolean): void {
    const { partition } = batch;
    if (!batch.hasSequence || !partition.sent.includes(batch)) return;
    if (!this.isTransactional) {
      if (!isInDoubt || errorCode === OUT_OF_ORDER_SEQUENCE_NUMBER) this.#renumberFrom(batch);
    } else if (errorCode === UNKNOWN_PRODUCER_ID) {
      partition.nextSequence = 0;
      partition.lastAckedSequence = -1;
    } else if (!isInDoubt) {
      partition.closeGap(batch);
    }
  }

  /** A batch that was sent is given up, and nobody knows whether it is in the log. */
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

  /** The batch and those behind it are numbered anew; those before it keep their numbers until they are over. */
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
