// Owns a member of a classic group up to its first join, or with two partitions in generation 4. Test thread.

import { JoinGroup, SyncGroup } from '../../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../../src/worker/consumer/consumer-protocol.ts';
import type { ConsumerBench } from './consumer-bench.ts';
import { begin, isOwned } from './member-bench.ts';

export const assignment = encodeAssignment([
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
]);
export const joined = {
  errorCode: 0,
  generationId: 4,
  protocolName: 'range',
  leader: 'other',
  memberId: 'm',
  members: [],
};

/** A member whose join is under way. */
export function classic(options: Record<string, unknown> = {}): ConsumerBench {
  return begin({ groupProtocol: 'classic', ...options });
}

export function classicStable(options: Record<string, unknown> = {}): ConsumerBench {
  const bench = classic(options);
  bench.answer(JoinGroup, joined);
  bench.answer(SyncGroup, { errorCode: 0, assignment });
  isOwned(bench, 2);
  return bench;
}
