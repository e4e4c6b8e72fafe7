// Responses on their way through the codec pool to the application: in order, held back by full links and a full pool,
// failed one by one.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  Cancelled,
  KafkaClientError,
  KafkaConnectionError,
  KafkaProtocolError,
  NodeNotReadyError,
} from '../../../../src/common/errors/errors.ts';
import { Fetch, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchResponseView } from '../../../../src/protocol/flat/generated/fetch.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import {
  assertRecords,
  byName,
  fetchRequest,
  fetchResponse,
  KiB,
  noise,
  noisyBatch,
  produceRequest,
  thresholdBytes,
} from '../support/big-messages.ts';
import type { FakeApplication, SentRequest } from '../support/fake-application.ts';
import { FakeCodecThreads } from '../support/fake-codec-threads.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, metadataOf, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;
let threads: FakeCodecThreads;

function start(options: KafkaClientOptions = {}): void {
  threads = new FakeCodecThreads();
  net = new FakeNetwork({ codecPoolThresholdBytes: thresholdBytes, ...options }, threads);
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.log.length = 0;
}

afterEach(() => net.close());

type SentFetch = SentRequest<FetchResponseView>;

function sendFetch(nodeId = 1, app: FakeApplication = net.app): SentFetch {
  return app.send(nodeId, Fetch, fetchRequest, byName);
}

/** A fetch that is answered with these batches, and not settled yet. */
async function fetched(batches: readonly RecordBatchInput[], nodeId = 1, from: FakeBroker = broker) {
  const sent = sendFetch(nodeId);
  net.run();
  from.reply(fetchResponse(batches));
  await run();
  return sent;
}

/** Until network thread and pool have done what they can. */
async function run(): Promise<void> {
  net.run();
  await threads.settled();
}

function bigBatch(seed: number, bytes = 100 * KiB): RecordBatchInput {
  return noisyBatch(bytes, seed);
}

/** So many fetches, all answered, each with another batch. */
async function fetchedBig(count: number): Promise<{ sent: SentFetch; batch: RecordBatchInput }[]> {
  const fetches: { sent: SentFetch; batch: RecordBatchInput }[] = [];
  for (let i = 1; i <= count; i++) fetches.push({ batch: bigBatch(i), sent: await fetched([bigBatch(i)]) });
  return fetches;
}

function assertDelivered(requests: readonly { sent: SentFetch; batch: RecordBatchInput }[]): void {
  for (const { sent, batch } of requests) assertRecords(sent.view, [batch]);
}

const responses = (...requests: readonly SentRequest<unknown>[]) =>
  requests.map(({ requestId, state }) => `${state === 'failed' ? 'failure' : 'response'} ${requestId}`);

async function finish(index: number): Promise<void> {
  await threads.finish(index);
  await run();
}

test('a big compressed response is decoded in the pool', async () => {
  start();
  const batch = bigBatch(1);
  const sent = await fetched([batch]);
  assert.equal(threads.count, 1);
  assert.equal(sent.state, 'open');
  await finish(0);
  assertRecords(sent.view, [batch]);
  assert.equal(sent.version, byName.version);
});

test('bytes behind a body are counted, wherever it is decoded', async () => {
  start();
  const extra = () => net.metrics().total('responsesWithExtraBytes');
  const replyWith = async (bytes: number, batch: RecordBatchInput): Promise<SentFetch> => {
    const sent = sendFetch();
    net.run();
    const whole = responseFrame(broker.next(), fetchResponse([batch]));
    const frame = Buffer.concat([whole, Buffer.alloc(bytes)]);
    frame.writeInt32BE(frame.length - 4);
    broker.transport.send(frame);
    await run();
    return sent;
  };
  await replyWith(0, noisyBatch(10, 1));
  assert.equal(extra(), 0);
  await replyWith(3, noisyBatch(10, 1));
  assert.equal(extra(), 1);
  const pooled = [await replyWith(0, bigBatch(1)), await replyWith(3, bigBatch(2))];
  assert.equal(extra(), 1);
  await finish(0);
  await finish(0);
  assert.equal(extra(), 2);
  for (const [i, { view }] of pooled.entries()) assertRecords(view, [bigBatch(i + 1)]);
});

