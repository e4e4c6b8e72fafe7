// What a member of a classic group does for each error code of JoinGroup and SyncGroup, and what every member does for those of
// FindCoordinator. Each test is a row of the reference.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  GroupFatalError,
  KafkaConnectionError,
  KafkaTimeoutError,
  UnsupportedVersionError,
} from '../../../../src/common/errors/errors.ts';
import { FindCoordinator, Heartbeat, JoinGroup, SyncGroup } from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeSubscription } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { assignment, classic, classicStable, joined } from './support/classic-bench.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { coordinator, fatalOf, isOwned } from './support/member-bench.ts';

describe('JoinGroup', () => {
  it('has the timeouts that are the defaults in Java, and heartbeats follow every 3 s', () => {
    const bench = classic();
    const [request] = bench.asked(JoinGroup);
    assert.deepEqual([request!.sessionTimeoutMs, request!.rebalanceTimeoutMs], [45_000, 300_000]);
    bench.answer(JoinGroup, joined);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    for (let i = 0; i < 3; i++) {
      bench.advance(2999);
      assert.equal(bench.asked(Heartbeat).length, 0);
      bench.advance(1);
      bench.answer(Heartbeat, { errorCode: 0 });
    }
  });

  const joinTimeoutMs = (bench: ConsumerBench): number =>
    bench.waiting.find(({ api }) => api.key === JoinGroup.key)!.timeoutMs!;

  it('without an answer is sent again after the time of a session: nothing else tells of a connection that is silent', () => {
    const bench = classic();
    bench.answer(JoinGroup, { errorCode: 79, memberId: 'given' });
    assert.equal(joinTimeoutMs(bench), 45_000);
    bench.fail(JoinGroup, new KafkaTimeoutError('no response within 45000 ms'));
    bench.advance(1000);
    bench.answer(FindCoordinator, coordinator);
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'given', 'it takes the place of the first one');
    bench.answer(JoinGroup, joined);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    isOwned(bench, 2);
  });

  it('waits until the rebalance is over, and 5 s more, where a second join would be a second member', () => {
    const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], groupProtocol: 'classic' });
    bench.topic('t', 2);
    bench.versions = (key) => ({ min: 0, max: key === JoinGroup.key ? 3 : 99 });
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.turn();
    bench.answer(FindCoordinator, coordinator);
    assert.equal(joinTimeoutMs(bench), 305_000);
  });

  it('is never sent again before the time of a request is over, and never later than the rebalance is', () => {
    assert.equal(joinTimeoutMs(classic({ sessionTimeoutMs: 10_000 })), 30_000);
    assert.equal(joinTimeoutMs(classic({ sessionTimeoutMs: 600_000, maxPollIntervalMs: 60_000 })), 65_000);
  });

  for (const code of [15, 16])
    it(`answered with ${code} finds the coordinator and joins there`, () => {
      const bench = classic();
      bench.answer(JoinGroup, { errorCode: code });
      bench.advance(1000);
      bench.answer(FindCoordinator, coordinator);
      assert.equal(bench.asked(JoinGroup).length, 1);
    });

  for (const code of [14, 27])
    it(`answered with ${code} is sent again after a backoff`, () => {
      const bench = classic();
      bench.answer(JoinGroup, { errorCode: code });
      assert.equal(bench.asked(JoinGroup).length, 0, 'not at once');
      bench.advance(1000);
      assert.equal(bench.asked(JoinGroup).length, 1);
    });

  it('answered with 79 is sent again at once with the id', () => {
    const bench = classic();
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, '');
    bench.answer(JoinGroup, { errorCode: 79, memberId: 'given' });
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'given');
  });

  it('answered with 25 is sent again as a new member', () => {
    const bench = classic();
    bench.answer(JoinGroup, { errorCode: 79, memberId: 'given' });
    bench.answer(JoinGroup, { errorCode: 25 });
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, '');
    assert.equal(fatalOf(bench), null);
  });

  it('answered for an old generation changes nothing, whatever its answer', () => {
    for (const errorCode of [25, 82, 30]) {
      const bench = classicStable();
      bench.advance(3000);
      bench.answer(Heartbeat, { errorCode: 27 });
      bench.turn();
      const [stale] = bench.waiting.splice(
        bench.waiting.findIndex(({ api }) => api.key === JoinGroup.key),
        1,
      );
      // The member leaves, and joins as a new one.
      bench.role.group!.leaveForSlowness(bench.now);
      bench.role.group!.onApplicationActive(bench.now);
      bench.turn();
      bench.answer(JoinGroup, { ...joined, generationId: 6 });
      bench.answer(SyncGroup, { errorCode: 0, assignment });
      bench.waiting.push(stale!);
      bench.answer(JoinGroup, { ...joined, errorCode });
      isOwned(bench, 2);
      assert.equal(fatalOf(bench), null);
    }
  });

  for (const [code, memberId] of [
    [25, ''],
    [79, 'given'],
  ] as const)
    it(`answered with ${code} again and again, although it has ${memberId === '' ? 'no' : 'the'} id, is sent with pauses`, () => {
      const bench = classic();
      if (memberId !== '') bench.answer(JoinGroup, { errorCode: 79, memberId });
      let sent = 0;
      const until = bench.now + 2000;
      while (bench.now < until) {
        if (bench.asked(JoinGroup).length > 0) {
          sent++;
          bench.answer(JoinGroup, { errorCode: code, memberId });
        }
        bench.advance(1);
      }
      assert.ok(sent >= 2 && sent <= 25, `${sent} times in 2 s`);
    });

  it('that fails finds the coordinator and is sent again', () => {
    const bench = classic();
    bench.fail(JoinGroup, new KafkaConnectionError('reset'));
    bench.advance(1000);
    bench.answer(FindCoordinator, coordinator);
    assert.equal(bench.asked(JoinGroup).length, 1);
  });

  for (const code of [82, 23, 26, 24, 30, 81, 35, 42, 12345])
    it(`answered with ${code} ends the membership with GroupFatalError`, () => {
      const bench = classic();
      bench.answer(JoinGroup, { errorCode: code });
      assert.ok(fatalOf(bench) instanceof GroupFatalError);
      bench.advance(60_000);
      assert.equal(bench.asked(JoinGroup).length, 0);
    });
});

