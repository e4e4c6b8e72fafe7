// What a member of a classic group does for each error code of Heartbeat and LeaveGroup. Each test is a row of the reference.

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
import { assignment, classic, classicStable, joined } from './support/classic-bench.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { coordinator, fatalOf, isOwned } from './support/member-bench.ts';

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
      bench.advance(500);
      bench.answer(FindCoordinator, coordinator);
      assert.equal(bench.asked(Heartbeat).length, 1, 'at once: the session has room for few intervals');
      bench.answer(Heartbeat, { errorCode: 0 });
      assert.equal(bench.asked(Heartbeat).length, 0);
      bench.advance(3000);
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
      assert.equal(bench.events('revoked').length, 0);
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

  it('that fails finds the coordinator and is sent again after a backoff, long before the next interval', () => {
    const bench = beating();
    bench.fail(Heartbeat, new KafkaConnectionError('reset'));
    bench.answer(FindCoordinator, coordinator);
    assert.equal(bench.asked(Heartbeat).length, 0, 'not at once');
    bench.advance(500);
    assert.equal(bench.asked(Heartbeat).length, 1);
    isOwned(bench, 2);
  });

  for (const code of [14, -1])
    it(`answered with ${code} is sent again after a backoff, to the same coordinator`, () => {
      const bench = beating();
      bench.answer(Heartbeat, { errorCode: code });
      assert.equal(bench.asked(Heartbeat).length, 0, 'not at once');
      bench.advance(500);
      assert.equal(bench.asked(Heartbeat).length, 1);
      assert.equal(bench.asked(FindCoordinator).length, 0);
      isOwned(bench, 2);
    });

  it('without an answer for a session makes the coordinator unknown', () => {
    const sessionTimeoutMs = 10_000;
    const asking = beating({ sessionTimeoutMs });
    const sent = asking.waiting.find(({ api }) => api.key === Heartbeat.key)!;
    assert.equal(sent.timeoutMs, sessionTimeoutMs, 'a heartbeat is not waited for any longer');
    const bench = classicStable({ sessionTimeoutMs });
    // The connection to the coordinator neither comes nor fails.
    bench.isUp = ({ lane }) => lane !== 'group';
    const endsAt = bench.now + sessionTimeoutMs;
    bench.advance(sessionTimeoutMs - 1);
    assert.equal(bench.asked(FindCoordinator).length, 0);
    assert.equal(bench.role.nextDeadline(bench.now), endsAt, 'nothing else may happen before');
    bench.advance(1);
    assert.equal(bench.asked(FindCoordinator).length, 1);
    isOwned(bench, 2);
  });

  it('that ends the membership says in the log what was answered, and when the last heartbeats were', () => {
    const bench = classicStable();
    bench.advance(3000);
    bench.advance(250);
    bench.answer(Heartbeat, { errorCode: 22 });
    const [line] = bench.log.filter((one) => one.startsWith('warn'));
    assert.match(line!, /^warn member m of group g: generation 4 is over/);
    assert.match(
      line!,
      /Heartbeat was answered with ILLEGAL_GENERATION; last heartbeat sent 250 ms ago, accepted 3250 ms ago/,
    );
  });

  it('of an old generation changes nothing, whatever its answer', () => {
    const bench = beating();
    const [stale] = bench.waiting.splice(
      bench.waiting.findIndex(({ api }) => api.key === Heartbeat.key),
      1,
    );
    bench.role.group!.membership!.onFenced(4, { api: 'OffsetCommit', errorCode: 25 }, bench.now);
    bench.turn();
    bench.answer(JoinGroup, { ...joined, generationId: 5 });
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    bench.waiting.push(stale!);
    bench.answer(Heartbeat, { errorCode: 25 });
    isOwned(bench, 2);
  });
});

describe('LeaveGroup', () => {
  it('is not sent for a static member, unless it gives up its place', () => {
    for (const leave of ['default', 'leave'] as const) {
      const bench = classicStable({ groupInstanceId: 'i' });
      bench.role.close(10_000, leave, bench.now, () => {});
      bench.turn();
      assert.equal(bench.asked(LeaveGroup).length, leave === 'leave' ? 1 : 0);
    }
  });
});
