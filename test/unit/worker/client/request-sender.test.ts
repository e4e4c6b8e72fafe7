// Requests before they are in the send queue: encoded at once or in the codec pool, and always sent in their order.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  Cancelled,
  InvalidRequestError,
  KafkaClientError,
  KafkaConnectionError,
  RequestTimedOutError,
} from '../../../../src/common/errors/errors.ts';
import { ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import type { CompressionType } from '../../../../src/protocol/flat/records/records-slot.ts';
import { byName, KiB, noise, noisyBatch, produceRequest, thresholdBytes } from '../support/big-messages.ts';
import type { SentRequest } from '../support/fake-application.ts';
import { FakeCodecThreads } from '../support/fake-codec-threads.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;
let threads: FakeCodecThreads;

function start(options: KafkaClientOptions = {}): void {
  threads = new FakeCodecThreads();
  open({ maxInFlightRequestsPerConnection: 20, ...options }, threads);
}

function open(options: KafkaClientOptions, codecThreads: FakeCodecThreads | null): void {
  net = new FakeNetwork({ codecPoolThresholdBytes: thresholdBytes, ...options }, codecThreads);
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.log.length = 0;
  broker.requests.length = 0;
}

afterEach(() => net.close());

const big = (seed: number, compression: CompressionType = 'lz4') => noisyBatch(100 * KiB, seed, compression);

async function produce(
  batches: readonly RecordBatchInput[],
  { acks = -1, version = byName.version }: { acks?: number; version?: number } = {},
) {
  const sent = net.app.send(1, Produce, produceRequest(batches, acks), { version });
  await run();
  return sent;
}

async function listGroups(): Promise<SentRequest<unknown>> {
  const sent = net.app.send(1, ListGroups, {});
  await run();
  return sent;
}

/** Until network thread and pool have done what they can. */
async function run(): Promise<void> {
  net.run();
  await threads.settled();
}

async function finish(index = 0): Promise<void> {
  await threads.finish(index);
  await run();
}

const arrived = () => broker.requests.map(({ codec }) => codec.name);

/** The record bytes that arrived in the request, one a partition. */
function arrivedRecords(index: number): Buffer[] {
  const { topicData } = broker.requests[index]!.body;
  return topicData
    .at(0)
    .partitionData.map(({ records }: { records: { raw: Buffer | null } }) => Buffer.from(records.raw!));
}

async function answerAll(): Promise<void> {
  while (broker.waiting.length > 0) {
    broker.reply(broker.waiting[0]!.codec.name === 'Produce' ? { responses: [] } : { groups: [] });
    await run();
  }
}

test('a request with much to compress goes to the pool, and later requests wait for it', async () => {
  start();
  const sent = [await listGroups(), await produce([big(1)]), await listGroups(), await listGroups()];
  assert.deepEqual(arrived(), ['ListGroups']);
  assert.equal(threads.running.length, 1);
  await finish();
  assert.deepEqual(arrived(), ['ListGroups', 'Produce', 'ListGroups', 'ListGroups']);
  const ids = broker.requests.map(({ correlationId }) => correlationId);
  assert.deepEqual(
    ids,
    ids.map((_, i) => ids[0]! + i),
  );
  await answerAll();
  assert.deepEqual(
    net.app.log,
    sent.map(({ requestId }) => `response ${requestId}`),
  );
});

test('requests keep their order if the pool finishes them in another order', async () => {
  start();
  const batches = [1, 2, 3].map((seed) => big(seed));
  for (const batch of batches) await produce([batch]);
  await finish(1);
  assert.deepEqual(arrived(), []);
  await finish(0);
  assert.deepEqual(arrived(), ['Produce', 'Produce']);
  await finish(0);
  assert.equal(arrived().length, 3);
  const sizes = [0, 1, 2].map((i) => arrivedRecords(i)[0]!);
  for (const [i, batch] of batches.entries()) assert.ok(sizes[i]!.includes(firstKey(batch)), `request ${i}`);
  await answerAll();
});

function firstKey(batch: RecordBatchInput): string {
  const [record] = batch.records as Iterable<{ key: string; value: Buffer }>;
  return record!.key;
}

test('the bytes are the same in the pool and without it', async () => {
  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const batches = [big(1, compression), noisyBatch(10, 2, 'none'), big(3, compression)];
    start();
    await produce(batches);
    assert.equal(threads.count, 1);
    await finish();
    const pooled = arrivedRecords(0);
    await answerAll();
    await net.close();
    open({}, null);
    await produce(batches);
    const direct = arrivedRecords(0);
    assert.equal(direct.length, 3);
    for (const [i, bytes] of direct.entries()) assert.ok(bytes.equals(pooled[i]!), `${compression}, partition ${i}`);
    await answerAll();
    await net.close();
  }
  start();
});

