// Owns the waits for responses: poll and pollSync, their fences and their ends. Application thread. A poll must not slow down other
// polls.

import { inTimeMs, monotonicNowMs } from '../../common/clock.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import { onAbort } from './abort-signals.ts';
import { Future, onSettled } from './future.ts';
import type { InFlight } from './in-flight.ts';
import { startLimit } from './late-limit.ts';
import type { NetworkProxy } from './network-proxy.ts';
import type { ResponseAdapter } from './response-adapter.ts';
import type { ResponseSpan } from './response-log.ts';
import { checkStackRoom } from './stack-room.ts';

/** A blocked thread looks so often whether the network thread has ended. It gets no exit event, because that needs an event loop. */
const lookForEndMs = 1000;

/** This is not a poll id: poll ids are uint32. */
const noFence = -1;

/** Any Future, whatever its value. */
export interface PollTarget {
  readonly isDone: boolean;
}

interface Wait {
  /** Whether the wait is over. It must be asked: a wait for responses, or for an object that is not our Future, is not told. */
  readonly isOver: () => boolean;
  readonly end: () => void;
  /** Ends the wait with an error that the application's code threw. */
  readonly fail: (error: unknown) => void;
}

interface FenceWait {
  readonly pollId: number;
  readonly wait: Wait;
}

export class Poller {
  readonly #end: ApplicationEnd;
  readonly #proxy: NetworkProxy;
  readonly #adapter: ResponseAdapter;
  readonly #waits = new Set<Wait>();
  /** The waits for any response. */
  readonly #forResponses = new Set<Wait>();
  /** The waits that must be asked whether they are over. */
  readonly #asked = new Set<Wait>();
  /** The waits for fences, in the order in which fences are answered. Some of them may have ended already. */
  #fences: FenceWait[] = [];
  /** The index of the first fence that is not answered yet. */
  #firstFence = 0;
  #wakeups = 0;
  #lastResponses = 0;
  readonly #onceSettled = new Set<() => void>();
  /** Called when `pollSync` has blocked for a second, or to its end, and nothing came. */
  onLook: () => void = () => {};
  #lastPollId: number;
  #isClosed = false;

  /** @param lastPollId uint32, which the network thread has answered; only tests pass another value than 0 */
  constructor(end: ApplicationEnd, proxy: NetworkProxy, adapter: ResponseAdapter, lastPollId = 0) {
    this.#end = end;
    this.#proxy = proxy;
    this.#adapter = adapter;
    this.#lastPollId = lastPollId;
  }

  async poll(limitMs: number, future: PollTarget | null, signal: AbortSignal | null): Promise<readonly unknown[]> {
    checkStackRoom();
    if (signal?.aborted) return [];
    const { log } = this.#adapter;
    const span = log.begin();
    const wakeups = this.#wakeups;
    try {
      this.#adapter.drain();
      const pollId = this.#fence(limitMs, future);
      // A callback that ran in the meantime may have ended the wait.
      const isEnded = signal?.aborted === true || this.#isClosed || wakeups !== this.#wakeups;
      if (!isEnded && !this.#isOver(pollId, limitMs, future, span)) {
        await this.#wait(limitMs, pollId, future, signal, span);
      }
      return log.finish(span);
    } catch (error) {
      log.drop(span);
      throw error;
    }
  }

  pollSync(limitMs: number, future: PollTarget | null): readonly unknown[] {
    checkStackRoom();
    const { log } = this.#adapter;
    const span = log.begin();
    const wakeups = this.#wakeups;
    try {
      const deadline = monotonicNowMs() + limitMs;
      this.#adapter.drain();
      const pollId = this.#fence(limitMs, future);
      this.#proxy.flush();
      while (
        !this.#isOver(pollId, limitMs, future, span) &&
        !this.#isClosed &&
        wakeups === this.#wakeups &&
        !this.#end.counters.isEnded()
      ) {
        const leftMs = deadline - monotonicNowMs();
        // Only poll(0) waits for its fence after the deadline. It is over when everything that was ready has been read.
        if (leftMs <= 0 && (limitMs > 0 || pollId === noFence)) {
          // The process was stopped. What has come meanwhile is not read yet.
          if (limitMs > 0 && leftMs < -inTimeMs) this.pollSync(0, null);
          break;
        }
        const waitMs = leftMs > 0 ? Math.min(leftMs, lookForEndMs) : lookForEndMs;
        const isRung = this.#end.ownDoorbell.sleepSync(this.#adapter.hasWork, waitMs);
        this.#adapter.drain();
        if (!isRung) this.onLook();
        if (leftMs < -lookForEndMs) break;
      }
      return log.finish(span);
    } catch (error) {
      log.drop(span);
      throw error;
    }
  }