it('a leader that cannot read the subscription of a member names the member, and ends its own membership', () => {
  const bench = classic();
  const members = [{ memberId: 'm', metadata: Buffer.from([0, 1, 0, 0]) }];
  bench.answer(JoinGroup, { ...joined, leader: 'm', members });
  const error = fatalOf(bench);
  assert.ok(error instanceof GroupFatalError);
  assert.match(String(error.cause), /member m cannot be read/);
});

for (const skipAssignment of [false, true])
  it(`a leader whose coordinator wants ${skipAssignment ? 'no' : 'an'} assignment joins again when a topic gets partitions`, () => {
    const bench = classic();
    const metadata = encodeSubscription({ topics: ['t'], userData: null, owned: [], generation: -1, rackId: null });
    const members = [{ memberId: 'm', metadata }];
    bench.answer(JoinGroup, { ...joined, leader: 'm', members, skipAssignment });
    assert.equal(bench.asked(SyncGroup)[0]!.assignments!.length, skipAssignment ? 0 : 1);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    isOwned(bench, 2);
    bench.turn();
    assert.equal(bench.asked(JoinGroup).length, 0);
    bench.topic('t', 3);
    bench.advance(100);
    assert.equal(bench.asked(JoinGroup).length, 1);
  });

describe('a fault inside the broker (-1)', () => {
  it('in the answer to JoinGroup or SyncGroup makes the member join again after a backoff, for a session', () => {
    const bench = classic();
    bench.answer(JoinGroup, { errorCode: -1 });
    assert.equal(bench.asked(JoinGroup).length, 0, 'after a backoff only');
    bench.advance(1000);
    bench.answer(JoinGroup, joined);
    bench.answer(SyncGroup, { errorCode: -1 });
    assert.equal(fatalOf(bench), null);
    for (let i = 0; i < 100 && fatalOf(bench) === null; i++) {
      bench.advance(1000);
      if (bench.asked(JoinGroup).length > 0) bench.answer(JoinGroup, { errorCode: -1 });
      assert.ok(i >= 40 || fatalOf(bench) === null, `given up after ${i} s`);
    }
    assert.ok(fatalOf(bench) instanceof GroupFatalError);
  });
});