test('small requests and requests without compression never go to the pool', async () => {
  start();
  await produce([noisyBatch(300 * KiB, 1, 'none')]);
  await produce([noisyBatch(10 * KiB, 1)]);
  assert.deepEqual(arrived(), ['Produce', 'Produce']);
  assert.equal(threads.count, 0);
  await answerAll();
});

test('many small batches in a big request go to the pool too', async () => {
  start();
  await produce(Array.from({ length: 20 }, (_, i) => noisyBatch(6 * KiB, i + 1)));
  assert.equal(threads.count, 1);
  await finish();
  assert.equal(arrivedRecords(0).length, 20);
  await answerAll();
});

test('a request in the pool is in flight', async () => {
  start({ maxInFlightRequestsPerConnection: 2 });
  await produce([big(1)]);
  const { counters } = net.app.end;
  assert.equal(counters.inFlight(counters.nodeRow(1)), 1);
  await finish();
  assert.equal(counters.inFlight(counters.nodeRow(1)), 1);
  await answerAll();
  assert.equal(counters.inFlight(counters.nodeRow(1)), 0);
});

test('a pool thread that ends fails only its request, and later requests go on', async () => {
  start();
  const before = await produce([big(1)]);
  const lost = await produce([big(2)]);
  const behind = await listGroups();
  await threads.lose(1);
  await run();
  assert.ok(lost.error instanceof KafkaClientError);
  assert.match((lost.error.cause as Error).message, /exited/);
  assert.equal(lost.error.nodeId, 1);
  assert.deepEqual(arrived(), []);
  await finish();
  assert.deepEqual(arrived(), ['Produce', 'ListGroups']);
  await answerAll();
  assert.equal(before.state, 'succeeded');
  assert.equal(behind.state, 'succeeded');
  assert.ok(net.app.isConnected(1));
});

test('a request that cannot be encoded fails as it does without the pool', async () => {
  start();
  const sent = await produce([big(1, 'zstd')], { version: 3 });
  const behind = await listGroups();
  if (threads.running.length > 0) await finish();
  const pooled = sent.error;
  await answerAll();
  assert.equal(behind.state, 'succeeded');
  await net.close();
  open({}, null);
  const direct = (await produce([big(1, 'zstd')], { version: 3 })).error;
  for (const error of [pooled, direct]) assert.ok(error instanceof InvalidRequestError, String(error));
  assert.equal(pooled.message, direct.message);
  assert.equal(pooled.nodeId, direct.nodeId);
});

test('a request that times out in the pool ends its connection, and is not sent on the next', async () => {
  start({ requestTimeoutMs: 1000 });
  const late = await produce([big(1)]);
  const behind = await listGroups();
  net.advance(1000);
  assert.ok(late.error instanceof RequestTimedOutError);
  assert.ok(behind.error instanceof KafkaConnectionError);
  net.advance(2000);
  net.ready(1);
  const next = await listGroups();
  await finish();
  assert.deepEqual(
    arrived().filter((name) => name === 'Produce'),
    [],
  );
  await answerAll();
  assert.equal(next.state, 'succeeded');
  assert.equal(net.app.log.filter((entry) => entry.endsWith(` ${late.requestId}`)).length, 1, 'settled once');
});

