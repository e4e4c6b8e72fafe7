// Owns a way to queue microtasks that is cheaper than `queueMicrotask`. Every thread.

const settled = Promise.resolve();

/**
 * Runs `work` when the current callback or microtask has returned. `work` must not throw. It is like `queueMicrotask`, but
 * without the async resource that Node makes for each call of that.
 */
export function defer(work: () => void): void {
  settled.then(work);
}
