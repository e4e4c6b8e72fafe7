// Owns the rhythm of the network thread: one turn of work, then sleep until the doorbell, a socket or a deadline asks
// for the next. Network thread. This is the heart: everything below it gets `now` and returns.
//
//   socket callback, look-up  ---> wake() ---+--> microtask -----> move(): drain, poll, deliver, notify
//   doorbell (requests, room) ---------------+
//   timer (nearest deadline)  ---------------+--> setImmediate --> turn(): move(), then deadlines, polls
//         ^                                                             |
//         +---------------- nothing to do: sleep <----------------------+
//
// What arrived is moved on as soon as the callback that brought it returns. A turn runs in the event loop's check phase,
// after every socket that was ready has been read: so a deadline is judged only after whatever had arrived before it.

import type { CountersWriter } from '../ring/counters.ts';
import type { Doorbell } from '../ring/doorbell.ts';
import type { Attachments } from './attachments.ts';
import type { Bootstrap } from './bootstrap.ts';
import type { CodecPool } from './codec-pool.ts';
import type { Connections } from './connections.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { NetworkClient } from './network-client.ts';
import type { RequestAdapter } from './request-adapter.ts';
import { Suspension } from './suspension.ts';

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
  readonly metrics: Metrics;
  readonly log: Log;
  /** ms on the monotonic clock: the only clock that times anything. */
  readonly clock: () => number;
  /** ms since the epoch. */
  readonly wallClock: () => number;
  /** Told about an error that escaped a turn; the thread is lost. */
  readonly onFatal: (error: unknown) => void;
}

export class PollLoop {
  readonly #parts: PollLoopParts;
  readonly #suspension: Suspension;
  #turn = 0;
  #lastRoundEndedAt = -1;
  #isScheduled = false;
  /** A move is due before the next turn. */
  #isMoveDue = false;
  #isMoving = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #awaitedBell: Promise<void> | null = null;
  readonly #runTurn = (): void => this.#run();
  readonly #runMove = (): void => this.#moveIfDue();
  readonly #hasWork = (): boolean => this.#parts.attachments.hasWork();

  constructor(parts: PollLoopParts) {
    this.#parts = parts;
    this.#suspension = new Suspension(parts.clock(), parts.wallClock());
  }

  /** Asks for a turn; as often as anybody likes. */
  readonly wake = (): void => {
    if (this.#isClosed) return;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(this.#runTurn);
    }
    // Not for what a move or turn itself asks for: microtasks that make microtasks would keep the sockets from their turn.
    if (this.#isMoveDue || this.#isMoving) return;
    this.#isMoveDue = true;
    queueMicrotask(this.#runMove);
  };

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One turn. Returns true when there was something to do, and so may be more. */
  turn(now: number): boolean {
    const { attachments, client, connections, bootstrap, counters } = this.#parts;
    this.#turn++;
    counters.heartbeat(now);
    // The rest of the turn runs beside the application, which has what arrived.
    let work = this.#move(now, this.#turn);
    client.housekeep(now);
    bootstrap.poll(now);
    counters.setMetadata(connections.metadataTtl(now), now);
    work += attachments.answerPolls(this.#turn);
    attachments.notify();
    this.#parts.log.flush();
    return work > 0;
  }

  /** Passes on what is there, both ways. `turn` is that of polls found now: sockets have been read since in the next. */
  #move(now: number, turn: number): number {
    const { attachments, requests, client, connections, pool, metrics } = this.#parts;
    metrics.roundBegins(now);
    // Before any request is taken, which would else be written to a peer that may be gone.
    const pauseMs = this.#suspension.pauseMs(now, this.#parts.wallClock());
    if (pauseMs > 0) connections.resumed(pauseMs, now);
    const pooled = pool.poll(now);
    if (attachments.flush(now)) client.unmuteAll(now);
    const work = pooled + requests.drain(now, turn) + client.poll(now);
    attachments.notify();
    return work;
  }

  #measure(startedAt: number): void {
    const { clock, metrics, pool } = this.#parts;
    const endedAt = clock();
    const waitedMs = this.#lastRoundEndedAt < 0 ? 0 : Math.max(0, startedAt - this.#lastRoundEndedAt);
    metrics.roundEnded(waitedMs, Math.max(0, endedAt - startedAt));
    metrics.set('poolTasks', pool.taskCount);
    metrics.set('poolBytes', pool.bytesInTasks);
    this.#lastRoundEndedAt = endedAt;
  }

  #run(): void {
    this.#isScheduled = false;
    this.#isMoveDue = false;
    this.#guarded((now) => {
      if (this.turn(now)) this.wake();
      else this.#sleep(now);
    });
  }

  #moveIfDue(): void {
    // A turn may have come first.
    if (!this.#isMoveDue) return;
    this.#isMoveDue = false;
    this.#guarded((now) => this.#move(now, this.#turn + 1));
  }

  #guarded(work: (now: number) => void): void {
    if (this.#isClosed) return;
    this.#isMoving = true;
    try {
      const now = this.#parts.clock();
      work(now);
      if (this.#parts.metrics.isOn) this.#measure(now);
    } catch (error) {
      this.close();
      this.#parts.onFatal(error);
    }
    this.#isMoving = false;
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