test('the pool slower for the first response: the second does not overtake it', async () => {
  start();
  const requests = await fetchedBig(2);
  await finish(1);
  assert.deepEqual(net.app.log, []);
  await finish(0);
  assert.deepEqual(net.app.log, responses(...requests.map(({ sent }) => sent)));
  assertDelivered(requests);
});

test('a small response behind one in the pool waits, and its connection is held back', async () => {
  start();
  const [big] = await fetchedBig(1);
  const small = net.app.send(1, ListGroups, {});
  const unanswered = net.app.send(1, ListGroups, {});
  await run();
  broker.reply({ groups: [{ groupId: 'small' }] });
  await run();
  assert.deepEqual(net.app.log, []);
  await finish(0);
  assert.deepEqual(net.app.log, responses(big!.sent, small));
  broker.reply({ groups: [] });
  await run();
  assert.equal(unanswered.state, 'succeeded');
});

test('a small response between two big ones keeps its place', async () => {
  start();
  const sent = [sendFetch(), net.app.send(1, ListGroups, {}), sendFetch()] as const;
  await run();
  const batches = [bigBatch(1), bigBatch(2)];
  broker.reply(fetchResponse([batches[0]!]));
  broker.reply({ groups: [] });
  broker.reply(fetchResponse([batches[1]!]));
  await run();
  assert.equal(threads.running.length, 1, 'what stands behind the small one is not looked at yet');
  await finish(0);
  assert.deepEqual(net.app.log, responses(sent[0], sent[1]));
  await finish(0);
  assertRecords(sent[0].view, [batches[0]!]);
  assertRecords(sent[2].view, [batches[1]!]);
});

test('while one connection waits for the pool, others go on', async () => {
  start();
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  net.app.log.length = 0;
  const [slow] = await fetchedBig(1);
  const small = net.app.send(2, ListGroups, {});
  await run();
  second.reply({ groups: [] });
  await run();
  const batch = bigBatch(7);
  const big = await fetched([batch], 2, second);
  await finish(1);
  assert.deepEqual(net.app.log, responses(small, big));
  await finish(0);
  assertDelivered([slow!, { sent: big, batch }]);
});

test('metadata does not wait for the pool', async () => {
  start();
  const requests = await fetchedBig(1);
  const updates = net.app.metadata.length;
  void net.control.refreshMetadata(null, false);
  await net.advanceSettled(200);
  assert.equal(net.app.metadata.length, updates + 1);
  await finish(0);
  assertDelivered(requests);
});

test('big frames without anything compressed never go to the pool', async () => {
  start();
  const batch = noisyBatch(300 * KiB, 1, 'none');
  assertRecords((await fetched([batch, batch])).view, [batch, batch]);
  const groups = Array.from({ length: 3000 }, (_, i) => ({ groupId: `${i} ${'x'.repeat(50)}` }));
  const list = net.app.send(1, ListGroups, {});
  await run();
  broker.reply({ groups });
  await run();
  assert.equal(list.state, 'succeeded');
  assert.equal(threads.count, 0);
});

test('one compressed batch among others takes the frame to the pool', async () => {
  start();
  const batches = [noisyBatch(100 * KiB, 1, 'none'), noisyBatch(2 * KiB, 2), noisyBatch(100 * KiB, 3, 'none')];
  const sent = await fetched(batches);
  assert.equal(threads.count, 1);
  await finish(0);
  assertRecords(sent.view, batches);
});

