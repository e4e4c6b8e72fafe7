// Responses through the codec pool to the application: in order, delayed by full links and a full pool, failed one by one. Faults and
// ends are in pooled-responses-ends.test.ts, full links and random orders in pooled-responses-links.test.ts.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Fetch, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import {
  assertRecords,
  byName,
  fetchRequest,
  fetchResponse,
  KiB,
  noisyBatch,
  produceRequest,
  thresholdBytes,
} from '../support/big-messages.ts';
import { responseFrame } from '../support/fake-peer.ts';
import {
  assertDelivered,
  bigBatch,
  broker,
  fetched,
  fetchedBig,
  finish,
  largeBatch,
  net,
  responses,
  run,
  type SentFetch,
  sendFetch,
  start,
  startWithoutPool,
  threads,
} from '../support/pooled-fetches.ts';

afterEach(() => net.close());

test('a big compressed response is decoded in the pool', async () => {
  start();
  const batch = bigBatch(1);
  const sent = await fetched([batch]);
  assert.equal(threads.count, 1);
  assert.equal(sent.state, 'open');
  await finish(0);
  assertRecords(sent.view, [batch]);
});

test('bytes behind a body are counted, with and without the pool', async () => {
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

test('a second response does not overtake the first if the pool needs longer for the first', async () => {
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

test('one compressed batch among others sends the frame to the pool', async () => {
  start();
  const batches = [noisyBatch(100 * KiB, 1, 'none'), noisyBatch(2 * KiB, 2), noisyBatch(100 * KiB, 3, 'none')];
  const sent = await fetched(batches);
  assert.equal(threads.count, 1);
  await finish(0);
  assertRecords(sent.view, batches);
});

test('the threshold counts the size of the frame, and frames up to it are decoded at once', async () => {
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

test('a big uncompressed response that waits is not decoded several times', async (t) => {
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

test('without a pool the network thread decodes big frames', async () => {
  start();
  await net.close();
  startWithoutPool({ codecPoolThresholdBytes: thresholdBytes });
  const batch = bigBatch(1, 300 * KiB);
  assertRecords((await fetched([batch])).view, [batch]);
});

test('a full pool holds back connections until it has room', async () => {
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
