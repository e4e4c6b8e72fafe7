// What a member does for each error code of a coordinator, in both protocols. Each test is a row of the reference.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  GroupFatalError,
  KafkaConnectionError,
  UnsupportedVersionError,
} from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { ConsumerBench, idOf } from './support/consumer-bench.ts';

const coordinator = { coordinators: [{ key: 'g', nodeId: 2, host: 'h', port: 2, errorCode: 0, errorMessage: null }] };
const assigned = (...partitions: number[]) => ({ topicPartitions: [{ topicId: idOf('t'), partitions }] });

function begin(options: Record<string, unknown> = {}): ConsumerBench {
  const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], autoOffsetReset: 'earliest', ...options });
  bench.topic('t', 2);
  bench.role.subscribe({ names: ['t'] }, bench.now);
  bench.turn();
  bench.answer(FindCoordinator, coordinator);
  return bench;
}

/** The fatal error an application was told of; null for none. */
function fatalOf(bench: ConsumerBench): Error | null {
  const event = bench.events('error').find(({ isFatal }) => isFatal);
  return event === undefined ? null : fromPlainError(event.error);
}

function isOwned(bench: ConsumerBench, count: number): void {
  assert.equal(bench.role.partitions.all.length, count, 'partitions owned');
}

// --- KIP-848

const beat = (fields: object) => ({
  errorCode: 0,
  memberId: 'member-id',
  memberEpoch: 3,
  heartbeatIntervalMs: 5000,
  ...fields,
});

/** A member with both partitions, in epoch 3, whose next heartbeat is under way. */
function stable(options: Record<string, unknown> = {}): ConsumerBench {
  const bench = begin({ groupProtocol: 'consumer', ...options });
  bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
  bench.answer(ConsumerGroupHeartbeat, beat({}));
  isOwned(bench, 2);
  assert.equal(bench.role.group!.membership!.state, 'STABLE');
  bench.advance(5000);
  assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 1);
  return bench;
}

const hasEverything = (bench: ConsumerBench): void => {
  const [request] = bench.asked(ConsumerGroupHeartbeat);
  assert.deepEqual(request?.subscribedTopicNames, ['t']);
  assert.deepEqual(request?.topicPartitions, [{ topicId: idOf('t'), partitions: [0, 1] }]);
  assert.equal(request?.rebalanceTimeoutMs, 300_000);
};

