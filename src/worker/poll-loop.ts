// Owns the rhythm of the network thread: one turn of work, then sleep until the doorbell, a socket or a deadline asks
// for the next. Network thread. This is the heart: everything below it gets `now` and returns.
//
//   socket callback, look-up  ---> wake() ---+
//   doorbell (requests, room) ---------------+---> setImmediate ---> turn(): drain, poll, deliver, notify
//   timer (nearest deadline)  ---------------+                          |
//         ^                                                             |
//         +---------------- nothing to do: sleep <----------------------+
//
// A turn runs in the event loop's check phase, right after sockets were read: a deadline is judged only after whatever
// had arrived before it was taken in.

import type { CountersWriter } from '../ring/counters.ts';
import type { Doorbell } from '../ring/doorbell.ts';
import type { Attachments } from './attachments.ts';
import type { Bootstrap } from './bootstrap.ts';
import type { CodecPool } from './codec-pool.ts';
import type { Connections } from './connections.ts';
import type { NetworkClient } from './network-client.ts';
import type { RequestAdapter } from './request-adapter.ts';

/** Timers above this fire at once in Node. */
const maxTimerMs = 2 ** 31 - 1;

export interface PollLoopParts {
  readonly attachments: Attachments;
  readonly requests: RequestAdapter;
  readonly client: NetworkClient;
  readonly connections: Connections;
  readonly bootstrap: Bootstrap;
  readonly pool: CodecPool;
  readonly doorbell: Doorbell;
  readonly counters: CountersWriter;
  /** ms on the monotonic clock: the only clock the network thread reads. */
  readonly clock: () => number;
  /** Told about an error that escaped a turn; the thread is lost. */
  readonly onFatal: (error: unknown) => void;
}

export class PollLoop {
  readonly #parts: PollLoopParts;
  #turn = 0;
  #isScheduled = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #awaitedBell: Promise<void> | null = null;
  readonly #runTurn = (): void => this.#run();
  readonly #hasWork = (): boolean => this.#parts.attachments.hasWork();

  constructor(parts: PollLoopParts) {
    this.#parts = parts;
  }

  /** Asks for a turn; as often as anybody likes. */
  readonly wake = (): void => {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    setImmediate(this.#runTurn);
  };

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One turn. Returns true when there was something to do, and so may be more. */
  turn(now: number): boolean {
    const { attachments, requests, client, bootstrap, pool, counters } = this.#parts;
    this.#turn++;
    counters.heartbeat(now);
    const pooled = pool.poll(now);
    if (attachments.flush(now)) client.unmuteAll(now);
    let work = pooled + requests.drain(now, this.#turn);
    work += client.poll(now);
    // What has arrived first: the rest of the turn runs beside the application.
    attachments.notify();
    client.housekeep(now);
    bootstrap.poll(now);
    work += attachments.answerPolls(this.#turn);
    attachments.notify();
    return work > 0;
  }

  #run(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    try {
      const now = this.#parts.clock();
      if (this.turn(now)) this.wake();
      else this.#sleep(now);
    } catch (error) {
      this.close();
      this.#parts.onFatal(error);
    }
  }

  #sleep(now: number): void {
    const bell = this.#parts.doorbell.sleep(this.#hasWork);
    if (bell === null) {
      this.wake();
      return;
    }
    // The same promise comes back while it is armed: chaining on it again would only add calls of wake().
    if (bell !== this.#awaitedBell) {
      this.#awaitedBell = bell;
      bell.then(this.wake, this.#parts.onFatal);
    }
    const { connections, bootstrap } = this.#parts;
    this.#setTimer(Math.min(connections.nextDeadline(now), bootstrap.nextDeadline), now);
  }

  /** Keeps one timer that fires no later than `deadline`; an earlier one just finds nothing to do and sets the next. */
  #setTimer(deadline: number, now: number): void {
    if (this.#timer !== null && this.#timerAt <= deadline) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (deadline === Number.POSITIVE_INFINITY) return;
    const delay = Math.min(Math.max(Math.ceil(deadline - now), 1), maxTimerMs);
    this.#timerAt = now + delay;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    }, delay);
  }
}
