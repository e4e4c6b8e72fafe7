// Owns the memory of lines between file and broker: a fixed number of chunks. Each chunk goes to one partition. Main
// thread. No object is made per line: a line is four numbers in a chunk.

/** The text in a batch. With everything that records add, it is far below the 1 MiB that brokers accept by default. */
export const chunkBytes = 256 * 1024;
const maxLines = 8192;

/** The length of every key: the number of the file and the number of the line in it, both uint32, big-endian. */
export const keyBytes = 8;

/** Lines of text, in order. Each line has the number of its file and its line number. */
export class Chunk {
  readonly bytes = new Uint8Array(chunkBytes);
  /** `addLine` writes it. The first `count` entries are valid. */
  readonly starts = new Int32Array(maxLines);
  readonly ends = new Int32Array(maxLines);
  readonly files = new Uint32Array(maxLines);
  readonly lines = new Uint32Array(maxLines);
  count = 0;
  /** The bytes of all lines and keys. */
  payloadBytes = 0;

  get isFull(): boolean {
    return this.count === maxLines;
  }

  clear(): void {
    this.count = 0;
    this.payloadBytes = 0;
  }

  addLine(start: number, end: number, file: number, line: number): void {
    const i = this.count++;
    this.starts[i] = start;
    this.ends[i] = end;
    this.files[i] = file;
    this.lines[i] = line;
    this.payloadBytes += end - start + keyBytes;
  }

  /** Writes the key of line `i` into `key`. */
  writeKey(i: number, key: Uint8Array): void {
    writeUint32(key, 0, this.files[i]!);
    writeUint32(key, 4, this.lines[i]!);
  }
}

function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** A fixed number of chunks. A reader that is faster than the broker waits here, so the memory is limited. */
export class ChunkPool {
  readonly #free: Chunk[];
  readonly #waiting: ((chunk: Chunk) => void)[] = [];

  constructor(size: number) {
    this.#free = Array.from({ length: size }, () => new Chunk());
  }

  /** Resolves with an empty chunk when there is one. */
  acquire(): Promise<Chunk> {
    const chunk = this.#free.pop();
    if (chunk !== undefined) return Promise.resolve(chunk);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  release(chunk: Chunk): void {
    chunk.clear();
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(chunk);
    else next(chunk);
  }
}
