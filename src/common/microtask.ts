// Owns the cheap microtask. Any thread.

const settled = Promise.resolve();

/**
 * Runs `work`, which must not throw, when the callback or microtask under way has returned. As `queueMicrotask`, but without
 * the async resource that Node makes and enters for each of those.
 */
export function defer(work: () => void): void {
  settled.then(work);
}
