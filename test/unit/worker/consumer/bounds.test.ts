// What a coordinator, or the leader of a group, can make a consumer keep or wait for is bounded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IllegalArgumentError } from '../../../../src/common/errors/errors.ts';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  JoinGroup,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { maxPartitions } from '../../../../src/worker/consumer/partition-limit.ts';
import { ConsumerBench, idOf } from './support/consumer-bench.ts';

const coordinator = { coordinators: [{ key: 'g', nodeId: 2, host: 'h', port: 2, errorCode: 0, errorMessage: null }] };
const tooMany = Array.from({ length: maxPartitions + 1 }, (_, partition) => partition);

function begin(groupProtocol: string): ConsumerBench {
  const bench = new ConsumerBench({ groupId: 'g', topics: ['t'], groupProtocol, autoOffsetReset: 'earliest' });
  bench.topic('t', 2);
  bench.role.subscribe({ names: ['t'] }, bench.now);
  bench.turn();
  bench.answer(FindCoordinator, coordinator);
  return bench;
}

const beat = (fields: object) => ({ errorCode: 0, memberId: 'member-id', memberEpoch: 3, ...fields });

function assertStopped(bench: ConsumerBench): void {
  const [event] = bench.events('error');
  assert.equal(event?.isFatal, true);
  assert.match(JSON.stringify(event!.error), /200001 partitions; a consumer takes no more than 200000/);
  assert.equal(bench.role.partitions.all.length, 0);
}

test('an assignment of more partitions than a consumer may have stops it', () => {
  const bench = begin('consumer');
  const assignment = { topicPartitions: [{ topicId: idOf('t'), partitions: tooMany }] };
  bench.answer(ConsumerGroupHeartbeat, beat({ heartbeatIntervalMs: 5000, assignment }));
  assertStopped(bench);
});

test('an assignment of too many partitions by the leader of a classic group stops it too', () => {
  const bench = begin('classic');
  bench.answer(JoinGroup, {
    errorCode: 0,
    generationId: 1,
    protocolType: 'consumer',
    protocolName: 'range',
    leader: 'other',
    memberId: 'member-id',
    members: [],
  });
  const assignment = encodeAssignment(tooMany.map((partition) => ({ topic: 't', partition })));
  bench.answer(SyncGroup, { errorCode: 0, protocolType: 'consumer', protocolName: 'range', assignment });
  assertStopped(bench);
});

test('assign refuses more partitions than that too', () => {
  const bench = new ConsumerBench({});
  const partitions = tooMany.map((partition) => ({ topic: 't', partition, start: null }));
  assert.throws(() => bench.role.assign(partitions, bench.now), IllegalArgumentError);
});

test('a coordinator that asks for heartbeats every few weeks gets one within a minute', () => {
  const bench = begin('consumer');
  const assignment = { topicPartitions: [{ topicId: idOf('t'), partitions: [0, 1] }] };
  bench.answer(ConsumerGroupHeartbeat, beat({ heartbeatIntervalMs: 2 ** 31 - 1, assignment }));
  bench.answer(ConsumerGroupHeartbeat, beat({ heartbeatIntervalMs: 2 ** 31 - 1 }));
  assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 0);
  bench.advance(60_000);
  assert.equal(bench.asked(ConsumerGroupHeartbeat).length, 1);
});
