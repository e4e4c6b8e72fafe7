// Owns the cheap microtask. Any thread.

const settled = Promise.resolve();

/**
 * Runs `work`, which must not throw, when the callback or microtask under way has returned. As `queueMicrotask`, which keeps
 * an account of each call for async hooks, at a fraction of its cost (bench/macro/round-trip.ts).
 */
export function defer(work: () => void): void {
  settled.then(work);
}
