// Owns the loop of the network thread: one round of work, then sleep until the doorbell, a socket or a deadline asks
// for the next round. Network thread. Everything below this file gets `now` as an argument and returns without waiting.
//
//   socket callback, look-up,
//   timer (to look for work) ----> wake() ----> microtask --+
//   doorbell (requests, room) ------------------------------+--> move(): drain, poll, deliver, notify
//         ^                                                         |
//         |      more to do, or a deadline has passed: setImmediate +--> turn(): move(), then deadlines, polls <-- timer (deadline)
//         +---- nothing to do: sleep <------------------------------+              |
//         +------------------------------------------------------------------------+
//
// A move passes data on as soon as the callback that brought it returns. Usually nothing else is needed. A turn runs in the event
// loop's check phase, after every socket that was ready has been read. A deadline is judged in a turn, and only if the pass over the
// sockets before it began after that deadline: then everything that arrived in time was read. The pass begins after the turn before, or
// after the timer. A role whose deadline has passed is not called before such a turn. A thread that is late by more reads twice
// (lateness.ts), and no role is called meanwhile.

import { maxTimerMs } from '../common/numbers.ts';
import type { Doorbell } from '../ring/doorbell.ts';
import type { CountersWriter } from '../state/counters.ts';
import type { ApplicationRequests } from './client/application-requests.ts';
import type { Connections } from './client/connections.ts';
import type { NetworkClient } from './client/network-client.ts';
import type { Readiness } from './client/readiness.ts';
import type { IdleMemory } from './idle-memory.ts';
import { Lateness, tolerableMs } from './lateness.ts';
import type { Attachments } from './link/attachments.ts';
import type { BlockedThreads } from './link/blocked-threads.ts';
import type { RequestAdapter } from './link/request-adapter.ts';
import type { Log } from './report/log.ts';
import type { Metrics } from './report/metrics-recorder.ts';
import type { CodecPool } from './requests/codec-pool.ts';
import type { Roles } from './roles.ts';
import { Suspension } from './suspension.ts';

/**
 * What follows a round. `asleep`: the doorbell, a socket or the timer starts the next round. `scheduled`: a turn runs in this event
 * loop's check phase. `again`: there was work when the thread was about to sleep, and the caller must start the next round.
 */
type AfterRound = 'asleep' | 'scheduled' | 'again';

