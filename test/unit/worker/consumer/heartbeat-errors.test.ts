// What a member of a KIP-848 group does for each error code of its coordinator. Each test is a row of the reference.

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
  OffsetCommit,
  OffsetFetch,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { ConsumerBench, idOf } from './support/consumer-bench.ts';
import { assigned, beat, begin, coordinator, fatalOf, isOwned } from './support/member-bench.ts';

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
    it(`answered with ${code} finds the coordinator, keeps the partitions and is sent again in full`, () => {
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
    bench.answer(FindCoordinator, coordinator);
    assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 0, 'not at once');
    bench.advance(500);
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

  it('that ends the membership says in the log what was answered, and when the last heartbeats were', () => {
    const bench = stable();
    bench.advance(250);
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 110 });
    const [line] = bench.log.filter((one) => one.startsWith('warn'));
    assert.match(line!, /^warn member member-id of group g at epoch 3 was fenced/);
    assert.match(
      line!,
      /ConsumerGroupHeartbeat was answered with FENCED_MEMBER_EPOCH; last heartbeat sent 250 ms ago, accepted 5250 ms ago/,
    );
  });

  for (const [code, told] of [
    [29, 1],
    [110, 0],
    [25, 0],
  ] as const)
    it(`answered with ${code} to a join again and again is sent with pauses`, () => {
      const bench = begin({ groupProtocol: 'consumer' });
      let sent = 0;
      const until = bench.now + 2000;
      while (bench.now < until) {
        const [request] = bench.asked(ConsumerGroupHeartbeat);
        if (request !== undefined) {
          sent++;
          assert.equal(request.memberEpoch, 0);
          bench.answer(ConsumerGroupHeartbeat, { errorCode: code, errorMessage: 'topics [t]' });
        }
        bench.advance(1);
      }
      assert.ok(sent >= 2 && sent <= 25, `${sent} times in 2 s`);
      assert.equal(bench.events('error').length, told, 'told once');
      bench.advance(1500);
      bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
      isOwned(bench, 2);
    });

  it('answered with 29 tells the application again when it was accepted in between', () => {
    const bench = stable();
    for (const errorCode of [29, 29, 0, 29]) {
      bench.answer(ConsumerGroupHeartbeat, errorCode === 0 ? beat({}) : { errorCode });
      bench.advance(5000);
    }
    assert.equal(bench.events('error').length, 2);
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

  it('answered with -1 is sent again in full with its partitions, and is fatal if that lasts for a session', () => {
    const bench = stable();
    bench.answer(ConsumerGroupHeartbeat, { errorCode: -1 });
    assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 0, 'after a backoff only');
    bench.advance(1000);
    isOwned(bench, 2);
    hasEverything(bench);
    bench.answer(ConsumerGroupHeartbeat, beat({}));
    bench.advance(60_000);
    for (let i = 0; i < 100 && fatalOf(bench) === null; i++) {
      if (bench.asked(ConsumerGroupHeartbeat).length > 0) bench.answer(ConsumerGroupHeartbeat, { errorCode: -1 });
      bench.advance(1000);
      assert.ok(i >= 40 || fatalOf(bench) === null, `given up after ${i} s`);
    }
    assert.ok(fatalOf(bench) instanceof GroupFatalError);
  });

  for (const code of [24, 30, 42, 81, 82, 112, 128, 35, 69, 12345])
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

  it('answered with 35 gives an error with the alternative', () => {
    const bench = begin({ groupProtocol: 'consumer' });
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 35 });
    assert.match(fatalOf(bench)!.message, /groupProtocol 'classic' or 'auto'/);
  });

  it('removes a pattern that was sent with a heartbeat which is not answered yet', () => {
    const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], groupProtocol: 'consumer' });
    bench.topic('t', 1);
    bench.role.subscribe({ brokerPattern: 't.*' }, bench.now);
    bench.turn();
    bench.answer(FindCoordinator, coordinator);
    assert.equal(bench.asked(ConsumerGroupHeartbeat)[0]!.subscribedTopicRegex, 't.*');
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: { topicPartitions: [] } }));
    const [request] = bench.asked(ConsumerGroupHeartbeat);
    assert.deepEqual([request!.subscribedTopicNames, request!.subscribedTopicRegex], [['t'], '']);
  });

  it('that brokers do not know gives an error with the alternative', () => {
    const bench = begin({ groupProtocol: 'consumer' });
    bench.fail(ConsumerGroupHeartbeat, new UnsupportedVersionError('no'));
    assert.match(fatalOf(bench)!.message, /groupProtocol 'classic' or 'auto'/);
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

  it('answered after the member has left without a request changes nothing', () => {
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

  it('with a new target keeps partitions of a topic that metadata lacks for a moment', () => {
    const bench = stable();
    bench.topic('u', 1);
    bench.topicFails('t', 3);
    const target = [...assigned(0, 1).topicPartitions, { topicId: idOf('u'), partitions: [0] }];
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: 4, assignment: { topicPartitions: target } }));
    assert.deepEqual(bench.events('revoked'), []);
    assert.deepEqual(bench.role.partitions.all.map(({ key }) => key).sort(), ['t-0', 't-1', 'u-0']);
  });

  it('takes only partitions of the newest target if it changes while partitions are given up', () => {
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
      isPosted: () => false,
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