test('the threshold counts the frame: up to it everything is decoded at once', async () => {
  start();
  const batch = noisyBatch(40 * KiB, 1);
  const request = net.app.send(1, Fetch, fetchRequest, byName);
  await run();
  const head = responseFrame(broker.waiting[0]!, fetchResponse([batch])).length - 4;
  // Fills up to the threshold exactly, by a field whose length is its own.
  const filled = (missing: number) => fetchResponse([batch, Buffer.alloc(missing)]);
  let missing = thresholdBytes - head;
  for (let i = 0; i < 3; i++) {
    missing += thresholdBytes - (responseFrame(broker.waiting[0]!, filled(missing)).length - 4);
  }
  assert.equal(responseFrame(broker.waiting[0]!, filled(missing)).length - 4, thresholdBytes);
  broker.reply(filled(missing));
  await run();
  assert.equal(request.state, 'succeeded');
  assert.equal(threads.count, 0);
  const larger = net.app.send(1, Fetch, fetchRequest, byName);
  await run();
  broker.reply(filled(missing + 1));
  await run();
  assert.equal(threads.count, 1);
  await finish(0);
  assert.equal(larger.state, 'succeeded');
});

test('a big uncompressed response behind one in the pool waits for it', async () => {
  start();
  const [first] = await fetchedBig(1);
  const batch = noisyBatch(100 * KiB, 5, 'none');
  const plain = await fetched([batch]);
  assert.equal(plain.state, 'open');
  await finish(0);
  assert.deepEqual(net.app.log, responses(first!.sent, plain));
  assertRecords(plain.view, [batch]);
});

test('a big uncompressed response that waits is not decoded in vain again and again', async (t) => {
  start();
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  await fetchedBig(1);
  const batch = noisyBatch(100 * KiB, 5, 'none');
  const plain = await fetched([batch]);
  const decode = t.mock.method(wireCodec(Fetch.key), 'decodeResponse');
  for (let i = 0; i < 3; i++) {
    const other = await fetched([bigBatch(i + 20)], 2, second);
    const before = decode.mock.callCount();
    await finish(1);
    assert.equal(other.state, 'succeeded');
    assert.equal(decode.mock.callCount(), before + 1, 'by the pool alone');
  }
  await finish(0);
  assertRecords(plain.view, [batch]);
});

test('frames that wait for a thread are not overwritten by those that come after', async () => {
  start({ maxInFlightRequestsPerConnection: 20 });
  const requests = await fetchedBig(9);
  assert.equal(threads.running.length, 2, 'as many as there are threads');
  while (threads.running.length > 0) await finish(threads.running.length - 1);
  assert.equal(threads.count, 9);
  assertDelivered(requests);
});

test('with no pool the network thread decodes what is big', async () => {
  start();
  await net.close();
  net = new FakeNetwork({ codecPoolThresholdBytes: thresholdBytes });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  const batch = bigBatch(1, 300 * KiB);
  assertRecords((await fetched([batch])).view, [batch]);
});

test('a full pool holds connections back, and lets them go on when it has room', async () => {
  start({ requestTimeoutMs: 1000 });
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  const batches = [largeBatch(1), largeBatch(2), bigBatch(3)];
  const first = await fetched([batches[0]!]);
  const held = await fetched([batches[1]!], 2, second);
  assert.equal(threads.count, 1, 'the second is too much beside the first');
  const behind = sendFetch(2);
  await run();
  second.reply(fetchResponse([batches[2]!]));
  await run();
  const turns = net.turns;
  net.advance(60_000);
  assert.ok(net.turns - turns < 10, `${net.turns - turns} turns while nothing can be done`);
  assert.ok(net.app.isConnected(2), 'the broker is not late');
  await finish(0);
  assert.equal(threads.count, 3);
  await finish(0);
  await finish(0);
  for (const [i, sent] of [first, held, behind].entries()) assertRecords(sent.view, [batches[i]!]);
});

test('a connection held back by requests in the pool goes on when they are done', async () => {
  start();
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  const produced = net.app.send(1, Produce, produceRequest([largeBatch(1)]), byName);
  await run();
  const batch = largeBatch(2);
  const sent = await fetched([batch], 2, second);
  assert.equal(threads.count, 1);
  await finish(0);
  assert.equal(threads.count, 2);
  await finish(0);
  assertRecords(sent.view, [batch]);
  broker.reply({ responses: [] });
  await run();
  assert.equal(produced.state, 'succeeded');
});