describe('SyncGroup', () => {
  for (const code of [15, 16])
    it(`answered with ${code} finds the coordinator and joins again`, () => {
      const bench = classic();
      bench.answer(JoinGroup, joined);
      bench.answer(SyncGroup, { errorCode: code });
      bench.advance(1000);
      bench.answer(FindCoordinator, coordinator);
      assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'm');
    });

  for (const [code, memberId] of [
    [27, 'm'],
    [22, 'm'],
    [25, ''],
  ] as const)
    it(`answered with ${code} joins again as ${memberId === '' ? 'a new member' : 'before'}`, () => {
      const bench = classic();
      bench.answer(JoinGroup, joined);
      bench.answer(SyncGroup, { errorCode: code });
      bench.advance(1000);
      assert.equal(bench.asked(JoinGroup)[0]!.memberId, memberId);
      assert.equal(fatalOf(bench), null);
    });

  it('answered with 14 joins again after a backoff', () => {
    const bench = classic();
    bench.answer(JoinGroup, joined);
    bench.answer(SyncGroup, { errorCode: 14 });
    assert.equal(bench.asked(JoinGroup).length, 0, 'not at once');
    bench.advance(500);
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'm');
  });

  for (const code of [82, 30, 23, 42, 12345])
    it(`answered with ${code} ends the membership with GroupFatalError`, () => {
      const bench = classic();
      bench.answer(JoinGroup, joined);
      bench.answer(SyncGroup, { errorCode: code });
      assert.ok(fatalOf(bench) instanceof GroupFatalError);
    });

  it('is followed by heartbeats while it is under way', () => {
    const bench = classic();
    bench.answer(JoinGroup, joined);
    bench.advance(3001);
    assert.equal(bench.asked(Heartbeat).length, 1);
  });

  it('answered for an old generation changes nothing', () => {
    const bench = classic();
    bench.answer(JoinGroup, joined);
    bench.advance(3001);
    // The heartbeat finds out first.
    bench.answer(Heartbeat, { errorCode: 16 });
    bench.answer(SyncGroup, { errorCode: 22 });
    bench.advance(1000);
    if (bench.asked(FindCoordinator).length > 0) bench.answer(FindCoordinator, coordinator);
    bench.answer(JoinGroup, { ...joined, generationId: 5 });
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    isOwned(bench, 2);
    assert.equal(bench.role.group!.identity.epoch, 5);
  });
});

describe('FindCoordinator', () => {
  for (const code of [14, 15])
    it(`answered with ${code} is asked again after a backoff`, () => {
      const bench = classicStable();
      bench.advance(3001);
      bench.answer(Heartbeat, { errorCode: 16 });
      bench.advance(3001);
      bench.answer(FindCoordinator, { coordinators: [{ key: 'g', nodeId: -1, errorCode: code }] });
      assert.equal(bench.asked(FindCoordinator).length, 0, 'not at once');
      bench.advance(1000);
      assert.equal(bench.asked(FindCoordinator).length, 1);
    });

  it('answered with -1 is asked again after a backoff', () => {
    const bench = classicStable();
    bench.advance(3001);
    bench.answer(Heartbeat, { errorCode: 16 });
    bench.advance(500);
    bench.answer(FindCoordinator, { coordinators: [{ key: 'g', nodeId: -1, errorCode: -1 }] });
    assert.equal(bench.asked(FindCoordinator).length, 0, 'not at once');
    bench.advance(1000);
    assert.equal(bench.asked(FindCoordinator).length, 1);
    assert.equal(fatalOf(bench), null);
  });

  for (const code of [24, 30, 42, 12345])
    it(`answered with ${code} ends the membership with GroupFatalError, which names the group`, () => {
      const bench = new ConsumerBench({ groupId: 'g', topics: ['t'] });
      bench.topic('t', 1);
      bench.role.subscribe({ names: ['t'] }, bench.now);
      bench.turn();
      bench.answer(FindCoordinator, { coordinators: [{ key: 'g', nodeId: -1, errorCode: code }] });
      const error = fatalOf(bench);
      assert.ok(error instanceof GroupFatalError);
      assert.match(error.message, /group g/);
      bench.advance(60_000);
      assert.equal(bench.asked(FindCoordinator).length, 0, 'nobody is asked again');
    });

  it('that is refused while the member is in its group ends the membership, and nobody is asked again', () => {
    const bench = classicStable();
    bench.advance(3001);
    bench.answer(Heartbeat, { errorCode: 16 });
    bench.advance(500);
    bench.answer(FindCoordinator, { coordinators: [{ key: 'g', nodeId: -1, errorCode: 30 }] });
    assert.ok(fatalOf(bench) instanceof GroupFatalError);
    isOwned(bench, 0);
    bench.advance(60_000);
    assert.deepEqual([bench.asked(FindCoordinator), bench.asked(Heartbeat)], [[], []]);
  });

  it('that no broker knows ends the membership', () => {
    const bench = new ConsumerBench({ groupId: 'g', topics: ['t'] });
    bench.topic('t', 1);
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.turn();
    // First in the version with several keys, then in those before.
    bench.fail(FindCoordinator, new UnsupportedVersionError('no'));
    assert.equal(fatalOf(bench), null);
    bench.fail(FindCoordinator, new UnsupportedVersionError('no'));
    assert.ok(fatalOf(bench) instanceof GroupFatalError);
    bench.advance(60_000);
    assert.equal(bench.asked(FindCoordinator).length, 0);
  });

  it('that names the wrong broker again and again is sent with pauses', () => {
    const bench = classic();
    let asked = 0;
    const until = bench.now + 2000;
    while (bench.now < until) {
      if (bench.asked(JoinGroup).length > 0) bench.answer(JoinGroup, { errorCode: 16 });
      if (bench.asked(FindCoordinator).length > 0) {
        asked++;
        bench.answer(FindCoordinator, coordinator);
      }
      bench.advance(1);
    }
    assert.ok(asked >= 2 && asked <= 25, `${asked} times in 2 s`);
  });
});
