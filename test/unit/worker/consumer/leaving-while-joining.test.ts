// A classic member whose join or sync waits for other members: a broker reads nothing behind it on its connection. So commits wait for the
// answer, and a member that leaves takes another connection.

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
import { assignment, classic, classicStable, joined } from './support/classic-bench.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { handOut } from './support/handed-out.ts';
import { coordinator, isOwned } from './support/member-bench.ts';

const timeoutMs = 10_000;
const memberIdRequired = 79;
const group = { brokerId: 2, lane: 'group' };
const cooperative = { partitionAssignmentStrategy: ['cooperative-sticky'] };

/** The member hears of a rebalance, and its join is under way. */
function rejoining(options: Record<string, unknown> = {}): ConsumerBench {
  const bench = classicStable(options);
  rebalance(bench);
  assert.equal(bench.asked(JoinGroup).length, 1);
  return bench;
}

function rebalance(bench: ConsumerBench): void {
  bench.advance(3000);
  bench.answer(Heartbeat, { errorCode: 27 });
  bench.advance(100);
}

function close(bench: ConsumerBench): () => boolean {
  let isClosed = false;
  bench.role.close(timeoutMs, 'default', bench.now, () => {
    isClosed = true;
  });
  bench.turn();
  return () => isClosed;
}

/** The member has one request under way: to leave, as `m`. */
function isLeaving(bench: ConsumerBench): void {
  const ids = bench.asked(LeaveGroup).map(({ members }) => members![0]!.memberId);
  assert.deepEqual(ids, ['m']);
  assert.deepEqual([bench.asked(JoinGroup).length, bench.asked(SyncGroup).length], [0, 0]);
}

describe('a classic member that is closed', () => {
  for (const [what, begin] of [
    ['its first join with its id', () => named(classic())],
    ['a later join', () => rejoining()],
    ['a join with partitions', () => rejoining(cooperative)],
    ['its sync', () => syncing(classic())],
    ['the sync after a later join', () => syncing(rejoining(cooperative))],
  ] as const)
    it(`leaves by another connection while ${what} waits`, () => {
      const bench = begin();
      const isClosed = close(bench);
      assert.deepEqual(bench.disconnected, [group]);
      isLeaving(bench);
      bench.answer(LeaveGroup, { errorCode: 0, members: [] });
      assert.ok(isClosed());
      assert.deepEqual(bench.events('lost'), []);
      isOwned(bench, 0);
      bench.advance(timeoutMs);
      assert.equal(bench.asked(JoinGroup).length, 0);
    });

  it('commits first what it has kept while it joins', () => {
    const bench = classicStable({ ...cooperative, commit: { everyMs: 600_000 } });
    handOut(bench, 1).doneUpTo = 12n;
    rebalance(bench);
    const isClosed = close(bench);
    const { generationIdOrMemberEpoch } = bench.answer(OffsetCommit, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 1, errorCode: 0 }] }],
    });
    assert.equal(generationIdOrMemberEpoch, 4);
    isLeaving(bench);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isClosed());
  });

  it('does not end a connection that others use, too', () => {
    const bench = rejoining();
    const isOthers = { to: group, api: Heartbeat, request: {}, timeoutMs: 1, onResponse() {}, onFailure() {} };
    bench.requests.send(isOthers, bench.now);
    close(bench);
    assert.deepEqual(bench.disconnected, []);
    assert.equal(bench.asked(LeaveGroup).length, 1);
  });
});

/** The coordinator gives a new member its id, and the member joins with it. */
function named(bench: ConsumerBench): ConsumerBench {
  bench.answer(JoinGroup, { errorCode: memberIdRequired, memberId: 'm' });
  assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'm');
  return bench;
}

function syncing(bench: ConsumerBench): ConsumerBench {
  bench.answer(JoinGroup, { ...joined, generationId: 5 });
  assert.equal(bench.asked(SyncGroup).length, 1);
  return bench;
}

describe('a classic member that leaves for slowness while its join waits', () => {
  it('leaves by another connection, and joins anew when it is asked for records', () => {
    const bench = rejoining();
    bench.role.group!.leaveForSlowness(bench.now);
    bench.turn();
    assert.deepEqual(bench.disconnected, [group]);
    isLeaving(bench);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    bench.role.group!.onApplicationActive(bench.now);
    bench.turn();
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, '');
  });
});

