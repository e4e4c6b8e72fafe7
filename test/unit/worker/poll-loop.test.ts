// The poll loop with fake parts: what a round does in which order, and when the next one comes.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { PollLoop, type PollLoopParts } from '../../../src/worker/poll-loop.ts';
import { Metrics } from '../../../src/worker/report/metrics-recorder.ts';
import { FakeTimers } from './support/fake-timers.ts';

let now: number;
let timers: FakeTimers;
let log: string[];
let loop: PollLoop;
/** What the parts report. */
let work: { pooled: number; drained: number; polled: number; waiting: number; hasRecovered: boolean };
/** What a part does in the middle of a round, once. */
let meanwhile: { drain?: () => void; poll?: () => void; housekeep?: () => void };
let metadataTtlMs: number;
let deadlines: { connections: number; readiness: number; roles: number };
/** What roles do in their turn; null without roles. */
let roleTurns: (() => void) | null;
let bell: {
  hasWork: boolean;
  promise: Promise<void>;
  ring: () => void;
  reject: (error: Error) => void;
  sleeps: number;
};
let fatal: unknown[];
let throwing: Error | null;

function armBell(): void {
  let ring = () => {};
  let reject = (_error: Error) => {};
  const promise = new Promise<void>((onRing, onError) => {
    ring = onRing;
    reject = onError;
  });
  bell = { ...bell, promise, ring, reject };
}

beforeEach(() => {
  now = 5000;
  timers = new FakeTimers(() => now);
  timers.install();
  log = [];
  work = { pooled: 0, drained: 0, polled: 0, waiting: 0, hasRecovered: false };
  deadlines = {
    connections: Number.POSITIVE_INFINITY,
    readiness: Number.POSITIVE_INFINITY,
    roles: Number.POSITIVE_INFINITY,
  };
  roleTurns = null;
  bell = { hasWork: false, promise: Promise.resolve(), ring: () => {}, reject: () => {}, sleeps: 0 };
  armBell();
  meanwhile = {};
  metadataTtlMs = 7;
  fatal = [];
  throwing = null;
  const parts = {
    attachments: {
      hasWork: () => bell.hasWork,
      flush: (at: number) => {
        log.push(`flush ${at}`);
        return work.hasRecovered;
      },
      answerPolls: (turn: number) => {
        log.push(`answerPolls ${turn}`);
        return work.waiting;
      },
      notify: () => log.push('notify'),
      get hasPolls() {
        return work.waiting > 0;
      },
    },
    requests: {
      drain: (at: number, turn: number) => {
        log.push(`drain ${at} ${turn}`);
        once('drain');
        return work.drained;
      },
    },
    client: {
      poll: (at: number) => {
        log.push(`poll ${at}`);
        if (throwing !== null) throw throwing;
        once('poll');
        return work.polled;
      },
      unmuteAll: (at: number) => log.push(`unmuteAll ${at}`),
      housekeep: (at: number) => {
        log.push(`housekeep ${at}`);
        once('housekeep');
      },
    },
    connections: { nextDeadline: () => deadlines.connections, metadataTtl: () => metadataTtlMs },
    readiness: {
      poll: (at: number) => log.push(`readiness ${at}`),
      get nextDeadline() {
        return deadlines.readiness;
      },
    },
    roles: {
      hasWork: () => false,
      get isEmpty() {
        return roleTurns === null;
      },
      poll: (at: number) => {
        log.push(`roles ${at}`);
        roleTurns?.();
      },
      nextDeadline: () => deadlines.roles,
    },
    pool: {
      poll: (at: number) => {
        log.push(`pool ${at}`);
        return work.pooled;
      },
    },
    doorbell: {
      sleep: (hasWork: () => boolean) => {
        bell.sleeps++;
        return hasWork() ? null : bell.promise;
      },
    },
    counters: {
      heartbeat: (at: number) => log.push(`heartbeat ${at}`),
      setMetadata: (ttl: number, at: number) => log.push(`metadata ${ttl} ${at}`),
    },
    metrics: new Metrics(null, 0),
    log: { flush: () => {} },
    clock: () => now,
    wallClock: () => now,
    defer: timers.defer,
    onFatal: (error: unknown) => fatal.push(error),
  };
  loop = new PollLoop(parts as unknown as PollLoopParts);
});

afterEach(() => {
  loop.close();
  timers.uninstall();
});

function once(part: keyof typeof meanwhile): void {
  const act = meanwhile[part];
  delete meanwhile[part];
  act?.();
}

function moves(): number {
  return log.filter((entry) => entry.startsWith('heartbeat')).length;
}

function turns(): number {
  return log.filter((entry) => entry.startsWith('housekeep')).length;
}