  /** Ends all waits. */
  wakeup(): void {
    this.#wakeups++;
    for (const wait of [...this.#waits]) wait.end();
  }

  /** Ends the waits that are over after a read. Never throws. */
  onProgress(): void {
    const { responses } = this.#adapter;
    if (responses !== this.#lastResponses) {
      this.#lastResponses = responses;
      for (const wait of [...this.#forResponses]) if (wait.isOver()) wait.end();
    }
    for (const wait of [...this.#asked]) ask(wait);
    this.#endFences();
    for (const listener of [...this.#onceSettled]) listener();
  }

  /** Resolves when nothing is in flight, at the latest after `limitMs`, and then after what has come was read. */
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
      // What is not settled then fails, unless its answer has come.
      const timer = startLimit(this.#readBefore(finish), limitMs, () => this.poll(0, null, null));
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
   * Posts a fence if the poll needs one. A wait for a response needs none: the network thread reads and writes by itself. If there is
   * no room for a fence, the poll ends with what has arrived so far.
   */
  #fence(limitMs: number, future: PollTarget | null): number {
    if (limitMs > 0 && future?.isDone !== true) return noFence;
    this.#lastPollId = (this.#lastPollId + 1) >>> 0;
    return this.#proxy.poll(this.#lastPollId) ? this.#lastPollId : noFence;
  }

  #isOver(pollId: number, limitMs: number, future: PollTarget | null, span: ResponseSpan): boolean {
    const hasPolled = pollId === noFence || this.#adapter.hasPolled(pollId);
    if (limitMs <= 0) return hasPolled;
    // A poll for a Future that is done still reads once.
    if (future !== null) return future.isDone && hasPolled;
    return this.#adapter.log.hasAny(span);
  }

  #wait(
    limitMs: number,
    pollId: number,
    future: PollTarget | null,
    signal: AbortSignal | null,
    span: ResponseSpan,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const stops: (() => void)[] = [];
      const stop = (): void => {
        this.#waits.delete(wait);
        for (const step of stops) step();
      };
      const wait: Wait = {
        isOver: () => this.#isOver(pollId, limitMs, future, span),
        end: () => {
          stop();
          resolve();
        },
        fail: (error) => {
          stop();
          reject(error as Error);
        },
      };
      this.#waits.add(wait);
      if (pollId !== noFence) this.#fences.push({ pollId, wait });
      else if (future === null) stops.push(joined(this.#forResponses, wait));
      else if (future instanceof Future) stops.push(onSettled(future, wait.end));
      else stops.push(joined(this.#asked, wait));
      if (signal !== null) stops.push(onAbort(signal, wait.end));
      // poll(0) only waits for its fence, which the network thread answers within two turns.
      if (limitMs <= 0) return;
      const timer = startLimit(this.#readBefore(wait.end), limitMs, () => this.poll(0, null, null));
      stops.push(() => clearTimeout(timer));
    });
  }

  /** Reads what has come before it ends a wait: the timer of a thread that was blocked fires before the thread hears of that. */
  #readBefore(end: () => void): () => void {
    return () => {
      this.#adapter.drain();
      end();
    };
  }

  #endFences(): void {
    const fences = this.#fences;
    while (this.#firstFence < fences.length && this.#adapter.hasPolled(fences[this.#firstFence]!.pollId)) {
      // A fence for a Future was posted because the Future is done. It is still done.
      fences[this.#firstFence++]!.wait.end();
    }
    if (this.#firstFence * 2 < fences.length || this.#firstFence === 0) return;
    this.#fences = fences.slice(this.#firstFence);
    this.#firstFence = 0;
  }
}

function ask(wait: Wait): void {
  let isOver: boolean;
  try {
    isOver = wait.isOver();
  } catch (error) {
    wait.fail(error);
    return;
  }
  if (isOver) wait.end();
}

function joined(set: Set<Wait>, wait: Wait): () => void {
  set.add(wait);
  return () => void set.delete(wait);
}