describe('a heartbeat of KIP-848', () => {
  for (const code of [15, 16])
    it(`answered with ${code} finds the coordinator, keeps the partitions and says everything again`, () => {
      const bench = stable();
      bench.answer(ConsumerGroupHeartbeat, { errorCode: code });
      isOwned(bench, 2);
      bench.advance(200);
      bench.answer(FindCoordinator, coordinator);
      hasEverything(bench);
      assert.equal(fatalOf(bench), null);
    });

  it('answered with 14 is sent again after a backoff, in full', () => {
    const bench = stable();
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 14 });
    assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 0, 'not at once');
    isOwned(bench, 2);
    bench.advance(1000);
    hasEverything(bench);
    assert.equal(bench.asked(FindCoordinator).length, 0);
  });

  it('that fails finds the coordinator and is sent again in full; the membership stays', () => {
    const bench = stable();
    bench.fail(ConsumerGroupHeartbeat, new KafkaConnectionError('reset'));
    isOwned(bench, 2);
    bench.advance(1000);
    bench.answer(FindCoordinator, coordinator);
    hasEverything(bench);
  });

  for (const code of [110, 25])
    it(`answered with ${code} loses the partitions and joins again at once with the same member id`, () => {
      const bench = stable();
      bench.answer(ConsumerGroupHeartbeat, { errorCode: code });
      isOwned(bench, 0);
      assert.equal(bench.events('lost').length, 1);
      assert.equal(bench.events('revoked').length, 0);
      const [request] = bench.asked(ConsumerGroupHeartbeat);
      assert.equal(request!.memberEpoch, 0);
      assert.equal(request!.memberId, 'member-id');
      assert.deepEqual(request!.topicPartitions, []);
      assert.deepEqual(request!.subscribedTopicNames, ['t']);
    });

  it('answered with 29 tells the application and goes on', () => {
    const bench = stable();
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 29, errorMessage: 'topics [t]' });
    const [event] = bench.events('error');
    assert.equal(event!.isFatal, false);
    assert.match(fromPlainError(event!.error).message, /topics \[t\]/);
    isOwned(bench, 2);
    bench.advance(5000);
    assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 1);
  });

  for (const code of [24, 30, 42, 81, 82, 112, 128, 35, 69, -1, 12345])
    it(`answered with ${code} ends the membership with GroupFatalError`, () => {
      const bench = stable();
      bench.answer(ConsumerGroupHeartbeat, { errorCode: code, errorMessage: 'why' });
      const error = fatalOf(bench);
      assert.ok(error instanceof GroupFatalError);
      assert.match(error.message, /group g.*why/);
      isOwned(bench, 0);
      bench.advance(60_000);
      assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 0, 'nothing more is sent');
    });

  it('that brokers do not know names what to use instead', () => {
    const bench = begin({ groupProtocol: 'consumer' });
    bench.fail(ConsumerGroupHeartbeat, new UnsupportedVersionError('no'));
    assert.match(fatalOf(bench)!.message, /groupProtocol 'classic' or 'auto'/);
  });

  it('answered with 111 is tried again until the session of the one before must be over, then fatal', () => {
    const bench = begin({ groupProtocol: 'consumer', groupInstanceId: 'i' });
    for (let second = 0; second < 45; second++) {
      assert.equal(fatalOf(bench), null);
      assert.equal(bench.asked(ConsumerGroupHeartbeat)[0]!.memberEpoch, 0);
      bench.answer(ConsumerGroupHeartbeat, { errorCode: 111 });
      bench.advance(1001);
    }
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 111 });
    assert.ok(fatalOf(bench) instanceof GroupFatalError);
  });

  it('answered with any error while the member leaves does not join it again', () => {
    for (const code of [110, 25, 16, 14, 69, 30]) {
      const bench = stable();
      let isClosed = false;
      bench.role.close(10_000, 'default', bench.now, () => {
        isClosed = true;
      });
      bench.turn();
      // The heartbeat that was under way.
      bench.answer(ConsumerGroupHeartbeat, { errorCode: code });
      bench.advance(1500);
      if (bench.asked(FindCoordinator).length > 0) bench.answer(FindCoordinator, coordinator);
      bench.advance(1500);
      const left = bench.asked(ConsumerGroupHeartbeat);
      assert.ok(
        left.every(({ memberEpoch }) => memberEpoch === -1),
        `${code}: ${JSON.stringify(left)}`,
      );
      if (left.length > 0) bench.answer(ConsumerGroupHeartbeat, { errorCode: code === 69 ? 69 : 25 });
      assert.ok(isClosed, `${code}: closed`);
    }
  });

  it('answered after the member has left without a word changes nothing', () => {
    const bench = stable();
    bench.role.close(10_000, 'remain', bench.now, () => {});
    bench.turn();
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 110 });
    bench.advance(10_000);
    assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 0);
  });

  for (const [leave, instance, epoch] of [
    ['default', undefined, -1],
    ['default', 'i', -2],
    ['leave', 'i', -1],
  ] as const)
    it(`of a ${instance === undefined ? 'dynamic' : 'static'} member that leaves (${leave}) has epoch ${epoch}`, () => {
      const bench = stable(instance === undefined ? {} : { groupInstanceId: instance });
      bench.answer(ConsumerGroupHeartbeat, beat({}));
      bench.role.close(10_000, leave, bench.now, () => {});
      bench.turn();
      const [request] = bench.asked(ConsumerGroupHeartbeat);
      assert.equal(request!.memberEpoch, epoch);
      assert.equal(request!.instanceId, instance);
    });

  it('takes only what the newest target has, when that changes while partitions are given up', () => {
    const bench = stable({ whenRevoked: 'wait' });
    bench.topic('u', 1);
    // Partition 1 is to go, u-0 to come; the release waits for a commit.
    bench.answer(ConsumerGroupHeartbeat, beat({}));
    bench.advance(5000);
    bench.answer(OffsetFetch, ({ groups }) => ({
      groups: [
        {
          groupId: groups![0]!.groupId,
          errorCode: 0,
          topics: [
            {
              name: 't',
              partitions: [0, 1].map((partitionIndex) => ({ partitionIndex, committedOffset: 7n, errorCode: 0 })),
            },
          ],
        },
      ],
    }));
    const partition = bench.role.partitions.get('t', 1)!;
    const batch = {
      firstOffset: 7n,
      nextOffset: 8n,
      leaderEpoch: 5,
      count: 1,
      byteLength: 10,
      isDone: false,
      doneUpTo: () => (batch.isDone ? 8n : 7n),
      withdraw: () => false,
      isReturned: () => false,
      giveUp: () => {},
      free: () => {},
    };
    partition.handedOut(batch);
    const target = { topicPartitions: [...assigned(0).topicPartitions, { topicId: idOf('u'), partitions: [0] }] };
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: 4, assignment: target }));
    assert.equal(bench.role.group!.membership!.state, 'RECONCILING');
    bench.advance(5000);
    // Meanwhile u-0 goes to another member.
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: 4, assignment: assigned(0) }));
    batch.isDone = true;
    bench.turn();
    bench.answer(OffsetCommit, ({ topics }) => ({
      topics: topics!.map(({ name, partitions }) => ({
        name: name!,
        partitions: partitions!.map(({ partitionIndex }) => ({ partitionIndex: partitionIndex!, errorCode: 0 })),
      })),
    }));
    isOwned(bench, 1);
    assert.deepEqual(
      bench.role.partitions.all.filter(({ topic }) => topic === 'u'),
      [],
    );
  });
});

