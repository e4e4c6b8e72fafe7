// Owns the shape of what a client says about its memory. Every thread.

/** One part of a client's memory. */
export interface MemoryPart {
  /** Bytes in use now. */
  readonly usedBytes: number;
  /** Bytes that it may use at most, with the connections, threads, producers and consumers that there are now. */
  readonly maxBytes: number;
}

/** The parts of a client's memory. */
export const memoryParts = {
  rings: 'rings of every attached thread, and of its producers and consumers, in shared memory',
  moved: 'bodies that are larger than `spillBytes` and under way between threads',
  receive: 'response frames that are being received, or that wait to be decoded',
  send: 'requests that sockets have not taken',
  codecPool: 'frames in tasks of the codec pool, and decoded bodies that wait for room in a link',
  aside: 'undecoded responses to threads that do not read, moved aside so that others need not wait',
  kept: 'memory that is kept for reuse',
  producers: 'records of producers that are not settled',
  consumers: 'records that consumers have fetched and not handed out',
} as const;

export type MemoryPartName = keyof typeof memoryParts;

export function sumOfParts(parts: readonly MemoryPart[]): MemoryPart {
  let [usedBytes, maxBytes] = [0, 0];
  for (const part of parts) {
    usedBytes += part.usedBytes;
    maxBytes += part.maxBytes;
  }
  return { usedBytes, maxBytes };
}

/** What a client holds outside of the heaps of V8, in all its threads. */
export interface ClientMemory extends MemoryPart {
  readonly parts: { readonly [name in MemoryPartName]: MemoryPart };
}
