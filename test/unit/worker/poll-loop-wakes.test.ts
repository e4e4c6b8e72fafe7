// The poll loop with fake parts: what wakes it, and when it ends.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { PollLoopBench } from './support/poll-loop-bench.ts';

let bench: PollLoopBench;

beforeEach(() => {
  bench = new PollLoopBench();
});

afterEach(() => bench.close());

function rolesPolled(): number {
  return bench.log.filter((line) => line.startsWith('roles')).length;
}

test('the doorbell wakes the loop', async () => {
  bench.loop.wake();
  bench.runRounds();
  bench.log = [];
  bench.bell.ring();
  await bench.bell.promise;
  assert.equal(bench.moves(), 1);
});

test('a doorbell that is still armed is not awaited twice', async () => {
  const { promise } = bench.bell;
  let awaited = 0;
  const counted: Pick<Promise<void>, 'then'> = {
    // biome-ignore lint/suspicious/noThenProperty: counts who waits
    then: (onRing, onError) => {
      awaited++;
      return promise.then(onRing, onError);
    },
  };
  bench.bell.promise = counted as Promise<void>;
  for (let i = 0; i < 5; i++) {
    bench.loop.wake();
    bench.runRounds();
  }
  assert.equal(awaited, 1);
  bench.armBell();
  bench.loop.wake();
  bench.runRounds();
  bench.log = [];
  bench.bell.ring();
  await bench.bell.promise;
  assert.equal(bench.moves(), 1, 'the next one is awaited');
});

test('the timer is set to the nearest deadline, rounded up', () => {
  bench.deadlines = { connections: 5100.2, readiness: 9000, roles: 9000 };
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, 5101);
  bench.now = 5101;
  bench.timers.fireDue();
  bench.timers.runDeferred();
  assert.ok(bench.timers.hasImmediates, 'a turn');
});

for (const whose of ['connections', 'readiness', 'roles'] as const)
  test(`a thread that was stopped past a deadline (${whose}) reads twice before anything judges it`, () => {
    bench.roleTurns = () => {};
    bench.deadlines = { connections: 90_000, readiness: 90_000, roles: 90_000, [whose]: 6000 };
    bench.loop.wake();
    bench.runRounds();
    bench.now = 66_000;
    bench.log = [];
    const judges = (): string[] => bench.log.filter((entry) => /^(housekeep|readiness|roles \d)/.test(entry));
    bench.loop.wake();
    bench.timers.runDeferred();
    assert.deepEqual(bench.log.slice(0, 2), ['late 60000 66000', 'roles late 60000 66000']);
    assert.deepEqual(judges(), []);
    bench.timers.runImmediates();
    assert.deepEqual([bench.moves(), judges()], [2, []]);
    bench.timers.runImmediates();
    assert.deepEqual([bench.moves(), judges()], [3, ['roles 66000', 'housekeep 66000', 'readiness 66000']]);
  });

test('when a deadline has passed a turn follows the timer, and all was read by then that had come before the timer', () => {
  bench.roleTurns = () => {};
  bench.deadlines.roles = 6000;
  bench.loop.wake();
  bench.runRounds();
  bench.log = [];
  bench.now = 6003;
  bench.timers.fireDue();
  assert.equal(bench.timers.hasDeferred, false, 'no move before the sockets are read');
  bench.now = 6004;
  bench.timers.runImmediates();
  assert.deepEqual([bench.moves(), bench.turns(), bench.readUpTo], [1, 1, 6003]);
});

test('a turn has read all that had come before the turn before it, and a move nothing newer', () => {
  bench.roleTurns = () => {};
  bench.work.waiting = 1;
  for (const [now, readUpTo] of [
    [6000, Number.NEGATIVE_INFINITY],
    [6010, 6005],
    [6020, 6015],
  ] as const) {
    bench.now = now;
    bench.loop.wake();
    bench.timers.runDeferred();
    const inMove = bench.readUpTo;
    bench.now = now + 5;
    bench.timers.runImmediates();
    assert.ok(inMove < readUpTo || inMove === Number.NEGATIVE_INFINITY, `${inMove} in the move`);
    assert.equal(bench.readUpTo, readUpTo);
  }
});

test('a thread that is a little late gives nobody more time', () => {
  bench.roleTurns = () => {};
  bench.deadlines.roles = 6000;
  bench.loop.wake();
  bench.runRounds();
  bench.now = 6100;
  bench.log = [];
  bench.loop.wake();
  bench.timers.runDeferred();
  assert.deepEqual(
    bench.log.filter((entry) => entry.includes('late') || entry.startsWith('roles')),
    ['roles 6100'],
  );
});

