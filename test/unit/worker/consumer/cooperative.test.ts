// What a member of a classic group gives up in a rebalance: everything with an eager assignor, and with a cooperative one only what moves
// (KIP-429).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Heartbeat, JoinGroup, SyncGroup } from '../../../../src/protocol/flat/generated/apis.ts';
import { decodeSubscription, encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { handOut } from './support/handed-out.ts';
import { begin } from './support/member-bench.ts';

const eager = { groupProtocol: 'classic', partitionAssignmentStrategy: ['sticky'] };
const cooperative = { groupProtocol: 'classic', partitionAssignmentStrategy: ['cooperative-sticky'] };

const keys = (bench: ConsumerBench): string[] => bench.role.partitions.all.map(({ key }) => key).sort();
/** The events about partitions, in order. */
const told = (bench: ConsumerBench): string[] =>
  bench.application.events.flatMap((event) =>
    'partitions' in event
      ? [`${event.type} ${event.partitions.map(({ topic, partition }) => `${topic}-${partition}`).join()}`]
      : [],
  );
const owned = (bench: ConsumerBench): string[] => {
  const [request] = bench.asked(JoinGroup);
  const { owned: partitions } = decodeSubscription(request!.protocols![0]!.metadata as Uint8Array);
  return partitions.map(({ topic, partition }) => `${topic}-${partition}`);
};

function rebalance(bench: ConsumerBench, generationId: number, ...partitions: number[]): void {
  const joined = { errorCode: 0, protocolName: 'sticky', leader: 'other', memberId: 'm', members: [] };
  bench.answer(JoinGroup, { ...joined, generationId });
  const assignment = encodeAssignment(partitions.map((partition) => ({ topic: 't', partition })));
  bench.answer(SyncGroup, { errorCode: 0, assignment });
  bench.advance(100);
}

/** A member with t-0 and t-1 whose group begins to rebalance. */
function rebalancing(options: Record<string, unknown>): ConsumerBench {
  const bench = begin(options, 3);
  rebalance(bench, 1, 0, 1);
  assert.deepEqual(keys(bench), ['t-0', 't-1']);
  assert.equal(bench.asked(JoinGroup).length, 0, 'it has what it is to have');
  bench.advance(3000);
  bench.answer(Heartbeat, { errorCode: 27 });
  bench.advance(100);
  return bench;
}

describe('a member with a cooperative assignor', () => {
  it('keeps its partitions while it joins, and names them', () => {
    const bench = rebalancing(cooperative);
    assert.deepEqual(owned(bench), ['t-0', 't-1']);
    assert.deepEqual(keys(bench), ['t-0', 't-1']);
    rebalance(bench, 2, 0, 1);
    assert.deepEqual(told(bench), ['assigned t-0,t-1'], 'nothing has moved');
    assert.equal(bench.asked(JoinGroup).length, 0);
  });

  it('releases what it is not to have any more, and joins again at once without it', () => {
    const bench = rebalancing(cooperative);
    rebalance(bench, 2, 0);
    assert.deepEqual(told(bench), ['assigned t-0,t-1', 'revoked t-1']);
    assert.deepEqual(owned(bench), ['t-0']);
    rebalance(bench, 3, 0);
    assert.deepEqual(keys(bench), ['t-0']);
    assert.equal(bench.asked(JoinGroup).length, 0);
  });

  it('reads what it is given again while it is still releasing it', () => {
    const bench = rebalancing({ ...cooperative, commit: 'manual' });
    const batch = handOut(bench, 1);
    rebalance(bench, 2, 0);
    bench.advance(3000);
    bench.answer(Heartbeat, { errorCode: 27 });
    bench.advance(100);
    assert.deepEqual(owned(bench), ['t-0', 't-1'], 'the application has a batch of it');
    rebalance(bench, 3, 0, 1);
    batch.doneUpTo = batch.batch.nextOffset;
    bench.turn();
    assert.deepEqual(told(bench), ['assigned t-0,t-1', 'revoked t-1', 'assigned t-1']);
    assert.equal(bench.asked(JoinGroup).length, 0);
  });

  it('gets what is added without giving up the rest', () => {
    const bench = rebalancing(cooperative);
    rebalance(bench, 2, 0, 1, 2);
    assert.deepEqual(told(bench), ['assigned t-0,t-1', 'assigned t-2']);
    assert.deepEqual(keys(bench), ['t-0', 't-1', 't-2']);
  });

  it('releases the partitions of topics that it does not subscribe any more before it joins', () => {
    const bench = begin(cooperative, 3);
    rebalance(bench, 1, 0, 1);
    bench.topic('u', 1);
    bench.role.subscribe({ names: ['u'] }, bench.now);
    bench.advance(100);
    assert.deepEqual(told(bench), ['assigned t-0,t-1', 'revoked t-0,t-1']);
    assert.deepEqual(owned(bench), []);
  });
});

describe('a member with an eager assignor', () => {
  it('releases everything before it joins', () => {
    const bench = rebalancing(eager);
    assert.deepEqual(told(bench), ['assigned t-0,t-1', 'revoked t-0,t-1']);
    assert.deepEqual(owned(bench), []);
    rebalance(bench, 2, 1);
    assert.deepEqual(told(bench).slice(2), ['assigned t-1']);
  });
});
