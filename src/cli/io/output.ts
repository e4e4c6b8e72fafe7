// Owns the standard output of the command line: it collects bytes into big chunks, waits for a slow reader, and notices a reader
// that has gone. Main thread.

import { once } from 'node:events';
import type { Writable } from 'node:stream';

const chunkBytes = 256 * 1024;
/** A text of this many characters always fits into a chunk. */
const maxCopiedText = chunkBytes / 4;

export class Output {
  readonly isTerminal: boolean;
  readonly columns: number;
  /** True when the reader has gone, as with `head`. That is no error, but there is no reason to go on. */
  isClosed = false;
  /** What was taken so far. */
  bytesTaken = 0;
  readonly #stream: Writable;
  readonly #onClosed: () => void;
  #chunk = Buffer.allocUnsafe(chunkBytes);
  #used = 0;
  #error: Error | null = null;

  constructor(stream: Writable & { readonly isTTY?: boolean; readonly columns?: number }, onClosed: () => void) {
    this.#stream = stream;
    this.#onClosed = onClosed;
    this.isTerminal = stream.isTTY === true;
    this.columns = stream.columns ?? 80;
    stream.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
  }

  /** Takes text. It is written with the next chunk, or by `flush`. */
  text(text: string): void {
    if (text.length > maxCopiedText) {
      this.bytes(Buffer.from(text));
      return;
    }
    if (chunkBytes - this.#used < text.length * 3) this.#write();
    const written = this.#chunk.write(text, this.#used);
    this.#used += written;
    this.bytesTaken += written;
  }

  line(text: string): void {
    this.text(`${text}\n`);
  }

  /** Takes a copy of bytes. */
  bytes(bytes: Uint8Array): void {
    this.bytesTaken += bytes.length;
    if (chunkBytes - this.#used < bytes.length) this.#write();
    if (bytes.length > chunkBytes) {
      this.#put(Buffer.from(bytes));
      return;
    }
    this.#chunk.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Whether the reader is behind: `flush` waits for it. */
  get isBehind(): boolean {
    return this.#stream.writableNeedDrain;
  }

  /** Writes the collected bytes, and waits until the reader takes more. Fails with the error of the write, such as a full disk. */
  async flush(): Promise<void> {
    if (this.#used > 0) this.#write();
    while (this.#stream.writableNeedDrain && !this.isClosed) {
      await Promise.race([once(this.#stream, 'drain'), once(this.#stream, 'close')]).catch((error: Error) =>
        this.#failed(error),
      );
    }
    if (this.#error !== null) throw this.#error;
  }

  #write(): void {
    if (this.#used === 0) return;
    const full = this.#chunk.subarray(0, this.#used);
    this.#used = 0;
    this.#put(full);
    // A file or a pipe is written at once; else the stream still reads the chunk.
    if (this.#stream.writableLength > 0) this.#chunk = Buffer.allocUnsafe(chunkBytes);
  }

  #put(bytes: Buffer): void {
    if (!this.isClosed) this.#stream.write(bytes);
  }

  #failed(error: NodeJS.ErrnoException): void {
    if (!this.isClosed && error.code !== 'EPIPE') this.#error ??= error;
    if (this.isClosed) return;
    this.isClosed = true;
    this.#onClosed();
  }
}
