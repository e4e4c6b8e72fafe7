// Owns a member of a group, of either protocol, that has one partition and asks for its committed offset. Test thread.

import assert from 'node:assert/strict';
import {
  ConsumerGroupHeartbeat,
  JoinGroup,
  OffsetFetch,
  SyncGroup,
} from '../../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../../src/worker/consumer/consumer-protocol.ts';
import type { ConsumerBench } from './consumer-bench.ts';
import { assigned, beat, begin } from './member-bench.ts';

export const joined = {
  errorCode: 0,
  generationId: 3,
  protocolName: 'range',
  leader: 'other',
  memberId: 'm',
  members: [],
};

/** A member with t-0, in epoch or generation 3. */
export function member(protocol: 'consumer' | 'classic', options: Record<string, unknown> = {}): ConsumerBench {
  const bench = begin({ groupProtocol: protocol, ...options }, 1);
  if (protocol === 'consumer') {
    bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0) }));
    bench.answer(ConsumerGroupHeartbeat, beat({}));
  } else {
    bench.answer(JoinGroup, joined);
    bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment([{ topic: 't', partition: 0 }]) });
  }
  assert.equal(bench.asked(OffsetFetch).length, 1);
  return bench;
}

/** The answer to OffsetFetch: offset 7, if nothing else is said. */
export const fetched = (partition: object, group: object = {}) => ({
  groups: [
    {
      groupId: 'g',
      errorCode: 0,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, committedOffset: 7n, ...partition }] }],
      ...group,
    },
  ],
});
