// Administration calls that go to the leaders of partitions.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import Long from 'long';
import { UnsupportedVersionError } from '../../../../src/common/errors/errors.ts';
import { deleteRecords, listOffsets } from '../../../../src/worker/admin/calls/partitions.ts';
import { FakeHost, type Reply } from './fake-host.ts';

let host: FakeHost;
let leaders: number[];
beforeEach(() => {
  host = new FakeHost();
  leaders = [1, 2];
});

const metadataOf = (): Reply => ({
  response: {
    topics: [{ name: 't', partitions: leaders.map((leaderId, partitionIndex) => ({ partitionIndex, leaderId })) }],
  },
});

interface OffsetsRequest {
  readonly topics: { name: string; partitions: { partitionIndex: number; timestamp: number | bigint }[] }[];
}

const offsetsFor = ({ topics }: OffsetsRequest, offset: number, errorCode = 0): Reply => ({
  response: {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, offset, timestamp: -1 })),
    })),
  },
});

test('each partition is requested from its leader, and results have the order of the request', async () => {
  host.reply = ({ api, brokerId, request }) =>
    api === 'Metadata' ? metadataOf() : offsetsFor(request as OffsetsRequest, brokerId * 100);
  const partitions = [1, 0].map((partition) => ({ topic: 't', partition, at: 'latest' as const }));
  const results = await host.run(listOffsets(host.call(), { partitions, isReadCommitted: false }));
  assert.deepEqual(
    results.map(([{ partition }, outcome]) => [partition, outcome.ok && outcome.value.offset?.toNumber()]),
    [
      [1, 200],
      [0, 100],
    ],
  );
  assert.equal(results[0]![1].ok && results[0]![1].value.timestampMs, null);
});

test('one partition can be asked for its first and its next offset', async () => {
  host.reply = ({ api, request }) => {
    if (api === 'Metadata') return metadataOf();
    const { timestamp } = (request as OffsetsRequest).topics[0]!.partitions[0]!;
    return offsetsFor(request as OffsetsRequest, timestamp === -2 ? 5 : 9);
  };
  const partitions = (['earliest', 'latest'] as const).map((at) => ({ topic: 't', partition: 0, at }));
  const results = await host.run(listOffsets(host.call(), { partitions, isReadCommitted: false }));
  assert.deepEqual(
    results.map(([, outcome]) => outcome.ok && outcome.value.offset?.toNumber()),
    [5, 9],
  );
});

test('a leader that moved is found again', async () => {
  host.reply = ({ api, brokerId, request }) => {
    if (api === 'Metadata') return metadataOf();
    if (brokerId !== 1) return offsetsFor(request as OffsetsRequest, 7);
    leaders = [3, 2];
    return offsetsFor(request as OffsetsRequest, -1, 6);
  };
  const partitions = [{ topic: 't', partition: 0, at: 'latest' as const }];
  const results = await host.run(listOffsets(host.call(), { partitions, isReadCommitted: false }));
  assert.equal(results[0]![1].ok && results[0]![1].value.offset?.toNumber(), 7);
  assert.equal(host.updatesAsked, 1);
});

test('brokers too old for one kind of offset answer the others', async () => {
  host.reply = ({ api, request }, { minVersion }) => {
    if (api === 'Metadata') return metadataOf();
    if ((minVersion ?? 0) > 5) return { error: new UnsupportedVersionError('ListOffsets 7 is not known here') };
    return offsetsFor(request as OffsetsRequest, 4);
  };
  const partitions = (['latest', 'maxTimestamp'] as const).map((at) => ({ topic: 't', partition: 0, at }));
  const results = await host.run(listOffsets(host.call(), { partitions, isReadCommitted: false }));
  assert.deepEqual(
    results.map(([, outcome]) => outcome.ok),
    [true, false],
  );
});

test('the call waits for a partition that does not exist yet, until the time is over', async () => {
  host.reply = () => metadataOf();
  const partitions = [{ topic: 't', partition: 5, at: 'latest' as const }];
  const results = await host.run(listOffsets(host.call(1500), { partitions, isReadCommitted: false }));
  const outcome = results[0]![1];
  assert.ok(!outcome.ok);
  assert.equal(outcome.error.cause?.name, 'UnknownTopicOrPartitionError');
});

test('deleteRecords answers with the new first offset', async () => {
  const offset = Long.fromString('9007199254740993');
  host.reply = ({ api, request }) => {
    if (api === 'Metadata') return metadataOf();
    const { topics } = request as { topics: { partitions: { offset: Long }[] }[] };
    assert.equal(String(topics[0]!.partitions[0]!.offset), '9007199254740993');
    return { response: { topics: [{ name: 't', partitions: [{ partitionIndex: 0, lowWatermark: offset }] }] } };
  };
  const partitions = [{ topic: 't', partition: 0, beforeOffset: offset }];
  const results = await host.run(deleteRecords(host.call(), { partitions }));
  assert.equal(results[0]![1].ok && results[0]![1].value.toString(), '9007199254740993');
});
