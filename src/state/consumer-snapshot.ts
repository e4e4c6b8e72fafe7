// Owns what any application thread reads of a consumer without a message: group, assignment, positions, lag. The network thread
// writes it whole, under a sequence number that is odd meanwhile; readers try again. Must not be asked for anything else.

import type { ConsumerSnapshot, PartitionSnapshot } from '../common/consumer-calls.ts';
import { IllegalStateError } from '../common/errors/errors.ts';
import { INSTANCE_ID_BYTES, readInstanceId, writeInstanceId } from './instance-id.ts';

const SEQUENCE_WORD = 0;
const LENGTH_WORD = 1;
/** The consumer's client instance id is not part of the snapshot: it is written once. */
const ID_OFFSET = 8;
const HEAD_BYTES = ID_OFFSET + INSTANCE_ID_BYTES;
const HEAD_WORDS = 2;
const firstBytes = 4096;
/** Enough for the most partitions that a consumer may have, with the longest names. Only what is used is more than addresses. */
const maxBytes = 128 * 1024 * 1024;

export const emptySnapshot: ConsumerSnapshot = {
  state: 'UNASSIGNED',
  protocol: null,
  memberId: '',
  epoch: -1,
  lastError: null,
  partitions: [],
};

/** How many records are between what is done and the end; 0 while one of both is not known. */
export function lagOf({ end, done }: Pick<PartitionSnapshot, 'end' | 'done'>): number {
  return end === null || done === null ? 0 : Math.max(0, Number(end - done));
}

export function createConsumerSnapshot(): SharedArrayBuffer {
  return new SharedArrayBuffer(firstBytes, { maxByteLength: maxBytes });
}

/** The network thread's end. */
export class ConsumerSnapshotWriter {
  readonly #buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEAD_WORDS);
  }

  setInstanceId(id: string): void {
    writeInstanceId(this.#buffer, ID_OFFSET, id);
  }

  write(snapshot: ConsumerSnapshot): void {
    const text = Buffer.from(JSON.stringify(snapshot, bigintAsText));
    const neededBytes = HEAD_BYTES + text.byteLength;
    if (neededBytes > maxBytes)
      throw new IllegalStateError(`state of a consumer takes ${neededBytes} bytes, limit ${maxBytes}`);
    if (neededBytes > this.#buffer.byteLength) this.#buffer.grow(Math.min(maxBytes, neededBytes * 2));
    Atomics.add(this.#words, SEQUENCE_WORD, 1);
    this.#words[LENGTH_WORD] = text.byteLength;
    new Uint8Array(this.#buffer, HEAD_BYTES, text.byteLength).set(text);
    Atomics.add(this.#words, SEQUENCE_WORD, 1);
  }
}

/** An application's end. */
export class ConsumerSnapshotReader {
  readonly #buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  /** That of `#newest`. Odd at first: no state that can be read has such a number, also behind the wrap. */
  #sequence = -1;
  #newest: ConsumerSnapshot = emptySnapshot;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.#words = new Int32Array(buffer, 0, HEAD_WORDS);
  }

  get instanceId(): string | null {
    return readInstanceId(this.#buffer, ID_OFFSET);
  }

  /** The newest; the same object while nothing changes. */
  read(): ConsumerSnapshot {
    for (;;) {
      const before = Atomics.load(this.#words, SEQUENCE_WORD);
      if (before === this.#sequence) return this.#newest;
      // Odd: being written, which takes microseconds.
      if ((before & 1) !== 0) continue;
      const length = this.#words[LENGTH_WORD]!;
      // Nothing was written so far.
      if (length === 0) return this.#newest;
      if (length < 0 || HEAD_BYTES + length > this.#buffer.byteLength) continue;
      const bytes = Buffer.from(new Uint8Array(this.#buffer, HEAD_BYTES, length));
      if (Atomics.load(this.#words, SEQUENCE_WORD) !== before) continue;
      this.#newest = JSON.parse(bytes.toString(), textAsBigint) as ConsumerSnapshot;
      this.#sequence = before;
    }
  }
}

const offsetKeys: readonly string[] = ['position', 'done', 'committed', 'begin', 'end'];

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function textAsBigint(key: string, value: unknown): unknown {
  return typeof value === 'string' && offsetKeys.includes(key) ? BigInt(value) : value;
}
