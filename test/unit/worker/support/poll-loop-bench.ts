// Owns a poll loop whose parts are fakes: they report what a test says and note when they are called. Test thread.

import { PollLoop, type PollLoopParts } from '../../../../src/worker/poll-loop.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';
import { FakeTimers } from './fake-timers.ts';

export class PollLoopBench {
  now = 5000;
  readonly timers = new FakeTimers(() => this.now);
  /** What was called, in order. */
  log: string[] = [];
  readonly loop: PollLoop;
  /** What the parts report. */
  work = { pooled: 0, drained: 0, polled: 0, waiting: 0, sent: 0, hasRecovered: false };
  /** What a part does in the middle of a round, once. */
  meanwhile: { drain?: () => void; poll?: () => void; housekeep?: () => void } = {};
  metadataTtlMs = 7;
  deadlines = {
    connections: Number.POSITIVE_INFINITY,
    readiness: Number.POSITIVE_INFINITY,
    roles: Number.POSITIVE_INFINITY,
  };
  /** What roles do in their turn. Null: there are no roles. */
  roleTurns: (() => void) | null = null;
  /** What the loop has said last: everything that had arrived at this time was read. */
  readUpTo = Number.NaN;
  bell = {
    hasWork: false,
    promise: Promise.resolve(),
    ring: (): void => {},
    reject: (_error: Error): void => {},
    sleeps: 0,
  };
  fatal: unknown[] = [];
  throwing: Error | null = null;

  constructor() {
    this.timers.install();
    this.armBell();
    this.loop = new PollLoop(this.#parts() as unknown as PollLoopParts);
  }

  close(): void {
    this.loop.close();
    this.timers.uninstall();
  }

  armBell(): void {
    let ring = (): void => {};
    let reject = (_error: Error): void => {};
    const promise = new Promise<void>((onRing, onError) => {
      ring = onRing;
      reject = onError;
    });
    this.bell = { ...this.bell, promise, ring, reject };
  }

  moves(): number {
    return this.log.filter((entry) => entry.startsWith('heartbeat')).length;
  }

  turns(): number {
    return this.log.filter((entry) => entry.startsWith('housekeep')).length;
  }

  /** What the event loop does once callbacks have returned. */
  runRounds(): void {
    this.timers.runDeferred();
    this.timers.runImmediates();
  }

  #once(part: 'drain' | 'poll' | 'housekeep'): void {
    const act = this.meanwhile[part];
    delete this.meanwhile[part];
    act?.();
  }

  #parts(): object {
    const bench = this;
    return {
      attachments: {
        hasWork: () => bench.bell.hasWork,
        flush: (at: number) => {
          bench.log.push(`flush ${at}`);
          return bench.work.hasRecovered;
        },
        answerPolls: (turn: number) => {
          bench.log.push(`answerPolls ${turn}`);
          return bench.work.waiting;
        },
        notify: () => bench.log.push('notify'),
        get hasPolls() {
          return bench.work.waiting > 0;
        },
      },
      adapter: {
        drain: (at: number, turn: number) => {
          bench.log.push(`drain ${at} ${turn}`);
          bench.#once('drain');
          return bench.work.drained;
        },
      },
      requests: { sendWaiting: () => bench.work.sent, waitingCount: 0 },
      client: {
        poll: (at: number) => {
          bench.log.push(`poll ${at}`);
          if (bench.throwing !== null) throw bench.throwing;
          bench.#once('poll');
          return bench.work.polled;
        },
        wasLate: (ms: number, at: number) => bench.log.push(`late ${ms} ${at}`),
        unmuteAll: (at: number) => bench.log.push(`unmuteAll ${at}`),
        housekeep: (at: number) => {
          bench.log.push(`housekeep ${at}`);
          bench.#once('housekeep');
        },
      },
      connections: { nextDeadline: () => bench.deadlines.connections, metadataTtl: () => bench.metadataTtlMs },
      blocked: { poll: () => {}, nextDeadline: Number.POSITIVE_INFINITY, count: 0 },
      idleMemory: { poll: () => {}, nextDeadline: () => Number.POSITIVE_INFINITY },
      readiness: {
        poll: (at: number) => bench.log.push(`readiness ${at}`),
        get nextDeadline() {
          return bench.deadlines.readiness;
        },
      },
      roles: {
        hasWork: () => false,
        get isEmpty() {
          return bench.roleTurns === null;
        },
        poll: (at: number, readUpTo: number) => {
          bench.log.push(`roles ${at}`);
          bench.readUpTo = readUpTo;
          bench.roleTurns?.();
        },
        wasLate: (ms: number, at: number) => bench.log.push(`roles late ${ms} ${at}`),
        nextDeadline: () => bench.deadlines.roles,
      },
      pool: {
        poll: (at: number) => {
          bench.log.push(`pool ${at}`);
          return bench.work.pooled;
        },
      },
      doorbell: {
        sleep: (hasWork: () => boolean) => {
          bench.bell.sleeps++;
          return hasWork() ? null : bench.bell.promise;
        },
      },
      counters: {
        heartbeat: (at: number) => bench.log.push(`heartbeat ${at}`),
        setMetadata: (ttl: number, at: number) => bench.log.push(`metadata ${ttl} ${at}`),
      },
      metrics: new Metrics(null, 0),
      log: { flush: () => {} },
      clock: () => bench.now,
      wallClock: () => bench.now,
      defer: bench.timers.defer,
      onFatal: (error: unknown) => bench.fatal.push(error),
    };
  }
}
