// Owns the shared table of batches that one application thread was handed: who has each, how much of it is done. The network
// thread hands out and gives up, the application takes, marks and returns. Must not know records, nor wait.

import { IllegalStateError, RingCorruptError } from '../common/errors/errors.ts';

/*
 * A cell of 64 bits for each place, changed by compareExchange alone, since both threads write it:
 *
 *       low word                          high word
 *       | serial (29 bits) | state (3) |  | offsets done, counted from the batch's first (uint32) |
 *
 * A serial tells a batch from others that had the place before. The whole cell is exchanged, so that a mark that comes late
 * can never hit the batch that has the place now.
 *
 *       FREE -> POSTED (network) -> TAKEN (application) -> FREE (network, when all is done)
 *                     \-> LOST (network)     \-> LOST (network) or RETURNED (application) -> FREE (network)
 */

const MAGIC = 0x6b62_7431;
const MAGIC_WORD = 0;
const PLACES_WORD = 1;
/** Written by the application alone. */
const CHANGES_WORD = 2;
const LAST_ASKED_WORD = 3;
const IS_WAITING_WORD = 4;
const HAS_ASKED_WORD = 5;
/** How often it asked, when it began to ask last (uint32 ms), how long it waited in all (ms). Each may wrap. */
const POLLS_WORD = 6;
const POLL_AT_WORD = 7;
const IDLE_MS_WORD = 8;
const CELLS_OFFSET = 64;

const FREE = 0;
const POSTED = 1;
const TAKEN = 2;
const RETURNED = 3;
const LOST = 4;
const STATE_BITS = 3;
const STATE_MASK = 7;
const SERIAL_MASK = 0x1fff_ffff;

/** Of a batch whose offsets span more than 32 bits, as compaction may leave them, only this mark says that all is done. */
const ALL_DONE = 0xffff_ffff;

/** @returns the mark of so many offsets; of a span beyond 32 bits a part that is too large counts as less, so that records come again */
export function markOf(done: number, span: number): number {
  if (done < ALL_DONE) return done;
  return done === span ? ALL_DONE : ALL_DONE - 1;
}

/** @returns how many offsets of the span a mark says are done */
export function offsetsOf(mark: number, span: bigint): bigint {
  const done = BigInt(mark);
  return mark === ALL_DONE || done > span ? span : done;
}

export function createBatchTable(places: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(CELLS_OFFSET + places * 8);
  const words = new Int32Array(buffer);
  words[MAGIC_WORD] = MAGIC;
  words[PLACES_WORD] = places;
  return buffer;
}

function open(buffer: SharedArrayBuffer): { words: Int32Array; cells: BigInt64Array; places: number } {
  const words = new Int32Array(buffer);
  const places = words[PLACES_WORD]!;
  if (words[MAGIC_WORD] !== MAGIC || buffer.byteLength !== CELLS_OFFSET + places * 8)
    throw new RingCorruptError(`batch table of ${buffer.byteLength} bytes is not what it should be`);
  return { words, cells: new BigInt64Array(buffer, CELLS_OFFSET, places), places };
}

const lowMask = 0xffff_ffffn;

function cell(serial: number, state: number, done: number): bigint {
  const low = ((serial << STATE_BITS) | state) >>> 0;
  return BigInt.asIntN(64, (BigInt(done >>> 0) << 32n) | BigInt(low));
}

function stateOf(value: bigint): number {
  return Number(value & lowMask) & STATE_MASK;
}

function serialOf(value: bigint): number {
  return Number(value & lowMask) >>> STATE_BITS;
}

function doneOf(value: bigint): number {
  return Number((value >> 32n) & lowMask);
}

/** The network thread's end. */
export class BatchTableOwner {
  readonly places: number;
  readonly #words: Int32Array;
  readonly #cells: BigInt64Array;
  readonly #free: number[] = [];
  /** 1: free. The cells of a free place are not reliable, because the application may have overwritten them. */
  readonly #isFree: Uint8Array;
  #serial: number;
  #seenChanges = 0;
  #lastAskedWord = 0;
  #lastAskedAt: number | null = null;

