// Owns which row of the metrics of a producer or consumer belongs to which topic. The network thread writes, every thread reads. Must not
// know what is measured.

/** Topics with a row of their own; what further topics do is counted in the sums only. */
export const maxMeasuredTopics = 256;

/*
 * Names of topics: their number in an int32, and NAME_BYTES for each: a byte for the length, and the name. A name never
 * changes once it is counted.
 */
const HEAD_BYTES = 8;
const NAME_BYTES = 256;

export function createTopicRows(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEAD_BYTES + maxMeasuredTopics * NAME_BYTES);
}

export class TopicRowsWriter {
  readonly #counts: Int32Array;
  readonly #bytes: Buffer;
  readonly #rows = new Map<string, number>();

  constructor(buffer: SharedArrayBuffer) {
    this.#counts = new Int32Array(buffer, 0, 1);
    this.#bytes = Buffer.from(buffer);
  }

  /** The topic's row of the metrics, and whether it is a new one; -1 when there is none left. */
  row(name: string): { readonly row: number; readonly isNew: boolean } {
    const known = this.#rows.get(name);
    if (known !== undefined) return { row: known, isNew: false };
    const index = this.#rows.size;
    if (index >= maxMeasuredTopics) return { row: -1, isNew: false };
    const at = HEAD_BYTES + index * NAME_BYTES;
    this.#bytes[at] = this.#bytes.write(name, at + 1, NAME_BYTES - 1);
    this.#rows.set(name, index + 1);
    // Atomic: the name is there before it is counted.
    Atomics.store(this.#counts, 0, index + 1);
    return { row: index + 1, isNew: true };
  }
}

/** Names of the topics that have rows, in the order of their rows from 1 on. */
export function readTopicNames(buffer: SharedArrayBuffer): string[] {
  // Atomic: names that are counted are there.
  const count = Math.min(Math.max(Atomics.load(new Int32Array(buffer, 0, 1), 0), 0), maxMeasuredTopics);
  const bytes = Buffer.from(buffer);
  return Array.from({ length: count }, (_, index) => {
    const at = HEAD_BYTES + index * NAME_BYTES;
    return bytes.toString('utf8', at + 1, at + 1 + bytes[at]!);
  });
}
