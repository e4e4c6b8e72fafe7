// Owns the rhythm of the network thread: one round of work, then sleep until the doorbell, a socket or a deadline asks
// for the next. Network thread. This is the heart: everything below it gets `now` and returns.
//
//   socket callback, look-up,
//   timer (nearest deadline) ----> wake() ----> microtask --+
//   doorbell (requests, room) ------------------------------+--> move(): drain, poll, deliver, notify
//         ^                                                         |
//         |        more to do, or a deadline is over: setImmediate -+--> turn(): move(), then deadlines, polls
//         +---- nothing to do: sleep <------------------------------+              |
//         +------------------------------------------------------------------------+
//
// What arrived is moved on as soon as the callback that brought it returns, and mostly that is all. A turn runs in the event
// loop's check phase, after every socket that was ready has been read: so a deadline is judged only after whatever had
// arrived before it.

import type { Doorbell } from '../ring/doorbell.ts';
import type { CountersWriter } from '../state/counters.ts';
import type { Connections } from './client/connections.ts';
import type { NetworkClient } from './client/network-client.ts';
import type { Readiness } from './client/readiness.ts';
import type { Attachments } from './link/attachments.ts';
import type { RequestAdapter } from './link/request-adapter.ts';
import type { Log } from './report/log.ts';
import type { Metrics } from './report/metrics-recorder.ts';
import type { CodecPool } from './requests/codec-pool.ts';
import type { Roles } from './roles.ts';
import { Suspension } from './suspension.ts';

/** Timers above this fire at once in Node. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * What follows a round. `asleep`: the bell, a socket or the timer brings the next. `scheduled`: a turn comes in this event loop's
 * check phase. `again`: there was work when the thread was about to sleep, and nothing brings the next round but the caller.
 */
type AfterRound = 'asleep' | 'scheduled' | 'again';

export interface PollLoopParts {
  readonly attachments: Attachments;
  readonly requests: RequestAdapter;
  readonly client: NetworkClient;
  readonly connections: Connections;
  readonly readiness: Readiness;
  readonly roles: Roles;
  readonly pool: CodecPool;
  readonly doorbell: Doorbell;
  readonly counters: CountersWriter;
  readonly metrics: Metrics;
  readonly log: Log;
  /** ms on the monotonic clock: the only clock that times anything. */
  readonly clock: () => number;
  /** ms since the epoch. */
  readonly wallClock: () => number;
  /** Runs `work`, which never throws, when the callback under way has returned. */
  readonly defer: (work: () => void) => void;
  /** Told about an error that escaped a turn; the thread is lost. */
  readonly onFatal: (error: unknown) => void;
}

