// Owns waiting for responses: poll and pollSync, their fences and their ends. Application thread.

import { monotonicNowMs } from '../../common/clock.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import { STATE_CLOSED } from '../../state/counters.ts';
import type { InFlight } from './in-flight.ts';
import type { NetworkProxy } from './network-proxy.ts';
import type { ResponseAdapter } from './response-adapter.ts';

const maxTimerMs = 2 ** 31 - 1;
/** A blocked thread hears of the network thread's sudden end only by looking: its exit event needs an event loop. */
const lookForEndMs = 1000;

/** No poll id: those are uint32. */
const noFence = -1;

/** Any Future, whatever its value. */
export interface PollTarget {
  readonly isDone: boolean;
}

interface Wait {
  readonly isOver: () => boolean;
  readonly end: () => void;
}

export class Poller {
  readonly #end: ApplicationEnd;
  readonly #proxy: NetworkProxy;
  readonly #adapter: ResponseAdapter;
  readonly #waits = new Set<Wait>();
  readonly #onceSettled = new Set<() => void>();
  /** Called when `pollSync` has blocked in vain for a second, or to its end. */
  onLook: () => void = () => {};
  #lastPollId = 0;
  #isClosed = false;

  constructor(end: ApplicationEnd, proxy: NetworkProxy, adapter: ResponseAdapter) {
    this.#end = end;
    this.#proxy = proxy;
    this.#adapter = adapter;
  }

  async poll(limitMs: number, future: PollTarget | null, signal: AbortSignal | null): Promise<readonly unknown[]> {
    if (signal?.aborted) return [];
    const list = this.#adapter.collect();
    try {
      this.#adapter.drain();
      const isOver = this.#overWhen(this.#fence(limitMs, future), limitMs, future, list);
      if (!isOver()) await this.#wait(limitMs, isOver, signal);
      return list;
    } finally {
      this.#adapter.stopCollecting(list);
    }
  }

  pollSync(limitMs: number, future: PollTarget | null): readonly unknown[] {
    const list = this.#adapter.collect();
    try {
      const deadline = monotonicNowMs() + limitMs;
      this.#adapter.drain();
      const pollId = this.#fence(limitMs, future);
      const isOver = this.#overWhen(pollId, limitMs, future, list);
      this.#proxy.flush();
      while (!isOver() && !this.#isClosed && this.#end.counters.state() !== STATE_CLOSED) {
        const leftMs = deadline - monotonicNowMs();
        // Only poll(0) awaits its fence past the deadline: it is over when what was ready has been read.
        if (leftMs <= 0 && (limitMs > 0 || pollId === noFence)) break;
        const waitMs = leftMs > 0 ? Math.min(leftMs, lookForEndMs) : lookForEndMs;
        const isRung = this.#end.ownDoorbell.sleepSync(this.#adapter.hasWork, waitMs);
        this.#adapter.drain();
        if (!isRung) this.onLook();
        if (leftMs < -lookForEndMs) break;
      }
      return list;
    } finally {
      this.#adapter.stopCollecting(list);
    }
  }

  /** Resolves when something is in `list`, at the latest when the signal, `wakeup` or `close` ends the wait. */
  async untilAny(list: unknown[], signal: AbortSignal | null): Promise<void> {
    this.#proxy.flush();
    if (list.length === 0) await this.#wait(maxTimerMs, () => list.length > 0, signal);
  }

  /** Ends every wait that is under way. */
  wakeup(): void {
    for (const wait of [...this.#waits]) wait.end();
  }

  onProgress(): void {
    for (const wait of [...this.#waits]) if (wait.isOver()) wait.end();
    for (const listener of [...this.#onceSettled]) listener();
  }

  /** Resolves when nothing is in flight any more, at the latest after `limitMs`. */
  untilSettled(inFlight: InFlight, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#onceSettled.delete(check);
        resolve();
      };
      const check = (): void => {
        if (inFlight.size === 0) finish();
      };
      const timer = setTimeout(finish, Math.min(limitMs, maxTimerMs));
      this.#onceSettled.add(check);
      this.#proxy.flush();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.wakeup();
    this.onProgress();
  }

  /**
   * Posts a fence where the end of the poll depends on one: a wait for something to arrive is over when it arrives, and
   * the network thread reads and writes without being told. Without room for one, what has arrived so far has to do.
   */
  #fence(limitMs: number, future: PollTarget | null): number {
    if (limitMs > 0 && future?.isDone !== true) return noFence;
    this.#lastPollId = (this.#lastPollId + 1) >>> 0;
    return this.#proxy.poll(this.#lastPollId) ? this.#lastPollId : noFence;
  }

  #overWhen(pollId: number, limitMs: number, future: PollTarget | null, list: unknown[]): () => boolean {
    const hasPolled = pollId === noFence ? () => true : () => this.#adapter.hasPolled(pollId);
    if (limitMs <= 0) return hasPolled;
    // One that is done already still gets a round of reading.
    if (future !== null) return () => future.isDone && hasPolled();
    return () => list.length > 0;
  }

  #wait(limitMs: number, isOver: () => boolean, signal: AbortSignal | null): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const wait: Wait = {
        isOver,
        end: () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', wait.end);
          this.#waits.delete(wait);
          resolve();
        },
      };
      // poll(0) waits for its fence alone, and that is answered within two turns of the network thread.
      if (limitMs > 0) timer = setTimeout(wait.end, Math.min(limitMs, maxTimerMs));
      signal?.addEventListener('abort', wait.end, { once: true });
      this.#waits.add(wait);
    });
  }
}
