// The poll loop with fake parts: what a round does in which order.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { PollLoopBench } from './support/poll-loop-bench.ts';

let bench: PollLoopBench;

beforeEach(() => {
  bench = new PollLoopBench();
});

afterEach(() => bench.close());

test('a turn runs its steps in order: pool results, waiting responses, requests, sockets, doorbells, deadlines, waits, fences, doorbells', () => {
  bench.work.hasRecovered = true;
  assert.equal(bench.loop.turn(7), false);
  assert.deepEqual(bench.log, [
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

test('channels stay muted while no attachment has recovered, and turns are numbered', () => {
  bench.loop.turn(1);
  bench.loop.turn(2);
  assert.ok(!bench.log.some((entry) => entry.startsWith('unmuteAll')));
  assert.ok(bench.log.includes('drain 2 2'));
  assert.ok(bench.log.includes('answerPolls 2'));
});

test('requests that waited for a place are written in the round in which they are sent, after those of roles', () => {
  bench.roleTurns = () => {};
  bench.work.sent = 1;
  bench.loop.turn(1);
  const steps = bench.log.filter((entry) => entry.startsWith('poll') || entry.startsWith('roles'));
  assert.deepEqual(steps, ['poll 1', 'roles 1', 'poll 1']);
});

for (const kind of ['pooled', 'drained', 'polled', 'waiting'] as const) {
  test(`a turn with something ${kind} asks for another turn`, () => {
    bench.deadlines.connections = bench.now;
    bench.loop.wake();
    bench.timers.runDeferred();
    bench.work[kind] = 1;
    bench.timers.runImmediates();
    assert.equal(bench.turns(), 1);
    assert.ok(bench.timers.hasImmediates);
    assert.equal(bench.bell.sleeps, 0);
    bench.work[kind] = 0;
    bench.timers.runImmediates();
    assert.equal(bench.turns(), 2);
    assert.equal(bench.timers.hasImmediates, false);
    assert.equal(bench.bell.sleeps, 1);
  });
}

test('many wakes make one move, and no turn if nothing is left to do', () => {
  bench.work = { ...bench.work, pooled: 1, drained: 1, polled: 1 };
  for (let i = 0; i < 10; i++) bench.loop.wake();
  assert.deepEqual(bench.log, [], 'only when the callback that woke it has returned');
  bench.timers.runDeferred();
  assert.deepEqual(bench.log, [
    'heartbeat 5000',
    'pool 5000',
    'flush 5000',
    'drain 5000 1',
    'poll 5000',
    'notify',
    'metadata 7 5000',
  ]);
  assert.equal(bench.timers.hasDeferred || bench.timers.hasImmediates, false);
  assert.equal(bench.bell.sleeps, 1);
});

const reasons: [string, () => void][] = [
  ['polls wait', () => (bench.work.waiting = 1)],
  ['a connection has a deadline that is over', () => (bench.deadlines.connections = bench.now)],
  ['a call has a deadline that is over', () => (bench.deadlines.readiness = bench.now)],
  ['metadata is due', () => (bench.metadataTtlMs = 0)],
  ['it was woken meanwhile, after the sockets had been seen to', () => (bench.meanwhile.poll = bench.loop.wake)],
];
for (const [what, prepare] of reasons) {
  test(`a turn follows a move when ${what}`, () => {
    prepare();
    bench.loop.wake();
    bench.timers.runDeferred();
    assert.equal(bench.turns(), 0);
    assert.ok(bench.timers.hasImmediates);
    assert.equal(bench.bell.sleeps, 0);
    assert.equal(bench.timers.hasDeferred, false, 'and no further move before it');
    bench.timers.runImmediates();
    assert.equal(bench.turns(), 1);
    assert.ok(bench.log.includes('answerPolls 1'), 'a poll found by the move waits for the turn after this one');
  });
}

test('a wake for posted requests makes no further move, because the same move handles the sockets next', () => {
  bench.meanwhile.drain = bench.loop.wake;
  bench.loop.wake();
  bench.timers.runDeferred();
  assert.equal(bench.timers.hasDeferred || bench.timers.hasImmediates, false);
  assert.equal(bench.bell.sleeps, 1);
});

test('a wake during a turn brings another', () => {
  bench.deadlines.connections = bench.now;
  bench.meanwhile.housekeep = bench.loop.wake;
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.turns(), 1);
  assert.ok(bench.timers.hasImmediates);
  bench.timers.runImmediates();
  assert.equal(bench.turns(), 2);
  assert.equal(bench.timers.hasImmediates, false);
});

test('a turn that runs first leaves nothing for the move', () => {
  bench.meanwhile.poll = bench.loop.wake;
  bench.loop.wake();
  bench.timers.runDeferred();
  bench.loop.wake();
  bench.timers.runImmediates();
  bench.log = [];
  bench.timers.runDeferred();
  assert.deepEqual(bench.log, []);
});

test('a move while a turn is scheduled leaves the rest to that turn', () => {
  bench.meanwhile.poll = bench.loop.wake;
  bench.loop.wake();
  bench.timers.runDeferred();
  bench.loop.wake();
  bench.timers.runDeferred();
  assert.equal(bench.moves(), 2);
  assert.equal(bench.bell.sleeps, 0);
  bench.timers.runImmediates();
  assert.equal(bench.turns(), 1);
});

test('an error that escapes a move ends the loop and is reported once', () => {
  bench.throwing = new Error('broken');
  bench.loop.wake();
  bench.timers.runDeferred();
  assert.deepEqual(bench.fatal, [bench.throwing]);
  bench.loop.wake();
  bench.runRounds();
  assert.deepEqual(bench.fatal, [bench.throwing]);
  assert.equal(bench.moves(), 1);
});

test('work that is found before sleeping causes one more move at once, and then a turn', () => {
  bench.bell.hasWork = true;
  bench.loop.wake();
  bench.timers.runDeferred();
  assert.equal(bench.moves(), 2);
  assert.equal(bench.turns(), 0);
  assert.ok(bench.timers.hasImmediates);
  assert.equal(bench.timers.nextAt, Number.POSITIVE_INFINITY);
  bench.timers.runImmediates();
  assert.equal(bench.turns(), 1);
  assert.ok(bench.timers.hasImmediates, 'and another, while there is work');
});
