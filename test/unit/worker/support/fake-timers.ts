// Owns immediates and timers that a test runs by hand, in place of the global ones, and what is deferred. Test thread. Knows
// no clock: whoever moves the time asks for the next timer.

interface FakeTimer {
  readonly at: number;
  readonly callback: () => void;
  unref(): FakeTimer;
  ref(): FakeTimer;
}

export class FakeTimers {
  readonly #now: () => number;
  readonly #real = { setImmediate, setTimeout, clearTimeout };
  readonly #immediates: (() => void)[] = [];
  readonly #deferred: (() => void)[] = [];
  readonly #timers = new Set<FakeTimer>();

  /** @param now ms, read when a timer is set */
  constructor(now: () => number) {
    this.#now = now;
  }

  install(): void {
    const schedule = (callback: () => void): void => {
      this.#immediates.push(callback);
    };
    const set = (callback: () => void, delayMs = 0): FakeTimer => {
      // As Node does: longer ones fire at once.
      const delay = delayMs >= 1 && delayMs <= 2 ** 31 - 1 ? delayMs : 1;
      const timer: FakeTimer = { at: this.#now() + delay, callback, unref: () => timer, ref: () => timer };
      this.#timers.add(timer);
      return timer;
    };
    globalThis.setImmediate = schedule as unknown as typeof setImmediate;
    globalThis.setTimeout = set as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((timer: FakeTimer) => this.#timers.delete(timer)) as unknown as typeof clearTimeout;
  }

  uninstall(): void {
    Object.assign(globalThis, this.#real);
  }

  /** For what microtasks do otherwise: kept until `runDeferred`. */
  readonly defer = (work: () => void): void => {
    this.#deferred.push(work);
  };

  get hasDeferred(): boolean {
    return this.#deferred.length > 0;
  }

  /** Runs what is deferred now; what that defers waits for the next call. */
  runDeferred(): void {
    runAll(this.#deferred);
  }

  get hasImmediates(): boolean {
    return this.#immediates.length > 0;
  }

  /** Runs what is scheduled now; what that schedules waits for the next call, as in Node. */
  runImmediates(): void {
    runAll(this.#immediates);
  }

  /** When the next timer fires; Infinity without any. */
  get nextAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const timer of this.#timers) at = Math.min(at, timer.at);
    return at;
  }

  /** Fires every timer that is due. */
  fireDue(): void {
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now() && this.#timers.delete(timer)) timer.callback();
    }
  }
}

/** Those that are there now; what they add stays. */
function runAll(callbacks: (() => void)[]): void {
  for (const callback of callbacks.splice(0)) callback();
}
