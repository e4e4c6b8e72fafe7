// Owns the memory into which large requests are encoded. It is used again when the socket has written the bytes. Network thread. Must
// not know the content of requests.
//
// Without it each large request takes new memory, and V8 runs a full garbage collection for every few of them
// (bench/micro/request-memory.ts).

import { Least, type Reused } from '../../common/kept-memory.ts';
import type { Channel, WriteMark } from '../net/channel.ts';
import { Unwritten } from '../net/unwritten.ts';

/** Limit of the memory that is kept, whether it is free or in use by a socket. The garbage collector frees the rest. */
export const maxKeptRequestBytes = 8 * 1024 * 1024;

export class RequestMemory implements Reused {
  #free: Buffer[] = [];
  readonly #lent = new Unwritten();
  #keptBytes = 0;
  #freeBytes = 0;
  readonly #leastFree = new Least();

  /** The bytes that are kept: free, or read by a socket. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  get isKeeping(): boolean {
    return this.#keptBytes > 0;
  }

  /** So many bytes were free all the time, whichever buffers they were. */
  trim(): void {
    this.#lent.poll();
    let idleBytes = this.#leastFree.look(this.#freeBytes);
    this.#free = this.#free.filter((memory) => {
      if (memory.length > idleBytes) return true;
      idleBytes -= memory.length;
      this.#drop(memory);
      return false;
    });
  }

  /** Takes memory for about `bytes`: kept memory if there is some, otherwise new memory. */
  take(bytes: number): Buffer {
    this.#lent.poll();
    const at = this.#free.findIndex(({ length }) => length >= bytes);
    if (at < 0) return Buffer.allocUnsafeSlow(sizeFor(bytes));
    const [memory] = this.#free.splice(at, 1);
    this.#drop(memory!);
    return memory!;
  }

  /** Gives memory back that was not used. */
  giveBack(memory: Buffer): void {
    if (this.#makeRoom(memory.length)) this.#add(memory);
  }

  /** A socket reads the memory until the mark says that it was written. */
  lend(memory: Buffer, channel: Pick<Channel, 'isWritten'>, mark: WriteMark): void {
    if (this.#makeRoom(memory.length)) this.#lent.add(channel, mark, () => this.#add(memory));
  }

  #add(memory: Buffer): void {
    this.#free.push(memory);
    this.#freeBytes += memory.length;
  }

  /** Of memory that is taken out of the free ones. */
  #drop({ length }: Buffer): void {
    this.#keptBytes -= length;
    this.#freeBytes -= length;
    this.#leastFree.fell(this.#freeBytes);
  }

  /** Drops free memory, oldest first, because the sizes of an application's requests change. */
  #makeRoom(bytes: number): boolean {
    while (this.#keptBytes + bytes > maxKeptRequestBytes && this.#free.length > 0) {
      this.#drop(this.#free.shift()!);
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