/** What the event loop does once callbacks have returned. */
function runRounds(): void {
  timers.runDeferred();
  timers.runImmediates();
}

test('a turn, in order: what came back, what waits, what was posted, sockets, bells, deadlines, waits, fences, bells', () => {
  work.hasRecovered = true;
  assert.equal(loop.turn(7), false);
  assert.deepEqual(log, [
    'heartbeat 7',
    'pool 7',
    'flush 7',
    'unmuteAll 7',
    'drain 7 1',
    'poll 7',
    'notify',
    'housekeep 7',
    'readiness 7',
    'answerPolls 1',
    'notify',
  ]);
});

test('channels stay muted while nobody has recovered; turns are numbered', () => {
  loop.turn(1);
  loop.turn(2);
  assert.ok(!log.some((entry) => entry.startsWith('unmuteAll')));
  assert.ok(log.includes('drain 2 2'));
  assert.ok(log.includes('answerPolls 2'));
});

for (const kind of ['pooled', 'drained', 'polled', 'waiting'] as const) {
  test(`a turn with something ${kind} asks for the next one`, () => {
    deadlines.connections = now;
    loop.wake();
    timers.runDeferred();
    work[kind] = 1;
    timers.runImmediates();
    assert.equal(turns(), 1);
    assert.ok(timers.hasImmediates);
    assert.equal(bell.sleeps, 0);
    work[kind] = 0;
    timers.runImmediates();
    assert.equal(turns(), 2);
    assert.equal(timers.hasImmediates, false);
    assert.equal(bell.sleeps, 1);
  });
}

test('however often it is woken, one move, and without more to do no turn', () => {
  work = { ...work, pooled: 1, drained: 1, polled: 1 };
  for (let i = 0; i < 10; i++) loop.wake();
  assert.deepEqual(log, [], 'only when the callback that woke it has returned');
  timers.runDeferred();
  assert.deepEqual(log, [
    'heartbeat 5000',
    'pool 5000',
    'flush 5000',
    'drain 5000 1',
    'poll 5000',
    'notify',
    'metadata 7 5000',
  ]);
  assert.equal(timers.hasDeferred || timers.hasImmediates, false);
  assert.equal(bell.sleeps, 1);
});

const reasons: [string, () => void][] = [
  ['polls wait', () => (work.waiting = 1)],
  ['a connection has a deadline that is over', () => (deadlines.connections = now)],
  ['a call has a deadline that is over', () => (deadlines.readiness = now)],
  ['metadata is due', () => (metadataTtlMs = 0)],
  ['it was woken meanwhile, after the sockets had been seen to', () => (meanwhile.poll = loop.wake)],
];
for (const [what, prepare] of reasons) {
  test(`a turn follows a move when ${what}`, () => {
    prepare();
    loop.wake();
    timers.runDeferred();
    assert.equal(turns(), 0);
    assert.ok(timers.hasImmediates);
    assert.equal(bell.sleeps, 0);
    assert.equal(timers.hasDeferred, false, 'and no further move before it');
    timers.runImmediates();
    assert.equal(turns(), 1);
    assert.ok(log.includes('answerPolls 1'), 'a poll found by the move waits for the turn after this one');
  });
}

test('what was posted wakes in vain: the sockets are seen to next', () => {
  meanwhile.drain = loop.wake;
  loop.wake();
  timers.runDeferred();
  assert.equal(timers.hasDeferred || timers.hasImmediates, false);
  assert.equal(bell.sleeps, 1);
});

test('a wake during a turn brings another', () => {
  deadlines.connections = now;
  meanwhile.housekeep = loop.wake;
  loop.wake();
  runRounds();
  assert.equal(turns(), 1);
  assert.ok(timers.hasImmediates);
  timers.runImmediates();
  assert.equal(turns(), 2);
  assert.equal(timers.hasImmediates, false);
});

test('a turn that comes first leaves nothing for the move', () => {
  meanwhile.poll = loop.wake;
  loop.wake();
  timers.runDeferred();
  loop.wake();
  timers.runImmediates();
  log = [];
  timers.runDeferred();
  assert.deepEqual(log, []);
});

test('a move while a turn is scheduled leaves the rest to it', () => {
  meanwhile.poll = loop.wake;
  loop.wake();
  timers.runDeferred();
  loop.wake();
  timers.runDeferred();
  assert.equal(moves(), 2);
  assert.equal(bell.sleeps, 0);
  timers.runImmediates();
  assert.equal(turns(), 1);
});

test('an error that escapes a move ends the loop, and is told once', () => {
  throwing = new Error('broken');
  loop.wake();
  timers.runDeferred();
  assert.deepEqual(fatal, [throwing]);
  loop.wake();
  runRounds();
  assert.deepEqual(fatal, [throwing]);
  assert.equal(moves(), 1);
});

