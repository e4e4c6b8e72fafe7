// The main rows of the reference with a real broker: node states, polls, limits and topics.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  Cancelled,
  CreateTopics,
  Fetch,
  type KafkaClient,
  type KafkaClientOptions,
  KafkaConnectionError,
  ListOffsets,
  Metadata,
  NodeNotReadyError,
  Produce,
  RequestTimedOutError,
  TooManyInFlightRequests,
} from '../../src/index.ts';
import { type Cleanup, closedByHand, failureOf, openClient } from '../broker/support/client.ts';
import { saidOf, saidOfReady, saidOfUnknown } from '../broker/support/node-queries.ts';
import { byName, fetchRequest, listOffsetsRequest, produceRequest } from '../broker/support/requests.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const topic = 'contract';
/** Longer than any test here. */
const never = 60_000;

describeKafka('a client of a real broker', (suite) => {
  let node = -1;
  let admin: KafkaClient;

  before(async () => {
    admin = await open(closedByHand);
    node = admin.cluster.brokers()[0]!.nodeId;
    await admin.awaitReady(node);
    const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
    await admin.send(node, CreateTopics, { topics, timeoutMs: 10_000 });
    await waitFor('the partition to be led', async () => (await endOffset(topic)) !== null);
  });

  after(async () => {
    await admin?.close();
  });

  const open = (t: Cleanup, options: KafkaClientOptions = {}): Promise<KafkaClient> =>
    openClient(t, { bootstrapServers: suite.kafka.bootstrapServers, apiVersionAutoTimeoutMs: 90_000, ...options });

  async function connected(t: Cleanup, options: KafkaClientOptions = {}): Promise<KafkaClient> {
    const client = await open(t, options);
    await client.awaitReady(node);
    await client.refreshMetadata();
    await client.poll(0);
    return client;
  }

  /** Of the topic's only partition; null without a leader. */
  async function endOffset(name: string): Promise<number | null> {
    const { topics } = await admin.send(node, ListOffsets, listOffsetsRequest(name));
    const { errorCode, offset } = topics.at(0).partitions.at(0);
    return errorCode === 0 ? offset.toNumber() : null;
  }

  /** A fetch of what nobody will write: the broker keeps it for `maxWaitMs`. */
  const idle = (client: KafkaClient, maxWaitMs: number, timeoutMs?: number) =>
    client.send(node, Fetch, fetchRequest(topic, { maxWaitMs, minBytes: 1 << 30 }), {
      ...byName,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });

  const metadata = (client: KafkaClient) => client.send(node, Metadata, { topics: [] });

  test('nodes are unknown, not connected, connected, full and closed as in the reference', async (t) => {
    const client = await open(t, { maxInFlightRequestsPerConnection: 2 });
    assert.deepEqual(saidOf(client, node + 50), saidOfUnknown);
    assert.equal(client.maybeConnect(node + 50), false);
    assert.deepEqual(saidOf(client, node), saidOfUnknown);
    assert.ok((await failureOf(metadata(client))) instanceof NodeNotReadyError);
    await waitFor('the connection that the refused request began', () => client.ready(node));
    await waitFor('metadata to have come', () => client.inFlightRequestCount(node) === 0);
    assert.deepEqual(saidOf(client, node), saidOfReady);
    const waiting = [idle(client, never), idle(client, never)];
    assert.deepEqual(saidOf(client, node), { ...saidOfReady, isReady: false, inFlight: 2 });
    assert.ok((await failureOf(metadata(client))) instanceof TooManyInFlightRequests);
    client.close(node);
    for (const { exception } of waiting) assert.ok(exception instanceof Cancelled);
    assert.deepEqual(saidOf(client, node), saidOfUnknown);
    assert.equal(client.maybeConnect(node), true);
    await client.awaitReady(node);
    await metadata(client);
  });

  test('polls return responses in the order of sending; wakeup and time end them', async (t) => {
    const client = await connected(t);
    const slow = idle(client, 3000);
    const fast = metadata(client);
    assert.deepEqual(await client.poll(5), []);
    const polled = client.poll(never);
    client.wakeup();
    assert.deepEqual(await polled, []);
    assert.deepEqual([slow.isDone, fast.isDone], [false, false]);
    const responses: unknown[] = [...client.pollSync(never, fast)];
    assert.equal(responses[0], slow.value);
    assert.equal(responses[1], fast.value);
    assert.deepEqual(await client.poll(0), []);
  });

  test('a request with acks 0 is sent without another request, and is stored', async (t) => {
    const client = await connected(t, { maxInFlightRequestsPerConnection: 1 });
    const offset = (await endOffset(topic))!;
    const sent = client.send(node, Produce, produceRequest(topic, [{ value: 'x' }], { acks: 0 }), byName);
    assert.equal(client.isReady(node), true);
    assert.equal(await sent, null);
    await waitFor('the record', async () => (await endOffset(topic)) === offset + 1);
  });

  test('a request that times out ends its connection, and the next connection works', async (t) => {
    const client = await connected(t);
    const { updateId } = client.cluster;
    const late = idle(client, never, 200);
    const behind = metadata(client);
    assert.ok((await failureOf(late)) instanceof RequestTimedOutError);
    const error = await failureOf(behind);
    assert.ok(error instanceof KafkaConnectionError);
    assert.ok(error.cause instanceof RequestTimedOutError);
    await client.awaitReady(node);
    await metadata(client);
    await waitFor('metadata to be asked for', () => client.cluster.updateId > updateId);
  });

  test('topics are known when their Future is done, and at once if they were known before', async (t) => {
    const client = await connected(t);
    assert.equal(client.cluster.partitionsForTopic(topic), null);
    const cluster = await client.setTopics([topic]);
    assert.equal(cluster, client.cluster);
    assert.deepEqual(cluster.availablePartitionsForTopic(topic), new Set([0]));
    assert.equal(cluster.leaderForPartition({ topic, partition: 0 }), node);
    assert.equal(client.addTopic(topic).isDone, true);
    await client.setTopics([]);
    await client.refreshMetadata();
    assert.equal(client.cluster.topics().size, 0, 'nothing tracked is nothing asked for');
    client.cluster.needAllTopicMetadata = true;
    await client.refreshMetadata();
    assert.ok(client.cluster.topics().has(topic));
  });

  test('the version is that of the node, and of any', async (t) => {
    const client = await connected(t);
    assert.deepEqual(await client.checkVersion(node), client.apiVersion);
    assert.deepEqual(await client.checkVersion(), client.apiVersion);
    assert.equal(client.leastLoadedNode(), node);
  });

  test('an idle connection is closed without harm, and a connection with a request in flight is not closed', async (t) => {
    const client = await connected(t, { connectionsMaxIdleMs: 2000 });
    const waiting = idle(client, 5000);
    await waiting;
    await waitFor('the connection to be closed', () => !client.connected(node));
    assert.equal(client.isDisconnected(node), false);
    await client.awaitReady(node);
    await metadata(client);
  });
});
