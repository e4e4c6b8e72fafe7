// Owns the cutting of a socket's bytes into frames. Runs in the broker's thread. It is simpler than the client's: a
// frame within one chunk is a slice of it, any other is gathered in memory of its own.

/** A size prefix that no broker accepts. */
export class BadFrameError extends Error {}

const prefixBytes = 4;
/** Key, version and correlation id: what every request begins with. */
const minFrame = 8;

export class FrameReader {
  readonly #maxBytes: number;
  readonly #frame: (frame: Buffer) => void;
  readonly #prefix = Buffer.alloc(prefixBytes);
  #prefixFilled = 0;
  #body: Buffer | null = null;
  #bodyFilled = 0;

  /** @param frame  gets each whole frame, without its prefix */
  constructor(maxBytes: number, frame: (frame: Buffer) => void) {
    this.#maxBytes = maxBytes;
    this.#frame = frame;
  }

  /** Throws BadFrameError. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) at = this.#body === null ? this.#start(chunk, at) : this.#fill(chunk, at);
  }

  #start(chunk: Buffer, at: number): number {
    const taken = Math.min(prefixBytes - this.#prefixFilled, chunk.length - at);
    chunk.copy(this.#prefix, this.#prefixFilled, at, at + taken);
    this.#prefixFilled += taken;
    if (this.#prefixFilled < prefixBytes) return at + taken;
    this.#prefixFilled = 0;
    const size = this.#prefix.readInt32BE(0);
    if (size < minFrame || size > this.#maxBytes) {
      throw new BadFrameError(`frame of ${size} bytes, allowed are ${minFrame} to ${this.#maxBytes}`);
    }
    const bodyAt = at + taken;
    if (chunk.length - bodyAt >= size) {
      this.#frame(chunk.subarray(bodyAt, bodyAt + size));
      return bodyAt + size;
    }
    this.#body = Buffer.allocUnsafeSlow(size);
    this.#bodyFilled = 0;
    return bodyAt;
  }

  #fill(chunk: Buffer, at: number): number {
    const body = this.#body!;
    const taken = Math.min(body.length - this.#bodyFilled, chunk.length - at);
    chunk.copy(body, this.#bodyFilled, at, at + taken);
    this.#bodyFilled += taken;
    if (this.#bodyFilled === body.length) {
      this.#body = null;
      this.#frame(body);
    }
    return at + taken;
  }
}
