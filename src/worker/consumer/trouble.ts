// Owns how long a membership bears errors that may pass: faults inside a broker, such as while coordinators move. Network thread.

export class Trouble {
  readonly #limitMs: number;
  #since: number | null = null;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Whether another try is worth it. */
  maySettle(now: number): boolean {
    this.#since ??= now;
    return now - this.#since < this.#limitMs;
  }

  /** A request has succeeded. */
  over(): void {
    this.#since = null;
  }
}