// --- classic

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

  it('that fails finds the coordinator and is sent again', () => {
    const bench = classic();
    bench.fail(JoinGroup, new KafkaConnectionError('reset'));
    bench.advance(1000);
    bench.answer(FindCoordinator, coordinator);
    assert.equal(bench.asked(JoinGroup).length, 1);
  });

  for (const code of [82, 23, 26, 24, 30, 81, 35, 42, -1, 12345])
    it(`answered with ${code} ends the membership with GroupFatalError`, () => {
      const bench = classic();
      bench.answer(JoinGroup, { errorCode: code });
      assert.ok(fatalOf(bench) instanceof GroupFatalError);
      bench.advance(60_000);
      assert.equal(bench.asked(JoinGroup).length, 0);
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

  for (const code of [82, 30, 23, 42, -1, 12345])
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

  it('answered for a generation that is over changes nothing', () => {
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
  const beating = (): ConsumerBench => {
    const bench = classicStable();
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

  it('answered with 27 gives partitions up and joins again, as before', () => {
    const bench = beating();
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.advance(100);
    isOwned(bench, 0);
    assert.equal(bench.events('revoked').length, 1);
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'm');
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

  for (const code of [82, 30, 42, -1, 12345])
    it(`answered with ${code} ends the membership with GroupFatalError`, () => {
      const bench = beating();
      bench.answer(Heartbeat, { errorCode: code });
      assert.ok(fatalOf(bench) instanceof GroupFatalError);
    });

  it('that is answered by nobody for a session makes the coordinator unknown', () => {
    const bench = beating();
    bench.fail(Heartbeat, new KafkaConnectionError('reset'));
    bench.advance(1000);
    assert.equal(bench.asked(FindCoordinator).length, 1);
    isOwned(bench, 2);
  });

  it('of a generation that is over changes nothing, whatever its answer', () => {
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

  it('that names a broker which denies it again and again is asked with a pause between', () => {
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
