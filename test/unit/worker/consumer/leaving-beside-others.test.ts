// A classic member that leaves while a join or sync of it waits at the broker: what else it has under way, and what it has done, is not lost.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import {
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeSubscription } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { assignment, classic, classicStable, joined } from './support/classic-bench.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { handOut } from './support/handed-out.ts';
import { coordinator } from './support/member-bench.ts';

const timeoutMs = 10_000;
const notCoordinator = 16;
const group = { brokerId: 2, lane: 'group' };
const cooperative = { partitionAssignmentStrategy: ['cooperative-sticky'], commit: { everyMs: 600_000 } };
const committed = (...partitions: number[]) => ({
  topics: [{ name: 't', partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode: 0 })) }],
});

/** The member hears of a rebalance, and its join waits for others. It has kept its partitions. */
function rebalance(bench: ConsumerBench): ConsumerBench {
  bench.advance(3000);
  bench.answer(Heartbeat, { errorCode: 27 });
  bench.advance(100);
  assert.equal(bench.asked(JoinGroup).length, 1);
  return bench;
}

/** The connections to coordinators that were ended. Those for fetches are, too, when a consumer is closed. */
const ended = (bench: ConsumerBench): unknown[] => bench.disconnected.filter(({ lane }) => lane === group.lane);

function close(bench: ConsumerBench): () => boolean {
  let isClosed = false;
  bench.role.close(timeoutMs, 'default', bench.now, () => {
    isClosed = true;
  });
  bench.turn();
  return () => isClosed;
}

/** The answer to the join of a leader; other members subscribe to these topics. */
function asLeader(...topics: string[]): object {
  const memberOf = (memberId: string, subscribed: string[]) => ({
    memberId,
    groupInstanceId: null,
    metadata: encodeSubscription({ topics: subscribed, owned: [], generation: -1, userData: null, rackId: null }),
  });
  return { ...joined, leader: 'm', members: [memberOf('m', ['t']), memberOf('other', topics)] };
}

describe('a question about committed offsets that has no answer yet when the member leaves for slowness', () => {
  it('is asked again over the new connection', () => {
    const bench = classicStable(cooperative);
    const outcomes: unknown[] = [];
    const places = [{ topic: 't', index: 0 }];
    bench.role.group!.committed(places, bench.now + 60_000, (found) => outcomes.push(found), bench.now);
    rebalance(bench);
    bench.role.group!.leaveForSlowness(bench.now);
    bench.turn();
    assert.deepEqual(ended(bench), [group]);
    bench.advance(1000);
    assert.deepEqual(outcomes, []);
    assert.equal(bench.asked(OffsetFetch).length, 1);
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 7n, errorCode: 0 }] }];
    bench.answer(OffsetFetch, { groups: [{ groupId: 'g', topics }] });
    assert.equal((outcomes[0] as Map<string, { offset: bigint }>).get('t-0')!.offset, 7n);
  });
});

describe('a partition whose committed offset is looked up when the consumer is closed', () => {
  it('is not told to have failed', () => {
    const bench = classicStable(cooperative);
    handOut(bench, 1).doneUpTo = 12n;
    rebalance(bench);
    const isClosed = close(bench);
    assert.deepEqual(ended(bench), [group]);
    // Its release waits for this commit.
    bench.turn();
    bench.answer(OffsetCommit, committed(1));
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isClosed());
    assert.deepEqual(bench.application.raised, []);
    assert.equal(bench.snapshot!.lastError, null);
  });
});

describe('the sync of a leader', () => {
  it('is not given up, since the other members wait for it', () => {
    const bench = classicStable(cooperative);
    handOut(bench, 1).doneUpTo = 12n;
    rebalance(bench);
    bench.answer(JoinGroup, { ...asLeader('t'), protocolName: 'cooperative-sticky', generationId: 5 });
    assert.equal(bench.asked(SyncGroup).length, 1);
    const isClosed = close(bench);
    assert.deepEqual([ended(bench), bench.asked(SyncGroup).length], [[], 1]);
    // It is read behind the sync, in the generation that this begins.
    const { generationIdOrMemberEpoch } = bench.answer(OffsetCommit, committed(1));
    assert.equal(generationIdOrMemberEpoch, 5);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isClosed());
  });
});

