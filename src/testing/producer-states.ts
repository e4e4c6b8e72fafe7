// Owns what a partition remembers of idempotent and transactional producers: epochs, the last batches, the open
// transaction. Runs in the broker's thread. Behaves as brokers of 4.x were measured; one check per batch, not per record.

import type { BatchBounds } from './batches.ts';
import { errorCodes } from './error-codes.ts';

/** The answer to a repeated batch. */
export interface RememberedBatch {
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly maxTimestamp: number;
}

interface ProducerState {
  epoch: number;
  /** The last ones, oldest first. Empty after a marker of a higher epoch. */
  batches: RememberedBatch[];
}

export type SequenceCheck = { readonly errorCode: number } | { readonly repeats: RememberedBatch };

const maxRemembered = 5;
const maxSequence = 0x7fff_ffff;
const good: SequenceCheck = { errorCode: errorCodes.NONE };

/** Sequence of the record `count` places after `sequence`; 2147483647 is followed by 0. */
export function sequenceAfter(sequence: number, count: number): number {
  const sum = sequence + count;
  return sum > maxSequence ? sum - maxSequence - 1 : sum;
}

export class ProducerStates {
  readonly #states = new Map<number, ProducerState>();
  /** First offset of the open transaction, by producer id. */
  readonly #open = new Map<number, number>();

  /** Whether the leader accepts a client's batch or has it already. */
  check(batch: BatchBounds): SequenceCheck {
    const state = this.#states.get(batch.producerId);
    if (state === undefined) return good;
    const lastSequence = sequenceAfter(batch.baseSequence, batch.offsets - 1);
    if (state.epoch === batch.producerEpoch) {
      const repeats = state.batches.find(
        (known) => known.baseSequence === batch.baseSequence && known.lastSequence === lastSequence,
      );
      if (repeats !== undefined) return { repeats };
    }
    if (batch.producerEpoch < state.epoch) return { errorCode: errorCodes.INVALID_PRODUCER_EPOCH };
    const last = batch.producerEpoch > state.epoch ? undefined : state.batches.at(-1);
    const expected = last === undefined ? 0 : sequenceAfter(last.lastSequence, 1);
    if (batch.baseSequence !== expected) return { errorCode: errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER };
    if (this.#open.has(batch.producerId) && !batch.isTransactional) return { errorCode: errorCodes.INVALID_TXN_STATE };
    return good;
  }

  /** Whether a batch of that producer belongs to a transaction that is already open here. */
  hasOpenTransaction(producerId: number, epoch: number): boolean {
    return this.#open.has(producerId) && this.#states.get(producerId)?.epoch === epoch;
  }

  appended(batch: BatchBounds, baseOffset: number): void {
    const state = this.#stateOf(batch.producerId, batch.producerEpoch);
    if (batch.producerEpoch > state.epoch) {
      state.epoch = batch.producerEpoch;
      state.batches = [];
    }
    state.batches.push({
      baseSequence: batch.baseSequence,
      lastSequence: sequenceAfter(batch.baseSequence, batch.offsets - 1),
      baseOffset,
      maxTimestamp: batch.maxTimestamp,
    });
    if (state.batches.length > maxRemembered) state.batches.shift();
    if (batch.isTransactional && !this.#open.has(batch.producerId)) this.#open.set(batch.producerId, baseOffset);
  }

  /** A marker was written. Returns the offset at which its transaction began, or -1. */
  marked(producerId: number, epoch: number): number {
    const state = this.#stateOf(producerId, epoch);
    if (epoch > state.epoch) {
      state.epoch = epoch;
      state.batches = [];
    }
    const first = this.#open.get(producerId) ?? -1;
    this.#open.delete(producerId);
    return first;
  }

  /** Where the oldest open transaction begins; Infinity for none. */
  firstOpenOffset(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const offset of this.#open.values()) {
      if (offset < first) first = offset;
    }
    return first;
  }

  /** Before the log is read again after a truncation. */
  clear(): void {
    this.#states.clear();
    this.#open.clear();
  }

  #stateOf(producerId: number, epoch: number): ProducerState {
    const known = this.#states.get(producerId);
    if (known !== undefined) return known;
    const state: ProducerState = { epoch, batches: [] };
    this.#states.set(producerId, state);
    return state;
  }
}
