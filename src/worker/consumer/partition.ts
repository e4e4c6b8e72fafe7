// Owns one assigned partition: where its position is and how sure that is, what was fetched, what is handed out, what is done.
// Network thread. Must not send: fetcher.ts, position-resolver.ts and offset-committer.ts ask it what it needs.
// Source: reference of Java's SubscriptionState; KIP-320 (leader epochs), KIP-392 (nearest replica).

import type { StartAt } from '../../common/config/consumer-config.ts';
import type { FetchedRecords } from './fetched-records.ts';
import type { HandedBatch, PreparedBatch } from './handed-batch.ts';

/**
 * `initializing`: no position, the committed one is asked for. `reset`: an offset of the log is asked for. `validating`: the
 * leader changed, its log is compared. `fetching`: the position is good. `failed`: only a seek helps.
 */
export type PositionState = 'initializing' | 'reset' | 'validating' | 'fetching' | 'failed';

export interface Position {
  readonly offset: bigint;
  /** Leader epoch of the record read last, -1 for unknown. */
  readonly leaderEpoch: number;
}

const unknownOffset = -1n;
/** One that is being worked on, and some that wait behind it. */
const maxHandedOut = 4;

/** Never the same for two partitions, or for one before and after it went back. */
let lastRound = 0;

export class Partition {
  readonly topic: string;
  readonly index: number;
  readonly key: string;
  state: PositionState = 'initializing';
  /** Changes whenever earlier answers about it are void: fetches, look-ups, batches. */
  version = 0;
  /** Newer after each time that what was handed out was given up: tells batches of before from those that follow. */
  round = ++lastRound;
  /** What an answer is to replace, in `reset`. */
  resetTo: StartAt | { readonly agoMs: number } = 'latest';
  /** Where the next fetch reads. */
  fetchPosition: Position = { offset: unknownOffset, leaderEpoch: -1 };
  /** Leader epoch that the position was validated against, -1 for none. */
  validatedEpoch = -1;
  highWatermark = unknownOffset;
  lastStableOffset = unknownOffset;
  logStartOffset = unknownOffset;
  isPaused = false;
  /** To be released: nothing is fetched or handed out any more. */
  isReleasing = false;
  isFetchInFlight = false;
  isLookUpInFlight = false;
  /** Not asked for before, after a failure. */
  retryAt = Number.NEGATIVE_INFINITY;
  failures = 0;
  /** Waits to be raised, in order, behind what is handed out. */
  error: Error | null = null;
  isRaised = false;
  /** The leader sent us there (KIP-392); -1 for none. */
  preferredReplica = -1;
  preferredUntil = Number.NEGATIVE_INFINITY;
  /** Last time it went on, or had a reason not to. */
  movedAt = Number.NEGATIVE_INFINITY;
  isStalled = false;
  committed: Position | null = null;
  /** Decoded, waiting for room. */
  prepared: PreparedBatch | null = null;
  readonly fetched: FetchedRecords[] = [];
  readonly handed: HandedBatch[] = [];
  #handPosition: Position = this.fetchPosition;
  #donePosition: Position = this.fetchPosition;

  constructor(topic: string, index: number) {
    this.topic = topic;
    this.index = index;
    this.key = keyOf(topic, index);
  }

  get hasPosition(): boolean {
    return this.fetchPosition.offset >= 0n;
  }

  /** Offset of the next record to hand out. */
  get handPosition(): Position {
    return this.#handPosition;
  }

  /** Everything before is done: what may be committed. */
  get donePosition(): Position {
    return this.#donePosition;
  }

  /** Bytes kept for it that the application does not have. */
  get bufferedBytes(): number {
    let bytes = this.prepared?.usedBytes ?? 0;
    for (const records of this.fetched) bytes += records.byteLength;
    return bytes;
  }

  get hasRecords(): boolean {
    return this.prepared !== null || this.fetched.length > 0;
  }

  /** Begins anew at a position, whatever was known or under way before. */
  startAt(offset: bigint, leaderEpoch: number): void {
    this.giveUp();
    this.fetchPosition = { offset, leaderEpoch };
    this.#handPosition = this.fetchPosition;
    this.#donePosition = this.fetchPosition;
    this.state = 'fetching';
    this.validatedEpoch = -1;
    this.#settled();
  }

  /** The position is to be found out. */
  resetAt(resetTo: Partition['resetTo']): void {
    this.giveUp();
    this.state = 'reset';
    this.resetTo = resetTo;
    this.#settled();
  }

  /** Nothing is read beyond the records that are prepared: `error` comes behind them, and then it waits for a seek. */
  stopAt(error: Error): void {
    this.version++;
    this.fetched.length = 0;
    this.error = error;
    this.isRaised = false;
  }

  /** It waits for a seek; `error` is raised when the application has what was handed out before. */
  fail(error: Error): void {
    this.dropFetched();
    this.state = 'failed';
    this.error = error;
    this.isRaised = false;
  }

  /** Gives up all that was fetched or handed out and is not done: the application hears `lost`, the position goes back. */
  giveUp(): void {
    for (const batch of this.handed) batch.giveUp();
    this.#advance();
    for (const batch of this.handed.splice(0)) batch.free();
    this.round = ++lastRound;
    this.#handPosition = this.#donePosition;
    this.dropFetched();
  }

  /** Takes back what the application has not taken yet; it is handed out later, or by somebody else. */
  withdraw(): void {
    while (this.handed.at(-1)?.withdraw() === true) this.handed.pop()!.free();
    const last = this.handed.at(-1);
    this.#handPosition =
      last === undefined ? this.#donePosition : { offset: last.nextOffset, leaderEpoch: last.leaderEpoch };
    this.dropFetched();
  }

  /** Gives up what was fetched and not handed out; it is fetched again. */
  dropFetched(): void {
    this.version++;
    this.fetched.length = 0;
    this.prepared = null;
    this.fetchPosition = this.#handPosition;
  }

  /** A fetch read up to `next`. */
  fetchedTo(next: Position): void {
    this.fetchPosition = next;
    this.failures = 0;
  }

  /** Records up to `next` need not be handed out: there are none for the application. */
  passOver(next: Position): void {
    this.#handPosition = next;
    if (this.handed.length === 0) this.#donePosition = next;
  }

  handedOut(batch: HandedBatch): void {
    this.handed.push(batch);
    this.#handPosition = { offset: batch.nextOffset, leaderEpoch: batch.leaderEpoch };
  }

  /** Takes over what the application has done since. What it gave back comes again, and what was behind that. */
  collectDone(): void {
    this.#advance();
    if (this.handed.some((batch) => batch.isReturned())) this.giveUp();
  }

  /** Whether another batch may go out. */
  get mayHandOut(): boolean {
    return this.handed.length < maxHandedOut && !this.isPaused && !this.isReleasing && this.state === 'fetching';
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
    this.error = null;
    this.isRaised = false;
    this.failures = 0;
    this.retryAt = Number.NEGATIVE_INFINITY;
  }
}

export function keyOf(topic: string, index: number): string {
  return `${topic}-${index}`;
}
