// The way of a new member to its first record: each request follows the answer that it needs at once, without a timer.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ConsumerGroupHeartbeat,
  Fetch,
  FindCoordinator,
  JoinGroup,
  ListOffsets,
  OffsetFetch,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { assigned, beat, coordinator } from './support/member-bench.ts';

const names = (bench: ConsumerBench): string[] => bench.waiting.map(({ api }) => api.name);

/** Partition 0 of topic t without a committed offset, in the form of OffsetFetch 9. */
const nothingCommitted = {
  groups: [
    {
      groupId: 'g',
      topics: [
        {
          name: 't',
          partitions: [{ partitionIndex: 0, committedOffset: -1n, committedLeaderEpoch: -1, metadata: null }],
        },
      ],
    },
  ],
};
const beginning = {
  topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, offset: 7n, leaderEpoch: 5 }] }],
};

function begin(options: Record<string, unknown>): ConsumerBench {
  const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], autoOffsetReset: 'earliest', ...options });
  bench.topic('t', 1);
  bench.role.subscribe({ names: ['t'] }, bench.now);
  bench.turn();
  assert.deepEqual(names(bench), ['FindCoordinator']);
  bench.answer(FindCoordinator, coordinator);
  return bench;
}

/** From the assignment on, both protocols do the same. */
function untilFetch(bench: ConsumerBench, beginsAt: number): void {
  bench.answer(OffsetFetch, nothingCommitted, 9);
  assert.equal(bench.asked(ListOffsets).length, 1);
  bench.answer(ListOffsets, beginning);
  const [fetch] = bench.asked(Fetch);
  assert.equal(fetch!.topics![0]!.partitions![0]!.fetchOffset, 7n);
  assert.equal(bench.now, beginsAt, 'no time has passed');
}

describe('a new member', () => {
  it('of protocol consumer asks for its offsets before its next heartbeat, which the coordinator answers later', () => {
    const bench = begin({ groupProtocol: 'consumer' });
    const beginsAt = bench.now;
    assert.deepEqual(names(bench), ['ConsumerGroupHeartbeat']);
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0) }));
    assert.deepEqual(names(bench), ['OffsetFetch', 'ConsumerGroupHeartbeat']);
    untilFetch(bench, beginsAt);
  });

  it('of protocol classic asks for its offsets as soon as it has partitions', () => {
    const bench = begin({ groupProtocol: 'classic' });
    const beginsAt = bench.now;
    assert.deepEqual(names(bench), ['JoinGroup']);
    const joined = { generationId: 4, protocolName: 'range', leader: 'other', memberId: 'm', members: [] };
    bench.answer(JoinGroup, { errorCode: 0, ...joined });
    assert.deepEqual(names(bench), ['SyncGroup']);
    bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment([{ topic: 't', partition: 0 }]) });
    assert.ok(names(bench).includes('OffsetFetch'), names(bench).join());
    untilFetch(bench, beginsAt);
  });

  for (const leaders of [1, 3, 4])
    it(`of a topic with ${leaders} leaders ${leaders > 3 ? 'connects to none of them' : 'connects to them'} while it joins`, () => {
      const asked = new Set<number>();
      const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], groupProtocol: 'consumer' });
      bench.isUp = ({ brokerId, lane }) => {
        if (lane !== 'fetch') return true;
        asked.add(brokerId);
        return false;
      };
      bench.role.subscribe({ names: ['t'] }, bench.now);
      bench.turn();
      assert.deepEqual([...asked], [], 'its leaders are not known yet');
      bench.topic('t', leaders);
      const ids = Array.from({ length: leaders }, (_, i) => 11 + i);
      for (const [i, leaderId] of ids.entries()) bench.leader('t', i, { leaderId, leaderEpoch: 5 });
      bench.turn();
      assert.deepEqual([...asked], leaders > 3 ? [] : ids);
    });
});