/** More than half of what the pool may hold. */
function largeBatch(seed: number): RecordBatchInput {
  const records = [{ key: 'large', value: noise(33 * 1024 * KiB, seed), timestamp: seed }];
  return { records, compression: 'snappy' };
}

test('a body that cannot be read fails its request and ends its connection; what came before is delivered', async () => {
  start();
  const good = bigBatch(1);
  const sent = [sendFetch(), sendFetch(), sendFetch(), net.app.send(1, ListGroups, {})] as const;
  await run();
  broker.reply(fetchResponse([good]));
  const broken = responseFrame(broker.next(), fetchResponse([bigBatch(2)])).subarray(0, -3);
  broken.writeInt32BE(broken.length - 4, 0);
  broker.transport.send(broken);
  await run();
  assert.equal(threads.running.length, 2);
  await finish(1);
  assert.deepEqual(net.app.log, []);
  assert.ok(net.app.isConnected(1));
  await finish(0);
  assertRecords(sent[0].view, [good]);
  const { error } = sent[1];
  assert.ok(error instanceof KafkaProtocolError, String(error));
  assert.equal(error.nodeId, 1);
  assert.equal(error.apiKey, Fetch.key);
  assert.equal(net.app.isConnected(1), false);
  for (const { error: other } of [sent[2], sent[3]]) {
    assert.ok(other instanceof KafkaConnectionError, String(other));
    assert.ok(other.cause instanceof KafkaProtocolError);
  }
  assert.deepEqual(net.app.log, responses(...sent));
});

test('an unreadable body of a connection that has ended since does not end its successor', async () => {
  start();
  const [sent, unanswered] = [sendFetch(), sendFetch()];
  await run();
  const broken = responseFrame(broker.next(), fetchResponse([bigBatch(2)])).subarray(0, -3);
  broken.writeInt32BE(broken.length - 4, 0);
  broker.transport.send(broken);
  await run();
  broker.transport.fail(new Error('read ECONNRESET'));
  await run();
  assert.ok(unanswered.error instanceof KafkaConnectionError);
  net.advance(2000);
  net.ready(1);
  await finish(0);
  assert.ok(sent.error instanceof KafkaProtocolError);
  assert.ok(net.app.isConnected(1));
});

test('a thread that ends fails exactly the request it worked on', async () => {
  start();
  const connections = broker.transports.length;
  const [first, lost, third] = await fetchedBig(3);
  const small = net.app.send(1, ListGroups, {});
  await run();
  broker.reply({ groups: [] });
  await run();
  await threads.lose(1);
  await run();
  await threads.finishAll();
  await run();
  assertDelivered([first!, third!]);
  assert.ok(lost!.sent.error instanceof KafkaClientError);
  assert.match((lost!.sent.error.cause as Error).message, /exited/);
  assert.equal(lost!.sent.error.nodeId, 1);
  assert.equal(small.state, 'succeeded');
  assert.ok(net.app.isConnected(1));
  assert.equal(broker.transports.length, connections);
  assert.deepEqual(net.app.log, responses(first!.sent, lost!.sent, third!.sent, small));
});

test("a batch whose codec nobody knows is its partition's business, in the pool as elsewhere", async () => {
  start();
  const good = bigBatch(1);
  const unknown = Buffer.from(fetchResponse([bigBatch(2)]).responses![0]!.partitions![0]!.records as Buffer);
  unknown[22]! |= 7;
  const sent = sendFetch();
  await run();
  broker.reply({
    responses: [
      {
        topic: 'topic',
        partitions: [
          { ...fetchResponse([good]).responses![0]!.partitions![0]!, partitionIndex: 0 },
          { partitionIndex: 1, errorCode: 0, highWatermark: 1, records: unknown },
        ],
      },
    ],
  });
  await run();
  await finish(0);
  const { partitions } = sent.view.responses.at(0);
  assert.equal(partitions.at(0).records.error, null);
  assert.ok(partitions.at(1).records.error !== null);
  assert.ok(net.app.isConnected(1));
});

