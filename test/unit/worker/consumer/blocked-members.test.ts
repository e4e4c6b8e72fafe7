// Members whose application is found to be blocked, with `whenBlocked` `leave`, when they are not members yet: they do not join before the
// application asks for records.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  JoinGroup,
  LeaveGroup,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { assignment, joined } from './support/classic-bench.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { assigned, beat, begin, coordinator, isOwned } from './support/member-bench.ts';

const maxPollIntervalMs = 10_000;
const options = { whenBlocked: 'leave', maxPollIntervalMs };

/** Nobody asks for records until the application counts as blocked. */
function block(bench: ConsumerBench): void {
  bench.application.isWaiting = false;
  bench.application.askedAt = bench.now;
  bench.advance(maxPollIntervalMs);
  assert.equal(bench.events('blocked').length, 1);
}

function ask(bench: ConsumerBench): void {
  bench.application.isWaiting = true;
  bench.turn();
}

const joins = (bench: ConsumerBench): number =>
  bench.asked(JoinGroup).length +
  bench.asked(ConsumerGroupHeartbeat).filter(({ memberEpoch }) => memberEpoch === 0).length;

for (const groupProtocol of ['consumer', 'classic', 'auto'] as const)
  describe(`a member of a blocked application, protocol ${groupProtocol}`, () => {
    const unsubscribed = (): ConsumerBench => {
      const bench = new ConsumerBench({ groupId: 'g', autoOffsetReset: 'earliest', groupProtocol, ...options });
      return bench.topic('t', 2);
    };
    const subscribe = (bench: ConsumerBench): void => {
      bench.role.subscribe({ names: ['t'] }, bench.now);
      bench.turn();
    };

    it('that has found no coordinator yet does not join until the application asks', () => {
      const bench = unsubscribed();
      subscribe(bench);
      block(bench);
      bench.answer(FindCoordinator, coordinator);
      bench.advance(10 * maxPollIntervalMs);
      assert.equal(joins(bench), 0);
      ask(bench);
      // With a protocol that is told, nobody needed the coordinator until now.
      bench.advance(1000);
      assert.equal(joins(bench), 1);
    });

    it('that is subscribed meanwhile does not join until the application asks', () => {
      const bench = unsubscribed();
      block(bench);
      subscribe(bench);
      if (bench.asked(FindCoordinator).length > 0) bench.answer(FindCoordinator, coordinator);
      bench.advance(10 * maxPollIntervalMs);
      assert.equal(joins(bench), 0);
      ask(bench);
      if (bench.asked(FindCoordinator).length > 0) bench.answer(FindCoordinator, coordinator);
      assert.equal(joins(bench), 1);
    });

    it('that is unsubscribed meanwhile does not join when the application asks', () => {
      const bench = unsubscribed();
      subscribe(bench);
      block(bench);
      bench.role.unsubscribe(bench.now, () => {});
      bench.turn();
      ask(bench);
      bench.answer(FindCoordinator, coordinator);
      bench.advance(maxPollIntervalMs);
      assert.equal(joins(bench), 0);
    });
  });

describe('a member whose join is under way when its application is found to be blocked', () => {
  it('of KIP-848 leaves, and joins again when the application asks', () => {
    const bench = begin({ groupProtocol: 'consumer', ...options });
    block(bench);
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
    isOwned(bench, 0);
    assert.equal(bench.asked(ConsumerGroupHeartbeat)[0]!.memberEpoch, -1);
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: -1 }));
    bench.advance(10 * maxPollIntervalMs);
    assert.equal(joins(bench), 0);
    ask(bench);
    assert.equal(joins(bench), 1);
  });

  it('of a classic group leaves, too, and joins again when the application asks', () => {
    const bench = begin({ groupProtocol: 'classic', ...options });
    block(bench);
    bench.answer(JoinGroup, joined);
    bench.answer(LeaveGroup, { errorCode: 0, members: [] });
    bench.advance(10 * maxPollIntervalMs);
    assert.deepEqual([joins(bench), bench.asked(SyncGroup).length, bench.asked(LeaveGroup).length], [0, 0, 0]);
    ask(bench);
    bench.answer(JoinGroup, joined);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    isOwned(bench, 2);
  });
});
