// A member that gets no assignment has no partitions that could stall. Its application is told all the same: once, with the cause.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaTimeoutError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { assignment, classic, classicStable, joined } from './support/classic-bench.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { beat, begin, coordinator } from './support/member-bench.ts';

const stalledMs = 5000;
const toldOf = (bench: ConsumerBench): string[] => bench.events('error').map(({ error }) => error.message);

describe('a member that the group gives no assignment for stalledMs', () => {
  it('because its coordinator is not found says so, with the reason, and goes on', () => {
    const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], stalledMs });
    bench.topic('t', 1);
    bench.role.subscribe({ names: ['t'] }, bench.now);
    bench.turn();
    const refuse = (ms: number): void => {
      for (const until = bench.now + ms; bench.now < until; bench.advance(100))
        if (bench.asked(FindCoordinator).length > 0)
          bench.answer(FindCoordinator, { coordinators: [{ key: 'g', nodeId: -1, errorCode: 15 }] });
    };
    refuse(stalledMs - 100);
    assert.deepEqual(toldOf(bench), []);
    refuse(60_000);
    const [event, ...more] = bench.events('error');
    assert.deepEqual(more, []);
    assert.equal(event!.isFatal, false);
    const error = fromPlainError(event!.error);
    assert.ok(error instanceof KafkaTimeoutError);
    assert.match(
      error.message,
      /group g has given this member no assignment for 5000 ms: the member is UNJOINED; .*15/,
    );
    bench.advance(1500);
    bench.answer(FindCoordinator, coordinator);
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: { topicPartitions: [] } }));
    bench.advance(4000);
    assert.equal(bench.role.group!.membership!.state, 'STABLE');
    assert.equal(toldOf(bench).length, 1);
  });

  it('because other members do not join says so, and again when that happens again', () => {
    const bench = classic({ stalledMs });
    bench.advance(stalledMs + 100);
    assert.match(toldOf(bench).join(), /the member is PREPARING_REBALANCE/);
    bench.answer(JoinGroup, joined);
    bench.answer(SyncGroup, { errorCode: 0, assignment });
    bench.advance(3000);
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.advance(stalledMs + 100);
    assert.equal(toldOf(bench).length, 2);
  });

  it('wakes for that', () => {
    const bench = classic({ stalledMs });
    assert.equal(bench.role.nextDeadline(bench.now + 100), bench.now + stalledMs);
  });
});

describe('no such error comes', () => {
  it('for a member that has nothing assigned', () => {
    const bench = begin({ groupProtocol: 'consumer', stalledMs });
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: { topicPartitions: [] } }));
    for (let i = 0; i < 10; i++) {
      bench.advance(5000);
      if (bench.asked(ConsumerGroupHeartbeat).length > 0) bench.answer(ConsumerGroupHeartbeat, beat({}));
    }
    assert.deepEqual(toldOf(bench), []);
  });

  it('while partitions are released, which the application may hold up', () => {
    const bench = classicStable({ stalledMs });
    const [partition] = bench.role.partitions.all;
    partition!.startAt(0n, 5);
    partition!.handedOut({
      firstOffset: 0n,
      nextOffset: 9n,
      leaderEpoch: 5,
      count: 9,
      byteLength: 1,
      doneUpTo: () => 0n,
      isPosted: () => false,
      withdraw: () => false,
      isReturned: () => false,
      giveUp: () => {},
      free: () => {},
    });
    bench.advance(3000);
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.advance(10 * stalledMs);
    assert.deepEqual(toldOf(bench), []);
  });

  it('without a group, or after the application has left it', () => {
    const bench = classicStable({ stalledMs });
    bench.role.unsubscribe(bench.now, () => {});
    bench.advance(10 * stalledMs);
    assert.deepEqual(toldOf(bench), []);
  });
});
