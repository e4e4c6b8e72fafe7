// Owns one assigned partition: its position and the state of that, what was fetched, what was handed out, what is done. Network
// thread. Must not send: fetcher.ts, position-resolver.ts and auto-commit.ts do, by its state.
// Source: reference of Java's SubscriptionState; KIP-320 (leader epochs), KIP-392 (nearest replica).

import type { StartAt } from '../../common/config/consumer-config.ts';
import type { DecodedRecords } from '../requests/codec-work.ts';
import type { FetchedMemory } from './fetched-memory.ts';
import type { FetchedRecords, Piece } from './fetched-records.ts';
import type { HandedBatch, PreparedBatch, RaisedError } from './handed-batch.ts';

/**
 * `initializing`: there is no position; the committed offset is looked up. `reset`: an offset of the log is looked up. `validating`:
 * the leader has changed; its log is compared. `fetching`: the position is valid. `failed`: only a seek helps.
 */
export type PositionState = 'initializing' | 'reset' | 'validating' | 'fetching' | 'failed';

export interface Position {
  readonly offset: bigint;
  /** The leader epoch of the last record read. -1 for unknown. */
  readonly leaderEpoch: number;
}

/** A piece that is decoded elsewhere. Pieces behind it wait. */
export interface DecodingPiece {
  piece: Piece;
  /** Null while it is being decoded. An Error: it must be decoded here. */
  decoded: DecodedRecords | Error | null;
}

const unknownOffset = -1n;
/** How many batches of a partition may be handed out: one in work, and some that wait behind it. */
const maxHandedOut = 8;

