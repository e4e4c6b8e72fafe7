// Owns a member of group g, which subscribes to topic t, up to its coordinator; and what tests look at in it. Test thread.

import assert from 'node:assert/strict';
import { fromPlainError } from '../../../../../src/common/errors/plain-error.ts';
import { FindCoordinator } from '../../../../../src/protocol/flat/generated/apis.ts';
import { ConsumerBench, idOf } from './consumer-bench.ts';

export const coordinator = {
  coordinators: [{ key: 'g', nodeId: 2, host: 'h', port: 2, errorCode: 0, errorMessage: null }],
};
export const assigned = (...partitions: number[]) => ({ topicPartitions: [{ topicId: idOf('t'), partitions }] });

/** A member that has found its coordinator. @param partitions of topic t */
export function begin(options: Record<string, unknown> = {}, partitions = 2): ConsumerBench {
  const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], autoOffsetReset: 'earliest', ...options });
  bench.topic('t', partitions);
  bench.role.subscribe({ names: ['t'] }, bench.now);
  bench.turn();
  bench.answer(FindCoordinator, coordinator);
  return bench;
}

/** The fatal error an application was told of; null for none. */
export function fatalOf(bench: ConsumerBench): Error | null {
  const event = bench.events('error').find(({ isFatal }) => isFatal);
  return event === undefined ? null : fromPlainError(event.error);
}

export function isOwned(bench: ConsumerBench, count: number): void {
  assert.equal(bench.role.partitions.all.length, count, 'partitions owned');
}

/** The answer to a heartbeat of a KIP-848 member in epoch 3. */
export const beat = (fields: object) => ({
  errorCode: 0,
  memberId: 'member-id',
  memberEpoch: 3,
  heartbeatIntervalMs: 5000,
  ...fields,
});