test('results that find the link full wait, in order, and nothing overtakes them', async () => {
  start({ responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 128 * KiB });
  net.app.isReading = false;
  const requests = await fetchedBig(4);
  const small = net.app.send(1, ListGroups, {});
  await run();
  broker.reply({ groups: [] });
  await run();
  for (let i = 0; i < 4; i++) await finish(0);
  assert.equal(threads.running.length, 0);
  assert.equal(net.app.drain(), 1, 'the budget is less than two of them');
  const refused = net.app.send(99, ListGroups, {});
  await run();
  const turns = net.turns;
  net.advance(10_000);
  assert.ok(net.turns - turns < 10, `${net.turns - turns} turns while nobody reads`);
  net.app.isReading = true;
  await run();
  assertDelivered(requests);
  const order = net.app.log.filter((entry) => entry !== `failure ${refused.requestId}`);
  assert.deepEqual(order, responses(...requests.map(({ sent }) => sent), small));
  assert.ok(refused.error instanceof NodeNotReadyError);
});

test('an application that reads one frame at a time gets every result', async () => {
  start({ responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 64 * KiB });
  net.app.isReading = false;
  const requests = await fetchedBig(5);
  for (let round = 0; net.app.open > 0; round++) {
    assert.ok(round < 50, 'the rest never comes');
    if (threads.running.length > 0) await finish(threads.running.length - 1);
    net.app.drain(1);
    await run();
  }
  assertDelivered(requests);
  assert.deepEqual(net.app.log, responses(...requests.map(({ sent }) => sent)));
});

test('another attachment gets its results while one does not read', async () => {
  start({ responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 64 * KiB });
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  const other = net.attach();
  net.app.isReading = false;
  const mine = await fetchedBig(2);
  const batch = bigBatch(9);
  const sent = sendFetch(2, other);
  await run();
  second.reply(fetchResponse([batch]));
  await run();
  await threads.finishAll();
  await run();
  assertRecords(sent.view, [batch]);
  net.app.isReading = true;
  await run();
  assertDelivered(mine);
});

test('a response in the pool when its connection is lost is delivered all the same', async () => {
  start();
  const requests = await fetchedBig(1);
  const unanswered = net.app.send(1, ListGroups, {});
  await run();
  broker.transport.fail(new Error('read ECONNRESET'));
  await run();
  assert.ok(unanswered.error instanceof KafkaConnectionError);
  await finish(0);
  assertDelivered(requests);
});

test('responses of the next connection stand behind those the pool still has', async () => {
  start();
  const requests = await fetchedBig(1);
  broker.transport.fail(new Error('read ECONNRESET'));
  await run();
  net.advance(2000);
  net.ready(1);
  net.app.log.length = 0;
  const small = net.app.send(1, ListGroups, {});
  await run();
  broker.reply({ groups: [] });
  await run();
  assert.equal(small.state, 'open');
  await finish(0);
  assertDelivered(requests);
  assert.deepEqual(net.app.log, responses(requests[0]!.sent, small));
});

test('time in the pool does not count against the request, nor against what stands behind it', async () => {
  start({ requestTimeoutMs: 1000 });
  const requests = await fetchedBig(1);
  const small = net.app.send(1, ListGroups, {});
  await run();
  net.advance(600);
  broker.reply({ groups: [] });
  await run();
  net.advance(100_000);
  assert.ok(net.app.isConnected(1));
  await finish(0);
  assertDelivered(requests);
  assert.equal(small.state, 'succeeded');
});

test('the quota that a response in the pool asks for holds from its delivery on', async () => {
  start();
  const batch = bigBatch(1);
  const sent = sendFetch();
  await run();
  broker.reply(fetchResponse([batch], 5000));
  await run();
  await finish(0);
  assertRecords(sent.view, [batch]);
  const refused = net.app.send(1, ListGroups, {});
  await run();
  assert.ok(refused.error instanceof NodeNotReadyError);
  assert.match(refused.error.message, /quota/);
  net.advance(5000);
  const accepted = net.app.send(1, ListGroups, {});
  await run();
  broker.reply({ groups: [] });
  await run();
  assert.equal(accepted.state, 'succeeded');
});

