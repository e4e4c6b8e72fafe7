// Owns memory that a socket may still read: it is freed once everything up to its mark was written. Network thread.

import type { Channel, WriteMark } from './channel.ts';

interface Entry {
  readonly channel: Pick<Channel, 'isWritten'>;
  readonly mark: WriteMark;
  readonly free: () => void;
}

export class Unwritten {
  #entries: Entry[] = [];

  /** `free` is called by a later `poll`. */
  add(channel: Entry['channel'], mark: WriteMark, free: () => void): void {
    this.#entries.push({ channel, mark, free });
  }

  /** Frees what has been written. */
  poll(): void {
    if (this.#entries.length === 0) return;
    const waiting = this.#entries;
    this.#entries = [];
    for (const entry of waiting) {
      if (entry.channel.isWritten(entry.mark)) entry.free();
      else this.#entries.push(entry);
    }
  }
}