export interface PollLoopParts {
  readonly attachments: Attachments;
  readonly blocked: BlockedThreads;
  readonly adapter: RequestAdapter;
  readonly requests: ApplicationRequests;
  readonly client: NetworkClient;
  readonly connections: Connections;
  readonly readiness: Readiness;
  readonly roles: Roles;
  readonly pool: CodecPool;
  readonly idleMemory: IdleMemory;
  readonly doorbell: Doorbell;
  readonly counters: CountersWriter;
  readonly metrics: Metrics;
  readonly log: Log;
  /** ms on the monotonic clock. All deadlines are on this clock. */
  readonly clock: () => number;
  /** ms since the epoch. */
  readonly wallClock: () => number;
  /** Runs `work` when the current callback has returned. `work` never throws. */
  readonly defer: (work: () => void) => void;
  /** Called with an error that nothing caught in a round. The thread cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

export class PollLoop {
  readonly #parts: PollLoopParts;
  readonly #suspension: Suspension;
  readonly #lateness = new Lateness();
  #turn = 0;
  #lastRoundEndedAt = -1;
  #isScheduled = false;
  /** A move is deferred. */
  #isMoveDue = false;
  #isMoving = false;
  /** `wake` was called during this round. */
  #isWanted = false;
  /** `wakeClient` was called during this round. */
  #isClientWanted = false;
  #isClosed = false;
  /** When the next round is due, as the last one found. */
  #deadline = Number.POSITIVE_INFINITY;
  /** The sockets are read after this time, and then a turn follows. */
  #passFrom = Number.NEGATIVE_INFINITY;
  /** Everything that had arrived at this time was read before the last turn. */
  #readUpTo = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #awaitedBell: Promise<void> | null = null;
  readonly #runTurn = (): void => {
    this.#isScheduled = false;
    this.#isMoveDue = false;
    if (this.#round(this.#turnRound, false) === 'again') this.#schedule();
  };
  readonly #runDeferred = (): void => {
    // A turn, or the doorbell, may have run the move already.
    if (this.#isMoveDue) this.#runMove();
  };
  readonly #onBell = (): void => this.#runMove();
  readonly #moveRound = (now: number): boolean => {
    this.#move(now, this.#turn + 1);
    return this.#parts.attachments.hasPolls || !this.#lateness.mayJudge;
  };
  readonly #turnRound = (now: number): boolean =>
    this.turn(now) || !this.#lateness.mayJudge || this.#parts.roles.isHeldBack;
  readonly #hasWork = (): boolean => this.#parts.attachments.hasWork() || this.#parts.roles.hasWork();

  constructor(parts: PollLoopParts) {
    this.#parts = parts;
    this.#suspension = new Suspension(parts.clock(), parts.wallClock());
  }

  /** Asks for a round. May be called any number of times. */
  readonly wake = (): void => {
    if (this.#isClosed) return;
    if (this.#isMoving) {
      // No move is deferred here: microtasks that queue microtasks would keep the event loop from reading the sockets.
      this.#isWanted = true;
    } else if (!this.#isMoveDue) {
      this.#isMoveDue = true;
      this.#parts.defer(this.#runDeferred);
    }
  };

  /** Asks for a round only because the client has something to do: to write, to connect, to ask for metadata. */
  readonly wakeClient = (): void => {
    if (this.#isMoving) this.#isClientWanted = true;
    else this.wake();
  };

  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** One turn: a move, and the check of deadlines. Returns true when there was something to do, because there may be more. */
  turn(now: number): boolean {
    const { attachments, client, idleMemory, readiness } = this.#parts;
    this.#turn++;
    this.#readUpTo = this.#passFrom;
    this.#passFrom = now;
    // The application has its responses now. It runs in parallel with the rest of the turn.
    const moved = this.#move(now, this.#turn);
    if (this.#lateness.mayJudge) {
      client.housekeep(now, this.#readUpTo);
      readiness.poll(now, this.#readUpTo);
    }
    idleMemory.poll(now);
    const waiting = attachments.answerPolls(this.#turn);
    attachments.notify();
    return moved + waiting > 0;
  }

  /** Passes on what is there, in both directions. Polls found now get the number `turn`: before the next turn, all sockets are read. */
  #move(now: number, turn: number): number {
    const { attachments, blocked, adapter, requests, client, counters, pool, metrics } = this.#parts;
    counters.heartbeat(now);
    metrics.roundBegins(now);
    this.#noticeSuspension(now);
    let work = pool.poll(now);
    if (attachments.flush(now)) client.unmuteAll(now);
    work += adapter.drain(now, turn);
    // Everything that the calls above asked for is done by the line below.
    this.#isWanted = false;
    this.#isClientWanted = false;
    work += client.poll(now);
    work += this.#pollRoles(now);
    // Roles take what they need first, so that applications cannot keep all places on a connection from them.
    if (requests.sendWaiting(now) > 0) work += client.poll(now);
    attachments.notify();
    blocked.poll(now);
    return work;
  }

  /** Runs before any request is taken. Otherwise a request could be written to a peer that is gone. */
  #noticeSuspension(now: number): void {
    const pauseMs = this.#suspension.pauseMs(now, this.#parts.wallClock());
    if (pauseMs > 0) this.#parts.connections.resumed(pauseMs, now);
  }

  /** What others had to do in a time in which this thread did nothing may be done, or not: they get that time once more. */
  #noticeLateness(now: number, isTurn: boolean): void {
    const lateMs = this.#lateness.roundBegins(now, isTurn);
    if (lateMs < tolerableMs) return;
    this.#parts.client.wasLate(lateMs, now);
    this.#parts.roles.wasLate(lateMs, now);
  }

  /**
   * Calls the roles with the answers that have just come, and writes the requests that they make to the sockets at once. A role that
   * calls `wake` meanwhile, for itself or for one that had its turn before, gets another round.
   */
  #pollRoles(now: number): number {
    const { roles, client } = this.#parts;
    if (roles.isEmpty || !this.#lateness.mayJudge) return 0;
    const wasWanted = this.#isWanted;
    this.#isWanted = false;
    roles.poll(now, this.#readUpTo);
    if (!wasWanted && !this.#isWanted && !this.#isClientWanted) return 0;
    this.#isClientWanted = false;
    return client.poll(now);
  }

  #measure(startedAt: number): void {
    const { blocked, client, clock, metrics, pool, requests } = this.#parts;
    const endedAt = clock();
    const waitedMs = this.#lastRoundEndedAt < 0 ? 0 : Math.max(0, startedAt - this.#lastRoundEndedAt);
    metrics.roundEnded(waitedMs, Math.max(0, endedAt - startedAt));
    metrics.set('waitingRequests', requests.waitingCount);
    metrics.set('poolTasks', pool.taskCount);
    metrics.set('poolBytes', pool.bytesInTasks);
    metrics.set('blockedThreads', blocked.count);
    client.measure(metrics);
    this.#lastRoundEndedAt = endedAt;
  }

  #runMove(): void {
    this.#isMoveDue = false;
    // An application that is awake sends its next request so soon after a response that the second move finds it.
    const isOver = this.#round(this.#moveRound, true) !== 'again' || this.#round(this.#moveRound, true) !== 'again';
    if (!isOver) this.#schedule();
  }

  /**
   * Runs one round and decides what follows.
   * @param work   returns whether a turn must follow
   * @param isMove true: a turn must follow when a deadline has passed; false: a timer is set for it
   */
  #round(work: (now: number) => boolean, isMove: boolean): AfterRound {
    if (this.#isClosed) return 'asleep';
    this.#isMoving = true;
    let after: AfterRound = 'asleep';
    try {
      const { blocked, readiness, clock, connections, counters, idleMemory, log, metrics, roles } = this.#parts;
      const now = clock();
      this.#noticeLateness(now, !isMove);
      let isTurnNeeded = work(now);
      const metadataTtlMs = connections.metadataTtl(now);
      const ownDeadline = Math.min(connections.nextDeadline(now), readiness.nextDeadline, blocked.nextDeadline);
      const deadline = Math.min(ownDeadline, roles.nextDeadline(now), idleMemory.nextDeadline(now));
      this.#lateness.roundEnded(deadline);
      this.#deadline = deadline;
      // Metadata is due. A node may have become ready after the move looked for one.
      if (isMove) isTurnNeeded ||= deadline <= now || metadataTtlMs <= 0;
      counters.setMetadata(metadataTtlMs, now);
      log.flush();
      if (metrics.isOn) this.#measure(now);
      after = isTurnNeeded || this.#isCalled ? this.#schedule() : this.#sleep(deadline, now);
    } catch (error) {
      this.close();
      this.#parts.onFatal(error);
    }
    this.#isMoving = false;
    return after;
  }

  /** Whether another round was asked for, in whatever way. */
  get #isCalled(): boolean {
    return this.#isWanted || this.#isClientWanted || this.#isScheduled;
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
    // The doorbell returns the same promise while it is armed. A second `then` on it would only add calls.
    if (bell !== this.#awaitedBell) {
      this.#awaitedBell = bell;
      bell.then(this.#onBell, this.#parts.onFatal);
    }
    this.#setTimer(dozeMs > 0 ? Math.min(deadline, now + dozeMs) : deadline, now);
    return 'asleep';
  }

  /** Keeps one timer that fires no later than `deadline`. A timer that fires earlier finds nothing to do and sets the next one. */
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
      this.#timeHasCome();
    }, delay);
  }

  /** Timers fire before the sockets are read that became ready meanwhile. */
  #timeHasCome(): void {
    const now = this.#parts.clock();
    if (now < this.#deadline) {
      this.wake();
      return;
    }
    this.#passFrom = now;
    this.#schedule();
  }
}