test('a connection lost while the pool works fails the request at once', async () => {
  start();
  const sent = await produce([big(1)]);
  broker.transport.fail(new Error('read ECONNRESET'));
  await run();
  assert.ok(sent.error instanceof KafkaConnectionError);
  await finish();
  net.advance(2000);
  net.ready(1);
  assert.deepEqual(
    arrived().filter((name) => name === 'Produce'),
    [],
  );
});

test('a disconnect while the pool works cancels the request', async () => {
  start();
  const sent = await produce([big(1)]);
  net.app.disconnect(1);
  await run();
  assert.ok(sent.error instanceof Cancelled);
  await finish();
  assert.deepEqual(arrived(), []);
});

test('acks 0: a request is complete when the pool has made it, in order', async () => {
  start();
  const silent = await produce([big(1)], { acks: 0 });
  const behind = await listGroups();
  assert.equal(silent.state, 'open');
  await finish();
  assert.equal(silent.state, 'succeeded');
  assert.equal(silent.response, null);
  assert.deepEqual(arrived(), ['Produce', 'ListGroups']);
  broker.waiting = broker.waiting.filter(({ codec }) => codec.name !== 'Produce');
  broker.requests.shift();
  await answerAll();
  assert.equal(behind.state, 'succeeded');
});

test('acks 0: a request fails if its connection or pool thread ends before it is written', async () => {
  start();
  const unwritten = await produce([big(1)], { acks: 0 });
  broker.transport.fail(new Error('read ECONNRESET'));
  await run();
  assert.ok(unwritten.error instanceof KafkaConnectionError);
  await finish();
  net.advance(2000);
  net.ready(1);
  const lost = await produce([big(1)], { acks: 0 });
  await threads.lose(0);
  await run();
  assert.ok(lost.error instanceof KafkaClientError);
  assert.ok(net.app.isConnected(1));
});

test('a connection that only sends without awaiting responses is not idle', async () => {
  start({ connectionsMaxIdleMs: 10_000 });
  net.advance(9000);
  const sent = await produce([big(1)], { acks: 0 });
  net.advance(9000);
  assert.ok(net.app.isConnected(1));
  await finish();
  assert.equal(sent.state, 'succeeded');
});

test('with the pool full the network thread compresses, and the order holds', async () => {
  start({ spillBudgetBytes: 512 * 1024 * KiB });
  const value = noise(65 * 1024 * KiB, 1);
  await produce([{ records: [{ key: 'huge', value }], compression: 'lz4' }]);
  assert.equal(threads.count, 1, 'alone, however large');
  await produce([big(2)]);
  assert.equal(threads.count, 1);
  assert.deepEqual(arrived(), []);
  await finish();
  assert.deepEqual(arrived(), ['Produce', 'Produce']);
  assert.ok(arrivedRecords(1)[0]!.includes('2/0'));
  await produce([big(3)]);
  assert.equal(threads.count, 2);
  await finish();
  await answerAll();
});

test('a request larger than maxRequestSizeBytes fails before it is sent, here or in the pool, and harms no other', async () => {
  start({ maxRequestSizeBytes: 100 * KiB });
  const beside = net.app.send(1, ListGroups, {});
  for (const [partitions, limit] of [
    [[{ records: [{ key: 'k', value: noise(101 * KiB, 1) }] }], 'plain'],
    [[{ records: [{ key: 'k', value: noise(200 * KiB, 1) }], compression: 'gzip' as const }], 'pooled'],
  ] as const) {
    for (const acks of [1, 0]) {
      const refused = await produce([...partitions], { acks });
      if (threads.running.length > 0) await finish();
      assert.ok(refused.error instanceof InvalidRequestError, limit);
      assert.equal(refused.error.retriable, false);
      assert.match(refused.error.message, /Produce of \d+ bytes is larger than maxRequestSizeBytes \(102400\)/);
    }
  }
  assert.equal(broker.requestsOf(Produce).length, 0);
  broker.reply({ groups: [] });
  net.run();
  assert.equal(beside.state, 'succeeded');
});
