// Owns the monotonic clock that all threads share, and who is in time by it. Every thread. Code below the poll loop must not call it: it takes `now` as an
// argument.

/** Whoever notices a deadline within this time, in ms, is in time for limits that are seconds. Whoever is later was stopped, or busy elsewhere. */
export const inTimeMs = 100;

/** process.hrtime counts from the same instant in every thread, performance.now() from the start of its own thread. */
const offsetMs = measureOffset();

/**
 * Milliseconds, with fractions, of a monotonic clock whose origin is the same on all threads of this process.
 * The origin itself means nothing; shared memory holds the value modulo 2^32.
 */
export function monotonicNowMs(): number {
  return performance.now() + offsetMs;
}

function measureOffset(): number {
  let best = 0;
  let bestSpread = Number.POSITIVE_INFINITY;
  // A thread may lose its core between the two readings of a pair. So the pair with the shortest time between them is used.
  for (let i = 0; i < 8; i++) {
    const before = performance.now();
    const [seconds, nanoseconds] = process.hrtime();
    const spread = performance.now() - before;
    if (spread < bestSpread) {
      bestSpread = spread;
      best = seconds * 1000 + nanoseconds / 1e6 - (before + spread / 2);
    }
  }
  return best;
}
