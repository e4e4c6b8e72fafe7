// What a member of a classic group does for each error code of its coordinator, and what every member does for those of
// FindCoordinator. Each test is a row of the reference.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GroupFatalError, KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import {
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { begin, coordinator, fatalOf, isOwned } from './support/member-bench.ts';

const assignment = encodeAssignment([
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
]);
const joined = { errorCode: 0, generationId: 4, protocolName: 'range', leader: 'other', memberId: 'm', members: [] };

function classic(options: Record<string, unknown> = {}): ConsumerBench {
  return begin({ groupProtocol: 'classic', ...options });
}

function classicStable(options: Record<string, unknown> = {}): ConsumerBench {
  const bench = classic(options);
  bench.answer(JoinGroup, joined);
  bench.answer(SyncGroup, { errorCode: 0, assignment });
  isOwned(bench, 2);
  return bench;
}

describe('JoinGroup', () => {
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
      bench.role.group!.membership!.onFenced(4, bench.now);
      bench.turn();
      bench.answer(JoinGroup, { ...joined, generationId: 6 });
      bench.answer(SyncGroup, { errorCode: 0, assignment });
      bench.waiting.push(stale!);
      bench.answer(JoinGroup, { ...joined, errorCode });
      isOwned(bench, 2);
      assert.equal(fatalOf(bench), null);
    }
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

describe('Heartbeat of the classic protocol', () => {
  const beating = (options: Record<string, unknown> = {}): ConsumerBench => {
    const bench = classicStable(options);
    bench.advance(3001);
    assert.deepEqual(bench.asked(Heartbeat)[0]!.generationId, 4);
    return bench;
  };

  for (const code of [15, 16])
    it(`answered with ${code} finds the coordinator and goes on`, () => {
      const bench = beating();
      bench.answer(Heartbeat, { errorCode: code });
      isOwned(bench, 2);
      bench.advance(3001);
      bench.answer(FindCoordinator, coordinator);
      assert.equal(bench.asked(Heartbeat).length, 1);
    });

  it('answered with 27 gives up partitions and joins again with the same member id', () => {
    const bench = beating();
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.advance(100);
    isOwned(bench, 0);
    assert.equal(bench.events('revoked').length, 1);
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'm');
  });

  it('goes on after 27 while a batch holds up the release of partitions', () => {
    const bench = beating({ whenRevoked: 'wait' });
    const [partition] = bench.role.partitions.all;
    const firstOffset = 0n;
    partition!.startAt(firstOffset, 5);
    partition!.handedOut({
      firstOffset,
      nextOffset: 9n,
      leaderEpoch: 5,
      count: 9,
      byteLength: 1,
      doneUpTo: () => firstOffset,
      isPosted: () => false,
      withdraw: () => false,
      isReturned: () => false,
      giveUp: () => {},
      free: () => {},
    });
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.advance(100);
    assert.equal(bench.asked(JoinGroup).length, 0, 'the batch is not done');
    for (let i = 0; i < 3; i++) {
      bench.advance(3000);
      bench.answer(Heartbeat, { errorCode: 27 });
    }
    isOwned(bench, 2);
    assert.equal(fatalOf(bench), null);
  });

  it('answered with 27 while the member is not in a stable group changes nothing', () => {
    const bench = classic();
    bench.answer(JoinGroup, joined);
    bench.advance(3000);
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.turn();
    assert.equal(bench.asked(JoinGroup).length, 0);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    bench.turn();
    isOwned(bench, 2);
    assert.equal(bench.asked(JoinGroup).length, 0);
  });

  for (const [code, memberId] of [
    [22, 'm'],
    [25, ''],
  ] as const)
    it(`answered with ${code} loses the partitions and joins again as ${memberId === '' ? 'a new member' : 'before'}`, () => {
      const bench = beating();
      bench.answer(Heartbeat, { errorCode: code });
      isOwned(bench, 0);
      assert.equal(bench.events('lost').length, 1);
      assert.equal(bench.asked(JoinGroup)[0]!.memberId, memberId);
    });

  it('answered with -1 keeps the partitions', () => {
    const bench = beating();
    bench.answer(Heartbeat, { errorCode: -1 });
    bench.advance(5000);
    isOwned(bench, 2);
    assert.equal(bench.asked(Heartbeat).length, 1);
    assert.equal(fatalOf(bench), null);
  });

  for (const code of [82, 30, 42, 12345])
    it(`answered with ${code} ends the membership with GroupFatalError`, () => {
      const bench = beating();
      bench.answer(Heartbeat, { errorCode: code });
      assert.ok(fatalOf(bench) instanceof GroupFatalError);
    });

  it('without an answer for a session makes the coordinator unknown', () => {
    const bench = beating();
    bench.fail(Heartbeat, new KafkaConnectionError('reset'));
    bench.advance(1000);
    assert.equal(bench.asked(FindCoordinator).length, 1);
    isOwned(bench, 2);
  });

  it('of an old generation changes nothing, whatever its answer', () => {
    const bench = beating();
    const [stale] = bench.waiting.splice(
      bench.waiting.findIndex(({ api }) => api.key === Heartbeat.key),
      1,
    );
    bench.role.group!.membership!.onFenced(4, bench.now);
    bench.turn();
    bench.answer(JoinGroup, { ...joined, generationId: 5 });
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    bench.waiting.push(stale!);
    bench.answer(Heartbeat, { errorCode: 25 });
    isOwned(bench, 2);
  });
});

describe('LeaveGroup', () => {
  for (const code of [0, 14, 15, 16, 25, 30, 82, 12345])
    it(`answered with ${code} ends the consumer`, () => {
      const bench = classicStable();
      let isClosed = false;
      bench.role.close(10_000, 'default', bench.now, () => {
        isClosed = true;
      });
      bench.turn();
      bench.answer(LeaveGroup, { errorCode: code, members: [{ memberId: 'm', errorCode: code }] });
      assert.ok(isClosed);
    });

  it('is not sent for a static member, unless it gives up its place', () => {
    for (const leave of ['default', 'leave'] as const) {
      const bench = classicStable({ groupInstanceId: 'i' });
      bench.role.close(10_000, leave, bench.now, () => {});
      bench.turn();
      assert.equal(bench.asked(LeaveGroup).length, leave === 'leave' ? 1 : 0);
    }
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

  for (const code of [24, 30])
    it(`answered with ${code} ends the membership with GroupFatalError, which names the group`, () => {
      const bench = new ConsumerBench({ groupId: 'g', topics: ['t'] });
      bench.topic('t', 1);
      bench.role.subscribe({ names: ['t'] }, bench.now);
      bench.turn();
      bench.answer(FindCoordinator, { coordinators: [{ key: 'g', nodeId: -1, errorCode: code }] });
      const error = fatalOf(bench);
      assert.ok(error instanceof GroupFatalError);
      assert.match(error.message, /group g/);
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
