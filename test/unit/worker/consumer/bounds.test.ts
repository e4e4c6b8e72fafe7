// What a coordinator, or the leader of a group, can make a consumer keep or wait for is bounded.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { IllegalArgumentError } from '../../../../src/common/errors/errors.ts';
import {
  ConsumerGroupHeartbeat,
  Fetch,
  FindCoordinator,
  JoinGroup,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchRequest, FetchResponse } from '../../../../src/protocol/flat/generated/fetch.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { maxPartitions } from '../../../../src/worker/consumer/partition-limit.ts';
import { ConsumerBench, idOf } from './support/consumer-bench.ts';
import { empty } from './support/reading-bench.ts';

before(prepareCodecs);

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

const prefetchBytes = 256 * 1024;
const batchBytes = 20_000;
/** Of a batch of one record, beside its value. */
const overheadBytes = 128;

/** The newest one without sessions, and with names of topics. */
const fetchVersion = 6;

/** Four partitions that are read without fetch sessions, so that each request names everything that is read. */
function readingFour(): ConsumerBench {
  const bench = new ConsumerBench({ prefetchBytes, batchMaxBytes: 1 });
  bench.versions = (key) => ({ min: 0, max: key === Fetch.key ? fetchVersion : 99 });
  bench.topic('t', 4);
  const partitions = [0, 1, 2, 3].map((partition) => ({ topic: 't', partition, start: { offset: '10' } }));
  bench.role.assign(partitions, bench.now);
  return bench.turn();
}

/** Answers a fetch with one batch for each partition. @returns the partitions */
function give(bench: ConsumerBench): number[] {
  const given: number[] = [];
  bench.answer(
    Fetch,
    ({ topics, maxBytes }: FetchRequest): FetchResponse => {
      assert.ok(maxBytes! <= prefetchBytes, `${maxBytes} bytes were asked for`);
      const responses = topics!.map(({ topic, partitions }) => ({
        topic: topic!,
        partitions: partitions!.map(({ partition, fetchOffset, partitionMaxBytes }) => {
          given.push(partition!);
          const value = Buffer.alloc(Math.min(batchBytes, partitionMaxBytes! - overheadBytes));
          const records = buildBatch({ baseOffset: BigInt(String(fetchOffset!)), records: [{ value }] });
          assert.ok(records.byteLength <= partitionMaxBytes!);
          return empty(partition!, { records });
        }),
      }));
      return { responses };
    },
    fetchVersion,
  );
  return given;
}

test('what is fetched for an application that takes nothing stays within prefetchBytes, whatever brokers have', () => {
  const bench = readingFour();
  const keptBytes = (): number => bench.role.partitions.all.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
  bench.application.roomBytes = 0;
  for (let i = 0; i < 50 && bench.asked(Fetch).length > 0; i++) {
    give(bench);
    assert.ok(keptBytes() <= prefetchBytes, `${keptBytes()} bytes are kept`);
  }
  assert.ok(keptBytes() > prefetchBytes / 2);
  bench.advance(60_000);
  assert.deepEqual(bench.asked(Fetch), []);
  bench.application.roomBytes = Number.POSITIVE_INFINITY;
  bench.turn();
  assert.ok(bench.asked(Fetch).length > 0, 'it goes on when the application takes batches');
});

test('a partition whose batches are not finished holds only its own share, and the others go on', () => {
  const bench = readingFour();
  const given = [0, 0, 0, 0];
  const rounds = 60;
  for (let i = 0; i < rounds; i++) {
    for (const partition of give(bench)) given[partition]!++;
    for (const handed of bench.application.handed)
      if (handed.partition !== 0) handed.doneUpTo = handed.batch.nextOffset;
    bench.turn();
  }
  assert.deepEqual(given.slice(1), [rounds, rounds, rounds]);
  assert.ok(given[0]! < 16, `${given[0]} batches of the slow one`);
});
