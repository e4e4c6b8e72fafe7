// Owns the sizes that a ring's configuration and its memory agree on. Every thread.

/** In front of every body in a ring. */
export const frameHeaderBytes = 16;

/** The capacity of a ring that was asked to have so many bytes. */
export function ringCapacity(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}

/** The longest body that an empty ring of this capacity is sure to take. */
export function maxRingBodyBytes(capacity: number): number {
  return capacity / 2 - frameHeaderBytes;
}
