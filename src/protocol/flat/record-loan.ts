// Owns what cursors have read of a response's records, and what stays of the response when the memory of its records goes back: a copy
// of everything else. Runs on the application's thread. Must not decide when memory goes back.

import { IllegalStateError } from '../../common/errors/errors.ts';
import type { FlatMessage } from './flat-view.ts';
import {
  DATA_LENGTH_WORD,
  DATA_OFFSET_WORD,
  RECORD_COUNT_WORD,
  RECORD_ROW_WORDS,
  ROWS_WORD,
} from './records/records-slot.ts';

/** A copy of what is not records is made only if it is at most this part of the message. */
const maxCopiedPart = 1 / 8;
/** Between the bytes of records and their rows. */
const maxPaddingBytes = 8;

export const passedText =
  'these records were read by a cursor to their end, so their memory went back when the client took further responses; ' +
  'read or copy what is needed before, or call keep() on the records';

/** Takes memory back when it is safe. */
export interface RecordLender {
  /** A cursor has passed the last record. */
  passed(message: FlatMessage): void;
}

/** Bytes `start` to `end` of a message, multiples of 4. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The cursors over the records of one message. */
export class RecordLoan {
  readonly #lender: RecordLender;
  /** Cursors that have not passed their last record. */
  #openCount = 0;
  /** The slots whose records a cursor has passed, all of them. */
  readonly #passedSlots: number[] = [];
  isListed = false;

  constructor(lender: RecordLender) {
    this.#lender = lender;
  }

  begin(): void {
    this.#openCount++;
  }

  /** @param slotWord  of the records that the cursor has passed; -1 if it went over a part of them */
  end(message: FlatMessage, slotWord: number): void {
    this.#openCount--;
    if (slotWord >= 0 && !this.#passedSlots.includes(slotWord)) this.#passedSlots.push(slotWord);
    if (this.#openCount > 0 || this.isListed) return;
    this.isListed = true;
    this.#lender.passed(message);
  }

  /** What would stay of the message if its memory went back now. Null: it cannot go back, because records may still be read. */
  remains(message: FlatMessage): Remains | null {
    if (this.#openCount > 0 || message.byteBase !== 0) return null;
    const spans: Span[] = [];
    for (const slotWord of this.#passedSlots) {
      const span = recordsSpan(message, slotWord);
      if (span === null) return null;
      if (span.end > span.start) spans.push(span);
    }
    const kept = spansBetween(spans, message.byteLength);
    let byteCount = 0;
    for (const { start, end } of kept) byteCount += end - start;
    return byteCount <= message.byteLength * maxCopiedPart ? new Remains(message, kept, byteCount) : null;
  }
}

/** Where the bytes and the rows of records are: next to each other. */
function recordsSpan(message: FlatMessage, slotWord: number): Span | null {
  const bytes = message.int32(slotWord + DATA_OFFSET_WORD);
  const bytesEnd = bytes + message.int32(slotWord + DATA_LENGTH_WORD);
  const rows = message.int32(slotWord + ROWS_WORD) * 4;
  const rowsEnd = rows + message.int32(slotWord + RECORD_COUNT_WORD) * RECORD_ROW_WORDS * 4;
  if (rowsEnd === rows) return { start: 0, end: 0 };
  if (rows < bytesEnd || rows - bytesEnd > maxPaddingBytes) return null;
  return { start: (bytes + 3) & ~3, end: rowsEnd };
}

/** The spans of the message that are in none of `spans`. */
function spansBetween(spans: Span[], byteLength: number): Span[] {
  spans.sort((a, b) => a.start - b.start);
  const between: Span[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    if (start > at) between.push({ start: at, end: start });
    at = Math.max(at, end);
  }
  const end = (byteLength + 3) & ~3;
  if (end > at) between.push({ start: at, end });
  return between;
}

/** A copy of a message without its records. Reading records throws IllegalStateError. */
export class Remains {
  /** Stand for the message's views: their elements are those of the message. */
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly #spans: readonly Span[];
  readonly #bytes: Buffer;
  readonly #words: Int32Array;

  constructor(message: FlatMessage, spans: readonly Span[], byteCount: number) {
    this.#spans = spans;
    this.#bytes = Buffer.alloc(byteCount);
    let at = 0;
    for (const { start, end } of spans) {
      this.#bytes.set(message.u8.subarray(start, end), at);
      at += end - start;
    }
    this.#words = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset, byteCount / 4);
    this.i32 = standIn((index) => this.#words[this.#find(index * 4, 4) / 4]) as Int32Array;
    this.u8 = standIn((index) => this.#bytes[this.#find(index, 1)]) as Uint8Array;
  }

  text(start: number, length: number): string {
    const at = this.#find(start, length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A copy. */
  bytes(start: number, length: number): Buffer {
    const at = this.#find(start, length);
    return Buffer.from(this.#bytes.subarray(at, at + length));
  }

  refuse(): never {
    throw new IllegalStateError(passedText);
  }

  /** Where the message's bytes from `start` on are in the copy. */
  #find(start: number, length: number): number {
    let at = 0;
    for (const span of this.#spans) {
      if (start >= span.start && start + length <= span.end) return at + start - span.start;
      at += span.end - span.start;
    }
    return this.refuse();
  }
}

/** Stands for a typed array of which only some elements are left. Everything else of it is refused. */
function standIn(read: (index: number) => number | undefined): unknown {
  return new Proxy(new Uint8Array(0), {
    get(_array, property) {
      return read(typeof property === 'string' ? Number(property) : Number.NaN);
    },
  });
}