describe('a member that unsubscribes while its join waits', () => {
  const unsubscribed = (bench: ConsumerBench): (() => boolean) => {
    let isDone = false;
    bench.role.unsubscribe(bench.now, () => {
      isDone = true;
    });
    bench.turn();
    return () => isDone;
  };

  it('commits what is done by another connection if the others take longer than an interval of heartbeats', () => {
    const bench = classicStable(cooperative);
    handOut(bench, 1).doneUpTo = 15n;
    rebalance(bench);
    const isDone = unsubscribed(bench);
    bench.advance(2800);
    assert.deepEqual([ended(bench), bench.asked(OffsetCommit).length], [[], 0]);
    bench.advance(200);
    assert.deepEqual(ended(bench), [group]);
    assert.equal(bench.answer(OffsetCommit, committed(1)).generationIdOrMemberEpoch, 4);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isDone());
  });

  it('stays in the rebalance for as long as the application has a batch', () => {
    const bench = classicStable(cooperative);
    const handed = handOut(bench, 1);
    rebalance(bench);
    const isDone = unsubscribed(bench);
    bench.advance(4000);
    assert.deepEqual([ended(bench), bench.asked(JoinGroup).length], [[], 1]);
    handed.doneUpTo = 15n;
    bench.turn();
    assert.deepEqual(ended(bench), [group]);
    bench.answer(OffsetCommit, committed(1));
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isDone());
  });
});

describe('a member without an id whose join waits', () => {
  for (const [what, begin] of [
    ['a static one', () => classic({ groupInstanceId: 'i' })],
    [
      'one of a broker that gives ids when all have joined',
      () => {
        const bench = classic();
        bench.versions = (key) => (key === JoinGroup.key ? { min: 0, max: 3 } : { min: 0, max: 99 });
        bench.fail(JoinGroup, new KafkaConnectionError('reset'));
        bench.advance(1000);
        bench.answer(FindCoordinator, coordinator);
        return bench.advance(1000);
      },
    ],
  ] as const)
    it(`does not hold up the member that follows it: ${what}`, () => {
      const bench = begin();
      assert.equal(bench.asked(JoinGroup).length, 1);
      bench.role.unsubscribe(bench.now, () => {});
      bench.role.subscribe({ names: ['t'] }, bench.now);
      bench.turn();
      assert.deepEqual([ended(bench), bench.asked(JoinGroup).length], [[group], 1]);
    });
});

describe('a request that a former coordinator has not answered', () => {
  it("does not make another user's request on the connection look like one of the member", () => {
    const bench = classicStable(cooperative);
    const fetched = bench.asked(OffsetFetch).length;
    for (let i = 0; i < fetched; i++) bench.answer(OffsetFetch, { groups: [{ groupId: 'g', topics: [] }] });
    for (const partition of [0, 1]) handOut(bench, partition).doneUpTo = 12n;
    bench.advance(3000);
    // It is sent behind the heartbeat. The former coordinator answers that, and then falls silent.
    bench.role.group!.committed([{ topic: 't', index: 0 }], bench.now + 60_000, () => {}, bench.now);
    assert.equal(bench.asked(OffsetFetch).length, 1);
    bench.answer(Heartbeat, { errorCode: notCoordinator });
    bench.answer(FindCoordinator, { coordinators: [{ ...coordinator.coordinators[0]!, nodeId: 3 }] });
    bench.advance(3000);
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.advance(100);
    const to = { brokerId: 3, lane: 'group' };
    const isOthers = { to, api: Heartbeat, request: {}, timeoutMs: 1, onResponse() {}, onFailure() {} };
    bench.requests.send(isOthers, bench.now);
    assert.equal(bench.requests.inFlight(to), 2);
    close(bench);
    assert.deepEqual(ended(bench), []);
  });
});

describe('the topics of a group', () => {
  const others = (bench: ConsumerBench): string[] =>
    [...bench.tracked].filter(([who]) => who !== bench.role).flatMap(([, topics]) => [...topics]);

  it('are covered by metadata again when a member that has left leads it again', () => {
    const bench = classic().topic('u', 1);
    bench.answer(JoinGroup, asLeader('u'));
    assert.deepEqual(others(bench), ['t', 'u']);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    let isDone = false;
    bench.role.unsubscribe(bench.now, () => {
      isDone = true;
    });
    bench.turn();
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isDone);
    assert.deepEqual(others(bench), []);
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.turn();
    bench.answer(JoinGroup, asLeader('u'));
    assert.deepEqual(others(bench), ['t', 'u']);
  });

  it('are of no interest any more when the group has refused its leader for good', () => {
    const bench = classic().topic('u', 1);
    bench.answer(JoinGroup, asLeader('u'));
    assert.deepEqual(others(bench), ['t', 'u']);
    bench.answer(SyncGroup, { errorCode: 30, assignment: Buffer.alloc(0) });
    assert.equal(bench.snapshot!.state, 'FATAL');
    assert.deepEqual(others(bench), []);
  });
});