test('deadlines of waits for readiness count too', () => {
  bench.deadlines = { connections: 9000, readiness: 5050, roles: 9000 };
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, 5050);
});

test('without any deadline there is no timer', () => {
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, Number.POSITIVE_INFINITY);
});

test('a deadline in the past sets a timer of 1 ms', () => {
  bench.deadlines.connections = 4000;
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, 5001);
});

test('a later deadline keeps the timer, and an earlier one replaces it', () => {
  bench.deadlines.connections = 6000;
  bench.loop.wake();
  bench.runRounds();
  bench.deadlines.connections = 8000;
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, 6000);
  bench.deadlines.connections = 5500;
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, 5500);
  bench.now = 5500;
  bench.timers.fireDue();
  bench.deadlines.connections = 8000;
  bench.runRounds();
  assert.equal(bench.timers.nextAt, 8000, 'and no other is left behind');
});

test('deadlines beyond the range of timers are reached in steps', () => {
  bench.deadlines.connections = bench.now + 2 ** 40;
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, bench.now + 2 ** 31 - 1);
});

test('an error that escapes a turn ends the loop and is reported once', () => {
  bench.throwing = new Error('broken');
  bench.deadlines.connections = 6000;
  bench.loop.wake();
  bench.runRounds();
  assert.deepEqual(bench.fatal, [bench.throwing]);
  bench.loop.wake();
  assert.equal(bench.timers.hasDeferred || bench.timers.hasImmediates, false);
  assert.equal(bench.timers.nextAt, Number.POSITIVE_INFINITY);
});

test('a doorbell that fails is fatal', async () => {
  bench.loop.wake();
  bench.runRounds();
  const error = new Error('no bell');
  bench.bell.reject(error);
  await bench.bell.promise.catch(() => {});
  await Promise.resolve();
  assert.deepEqual(bench.fatal, [error]);
});

test('after close there are no rounds, whether deferred, scheduled, or by timer, doorbell or wake', async () => {
  bench.deadlines.connections = 6000;
  bench.loop.wake();
  bench.runRounds();
  bench.deadlines.connections = bench.now;
  bench.loop.wake();
  bench.timers.runDeferred();
  bench.loop.wake();
  bench.loop.close();
  bench.log = [];
  bench.runRounds();
  assert.deepEqual(bench.log, []);
  assert.equal(bench.timers.nextAt, Number.POSITIVE_INFINITY);
  bench.bell.ring();
  await bench.bell.promise;
  bench.loop.wake();
  assert.equal(bench.timers.hasDeferred || bench.timers.hasImmediates, false);
  assert.deepEqual(bench.log, []);
});

test('roles are polled after the sockets, and their requests are written in the same round, without another one', () => {
  bench.roleTurns = () => {
    if (rolesPolled() === 1) bench.loop.wakeClient();
  };
  bench.loop.wake();
  bench.runRounds();
  const round = bench.log.slice(0, bench.log.indexOf('notify'));
  assert.deepEqual(
    round.filter((line) => /^(poll|roles)/.test(line)),
    ['poll 5000', 'roles 5000', 'poll 5000'],
  );
  assert.equal(rolesPolled(), 1);
});

test('a role that calls wake in its own turn is polled again, in the event loop and not in a microtask', () => {
  bench.roleTurns = () => {
    if (rolesPolled() < 3) bench.loop.wake();
  };
  bench.loop.wake();
  bench.timers.runDeferred();
  assert.equal(rolesPolled(), 1, 'sockets are read first');
  for (let i = 0; i < 10; i++) bench.runRounds();
  assert.equal(rolesPolled(), 3);
  assert.ok(!bench.timers.hasImmediates && !bench.timers.hasDeferred, 'then the thread sleeps');
});

test('what sockets ask for before the roles have their turn is no reason for another round', () => {
  bench.roleTurns = () => {};
  bench.meanwhile = { poll: () => bench.loop.wake() };
  bench.loop.wake();
  for (let i = 0; i < 10; i++) bench.runRounds();
  assert.equal(rolesPolled(), 1);
});

test('deadlines of roles count too', () => {
  bench.deadlines = { connections: 9000, readiness: 9000, roles: 5040 };
  bench.loop.wake();
  bench.runRounds();
  assert.equal(bench.timers.nextAt, 5040);
});
