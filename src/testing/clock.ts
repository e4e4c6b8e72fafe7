// Owns the time by which an embedded broker judges sessions, rebalances, transactions and waiting fetches. Runs in the
// broker's thread. Tests move it ahead, so that none has to wait for a time-out. Times of records are not its business.

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

  /** Ms since some moment, monotonic; jumps where `advance` is called. */
  now(): number {
    return performance.now() + this.#skippedMs;
  }

  /** Calls `fire` once, when so many ms are over; the returned function forgets it. */
  after(ms: number, fire: () => void): () => void {
    const timer: Timer = { dueAt: this.now() + Math.max(ms, 0), order: this.#nextOrder++, fire };
    this.#timers.add(timer);
    this.#arm();
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Lets so much time pass at once: what falls due meanwhile fires now, in order, each at its own moment. */
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

  /** One timer of Node's serves all; it may ring for one that was forgotten meanwhile. */
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