describe('a classic member that is closed before it has an id', () => {
  it('waits for the id, which its coordinator has kept a place for, and leaves with it', () => {
    const bench = classic();
    const isClosed = close(bench);
    assert.deepEqual([isClosed(), bench.disconnected, bench.asked(LeaveGroup)], [false, [], []]);
    bench.answer(JoinGroup, { errorCode: memberIdRequired, memberId: 'm' });
    isLeaving(bench);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.ok(isClosed());
  });

  it('is out when the join is refused, or has no answer', () => {
    const refused = classic();
    const isClosed = close(refused);
    refused.answer(JoinGroup, { errorCode: 81, memberId: '' });
    assert.ok(isClosed());
    const failed = classic();
    const isOver = close(failed);
    failed.fail(JoinGroup, new KafkaConnectionError('reset'));
    assert.ok(isOver());
  });

  it('does not wait for longer than the deadline', () => {
    const bench = classic();
    const isClosed = close(bench);
    bench.advance(timeoutMs - 1);
    assert.equal(isClosed(), false);
    bench.advance(1);
    assert.ok(isClosed());
    bench.answer(JoinGroup, { errorCode: memberIdRequired, memberId: 'm' });
    assert.deepEqual([bench.asked(LeaveGroup), bench.asked(JoinGroup)], [[], []]);
  });

  it('does not wait with a broker that gives the id when all members have joined', () => {
    const bench = classic();
    bench.fail(JoinGroup, new KafkaConnectionError('reset'));
    bench.versions = (key) => (key === JoinGroup.key ? { min: 0, max: 3 } : { min: 0, max: 99 });
    bench.advance(1000);
    bench.answer(FindCoordinator, coordinator);
    bench.advance(1000);
    assert.equal(bench.asked(JoinGroup).length, 1);
    const isClosed = close(bench);
    assert.ok(isClosed());
  });

  it('leaves with that id, too, when it has subscribed again meanwhile', () => {
    const bench = classic();
    let isDone = false;
    bench.role.unsubscribe(bench.now, () => {
      isDone = true;
    });
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.turn();
    bench.answer(JoinGroup, { errorCode: memberIdRequired, memberId: 'm' });
    bench.answer(JoinGroup, { errorCode: memberIdRequired, memberId: 'n' });
    assert.equal(isDone, false);
    const { members } = bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.equal(members![0]!.memberId, 'm');
    assert.ok(isDone);
    assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'n');
  });
});

describe('a consumer that unsubscribes again and again before its members have ids', () => {
  it('leaves with each of the ids', () => {
    const bench = classic();
    let done = 0;
    for (let i = 0; i < 2; i++) {
      bench.role.unsubscribe(bench.now, () => void done++);
      bench.role.subscribe({ names: ['t'] }, bench.now);
      bench.turn();
    }
    const isClosed = close(bench);
    const ids = ['m', 'n', 'o'];
    for (const memberId of ids) bench.answer(JoinGroup, { errorCode: memberIdRequired, memberId });
    const left = ids.map(() => bench.answer(LeaveGroup, { errorCode: 0, members: [] }).members![0]!.memberId);
    assert.deepEqual([left, done, isClosed()], [ids, 2, true]);
  });
});

describe('a consumer that is closed while a former member of it leaves', () => {
  it('tells the coordinator of both', () => {
    const bench = classicStable();
    let isDone = false;
    bench.role.unsubscribe(bench.now, () => {
      isDone = true;
    });
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.turn();
    const isClosed = close(bench);
    // The coordinator has moved. The new member has no id yet.
    bench.answer(LeaveGroup, { errorCode: 16, members: [] });
    bench.answer(JoinGroup, { errorCode: 16, memberId: '' });
    assert.deepEqual([isDone, isClosed()], [false, false]);
    bench.advance(1000);
    bench.answer(FindCoordinator, coordinator);
    bench.advance(1000);
    isLeaving(bench);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    assert.deepEqual([isDone, isClosed()], [true, true]);
  });
});

describe('while the join of a classic member waits', () => {
  it('its commits wait, and name the new generation', () => {
    const bench = rejoining(cooperative);
    let isCommitted = false;
    const offset = { topic: 't', index: 0, offset: 12n, leaderEpoch: 5, metadata: '' };
    bench.role.group!.offsets.commit(
      [offset],
      bench.now + 60_000,
      ({ error }) => {
        isCommitted = error === null;
      },
      bench.now,
    );
    bench.advance(1000);
    assert.equal(bench.asked(OffsetCommit).length, 0);
    bench.answer(JoinGroup, { ...joined, generationId: 5 });
    bench.advance(1000);
    assert.equal(bench.asked(OffsetCommit).length, 0, 'the sync waits, too');
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    const { generationIdOrMemberEpoch } = bench.answer(OffsetCommit, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0 }] }],
    });
    assert.deepEqual([generationIdOrMemberEpoch, isCommitted], [5, true]);
  });

  it('its commits end at their deadline', () => {
    const bench = rejoining(cooperative);
    let error: Error | null = null;
    const offset = { topic: 't', index: 0, offset: 12n, leaderEpoch: 5, metadata: '' };
    bench.role.group!.offsets.commit(
      [offset],
      bench.now + 1000,
      (outcome) => {
        error = outcome.error;
      },
      bench.now,
    );
    bench.advance(1000);
    assert.match(String(error), /not committed in time/);
  });

  it('its questions about committed offsets wait', () => {
    const bench = rejoining(cooperative);
    const before = bench.asked(OffsetFetch).length;
    bench.role.group!.committed([{ topic: 't', index: 0 }], bench.now + 60_000, () => {}, bench.now);
    bench.turn();
    assert.equal(bench.asked(OffsetFetch).length, before);
    bench.answer(JoinGroup, { ...joined, generationId: 5 });
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    assert.equal(bench.asked(OffsetFetch).length, before + 1);
  });
});