test('a node that leaves the cluster while the pool has its response: delivered, nothing breaks', async () => {
  start();
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  const batch = bigBatch(1);
  const sent = sendFetch(2);
  await run();
  second.reply(fetchResponse([batch], 5000));
  await run();
  net.cluster.brokers.splice(1);
  assert.equal(metadataOf(net.cluster).brokers!.length, 1);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  await finish(0);
  assertRecords(sent.view, [batch]);
});

test('close with responses in the pool: those that are done are delivered, the others cancelled', async () => {
  start();
  const [done, underWay] = await fetchedBig(2);
  await threads.finish(0);
  await net.close();
  assertRecords(done!.sent.view, [done!.batch]);
  assert.ok(underWay!.sent.error instanceof Cancelled);
  assert.ok(threads.isDestroyed);
});

test('close with requests and responses in the pool settles each once', async () => {
  start({ maxInFlightRequestsPerConnection: 20 });
  const fetches = await fetchedBig(4);
  const produces = [-1, 0].map((acks) => net.app.send(1, Produce, produceRequest([bigBatch(9)], acks), byName));
  await run();
  assert.equal(threads.running.length, 2);
  await net.close();
  for (const { sent } of fetches) assert.ok(sent.error instanceof Cancelled);
  for (const sent of produces) assert.ok(sent.error instanceof Cancelled);
});

/** The same numbers, 0 to 1, for the same seed. */
function seeded(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`whatever happens in which order, each node's responses come in theirs, once (seed ${seed})`, async () => {
    start({
      responseRingBytes: 8192,
      spillBytes: 2048,
      spillBudgetBytes: 256 * KiB,
      maxInFlightRequestsPerConnection: 100,
    });
    const second = net.broker('two:9092', 2);
    void net.control.refreshMetadata(null, false);
    net.advance(200);
    net.ready(2);
    net.app.log.length = 0;
    const random = seeded(seed);
    const brokers = new Map([
      [1, broker],
      [2, second],
    ]);
    const lz4 = [bigBatch(1), bigBatch(2, 150 * KiB)];
    const plain = noisyBatch(90 * KiB, 3, 'none');
    const sent: { request: SentRequest<unknown>; batch: RecordBatchInput | null }[] = [];
    const send = (nodeId: number): void => {
      const kind = random();
      const batch = kind < 0.4 ? lz4[sent.length % 2]! : kind < 0.6 ? plain : null;
      const request = batch === null ? net.app.send(nodeId, ListGroups, {}) : sendFetch(nodeId);
      sent.push({ request, batch });
      net.run();
      brokers.get(nodeId)!.reply(batch === null ? { groups: [] } : fetchResponse([batch]));
    };
    let lost = 0;
    for (let step = 0; step < 120; step++) {
      const what = random();
      const task = Math.floor(random() * threads.running.length);
      if (what < 0.3) send(random() < 0.6 ? 1 : 2);
      else if (what < 0.55 && threads.running.length > 0) await threads.finish(task);
      else if (what < 0.58 && threads.running.length > 0) {
        lost++;
        await threads.lose(task);
      } else if (what < 0.7) net.app.isReading = !net.app.isReading;
      else if (what < 0.8) net.app.drain(1);
      await run();
    }
    net.app.isReading = true;
    for (let round = 0; net.app.open > 0; round++) {
      assert.ok(round < 500, `${net.app.open} requests that nobody settles`);
      await threads.finishAll();
      await run();
    }
    for (const nodeId of brokers.keys()) {
      const mine = sent.filter(({ request }) => request.nodeId === nodeId).map(({ request }) => request);
      const ids = new Set(mine.map(({ requestId }) => `${requestId}`));
      const arrived = net.app.log.filter((entry) => ids.has(entry.split(' ')[1]!));
      assert.deepEqual(arrived, responses(...mine));
    }
    for (const { request, batch } of sent) {
      if (request.state === 'succeeded' && batch !== null) assertRecords((request as SentFetch).view, [batch]);
    }
    assert.equal(sent.filter(({ request }) => request.state === 'failed').length, lost);
    assert.ok(threads.count > 5, `${threads.count} tasks`);
  });
}
