// Owns the fetched bytes of one partition that wait for the application. They are undecoded, in the memory of the answer until the end of
// the round, then in memory of their own, and are taken in pieces of whole batches. Network thread. Must not verify or decompress: that is done when a piece is decoded.

import type { OpenTransactions } from '../../protocol/flat/records/aborted-transactions.ts';
import { ATTRIBUTE_CODEC_MASK } from '../../protocol/flat/records/records-slot.ts';
import {
  BATCH_ATTRIBUTES_AT,
  BATCH_LEADER_EPOCH_AT,
  ENTRY_HEAD_BYTES,
  ENTRY_SIZE_AT,
  MAGIC_AT,
  MESSAGE_ATTRIBUTES_AT,
} from '../../protocol/wire/records/entry-head.ts';
import { readInt32 } from '../../protocol/wire/records/record-bytes.ts';
import type { FetchedMemory } from './fetched-memory.ts';

/** What the size of the smallest entry is, a message without key and value. */
const smallestSize = 14;

/** A sequence of whole entries. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export class FetchedRecords {
  #bytes: Uint8Array;
  /** The aborted transactions whose records are skipped. Null unless the isolation level is `read_committed`. Its state advances with the pieces, so they must be decoded in order. */
  readonly aborted: OpenTransactions | null;
  #at = 0;
  #isLent: boolean;

  /** @param isLent whether the bytes are in memory that serves others at the end of the round */
  constructor(bytes: Uint8Array, aborted: OpenTransactions | null, isLent = false) {
    // Not a Buffer, whose `slice` makes no copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.aborted = aborted;
    this.#isLent = isLent;
  }

  get isLent(): boolean {
    return this.#isLent;
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** Copies lent bytes that were not taken into memory of their own. */
  keep(memory: FetchedMemory): void {
    if (!this.#isLent) return;
    this.#bytes = memory.copyOf(this.#bytes.subarray(this.#at));
    this.#at = 0;
    this.#isLent = false;
  }

  /** Nobody reads the bytes any more. */
  release(memory: FetchedMemory): void {
    if (!this.#isLent) memory.release(this.#bytes);
  }

  /** Whether no whole entry is left. The last entry may be cut off by a fetch limit; that one does not count. */
  get isEmpty(): boolean {
    return this.#entryEnd(this.#at) < 0;
  }

  /** The leader epoch of the last whole entry. -1 if entries have none. */
  get leaderEpoch(): number {
    let at = this.#at;
    let epoch = -1;
    for (let end = this.#entryEnd(at); end >= 0; at = end, end = this.#entryEnd(at))
      epoch =
        end - at > MAGIC_AT && this.#bytes[at + MAGIC_AT] === 2
          ? readInt32(this.#bytes, at + BATCH_LEADER_EPOCH_AT)
          : -1;
    return epoch;
  }

  /** Takes the next whole entries of at most `maxBytes`, but at least one. Null when none is left. */
  take(maxBytes: number): Piece | null {
    const start = this.#at;
    let end = this.#entryEnd(start);
    if (end < 0) return null;
    for (let next = this.#entryEnd(end); next >= 0 && next - start <= maxBytes; next = this.#entryEnd(next)) end = next;
    this.#at = end;
    return { bytes: this.#bytes, start, end };
  }

  /** Whether an entry of the piece is compressed. */
  isCompressed({ start, end }: Piece): boolean {
    for (let at = start; at >= 0 && at < end; at = this.#entryEnd(at)) {
      if (end - at <= BATCH_ATTRIBUTES_AT) return false;
      const isNewest = this.#bytes[at + MAGIC_AT]! >= 2;
      // The codec is in the lowest bits of the attributes, an int16 in the newest format and a byte in older ones.
      if ((this.#bytes[at + (isNewest ? BATCH_ATTRIBUTES_AT : MESSAGE_ATTRIBUTES_AT)]! & ATTRIBUTE_CODEC_MASK) !== 0)
        return true;
    }
    return false;
  }

  /** The end of the entry at `at`. -1 when there is none, or only a part of one. An entry with an impossible size counts up to the end of all bytes. */
  #entryEnd(at: number): number {
    const left = this.#bytes.byteLength - at;
    if (left < ENTRY_HEAD_BYTES) return -1;
    const size = readInt32(this.#bytes, at + ENTRY_SIZE_AT);
    if (size < smallestSize || (left > MAGIC_AT && this.#bytes[at + MAGIC_AT]! > 2)) return this.#bytes.byteLength;
    return size > left - ENTRY_HEAD_BYTES ? -1 : at + ENTRY_HEAD_BYTES + size;
  }
}