  /** @param lastSerial 29 bits; only tests pass another value than 0 */
  constructor(buffer: SharedArrayBuffer, lastSerial = 0) {
    const { words, cells, places } = open(buffer);
    this.#serial = lastSerial;
    this.places = places;
    this.#words = words;
    this.#cells = cells;
    this.#isFree = new Uint8Array(places).fill(1);
    for (let place = places - 1; place >= 0; place--) this.#free.push(place);
  }

  get freePlaces(): number {
    return this.#free.length;
  }

  /** Whether the application has marked, taken or asked since `see`; what a sleeping thread looks for. */
  hasChanged(): boolean {
    // Atomic: written by the application's thread.
    return Atomics.load(this.#words, CHANGES_WORD) !== this.#seenChanges;
  }

  see(): void {
    // Before the cells are read: what changes later counts again.
    this.#seenChanges = Atomics.load(this.#words, CHANGES_WORD);
  }

  /**
   * When it last asked for a batch, ms on the monotonic clock; null when it never has. The word in shared memory has 32 bits and tells
   * times apart for 24 days only: so it is read when it is new, and the time is kept here.
   */
  lastAskedAt(now: number): number | null {
    if (Atomics.load(this.#words, HAS_ASKED_WORD) === 0) return null;
    const word = Atomics.load(this.#words, LAST_ASKED_WORD);
    if (this.#lastAskedAt === null || word !== this.#lastAskedWord) {
      this.#lastAskedWord = word;
      // A time that seems to be ahead of `now` was written a moment ago, by another thread's clock.
      this.#lastAskedAt = now - Math.max(0, (Math.floor(now) - word) | 0);
    }
    return this.#lastAskedAt;
  }

  /** Whether it asks for a batch right now, and waits for it. */
  get isWaiting(): boolean {
    return Atomics.load(this.#words, IS_WAITING_WORD) !== 0;
  }

  /** Numbers of the application's polls, for metrics. Each is a uint32 that may wrap. */
  polls(): { readonly count: number; readonly lastAtMs: number; readonly idleMs: number } {
    return {
      count: Atomics.load(this.#words, POLLS_WORD) >>> 0,
      lastAtMs: Atomics.load(this.#words, POLL_AT_WORD) >>> 0,
      idleMs: Atomics.load(this.#words, IDLE_MS_WORD) >>> 0,
    };
  }

  /** @returns place and serial of a batch that is now posted; null without a free place */
  post(): { readonly place: number; readonly serial: number } | null {
    const place = this.#free.pop();
    if (place === undefined) return null;
    this.#isFree[place] = 0;
    this.#serial = (this.#serial + 1) & SERIAL_MASK;
    Atomics.store(this.#cells, place, cell(this.#serial, POSTED, 0));
    return { place, serial: this.#serial };
  }

  /** Offsets that are done, from the batch's first on. */
  done(place: number): number {
    return doneOf(this.#load(place));
  }

  isPosted(place: number): boolean {
    return this.#state(place) === POSTED;
  }

  isReturned(place: number): boolean {
    return this.#state(place) === RETURNED;
  }

  /** Takes back what the application has not taken. @returns false when it has */
  withdraw(place: number): boolean {
    const seen = this.#load(place);
    if (stateOf(seen) !== POSTED) return false;
    return this.#exchange(place, seen, cell(serialOf(seen), LOST, 0));
  }

  /** Nothing that is marked from now on counts. */
  giveUp(place: number): void {
    for (;;) {
      const seen = this.#load(place);
      const state = stateOf(seen);
      if (state !== POSTED && state !== TAKEN) return;
      if (this.#exchange(place, seen, cell(serialOf(seen), LOST, doneOf(seen)))) return;
    }
  }

  /** The place may serve another batch; who still has the old one finds another serial. */
  free(place: number): void {
    if (this.#isFree[place] !== 0) throw new IllegalStateError(`place ${place} of the batch table is free already`);
    this.#isFree[place] = 1;
    this.giveUp(place);
    const seen = this.#load(place);
    Atomics.store(this.#cells, place, cell(serialOf(seen), FREE, doneOf(seen)));
    this.#free.push(place);
  }

  /** The word that has the state is read alone, since these are read for every batch in every round. */
  #state(place: number): number {
    return Atomics.load(this.#words, CELLS_OFFSET / 4 + place * 2) & STATE_MASK;
  }

  #load(place: number): bigint {
    return Atomics.load(this.#cells, place);
  }

  #exchange(place: number, seen: bigint, value: bigint): boolean {
    return Atomics.compareExchange(this.#cells, place, seen, value) === seen;
  }
}

/** The application's end. */
export class BatchTableUser {
  readonly #words: Int32Array;
  readonly #cells: BigInt64Array;
  #askedAt = 0;
  #idleMs = 0;

  constructor(buffer: SharedArrayBuffer) {
    const { words, cells } = open(buffer);
    this.#words = words;
    this.#cells = cells;
  }

  /** @param now monotonic ms */
  asked(now: number, isWaiting: boolean): void {
    // A poll beside one that waits makes the wait no shorter.
    if (this.#words[IS_WAITING_WORD] === 0) this.#askedAt = now;
    Atomics.store(this.#words, POLL_AT_WORD, Math.floor(now) | 0);
    // No other thread writes this word.
    Atomics.store(this.#words, POLLS_WORD, this.#words[POLLS_WORD]! + 1);
    Atomics.store(this.#words, LAST_ASKED_WORD, Math.floor(now) | 0);
    Atomics.store(this.#words, HAS_ASKED_WORD, 1);
    Atomics.store(this.#words, IS_WAITING_WORD, isWaiting ? 1 : 0);
    this.#changed();
  }

  /** Nobody waits any more. */
  stoppedWaiting(now: number): void {
    this.#idleMs += Math.max(0, now - this.#askedAt);
    Atomics.store(this.#words, IDLE_MS_WORD, Math.floor(this.#idleMs) | 0);
    Atomics.store(this.#words, LAST_ASKED_WORD, Math.floor(now) | 0);
    Atomics.store(this.#words, IS_WAITING_WORD, 0);
  }

  /** @returns false when the batch was given up before: its frame is to be passed over */
  take(place: number, serial: number): boolean {
    const posted = cell(serial, POSTED, 0);
    const isTaken = Atomics.compareExchange(this.#cells, place, posted, cell(serial, TAKEN, 0)) === posted;
    if (isTaken) this.#changed();
    return isTaken;
  }

  /** Whether the batch is still this thread's: one load of one word. */
  isHeld(place: number, serial: number): boolean {
    return Atomics.load(this.#words, CELLS_OFFSET / 4 + place * 2) === ((serial << STATE_BITS) | TAKEN);
  }

  /** Marks offsets as done, from the first on; fewer than before has no effect. @returns false when the batch is lost */
  mark(place: number, serial: number, done: number): boolean {
    for (;;) {
      const seen = Atomics.load(this.#cells, place);
      if (serialOf(seen) !== serial || stateOf(seen) !== TAKEN) return false;
      if (doneOf(seen) >= done) return true;
      if (Atomics.compareExchange(this.#cells, place, seen, cell(serial, TAKEN, done)) === seen) {
        this.#changed();
        return true;
      }
    }
  }

  /** Gives back what is not done: it comes again. @returns false when the batch is lost */
  giveBack(place: number, serial: number): boolean {
    const seen = Atomics.load(this.#cells, place);
    if (serialOf(seen) !== serial || stateOf(seen) !== TAKEN) return false;
    // Only this thread marks what it has taken, so a cell that has changed since was given up.
    if (Atomics.compareExchange(this.#cells, place, seen, cell(serial, RETURNED, doneOf(seen))) !== seen) return false;
    this.#changed();
    return true;
  }

  #changed(): void {
    Atomics.add(this.#words, CHANGES_WORD, 1);
  }
}
