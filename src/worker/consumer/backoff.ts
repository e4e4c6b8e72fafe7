// Owns how long a consumer waits before it tries again after a failure. Network thread.

/** The longest wait, before jitter. */
const maxBackoffMs = 1000;
const jitter = 0.2;

/** The wait doubles with each failure from the second on. @param random from 0 to 1 */
export function backoffMs(firstMs: number, failures: number, random: number): number {
  const doubled = firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 20);
  return Math.min(doubled, Math.max(maxBackoffMs, firstMs)) * (1 + jitter * (2 * random - 1));
}

/** The wait of something that is tried again until it succeeds. */
export class RetryWait {
  readonly #firstMs: number;
  readonly #random: () => number;
  #failures = 0;
  #until = Number.NEGATIVE_INFINITY;

  constructor(firstMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#random = random;
  }

  /** The end of the wait; -Infinity for none. */
  get until(): number {
    return this.#until;
  }

  failed(now: number): void {
    this.#failures++;
    this.#until = now + backoffMs(this.#firstMs, this.#failures, this.#random());
  }

  /** It is not to be tried again before this time, whether or not it has failed. */
  notBefore(at: number): void {
    this.#until = at;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
