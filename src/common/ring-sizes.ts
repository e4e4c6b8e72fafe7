// Owns the sizes of rings that both their configuration and their memory use. Every thread.

/** The size of the header in front of every body in a ring. */
export const frameHeaderBytes = 16;

/** The capacity of a ring whose configured size is `bytes`. */
export function ringCapacity(bytes: number): number {
  return 2 ** Math.ceil(Math.log2(bytes));
}

/** The largest body that always fits into an empty ring of this capacity. */
export function maxRingBodyBytes(capacity: number): number {
  return capacity / 2 - frameHeaderBytes;
}
