// Owns the end of waits whose limit was found to be over too late. When the process was stopped, or this thread was blocked, its timers fire
// before anybody has read what came meanwhile: that may still lie in the sockets. So the network thread reads first, and then the wait ends.
// Application thread. Must not know what is waited for.

import { inTimeMs, monotonicNowMs } from '../../common/clock.ts';
import { startTimer } from './wait-limits.ts';

/** The network thread gets at most so many ms to read: it may be stuck. */
const maxGraceMs = 1000;

/**
 * Like `startTimer`. When it fires late, `catchUp` is called first.
 * @param end     may be called twice, and after what is waited for has come: it must do nothing then
 * @param catchUp resolves when the network thread has read all that had come, and this thread has taken it
 */
export function startLimit(end: () => void, ms: number, catchUp: () => Promise<unknown>): NodeJS.Timeout | undefined {
  const dueAt = monotonicNowMs() + ms;
  const onTimer = (): void => {
    if (monotonicNowMs() - dueAt <= inTimeMs) {
      end();
      return;
    }
    const timer = setTimeout(end, maxGraceMs);
    const endNow = (): void => {
      clearTimeout(timer);
      end();
    };
    // It fails when the network thread is lost. Then nothing comes any more.
    catchUp().then(endNow, endNow);
  };
  return startTimer(onTimer, ms);
}

/** The limit of a wait that blocks its thread: found to be over late, it moves by that time, once. */
export class BlockingLimit {
  readonly #clock: () => number;
  #deadline: number;
  #hasMoved = false;

  constructor(timeoutMs: number, clock = monotonicNowMs) {
    this.#clock = clock;
    this.#deadline = clock() + timeoutMs;
  }

  /** In ms; 0 or less when the limit is over. */
  leftMs(): number {
    const now = this.#clock();
    const lateMs = now - this.#deadline;
    if (lateMs > inTimeMs && !this.#hasMoved) {
      this.#hasMoved = true;
      this.#deadline = now + Math.min(lateMs, maxGraceMs);
    }
    return this.#deadline - now;
  }
}