test('work found while falling asleep brings one more move at once, then a turn', () => {
  bell.hasWork = true;
  loop.wake();
  timers.runDeferred();
  assert.equal(moves(), 2);
  assert.equal(turns(), 0);
  assert.ok(timers.hasImmediates);
  assert.equal(timers.nextAt, Number.POSITIVE_INFINITY);
  timers.runImmediates();
  assert.equal(turns(), 1);
  assert.ok(timers.hasImmediates, 'and another, while there is work');
});

test('the bell wakes', async () => {
  loop.wake();
  runRounds();
  log = [];
  bell.ring();
  await bell.promise;
  assert.equal(moves(), 1);
});

test('a bell that is still armed is not awaited twice', async () => {
  const { promise } = bell;
  let awaited = 0;
  const counted: Pick<Promise<void>, 'then'> = {
    // biome-ignore lint/suspicious/noThenProperty: counts who waits
    then: (onRing, onError) => {
      awaited++;
      return promise.then(onRing, onError);
    },
  };
  bell.promise = counted as Promise<void>;
  for (let i = 0; i < 5; i++) {
    loop.wake();
    runRounds();
  }
  assert.equal(awaited, 1);
  armBell();
  loop.wake();
  runRounds();
  log = [];
  bell.ring();
  await bell.promise;
  assert.equal(moves(), 1, 'the next one is awaited');
});

test('the timer is set to the nearest deadline, rounded up', () => {
  deadlines = { connections: 5100.2, readiness: 9000, roles: 9000 };
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, 5101);
  now = 5101;
  timers.fireDue();
  timers.runDeferred();
  assert.ok(timers.hasImmediates, 'a turn');
});

test('deadlines of waits for readiness count too', () => {
  deadlines = { connections: 9000, readiness: 5050, roles: 9000 };
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, 5050);
});

test('without any deadline there is no timer', () => {
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, Number.POSITIVE_INFINITY);
});

test('a deadline that is over gives a timer of 1 ms, not none', () => {
  deadlines.connections = 4000;
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, 5001);
});

test('a later deadline keeps the timer there is; an earlier one replaces it', () => {
  deadlines.connections = 6000;
  loop.wake();
  runRounds();
  deadlines.connections = 8000;
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, 6000);
  deadlines.connections = 5500;
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, 5500);
  now = 5500;
  timers.fireDue();
  deadlines.connections = 8000;
  runRounds();
  assert.equal(timers.nextAt, 8000, 'and no other is left behind');
});

test('deadlines beyond the range of timers are reached in steps', () => {
  deadlines.connections = now + 2 ** 40;
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, now + 2 ** 31 - 1);
});

test('an error that escapes a turn ends the loop, and is told once', () => {
  throwing = new Error('broken');
  deadlines.connections = 6000;
  loop.wake();
  runRounds();
  assert.deepEqual(fatal, [throwing]);
  loop.wake();
  assert.equal(timers.hasDeferred || timers.hasImmediates, false);
  assert.equal(timers.nextAt, Number.POSITIVE_INFINITY);
});

test('a bell that breaks is fatal', async () => {
  loop.wake();
  runRounds();
  const error = new Error('no bell');
  bell.reject(error);
  await bell.promise.catch(() => {});
  await Promise.resolve();
  assert.deepEqual(fatal, [error]);
});

test('after close there are no rounds: neither deferred, nor scheduled, nor by timer, bell or wake', async () => {
  deadlines.connections = 6000;
  loop.wake();
  runRounds();
  deadlines.connections = now;
  loop.wake();
  timers.runDeferred();
  loop.wake();
  loop.close();
  log = [];
  runRounds();
  assert.deepEqual(log, []);
  assert.equal(timers.nextAt, Number.POSITIVE_INFINITY);
  bell.ring();
  await bell.promise;
  loop.wake();
  assert.equal(timers.hasDeferred || timers.hasImmediates, false);
  assert.deepEqual(log, []);
});

test('roles get their turn after the sockets, and what they send goes out in the same round', () => {
  roleTurns = () => {
    if (log.filter((line) => line.startsWith('roles')).length === 1) loop.wake();
  };
  loop.wake();
  runRounds();
  const round = log.slice(0, log.indexOf('notify'));
  assert.deepEqual(
    round.filter((line) => /^(poll|roles)/.test(line)),
    ['poll 5000', 'roles 5000', 'poll 5000'],
  );
});

test('deadlines of roles count too', () => {
  deadlines = { connections: 9000, readiness: 9000, roles: 5040 };
  loop.wake();
  runRounds();
  assert.equal(timers.nextAt, 5040);
});
