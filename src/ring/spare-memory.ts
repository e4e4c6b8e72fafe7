// Owns the way back of moved bodies' memory: the reader of a link returns it, and the writer fills it again. It has a port of
// its own, since the other port carries bodies in the order of frames. Must not know what a body means.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { KeptMemory, type Reused } from '../common/kept-memory.ts';
import { unfilledMemory } from '../common/memory.ts';
import { RECLAIMED_WORD } from './layout.ts';

const maxKept = 8;
const maxKeptBytes = 32 * 1024 * 1024;
/** Bytes that may be on their way: a writer without big bodies does not pick them up. */
const maxReturningBytes = 32 * 1024 * 1024;
/** After the last moved body: its memory is on its way back for the first time, and nobody needs it for the second. */
const trimsAfterBody = 2;

/** What a link keeps for reuse in one direction, with what is on its way back. */
export const maxSpareBytes = maxKeptBytes + maxReturningBytes;

/** The writer's side. */
export class SpareMemory implements Reused {
  readonly #port: MessagePort | null;
  readonly #i32: Int32Array;
  readonly #kept = new KeptMemory<ArrayBuffer>(maxKept, maxKeptBytes);
  /** uint32 bytes picked up; this thread is the only writer of RECLAIMED_WORD. */
  #reclaimed: number;
  #trimsDue = 0;

  /** @param i32 the link's ring @param port where memory comes back; null: nowhere */
  constructor(i32: Int32Array, port: MessagePort | null) {
    this.#i32 = i32;
    this.#port = port;
    // Atomic: another thread may have written here before this one took over.
    this.#reclaimed = Atomics.load(i32, RECLAIMED_WORD) >>> 0;
  }

  get keptBytes(): number {
    return this.#kept.byteLength;
  }

  get isKeeping(): boolean {
    return this.#trimsDue > 0 || this.#kept.isKeeping;
  }

  /** A body was moved to the reader, whose memory may come back. */
  moved(): void {
    this.#trimsDue = trimsAfterBody;
  }

  trim(): void {
    if (this.#trimsDue > 0) this.#trimsDue--;
    if (this.#port !== null) this.#pickUp(this.#port);
    this.#kept.trim();
  }

  /** Memory of at least `byteCount` bytes with any contents, a multiple of 8 if `byteCount` is; not twice as much. */
  take(byteCount: number): ArrayBuffer {
    if (this.#port !== null) this.#pickUp(this.#port);
    return this.#kept.take(byteCount, byteCount * 2) ?? unfilledMemory(byteCount);
  }

  /** The same, but not more than a quarter larger, and only if there is memory that has come back. */
  takeKept(byteCount: number): ArrayBuffer | undefined {
    if (this.#port !== null) this.#pickUp(this.#port);
    return this.#kept.take(byteCount, byteCount * 1.25);
  }

  #pickUp(port: MessagePort): void {
    for (;;) {
      const received: { message: unknown } | undefined = receiveMessageOnPort(port);
      if (received === undefined) return;
      const { message } = received;
      if (!(message instanceof ArrayBuffer)) continue;
      this.#reclaimed = (this.#reclaimed + message.byteLength) >>> 0;
      // Atomic: the other thread's sum must not fall behind by more than what is under way.
      Atomics.store(this.#i32, RECLAIMED_WORD, this.#reclaimed);
      if (message.byteLength % 8 === 0) this.#kept.keep(message);
    }
  }
}

/** The reader's side. */
export class SpareMemoryReturn {
  readonly #port: MessagePort | null;
  readonly #i32: Int32Array;
  /** uint32 bytes sent back. */
  #sent: number;

  constructor(i32: Int32Array, port: MessagePort | null) {
    this.#i32 = i32;
    this.#port = port;
    // Atomic: the writer's thread counts here.
    this.#sent = Atomics.load(i32, RECLAIMED_WORD) >>> 0;
  }

  /** Moves a body's memory to the writer, which empties every view of it here. Does nothing while enough memory is under way. */
  give(memory: ArrayBuffer): void {
    const { byteLength } = memory;
    if (this.#port === null || byteLength === 0) return;
    const underWay = (this.#sent - Atomics.load(this.#i32, RECLAIMED_WORD)) >>> 0;
    if (underWay + byteLength > maxReturningBytes) return;
    this.#port.postMessage(memory, [memory]);
    this.#sent = (this.#sent + byteLength) >>> 0;
  }
}