export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly key: string;
  /** Of the topic that the position is of; null where none is known. */
  topicId: string | null = null;
  state: PositionState = 'initializing';
  /** Changes when the answers of earlier requests must be ignored: fetches and look-ups. */
  version = 0;
  /** In state `reset`: the place whose offset is looked up. */
  resetTo: StartAt | { readonly agoMs: number } = 'latest';
  /** The position of the next fetch. */
  fetchPosition: Position = { offset: unknownOffset, leaderEpoch: -1 };
  /** A leader has denied the position: if its log does not part from ours below it, the position is outside of the log. */
  isOutOfRange = false;
  /** The leader epoch against which the position was validated. -1 for none. */
  validatedEpoch = -1;
  highWatermark = unknownOffset;
  lastStableOffset = unknownOffset;
  logStartOffset = unknownOffset;
  isPaused = false;
  /** The partition is being released: nothing is fetched or handed out any more. */
  isReleasing = false;
  /** The broker whose answer to a fetch is awaited. -1: there is none, or its answer is of no use any more. */
  askedBroker = -1;
  /** The size of the topic's largest batch that was larger than what a fetch had asked for. 0: none was. */
  batchBytes = 0;
  isLookUpInFlight = false;
  /** After a failure: the time before which nothing is sent for this partition. */
  retryAt = Number.NEGATIVE_INFINITY;
  failures = 0;
  /** An error that is raised after the handed-out batches. */
  error: Error | null = null;
  /** It was raised. */
  raised: RaisedError | null = null;
  /** The replica that the leader has named for fetches (KIP-392). -1 for none. */
  preferredReplica = -1;
  preferredUntil = Number.NEGATIVE_INFINITY;
  /** The last time at which it made progress or had a good reason to make none. */
  movedAt = Number.NEGATIVE_INFINITY;
  isStalled = false;
  committed: Position | null = null;
  /** Up to here, records were counted as handed out, and were withdrawn before the application took them. */
  countedTo = unknownOffset;
  /** A decoded batch that waits for room. */
  prepared: PreparedBatch | null = null;
  decoding: DecodingPiece | null = null;
  readonly fetched: FetchedRecords[] = [];
  readonly handed: HandedBatch[] = [];
  #handPosition: Position = this.fetchPosition;
  #donePosition: Position = this.fetchPosition;

  constructor(topic: string, index: number) {
    this.topic = topic;
    this.index = index;
    this.key = keyOf(topic, index);
  }

  /** The position of the next record to hand out. */
  get handPosition(): Position {
    return this.#handPosition;
  }

  /** Everything before this position is done. It may be committed. */
  get donePosition(): Position {
    return this.#donePosition;
  }

  /** Whether a fetch is under way whose answer is of use. */
  get isFetchInFlight(): boolean {
    return this.askedBroker >= 0;
  }

  /** The bytes that are kept for the partition and that the application does not have. */
  get bufferedBytes(): number {
    let bytes = this.prepared?.usedBytes ?? 0;
    if (this.decoding !== null) bytes += this.decoding.piece.end - this.decoding.piece.start;
    for (const records of this.fetched) bytes += records.byteLength;
    return bytes;
  }

  get hasRecords(): boolean {
    return this.prepared !== null || this.fetched.length > 0;
  }

  /** Begins at a new position. Everything that was fetched or under way is given up. */
  startAt(offset: bigint, leaderEpoch: number): void {
    this.giveUp();
    this.countedTo = unknownOffset;
    this.fetchPosition = { offset, leaderEpoch };
    this.#handPosition = this.fetchPosition;
    this.#donePosition = this.fetchPosition;
    this.state = 'fetching';
    this.validatedEpoch = -1;
    this.#settled();
  }

  /** The position must be looked up. */
  resetAt(resetTo: Partition['resetTo']): void {
    this.giveUp();
    this.state = 'reset';
    this.resetTo = resetTo;
    this.#settled();
  }

  /** Stops after the records that are prepared. `error` is raised after them, and then the partition waits for a seek. */
  stopAt(error: Error): void {
    this.giveUpFetch();
    this.fetched.length = 0;
    this.decoding = null;
    this.error = error;
    this.unraise();
  }

  /** Takes the error back unless the application has it: it is of a former place, or goes to another thread. */
  unraise(): void {
    this.raised?.withdraw();
    this.raised = null;
  }

  /** Stops. `error` is raised after the handed-out batches, and then the partition waits for a seek. */
  fail(error: Error): void {
    this.dropFetched();
    this.state = 'failed';
    this.error = error;
    this.unraise();
  }

  /** Gives up everything that was fetched or handed out and is not done. The application sees `lost`, and the position goes back. */
  giveUp(): void {
    this.#giveUpFrom(this.handed[0]);
  }

  /** Takes back the batches that the application has not taken. They are handed out again later, perhaps to another thread. */
  withdraw(): void {
    const { length } = this.handed;
    const { offset } = this.#handPosition;
    while (this.handed.at(-1)?.withdraw() === true) this.handed.pop()!.free();
    // Then nothing comes again, and look-ups and fetches that are under way are still of use.
    if (this.handed.length === length) return;
    if (offset > this.countedTo) this.countedTo = offset;
    this.#goBack();
  }

  /** Gives up what was fetched and not handed out. It is fetched again. */
  dropFetched(): void {
    this.giveUpFetch();
    this.fetched.length = 0;
    this.decoding = null;
    this.prepared = null;
    this.fetchPosition = this.#handPosition;
  }

  /** What is under way for the partition is of no use any more. A broker may keep a fetch for long, and another one need not wait for it. */
  giveUpFetch(): void {
    this.version++;
    this.askedBroker = -1;
  }

  /** Copies what was fetched out of memory that serves others from now on. */
  keepFetched(memory: FetchedMemory): void {
    const { decoding } = this;
    // The piece that is being decoded is of the first of them.
    if (decoding !== null && this.fetched[0]?.isLent === true) {
      const { bytes, start, end } = decoding.piece;
      decoding.piece = { bytes: bytes.slice(start, end), start: 0, end: end - start };
    }
    for (const fetched of this.fetched) fetched.keep(memory);
  }

  /** A fetch has read up to `next`. */
  fetchedTo(next: Position): void {
    this.fetchPosition = next;
    this.failures = 0;
  }

  /** There are no records for the application before `next`. */
  passOver(next: Position): void {
    this.#handPosition = next;
    if (this.handed.length === 0) this.#donePosition = next;
  }

  handedOut(batch: HandedBatch): void {
    this.handed.push(batch);
    this.#handPosition = { offset: batch.nextOffset, leaderEpoch: batch.leaderEpoch };
  }

  /** Notes what the application has done. Batches that it gave back are handed out again, with those behind them; it keeps those before them. */
  collectDone(): void {
    this.raised?.see();
    this.#advance();
    const returned = this.handed.find((batch) => batch.isReturned());
    if (returned !== undefined) this.#giveUpFrom(returned);
  }

  /** Whether another batch may be handed out. */
  get mayHandOut(): boolean {
    return this.handed.length < maxHandedOut && !this.isPaused && !this.isReleasing && this.state === 'fetching';
  }

  /** Gives up what is not done of this batch and of those behind it. The application has the batches before it as before. */
  #giveUpFrom(first: HandedBatch | undefined): void {
    const from = first === undefined ? this.handed.length : this.handed.indexOf(first);
    // None is freed before all are given up: the application could take one that is behind it.
    for (const batch of this.handed.slice(from)) batch.giveUp();
    this.#advance();
    const at = first === undefined ? -1 : this.handed.indexOf(first);
    const given = this.handed.splice(Math.max(0, at));
    // Its first records are done, and those of earlier batches may not be.
    if (at > 0 && first!.doneUpTo() > first!.firstOffset) this.handed.push(donePartOf(first!));
    for (const batch of given) batch.free();
    if (given.length > 0) this.#goBack();
    else this.#fetchAgain();
  }

  /** Batches come again: continues behind those that the application has. What stopped the partition behind them is met again. */
  #goBack(): void {
    this.error = null;
    this.unraise();
    this.isOutOfRange = false;
    if (this.state === 'failed') {
      this.state = 'fetching';
      this.validatedEpoch = -1;
    }
    this.#fetchAgain();
  }

  #fetchAgain(): void {
    const last = this.handed.at(-1);
    this.#handPosition =
      last === undefined ? this.#donePosition : { offset: last.nextOffset, leaderEpoch: last.leaderEpoch };
    this.dropFetched();
  }

  #advance(): void {
    for (let batch = this.handed[0]; batch !== undefined; batch = this.handed[0]) {
      const doneUpTo = batch.doneUpTo();
      if (doneUpTo > this.#donePosition.offset)
        this.#donePosition = { offset: doneUpTo, leaderEpoch: batch.leaderEpoch };
      if (doneUpTo < batch.nextOffset) return;
      batch.free();
      this.handed.shift();
    }
    this.#donePosition = this.#handPosition;
  }

  #settled(): void {
    this.isOutOfRange = false;
    this.error = null;
    this.unraise();
    this.failures = 0;
    this.retryAt = Number.NEGATIVE_INFINITY;
  }
}

/** The part of a batch that is done. It keeps its place among the batches, since nothing behind an unfinished one may be committed. */
function donePartOf(batch: HandedBatch): HandedBatch {
  const nextOffset = batch.doneUpTo();
  const { firstOffset, leaderEpoch, count } = batch;
  return {
    ...{ firstOffset, nextOffset, leaderEpoch, count, byteLength: 0 },
    doneUpTo: () => nextOffset,
    isPosted: () => false,
    withdraw: () => false,
    isReturned: () => false,
    giveUp: () => {},
    free: () => {},
  };
}

export function keyOf(topic: string, index: number): string {
  return `${topic}-${index}`;
}
