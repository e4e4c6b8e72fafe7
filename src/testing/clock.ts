// Owns the time by which an embedded broker judges sessions, rebalances, transactions and waiting fetches. Runs in the
// broker's thread. Tests move it forward, so that they do not wait for timeouts. It has nothing to do with the times of records.

interface Timer {
  readonly dueAt: number;
  readonly order: number;
  readonly fire: () => void;
}

export class BrokerClock {
  readonly #timers = new Set<Timer>();
  #skippedMs = 0;
  #nextOrder = 0;
  #wake: NodeJS.Timeout | null = null;
  #wakeAt = Number.POSITIVE_INFINITY;

  /** A monotonic time in ms. `advance` makes it jump. */
  now(): number {
    return performance.now() + this.#skippedMs;
  }

  /** Calls `fire` once after so many ms. The returned function cancels it. */
  after(ms: number, fire: () => void): () => void {
    const timer: Timer = { dueAt: this.now() + Math.max(ms, 0), order: this.#nextOrder++, fire };
    this.#timers.add(timer);
    this.#arm();
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Moves the time forward at once. Timers that are due by then fire in order, each at its own time. */
  advance(ms: number): void {
    const target = this.now() + ms;
    for (let next = this.#next(); next !== null && next.dueAt <= target; next = this.#next()) {
      this.#skippedMs += Math.max(next.dueAt - this.now(), 0);
      this.#timers.delete(next);
      next.fire();
    }
    this.#skippedMs += Math.max(target - this.now(), 0);
    this.#arm();
  }

  /** Forgets all timers. */
  stop(): void {
    this.#timers.clear();
    this.#disarm();
  }

  #next(): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (next === null || timer.dueAt < next.dueAt || (timer.dueAt === next.dueAt && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }

  /** One timer of Node serves all. It may fire for a timer that was cancelled. */
  #arm(): void {
    const next = this.#next();
    if (next === null || (this.#wake !== null && this.#wakeAt <= next.dueAt)) return;
    this.#disarm();
    this.#wakeAt = next.dueAt;
    this.#wake = setTimeout(() => this.#ring(), Math.max(Math.ceil(next.dueAt - this.now()), 0));
  }

  #disarm(): void {
    if (this.#wake !== null) clearTimeout(this.#wake);
    this.#wake = null;
    this.#wakeAt = Number.POSITIVE_INFINITY;
  }

  #ring(): void {
    this.#disarm();
    this.advance(0);
  }
}
