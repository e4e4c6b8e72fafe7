// Owns how long a consumer waits before it tries again after a failure. Network thread.

/** The longest wait, before jitter. */
const maxBackoffMs = 1000;
const jitter = 0.2;

/** The wait doubles with each failure from the second on. @param random from 0 to 1 */
export function backoffMs(firstMs: number, failures: number, random: number): number {
  const doubled = firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 20);
  return Math.min(doubled, Math.max(maxBackoffMs, firstMs)) * (1 + jitter * (2 * random - 1));
}
