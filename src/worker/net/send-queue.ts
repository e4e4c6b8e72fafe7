// Owns the requests of one connection that are not with its socket yet, in the order they were sent. Network thread.

import type { OneWaySend } from './one-way-sends.ts';

/** A request that nothing will answer: whoever sent it is told when it is with the socket. */
export class OneWayFrame {
  readonly bytes: Uint8Array;
  readonly send: OneWaySend;

  constructor(bytes: Uint8Array, send: OneWaySend) {
    this.bytes = bytes;
    this.send = send;
  }
}

/** A request as it goes to the socket. */
export type OutgoingFrame = Uint8Array | OneWayFrame;

/** A place kept for a request that is being encoded elsewhere. */
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

  /** The request will not be sent; what stands behind it may go. */
  drop(): void {
    this.isDropped = true;
    this.#onChange();
  }
}

export class SendQueue {
  #entries: (OutgoingFrame | ReservedSend)[] = [];

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  push(frame: OutgoingFrame): void {
    this.#entries.push(frame);
  }

  reserve(onChange: () => void): ReservedSend {
    const place = new ReservedSend(onChange);
    this.#entries.push(place);
    return place;
  }

  /** Removes and returns what may be written now: everything up to the first place that is still kept free. */
  take(): OutgoingFrame[] {
    const ready: OutgoingFrame[] = [];
    let taken = 0;
    for (const entry of this.#entries) {
      const frame = entry instanceof ReservedSend ? entry.frame : entry;
      if (frame === null && !(entry as ReservedSend).isDropped) break;
      if (frame !== null) ready.push(frame);
      taken++;
    }
    this.#entries = taken === this.#entries.length ? [] : this.#entries.slice(taken);
    return ready;
  }

  /** Takes over what another queue holds, behind what is here. */
  append(other: SendQueue): void {
    // Not push: so many arguments as may wait are too many for the stack.
    this.#entries = this.#entries.length === 0 ? other.#entries : this.#entries.concat(other.#entries);
    other.clear();
  }

  clear(): void {
    this.#entries = [];
  }
}
