// Owns the memory into which large requests are encoded. It is used again when the socket has written the bytes. Network thread. Must
// not know the content of requests.
//
// Without it each large request takes new memory, and V8 runs a full garbage collection for every few of them
// (bench/micro/request-memory.ts).

import type { Channel, WriteMark } from '../net/channel.ts';
import { Unwritten } from '../net/unwritten.ts';

/** Limit of the memory that is kept, whether it is free or in use by a socket. The garbage collector frees the rest. */
export const maxKeptRequestBytes = 8 * 1024 * 1024;

export class RequestMemory {
  #free: Buffer[] = [];
  readonly #lent = new Unwritten();
  #keptBytes = 0;

  /** The bytes that are kept: free, or read by a socket. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Takes memory for about `bytes`: kept memory if there is some, otherwise new memory. */
  take(bytes: number): Buffer {
    this.#lent.poll();
    const at = this.#free.findIndex(({ length }) => length >= bytes);
    if (at < 0) return Buffer.allocUnsafeSlow(sizeFor(bytes));
    const [memory] = this.#free.splice(at, 1);
    this.#keptBytes -= memory!.length;
    return memory!;
  }

  /** Gives memory back that was not used. */
  giveBack(memory: Buffer): void {
    if (this.#makeRoom(memory.length)) this.#free.push(memory);
  }

  /** A socket reads the memory until the mark says that it was written. */
  lend(memory: Buffer, channel: Pick<Channel, 'isWritten'>, mark: WriteMark): void {
    if (this.#makeRoom(memory.length)) this.#lent.add(channel, mark, () => this.#free.push(memory));
  }

  /** Drops free memory, oldest first, because the sizes of an application's requests change. */
  #makeRoom(bytes: number): boolean {
    while (this.#keptBytes + bytes > maxKeptRequestBytes && this.#free.length > 0) {
      this.#keptBytes -= this.#free.shift()!.length;
    }
    if (this.#keptBytes + bytes > maxKeptRequestBytes) return false;
    this.#keptBytes += bytes;
    return true;
  }
}

/** The size to allocate. It has room for a next request that is a little larger. */
function sizeFor(bytes: number): number {
  const step = bytes < 1024 * 1024 ? 16 * 1024 : 256 * 1024;
  return Math.ceil((bytes + bytes / 8) / step) * step;
}
