// Responses in the codec pool when something ends or breaks: a body, a codec thread, a connection, a node, the client.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  Cancelled,
  KafkaClientError,
  KafkaConnectionError,
  KafkaProtocolError,
  NodeNotReadyError,
} from '../../../../src/common/errors/errors.ts';
import { Fetch, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { assertRecords, byName, fetchResponse, produceRequest } from '../support/big-messages.ts';
import { metadataOf, responseFrame } from '../support/fake-peer.ts';
import {
  assertDelivered,
  bigBatch,
  broker,
  fetchedBig,
  finish,
  net,
  responses,
  run,
  sendFetch,
  start,
  threads,
} from '../support/pooled-fetches.ts';

afterEach(() => net.close());

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

test('an unreadable body of a former connection does not end the new connection', async () => {
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

test('a pool thread that ends fails only its request', async () => {
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

test('a batch with an unknown codec is an error of its partition, in the pool too', async () => {
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

test('a response in the pool is delivered even if its connection is lost', async () => {
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

test('responses of the next connection wait for those that are still in the pool', async () => {
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

test('time in the pool does not count for the timeout of the request and of later requests', async () => {
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

test('the throttle time of a response in the pool counts from its delivery', async () => {
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

test('a response in the pool is delivered if its node leaves the cluster', async () => {
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

test('close delivers responses that the pool has decoded, and cancels the others', async () => {
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
