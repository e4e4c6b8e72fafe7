// Owns the requests of one connection that its socket does not have yet, in the order in which they were sent. Network thread.

import type { OneWaySend } from './one-way-sends.ts';

/** A request without response. Its sender is told when the socket has it. */
export class OneWayFrame {
  readonly bytes: Uint8Array;
  readonly send: OneWaySend;

  constructor(bytes: Uint8Array, send: OneWaySend) {
    this.bytes = bytes;
    this.send = send;
  }
}

/** A request in the form that is written to the socket. */
export type OutgoingFrame = Uint8Array | OneWayFrame;

/** A place in the queue for a request that is being encoded elsewhere. */
export class ReservedSend {
  frame: OutgoingFrame | null = null;
  isDropped = false;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  fill(frame: OutgoingFrame): void {
    this.frame = frame;
    this.#onChange();
  }

  /** The request will not be sent. The requests behind it may be written. */
  drop(): void {
    this.isDropped = true;
    this.#onChange();
  }
}

export class SendQueue {
  #entries: (OutgoingFrame | ReservedSend)[] = [];
  /** The places among them. */
  readonly #reserved = new Set<ReservedSend>();
  /** Of the others. */
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Of the requests that are encoded. */
  get byteLength(): number {
    let bytes = this.#bytes;
    for (const { frame } of this.#reserved) if (frame !== null) bytes += bytesOf(frame);
    return bytes;
  }

  push(frame: OutgoingFrame): void {
    this.#entries.push(frame);
    this.#bytes += bytesOf(frame);
  }

  reserve(onChange: () => void): ReservedSend {
    const place = new ReservedSend(onChange);
    this.#entries.push(place);
    this.#reserved.add(place);
    return place;
  }

  /** Removes and returns what may be written now: everything before the first place whose request is not encoded yet. */
  take(): OutgoingFrame[] {
    const ready: OutgoingFrame[] = [];
    let taken = 0;
    for (const entry of this.#entries) {
      const frame = entry instanceof ReservedSend ? entry.frame : entry;
      if (frame === null && !(entry as ReservedSend).isDropped) break;
      if (frame !== null) ready.push(frame);
      if (entry instanceof ReservedSend) this.#reserved.delete(entry);
      else this.#bytes -= bytesOf(entry);
      taken++;
    }
    this.#entries = taken === this.#entries.length ? [] : this.#entries.slice(taken);
    return ready;
  }

  /** Appends everything that another queue holds. */
  append(other: SendQueue): void {
    // `push(...entries)` is not used: a long queue would be too many arguments for the stack.
    this.#entries = this.#entries.length === 0 ? other.#entries : this.#entries.concat(other.#entries);
    for (const place of other.#reserved) this.#reserved.add(place);
    this.#bytes += other.#bytes;
    other.clear();
  }

  clear(): void {
    this.#entries = [];
    this.#reserved.clear();
    this.#bytes = 0;
  }
}

function bytesOf(frame: OutgoingFrame): number {
  return (frame instanceof OneWayFrame ? frame.bytes : frame).length;
}
