// Owns how long this thread goes on with what is ready before timers and sockets of the application have their turn. Code that awaits what is
// ready already runs in one turn of the event loop, however often it does so. Application thread. Time is an argument.

/** A turn takes so long, and then as long as the application takes for what it has got. Shorter ones cost more than a percent of the rate. */
export const maxTurnMs = 1;

export class TurnBudget {
  #since = Number.NEGATIVE_INFINITY;

  /** The event loop has just run, or is about to. @param now ms on the monotonic clock */
  begin(now: number): void {
    this.#since = now;
  }

  /** Whether the event loop must run before more is handed out. */
  isSpent(now: number): boolean {
    return now - this.#since >= maxTurnMs;
  }
}

/** Resolves after timers that are due and sockets that are ready had their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
