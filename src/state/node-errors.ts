// Owns the last error of each node as text in shared memory. The network thread writes it; every thread reads it.
// Must not know what the text means.

/*
 * One slot per row of the node table, 256 words:
 *
 *       +------+--------+------------------------------------------+
 *       | SEQ  | LENGTH | UTF-8 text, four bytes a word, cut to fit |
 *       +------+--------+------------------------------------------+
 *
 * SEQ is odd while the slot is being written, and changes with every text; LENGTH is in bytes, 0 for no error. Every word is
 * read and written by an Atomics call: plain reads might be moved past the second look at SEQ, which tells a reader that
 * nobody wrote meanwhile.
 */

const SLOT_WORDS = 256;
const SEQ = 0;
const LENGTH = 1;
const TEXT = 2;
/** More text than this is not kept. */
export const NODE_ERROR_MAX_BYTES = (SLOT_WORDS - TEXT) * 4;
/** A writer is done in microseconds, unless it died while writing. */
const maxTries = 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function nodeErrorsBytes(nodeCapacity: number): number {
  return nodeCapacity * SLOT_WORDS * 4;
}

export class NodeErrorsWriter {
  readonly #words: Int32Array;
  readonly #bytes = new Uint8Array(NODE_ERROR_MAX_BYTES);
  readonly #text = new Int32Array(this.#bytes.buffer);

  /** @param words the slots of all rows */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** @param text '' for no error; longer than NODE_ERROR_MAX_BYTES: none is kept */
  set(row: number, text: string): void {
    const words = this.#words;
    const start = row * SLOT_WORDS;
    const byteLength =
      Buffer.byteLength(text) > NODE_ERROR_MAX_BYTES ? 0 : encoder.encodeInto(text, this.#bytes).written;
    // Odd before, even after: a reader that saw either of these, or two different ones, looks again.
    Atomics.store(words, start + SEQ, (words[start + SEQ]! + 1) | 0);
    Atomics.store(words, start + LENGTH, byteLength);
    for (let i = 0; i < Math.ceil(byteLength / 4); i++) Atomics.store(words, start + TEXT + i, this.#text[i]!);
    Atomics.store(words, start + SEQ, (words[start + SEQ]! + 1) | 0);
  }
}

export class NodeErrorsReader {
  readonly #words: Int32Array;
  readonly #bytes = new Uint8Array(NODE_ERROR_MAX_BYTES);
  readonly #text = new Int32Array(this.#bytes.buffer);
  /** What was read last, and under which SEQ, by row. */
  readonly #read: { seq: number; text: string }[] = [];

  /** @param words the slots of all rows */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** The text; '' for none, also when its writer died while it wrote. */
  get(row: number): string {
    const words = this.#words;
    const start = row * SLOT_WORDS;
    const last = this.#read[row];
    for (let i = 0; i < maxTries; i++) {
      const seq = Atomics.load(words, start + SEQ);
      if ((seq & 1) !== 0) continue;
      if (last?.seq === seq) return last.text;
      const byteLength = Math.min(Atomics.load(words, start + LENGTH) >>> 0, NODE_ERROR_MAX_BYTES);
      for (let word = 0; word < Math.ceil(byteLength / 4); word++) {
        this.#text[word] = Atomics.load(words, start + TEXT + word);
      }
      if (Atomics.load(words, start + SEQ) !== seq) continue;
      const text = decoder.decode(this.#bytes.subarray(0, byteLength));
      this.#read[row] = { seq, text };
      return text;
    }
    return '';
  }
}
