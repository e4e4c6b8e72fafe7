// Owns the mark by which only one thread opens a handle, of which several may have a copy. Runs on every thread.

const unclaimed = 0;
const claimed = 1;

/** The memory of a mark; goes with the handle. */
export function createClaim(): SharedArrayBuffer {
  return new SharedArrayBuffer(4);
}

export function isClaimed(claim: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(claim), 0) === claimed;
}

/** @returns whether this call is the first */
export function claimOnce(claim: SharedArrayBuffer): boolean {
  // Atomic: another thread may open a copy at the same time.
  return Atomics.compareExchange(new Int32Array(claim), 0, unclaimed, claimed) === unclaimed;
}
