// Owns the fetched records that are not processed yet, and their processing: a slice of records is read from the library's memory, then
// checked and counted. Main thread. No object is made per record.

import type { RecordCursor } from '../../src/index.ts';
import { JobError } from './job-error.ts';
import type { Tally } from './ledger.ts';
import type { PhaseTimes } from './phase-times.ts';
import type { WordCounter } from './work.ts';

/** How many records are read at a time. With so many, the measurement of time costs little. */
const sliceRecords = 512;

interface Fetched {
  readonly tally: Tally;
  readonly cursor: RecordCursor;
  readonly recycle: () => void;
}

export class Backlog {
  /** How many records are processed. */
  records = 0;
  payloadBytes = 0;
  /** The bytes of responses that wait or are being processed. Their memory is held. */
  bytes = 0;

  readonly #words: WordCounter;
  readonly #times: PhaseTimes;
  readonly #queue: Fetched[] = [];
  readonly #offsets = new Float64Array(sliceRecords);
  readonly #keyOffsets = new Int32Array(sliceRecords);
  readonly #keyLengths = new Int32Array(sliceRecords);
  readonly #valueOffsets = new Int32Array(sliceRecords);
  readonly #valueLengths = new Int32Array(sliceRecords);

  constructor(words: WordCounter, times: PhaseTimes) {
    this.#words = words;
    this.#times = times;
  }

  /** Adds the records of one response. `tally` is the one of their partition. `recycle` is called after the last record. */
  add(tally: Tally, cursor: RecordCursor, recycle: () => void): void {
    this.#queue.push({ tally, cursor, recycle });
    this.bytes += cursor.bytes.length;
  }

  /** Processes a slice of the oldest response. Returns false when there is none. */
  workOn(): boolean {
    const oldest = this.#queue[0];
    if (oldest === undefined) return false;
    const count = this.#read(oldest.cursor);
    this.#check(oldest, count);
    if (count < sliceRecords) {
      this.#queue.shift();
      this.bytes -= oldest.cursor.bytes.length;
      oldest.recycle();
    }
    return true;
  }

  /** The library's part: finds the places of the next records. */
  #read(cursor: RecordCursor): number {
    const startedAt = performance.now();
    let count = 0;
    while (count < sliceRecords && cursor.next()) {
      this.#offsets[count] = cursor.offset;
      this.#keyOffsets[count] = cursor.keyOffset;
      this.#keyLengths[count] = cursor.keyLength;
      this.#valueOffsets[count] = cursor.valueOffset;
      this.#valueLengths[count] = cursor.valueLength;
      count++;
    }
    this.#times.addReading(performance.now() - startedAt);
    return count;
  }

  /** The application's part. */
  #check({ tally, cursor: { bytes } }: Fetched, count: number): void {
    const payloadBefore = tally.payloadBytes;
    for (let i = 0; i < count; i++) {
      const offset = this.#offsets[i]!;
      if (offset !== tally.records) {
        throw new JobError(
          `a record with offset ${offset} came instead of ${tally.records}: records are lost, doubled or out of order`,
        );
      }
      const keyLength = this.#keyLengths[i]!;
      const valueAt = this.#valueOffsets[i]!;
      const length = this.#valueLengths[i]!;
      if (keyLength < 0 || length < 0) throw new JobError(`the record with offset ${offset} has a null key or value`);
      tally.addRecord(offset, bytes, this.#keyOffsets[i]!, keyLength, valueAt, length);
      this.#words.count(bytes, valueAt, valueAt + length);
    }
    this.records += count;
    this.payloadBytes += tally.payloadBytes - payloadBefore;
  }
}
