// Owns the cheapest way over decoded records: one object that moves, fields read where they lie. Runs on the
// application's thread. Must not allocate in `next` or in any getter that returns a number.

import { IllegalStateError } from '../../../common/errors/errors.ts';
import { numberOf } from '../../../common/numbers.ts';
import { BufferOver, type FlatMessage } from '../flat-view.ts';
import type { RecordLoan } from '../record-loan.ts';
import { RECORD_ROW_WORDS } from './records-slot.ts';

/** A 64-bit number as a JavaScript number, or NaN where that would not be exact. */
export function safeNumber(low: number, high: number): number {
  return high >= -0x200000 && high < 0x200000 ? numberOf(low, high) : Number.NaN;
}

/**
 * Moves over records from one to the next.
 *
 *     for (const cursor = records.cursor(); cursor.next(); ) sum += cursor.bytes[cursor.valueOffset];
 *
 * All getters speak of the record that the last `next` moved to; they have no meaning before the first and after the
 * last. Offsets of bytes are indexes of `bytes`.
 *
 * A cursor reads memory that can be given back: by `recycle`; by a Consumer when the batch is done and the next batch is asked for; and by
 * a KafkaClient when cursors have passed all records of a big response, at its next poll or in a later turn of the event loop. The getters
 * throw IllegalStateError afterwards, and a `bytes` that was kept is empty. `key` and `value`, `bytes.subarray` and `bytes.buffer` can be
 * kept: once one of them was asked for, the memory does not go back by itself. `keep()` of the records says the same.
 */
export class RecordCursor {
  readonly #message: FlatMessage;
  /** Of the message. Without its memory it is empty, so that nothing is read any more. */
  readonly #i32: Int32Array;
  readonly #memory: ArrayBufferLike;
  /** Of `bytes` in `#memory`. */
  readonly #byteOffset: number;
  readonly #end: number;
  readonly #slotWord: number;
  /** Null when it has passed the last record. */
  #loan: RecordLoan | null;
  #row: number;

  /**
   * Internal: `RecordsView.cursor` makes one.
   * @param slotWord  of the records, if it goes over all of them; else -1
   */
  constructor(message: FlatMessage, firstWord: number, count: number, slotWord = -1) {
    this.#message = message;
    this.#slotWord = slotWord;
    this.#loan = message.loan;
    this.#i32 = message.i32;
    this.#memory = message.memory;
    this.#byteOffset = message.lentBytes.byteOffset;
    this.#row = message.wordBase + firstWord - RECORD_ROW_WORDS;
    this.#end = this.#row + count * RECORD_ROW_WORDS;
    if (this.#loan !== null) this.#loan.begin();
  }

  /** The message's bytes. They stay valid when the cursor moves on, as long as the memory does. */
  get bytes(): Uint8Array {
    return this.#message.lentBytes;
  }

  /** Moves to the next record; false if there is none. */
  next(): boolean {
    if (this.#row >= this.#end) return this.#pass();
    this.#row += RECORD_ROW_WORDS;
    return true;
  }

  #pass(): false {
    const loan = this.#loan;
    this.#loan = null;
    if (loan !== null) loan.end(this.#message, this.#slotWord);
    return false;
  }

  /** Passes over records so that `next` moves to the first one with this offset or a higher one. */
  skipTo(low: number, high: number): void {
    const i32 = this.#i32;
    for (let row = this.#row + RECORD_ROW_WORDS; row <= this.#end; row += RECORD_ROW_WORDS) {
      const rowHigh = i32[row + 1]!;
      if (rowHigh > high || (rowHigh === high && i32[row]! >>> 0 >= low >>> 0)) return;
      this.#row = row;
    }
  }

  /** The record's offset; NaN if it is beyond 2^53, where `offsetLow` and `offsetHigh` still tell it. */
  get offset(): number {
    return safeNumber(this.offsetLow, this.offsetHigh);
  }

  get offsetLow(): number {
    return this.#i32[this.#row] ?? this.#noRecord();
  }

  get offsetHigh(): number {
    return this.#i32[this.#row + 1] ?? this.#noRecord();
  }

  /** Ms since the epoch, -1 for none; NaN beyond 2^53. */
  get timestamp(): number {
    return safeNumber(this.timestampLow, this.timestampHigh);
  }

  get timestampLow(): number {
    return this.#i32[this.#row + 2] ?? this.#noRecord();
  }

  get timestampHigh(): number {
    return this.#i32[this.#row + 3] ?? this.#noRecord();
  }

  get keyOffset(): number {
    return this.#i32[this.#row + 4] ?? this.#noRecord();
  }

  /** -1 for null. */
  get keyLength(): number {
    return this.#i32[this.#row + 5] ?? this.#noRecord();
  }

  get valueOffset(): number {
    return this.#i32[this.#row + 6] ?? this.#noRecord();
  }

  /** -1 for null. */
  get valueLength(): number {
    return this.#i32[this.#row + 7] ?? this.#noRecord();
  }

  get headerCount(): number {
    return this.#i32[this.#row + 9] ?? this.#noRecord();
  }

  /** A slice of the message, no copy; null for a null key. */
  get key(): Buffer | null {
    const length = this.keyLength;
    if (length < 0) return null;
    this.#message.isKept = true;
    return new BufferOver(this.#memory, this.#byteOffset + this.keyOffset, length);
  }

  /** A slice of the message, no copy; null for a tombstone. */
  get value(): Buffer | null {
    const length = this.valueLength;
    if (length < 0) return null;
    this.#message.isKept = true;
    return new BufferOver(this.#memory, this.#byteOffset + this.valueOffset, length);
  }

  /** Costs nothing while there is a record: the index is then within the memory. */
  #noRecord(): never {
    // Throws when the memory went back, and says why.
    this.#message.checkRecords();
    throw new IllegalStateError('the cursor is on no record: call next() first, and stop when it is false');
  }
}
