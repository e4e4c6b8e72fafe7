// What a client knows of its cluster: topics, leaders, brokers, and how this is refreshed.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Cluster, Fetch, KafkaConnectionError, Metadata, NodeNotReadyError } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type Cleanup, failureOf, openClient, openConnected } from './support/client.ts';
import { byName, fetchRequest } from './support/requests.ts';

/** So that a test does not wait for the pauses between refreshes. */
const eager = { retryBackoffMs: 1 };

describe('the cluster', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({
      nodes: [{ id: 0, rack: 'a' }, { id: 1 }, { id: 2 }],
      topics: {
        logs: {
          assignments: [
            [0, 1],
            [1, 2],
            [2, 0],
            [0, 2],
          ],
        },
        other: { assignments: [[1]] },
        internal: { isInternal: true },
      },
      autoCreateTopics: false,
    });
  });

  afterEach(async () => {
    await broker.clearRules();
  });

  after(async () => {
    await broker.close();
  });

  const connected = (t: Cleanup, options = {}) => openConnected(t, broker, { ...eager, ...options });

  test('is known after the topics were set', async (t) => {
    const client = await connected(t);
    assert.deepEqual(client.cluster.topics(), new Set());
    assert.equal(client.cluster.partitionsForTopic('logs'), null);
    const cluster = await client.setTopics(['logs', 'internal']);
    assert.equal(cluster, client.cluster);
    assert.deepEqual(cluster.topics(), new Set(['logs']));
    assert.deepEqual(cluster.topics(false), new Set(['logs', 'internal']));
    assert.deepEqual([...cluster.internalTopics], ['internal']);
    assert.deepEqual(cluster.partitionsForTopic('logs'), new Set([0, 1, 2, 3]));
    assert.deepEqual(cluster.availablePartitionsForTopic('logs'), new Set([0, 1, 2, 3]));
    assert.equal(cluster.leaderForPartition({ topic: 'logs', partition: 2 }), 2);
    assert.equal(cluster.leaderForPartition({ topic: 'logs', partition: 9 }), null);
    assert.equal(cluster.leaderForPartition({ topic: 'nowhere', partition: 0 }), null);
    assert.deepEqual(cluster.partition({ topic: 'logs', partition: 1 }), {
      topic: 'logs',
      partition: 1,
      leader: 1,
      leaderEpoch: 0,
      replicas: [1, 2],
      isr: [1, 2],
      errorCode: 0,
    });
    assert.deepEqual(cluster.partitionsForBroker(0), [
      { topic: 'logs', partition: 0 },
      { topic: 'logs', partition: 3 },
      { topic: 'internal', partition: 0 },
    ]);
    assert.equal(cluster.partitionsForBroker(77), null);
    assert.equal(cluster.topicId('logs'), await broker.topicId('logs'));
    assert.deepEqual(
      cluster.brokers().map(({ nodeId }) => nodeId),
      [0, 1, 2],
    );
    const { host, port } = broker.nodes[0]!;
    assert.deepEqual(cluster.brokerMetadata(0), { nodeId: 0, host, port, rack: 'a' });
    assert.deepEqual(cluster.brokerMetadata(-1), { nodeId: -1, host, port, rack: null });
    assert.equal(cluster.brokerMetadata(-9), null);
    assert.equal(cluster.isBootstrap(-2), true);
    assert.equal(cluster.isBootstrap(0), false);
    assert.equal(cluster.controller?.nodeId, 0);
  });

  test('is refreshed for a topic that is added, but not for a topic that is already tracked', async (t) => {
    const client = await connected(t);
    await client.setTopics(['logs']);
    const again = client.addTopic('logs');
    assert.equal(again.isDone, true);
    assert.equal(again.value, client.cluster);
    await client.addTopic('other');
    assert.deepEqual(client.cluster.topics(), new Set(['logs', 'other']));
    const fewer = client.setTopics(['other']);
    assert.equal(fewer.isDone, true);
    await client.refreshMetadata();
    assert.deepEqual(client.cluster.topics(), new Set(['other']));
  });

  test('covers new topics when their Future is done, even if a refresh was already under way', async (t) => {
    const client = await connected(t);
    await broker.control(Metadata, { holdUntil: 'under-way' }, { times: 1 });
    const first = client.refreshMetadata();
    await broker.waitForHeld('under-way');
    const covering = client.setTopics(['logs']).addCallback(() => {
      assert.deepEqual(client.cluster.topics(), new Set(['logs']));
    });
    await broker.release('under-way');
    await first;
    assert.equal((await covering).partitionsForTopic('logs')?.size, 4);
  });

  test('answers every one of many refreshes that are asked for at once', async (t) => {
    const client = await connected(t);
    const { requests } = await broker.stats();
    const all = await Promise.all(Array.from({ length: 20 }, () => client.refreshMetadata()));
    assert.ok(all.every((cluster) => cluster === client.cluster));
    const asked = (await broker.stats()).requests[Metadata.key]! - requests[Metadata.key]!;
    assert.ok(asked <= 3, `${asked} requests for 20 refreshes`);
  });

  test('leaves a pause of retryBackoffMs between refreshes', async (t) => {
    const client = await connected(t, { retryBackoffMs: 150 });
    // From before the first one: its end may be heard of late.
    const began = performance.now();
    for (let i = 0; i < 3; i++) await client.refreshMetadata();
    assert.ok(performance.now() - began >= 290);
  });

  test('is refreshed by age without being asked', async (t) => {
    const client = await connected(t, { metadataMaxAgeMs: 30 });
    const { updateId } = client.cluster;
    await waitFor('three refreshes', () => client.cluster.updateId >= updateId + 3);
  });

  test('is refreshed when a connection is lost', async (t) => {
    const client = await connected(t);
    const { updateId } = client.cluster;
    await broker.closeConnections('reset', 1);
    await waitFor('a refresh', () => client.cluster.updateId > updateId);
  });

  test('tells all listeners, even when one of them throws', async (t) => {
    const client = await connected(t);
    const warnings: string[] = [];
    const listen = (warning: Error): void => {
      warnings.push(warning.message);
    };
    process.on('warning', listen);
    t.after(() => process.off('warning', listen));
    const told: Cluster[] = [];
    const bad = (): void => {
      throw new Error('thrown by a listener');
    };
    const good = (cluster: Cluster): void => {
      told.push(cluster);
    };
    client.cluster.addListener(bad);
    client.cluster.addListener(good);
    await client.refreshMetadata();
    assert.deepEqual(told, [client.cluster]);
    client.cluster.removeListener(bad);
    client.cluster.removeListener(good);
    await client.refreshMetadata();
    assert.equal(told.length, 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(warnings, ['offthread-kafka: a callback or listener threw: thrown by a listener']);
  });

  test('gives no partitions for a missing topic, and all partitions of the other topics', async (t) => {
    const client = await connected(t);
    const cluster = await client.setTopics(['missing', 'logs']);
    assert.deepEqual(cluster.topics(), new Set(['logs']));
    assert.equal(cluster.partitionsForTopic('missing'), null);
    await broker.createTopic('missing');
    await waitFor('the topic to be found by retrying', () => cluster.partitionsForTopic('missing')?.size === 1);
    await broker.deleteTopic('missing');
  });

  test('knows topics without permission, a missing controller, and partitions without a leader', async (t) => {
    const client = await connected(t);
    const node = broker.nodes[0]!;
    await broker.control(Metadata, {
      body: {
        brokers: [{ nodeId: 0, host: node.host, port: node.port }],
        clusterId: 'x',
        controllerId: -1,
        topics: [
          { name: 'secret', errorCode: 29 },
          {
            name: 'logs',
            partitions: [
              { partitionIndex: 0, leaderId: -1, errorCode: 5, replicaNodes: [0], isrNodes: [0] },
              { partitionIndex: 1, leaderId: 17, replicaNodes: [17], isrNodes: [17] },
            ],
          },
        ],
      },
    });
    const cluster = await client.refreshMetadata();
    assert.deepEqual([...cluster.unauthorizedTopics], ['secret']);
    assert.equal(cluster.controller, null);
    assert.equal(cluster.leaderForPartition({ topic: 'logs', partition: 0 }), -1);
    assert.equal(cluster.leaderForPartition({ topic: 'logs', partition: 1 }), -1, 'a leader that is no broker');
    assert.deepEqual(cluster.availablePartitionsForTopic('logs'), new Set());
    assert.equal(cluster.partition({ topic: 'logs', partition: 0 })?.errorCode, 5);
  });

  test('has a partition without a leader: records and fetches wait, node -1 is not looked for, and all go on with a leader', async (t) => {
    const topic = 'leaderless';
    await broker.createTopic(topic, { partitions: 1 });
    await broker.moveLeader(topic, 0, -1);
    t.after(() => broker.deleteTopic(topic));
    const client = await connected(t, { metrics: true });
    const bootstrapConnections = (): unknown =>
      client.metrics()['node-metrics.node-bootstrap-0']!['connection-creation-total'];
    const before = bootstrapConnections();
    const producer = await client.producer({ lingerMs: 0 });
    const consumer = await client.consumer({ assign: [{ topic, partition: 0, offset: 0 }] });
    const sent = producer.send(topic, { value: 'later' });
    const polled = consumer.poll(120_000);
    const asked = (await broker.stats()).requests[Metadata.key]!;
    await broker.waitForRequests(Metadata, asked + 5);
    assert.equal(sent.isDone, false);
    assert.equal(bootstrapConnections(), before, '-1 would be the id of the first bootstrap server');
    assert.equal(client.cluster.leaderForPartition({ topic, partition: 0 }) ?? -1, -1);
    await broker.moveLeader(topic, 0, 1);
    assert.equal(String((await sent).offset), '0');
    const batch = (await polled)!;
    assert.equal(String([...batch][0]!.value), 'later');
    await consumer.close();
    await producer.close();
  });

  test('keeps what it knew when a response names no brokers', async (t) => {
    const client = await connected(t);
    await client.setTopics(['logs']);
    await broker.control(Metadata, { body: { brokers: [], topics: [] } }, { times: 1 });
    const error = await failureOf(client.refreshMetadata());
    assert.equal(error.name, 'MetadataEmptyBrokerList');
    assert.equal(client.cluster.brokers().length, 3);
    assert.deepEqual(client.cluster.topics(), new Set(['logs']));
    await client.refreshMetadata();
  });

  test('asks another node when a node cannot answer', async (t) => {
    const client = await connected(t);
    await broker.control(Metadata, { answer: 'reset' }, { nodeId: 0 });
    await broker.control(Metadata, { answer: 'reset' }, { nodeId: 1 });
    await waitFor('a refresh by node 2', async () => {
      try {
        await client.refreshMetadata();
        return true;
      } catch (error) {
        assert.ok(error instanceof KafkaConnectionError, String(error));
        return false;
      }
    });
  });

  test('sees leaders move', async (t) => {
    const client = await connected(t);
    await client.setTopics(['logs']);
    await broker.moveLeader('logs', 0, 2);
    const cluster = await client.refreshMetadata();
    assert.equal(cluster.leaderForPartition({ topic: 'logs', partition: 0 }), 2);
    assert.equal(cluster.partition({ topic: 'logs', partition: 0 })?.leaderEpoch, 1);
    await broker.moveLeader('logs', 0, 0);
  });

  test('can use a node that joins; when the node leaves, its requests end with its connection', async (t) => {
    const client = await connected(t);
    const added = await broker.addNode(3);
    await client.refreshMetadata();
    assert.deepEqual(client.cluster.brokerMetadata(3), { nodeId: 3, host: added.host, port: added.port, rack: null });
    await client.awaitReady(3);
    await client.send(3, Metadata, { topics: [] });
    await broker.control(Fetch, { answer: 'never' }, { nodeId: 3 });
    const pending = client.send(3, Fetch, fetchRequest('logs'), byName);
    await broker.waitForRequests(Fetch, 1, 3);
    await broker.removeNode(3);
    assert.ok((await failureOf(pending)) instanceof KafkaConnectionError);
    await waitFor('the node to leave the metadata', () => client.cluster.brokerMetadata(3) === null);
    assert.ok((await failureOf(client.send(3, Metadata, { topics: [] }))) instanceof NodeNotReadyError);
    assert.equal(client.maybeConnect(3), false);
  });

  test('follows a node that moved: requests in flight are answered, and the next requests go to the new address', async (t) => {
    const other = await startEmbeddedBroker({ nodes: [{ id: 1 }] });
    t.after(() => other.close());
    const client = await connected(t);
    await broker.control(Fetch, { holdUntil: 'moved' }, { nodeId: 1 });
    const pending = client.send(1, Fetch, fetchRequest('logs', { partition: 1 }), byName);
    await broker.waitForRequests(Fetch, 1, 1);
    const home = broker.nodes[1]!;
    const { host, port } = other.nodes[0]!;
    await broker.advertise(1, host, port);
    t.after(() => broker.advertise(1, home.host, home.port));
    await client.refreshMetadata();
    await client.awaitReady(1);
    await client.send(1, Metadata, { topics: [] });
    assert.equal(pending.isDone, false);
    await broker.release('moved');
    assert.equal((await pending).responses.length, 1);
    assert.equal((await other.stats()).requestsByNode[1]![Metadata.key], 1);
  });

  test('goes back to the bootstrap servers when every known broker is gone', async (t) => {
    const old = await startEmbeddedBroker({ nodes: [{ id: 5 }] });
    t.after(() => old.close());
    const client = await openClient(t, {
      bootstrapServers: old.bootstrapServers,
      ...eager,
      reconnectBackoffMs: 10,
      reconnectBackoffMaxMs: 20,
    });
    await client.awaitReady(5);
    // The bootstrap server now answers for a cluster whose nodes are elsewhere.
    const renewed = await startEmbeddedBroker({ nodes: [{ id: 6 }], clusterId: 'x' });
    t.after(() => renewed.close());
    const { host, port } = renewed.nodes[0]!;
    await old.control(Metadata, { body: { brokers: [{ nodeId: 6, host, port }], topics: [], clusterId: 'x' } });
    await old.closeConnections('reset');
    await waitFor('node 6 to be known', () => client.cluster.brokerMetadata(6) !== null);
    await client.awaitReady(6);
  });

  test('refuses topic names that Kafka refuses', async (t) => {
    const client = await connected(t);
    for (const name of ['', '.', '..', 'a b', 'x'.repeat(250), 'ä', 'a/b', 'a\n']) {
      assert.throws(() => client.addTopic(name), RangeError, JSON.stringify(name));
      assert.throws(() => client.setTopics(['fine', name]), RangeError, JSON.stringify(name));
    }
    for (const wrong of [null, 5, undefined, {}, ['a']]) {
      assert.throws(() => client.addTopic(wrong as never), TypeError, String(wrong));
    }
    for (const wrong of [null, 5, 'logs', {}, [5]]) {
      assert.throws(() => client.setTopics(wrong as never), TypeError, String(wrong));
    }
    assert.deepEqual((await client.setTopics(['x'.repeat(249), '_.-9'])).topics(), new Set());
  });
});
