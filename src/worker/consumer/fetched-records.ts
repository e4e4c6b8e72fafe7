// Owns the bytes of one partition that a fetch brought and that wait for the application: undecoded, in memory of their own,
// given out in pieces of whole batches. Network thread. Must not verify or decompress: that is done when a piece is decoded.

import type { OpenTransactions } from '../../protocol/flat/records/aborted-transactions.ts';

/** Offset and size of an entry, and what follows up to the magic byte. */
const sizeAt = 8;
const entryHeadBytes = 12;
const leaderEpochAt = 12;
const magicAt = 16;
const smallestSize = 14;

/** A run of whole entries. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export class FetchedRecords {
  readonly #bytes: Uint8Array;
  /** Which transactions are to be passed over; null unless reading committed. Its state goes with the pieces, in order. */
  readonly aborted: OpenTransactions | null;
  #at = 0;

  constructor(bytes: Uint8Array, aborted: OpenTransactions | null) {
    this.#bytes = bytes;
    this.aborted = aborted;
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** Whether nothing whole is left: what a limit cut off at the end is no entry. */
  get isEmpty(): boolean {
    return this.#entryEnd(this.#at) < 0;
  }

  /** Leader epoch of the last whole entry; -1 where entries have none. */
  get leaderEpoch(): number {
    let at = this.#at;
    let epoch = -1;
    for (let end = this.#entryEnd(at); end >= 0; at = end, end = this.#entryEnd(at))
      epoch = end - at > magicAt && this.#bytes[at + magicAt] === 2 ? readInt32(this.#bytes, at + leaderEpochAt) : -1;
    return epoch;
  }

  /** The next whole entries of at most `maxBytes`, one at least; null when none is left. */
  take(maxBytes: number): Piece | null {
    const start = this.#at;
    let end = this.#entryEnd(start);
    if (end < 0) return null;
    for (let next = this.#entryEnd(end); next >= 0 && next - start <= maxBytes; next = this.#entryEnd(next)) end = next;
    this.#at = end;
    return { bytes: this.#bytes, start, end };
  }

  /** Where the entry at `at` ends; -1 when there is none, or only a part of one. One that cannot be right is the rest of all. */
  #entryEnd(at: number): number {
    const left = this.#bytes.byteLength - at;
    if (left < entryHeadBytes) return -1;
    const size = readInt32(this.#bytes, at + sizeAt);
    if (size < smallestSize || (left > magicAt && this.#bytes[at + magicAt]! > 2)) return this.#bytes.byteLength;
    return size > left - entryHeadBytes ? -1 : at + entryHeadBytes + size;
  }
}

function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