export class PollLoop {
  readonly #parts: PollLoopParts;
  readonly #suspension: Suspension;
  #turn = 0;
  #lastRoundEndedAt = -1;
  #isScheduled = false;
  /** A move is deferred. */
  #isMoveDue = false;
  #isMoving = false;
  /** Somebody asked for another round during this one. */
  #isWanted = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #awaitedBell: Promise<void> | null = null;
  readonly #runTurn = (): void => {
    this.#isScheduled = false;
    this.#isMoveDue = false;
    if (this.#round(this.#turnRound, false) === 'again') this.#schedule();
  };
  readonly #runDeferred = (): void => {
    // A turn, or the bell, may have come first.
    if (this.#isMoveDue) this.#runMove();
  };
  readonly #onBell = (): void => this.#runMove();
  readonly #moveRound = (now: number): boolean => {
    this.#move(now, this.#turn + 1);
    return this.#parts.attachments.hasPolls;
  };
  readonly #turnRound = (now: number): boolean => this.turn(now);
  readonly #hasWork = (): boolean => this.#parts.attachments.hasWork() || this.#parts.roles.hasWork();

  constructor(parts: PollLoopParts) {
    this.#parts = parts;
    this.#suspension = new Suspension(parts.clock(), parts.wallClock());
  }

  /** Asks for a round; as often as anybody likes. */
  readonly wake = (): void => {
    if (this.#isClosed) return;
    if (this.#isMoving) {
      // Not at once: microtasks that make microtasks would keep the sockets from their turn.
      this.#isWanted = true;
    } else if (!this.#isMoveDue) {
      this.#isMoveDue = true;
      this.#parts.defer(this.#runDeferred);
    }
  };

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One turn: a move, and the judging of deadlines. Returns true when there was something to do, and so may be more. */
  turn(now: number): boolean {
    const { attachments, client, readiness } = this.#parts;
    this.#turn++;
    // The rest of the turn runs beside the application, which has what arrived.
    const moved = this.#move(now, this.#turn);
    client.housekeep(now);
    readiness.poll(now);
    const waiting = attachments.answerPolls(this.#turn);
    attachments.notify();
    return moved + waiting > 0;
  }

  /** Passes on what is there, both ways. `turn` is that of polls found now: sockets have been read since in the next. */
  #move(now: number, turn: number): number {
    const { attachments, requests, client, counters, pool, metrics } = this.#parts;
    counters.heartbeat(now);
    metrics.roundBegins(now);
    this.#noticeSuspension(now);
    let work = pool.poll(now);
    if (attachments.flush(now)) client.unmuteAll(now);
    work += requests.drain(now, turn);
    // What all these asked for is done by the next line.
    this.#isWanted = false;
    work += client.poll(now);
    work += this.#pollRoles(now);
    attachments.notify();
    return work;
  }

  /** Before any request is taken, which would else be written to a peer that may be gone. */
  #noticeSuspension(now: number): void {
    const pauseMs = this.#suspension.pauseMs(now, this.#parts.wallClock());
    if (pauseMs > 0) this.#parts.connections.resumed(pauseMs, now);
  }

  /** What roles make of the answers that have just come goes to the sockets at once. */
  #pollRoles(now: number): number {
    const { roles, client } = this.#parts;
    if (roles.isEmpty) return 0;
    roles.poll(now);
    if (!this.#isWanted) return 0;
    this.#isWanted = false;
    return client.poll(now);
  }

  #measure(startedAt: number): void {
    const { client, clock, metrics, pool } = this.#parts;
    const endedAt = clock();
    const waitedMs = this.#lastRoundEndedAt < 0 ? 0 : Math.max(0, startedAt - this.#lastRoundEndedAt);
    metrics.roundEnded(waitedMs, Math.max(0, endedAt - startedAt));
    metrics.set('poolTasks', pool.taskCount);
    metrics.set('poolBytes', pool.bytesInTasks);
    client.measure(metrics);
    this.#lastRoundEndedAt = endedAt;
  }

  #runMove(): void {
    this.#isMoveDue = false;
    // An application that is awake answers a response with its next request while the first move is still on its way out.
    const isOver = this.#round(this.#moveRound, true) !== 'again' || this.#round(this.#moveRound, true) !== 'again';
    if (!isOver) this.#schedule();
  }

  /**
   * One round, and what follows from it.
   * @param work   returns whether a turn must follow
   * @param isMove a deadline that is over is for the turn; after a turn, for a timer
   */
  #round(work: (now: number) => boolean, isMove: boolean): AfterRound {
    if (this.#isClosed) return 'asleep';
    this.#isMoving = true;
    let after: AfterRound = 'asleep';
    try {
      const { readiness, clock, connections, counters, log, metrics, roles } = this.#parts;
      const now = clock();
      let isTurnNeeded = work(now);
      const metadataTtlMs = connections.metadataTtl(now);
      const deadline = Math.min(connections.nextDeadline(now), readiness.nextDeadline, roles.nextDeadline(now));
      // Metadata that is due: whoever can be asked for it may have become ready after it was looked for.
      if (isMove) isTurnNeeded ||= deadline <= now || metadataTtlMs <= 0;
      counters.setMetadata(metadataTtlMs, now);
      log.flush();
      if (metrics.isOn) this.#measure(now);
      after = isTurnNeeded || this.#isWanted || this.#isScheduled ? this.#schedule() : this.#sleep(deadline, now);
    } catch (error) {
      this.close();
      this.#parts.onFatal(error);
    }
    this.#isMoving = false;
    return after;
  }

  #schedule(): AfterRound {
    if (!this.#isScheduled) setImmediate(this.#runTurn);
    this.#isScheduled = true;
    return 'scheduled';
  }

  #sleep(deadline: number, now: number): AfterRound {
    const { doorbell, roles } = this.#parts;
    const { dozeMs } = roles;
    const bell = dozeMs > 0 ? doorbell.doze(this.#hasWork) : doorbell.sleep(this.#hasWork);
    if (bell === null) return 'again';
    // The same promise comes back while it is armed: chaining on it again would only add calls.
    if (bell !== this.#awaitedBell) {
      this.#awaitedBell = bell;
      bell.then(this.#onBell, this.#parts.onFatal);
    }
    this.#setTimer(dozeMs > 0 ? Math.min(deadline, now + dozeMs) : deadline, now);
    return 'asleep';
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
