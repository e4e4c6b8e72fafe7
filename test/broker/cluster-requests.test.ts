// Requests for the cluster beside tracked topics: refreshes, all topics, coordinators, leaders that an error response names.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Fetch, FindCoordinator, Metadata, NodeNotReadyError, Produce } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type Cleanup, failureOf, openConnected } from './support/client.ts';
import { byName, fetchRequest, produceRequest } from './support/requests.ts';

const notLeader = 6;
const invalidTopic = 17;

describe('the cluster', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({
      nodes: 3,
      topics: { logs: { assignments: [[0, 1]] }, other: 1, internal: { isInternal: true } },
      autoCreateTopics: false,
    });
  });

  afterEach(async () => {
    await broker.clearRules();
  });

  after(async () => {
    await broker.close();
  });

  const connected = (t: Cleanup, options = {}) => openConnected(t, broker, { retryBackoffMs: 1, ...options });

  test('is refreshed on request, and each caller hears of its own refresh', async (t) => {
    const client = await connected(t);
    const { cluster } = client;
    const { updateId } = cluster;
    const [first, second] = [cluster.requestUpdate(), cluster.requestUpdate()];
    assert.equal(cluster.ttl(), 0, 'one is due');
    assert.equal(await first, cluster);
    assert.equal(await second, cluster);
    assert.ok(cluster.updateId > updateId);
    await waitFor('the network thread to say when the next is due', () => cluster.ttl() > 0);
    assert.ok(cluster.ttl() <= client.config.metadataMaxAgeMs);
    assert.equal(cluster.refreshBackoff(), 1);
  });

  test('a request for a refresh fails when the client is closed', async (t) => {
    const client = await connected(t);
    await broker.control(Metadata, { answer: 'never' });
    const refreshed = client.cluster.requestUpdate();
    await client.close();
    assert.equal((await failureOf(refreshed)).name, 'Cancelled');
    assert.equal((await failureOf(client.cluster.requestUpdate())).name, 'Cancelled');
  });

  test('covers every topic while the application wants all topics, and only the tracked topics afterwards', async (t) => {
    const client = await connected(t);
    const { cluster } = client;
    await client.setTopics(['logs']);
    assert.deepEqual(cluster.topics(), new Set(['logs']));
    cluster.needAllTopicMetadata = true;
    await waitFor('all topics', () => cluster.topics(false).size === 3);
    await client.addTopic('other');
    assert.deepEqual(cluster.topics(), new Set(['logs', 'other']));
    assert.ok(cluster.internalTopics.has('internal'), 'a topic that is added does not end it');
    cluster.needAllTopicMetadata = false;
    await waitFor('those tracked', () => cluster.internalTopics.size === 0);
    assert.deepEqual(cluster.topics(), new Set(['logs', 'other']));
  });

  test('does not ask again for a topic that the broker calls invalid, unless it is named again', async (t) => {
    const client = await connected(t);
    await broker.control(Metadata, { errorCode: invalidTopic }, { times: 1 });
    const refused = await failureOf(client.setTopics(['odd']));
    assert.equal(refused.name, 'InvalidTopicError');
    assert.match(refused.message, /topic "odd"/);
    const named = client.addTopic('odd');
    assert.equal(named.isDone, false, 'it was dropped on this side too');
    await named;
  });

  test('knows the leader that an error response names, without a refresh, before the Future is done', async (t) => {
    const client = await connected(t);
    await client.setTopics(['logs']);
    const { cluster } = client;
    const partition = { topic: 'logs', partition: 0 };
    await broker.moveLeader('logs', 0, 1);
    t.after(() => broker.moveLeader('logs', 0, 0));
    const { updateId } = cluster;
    const leaders: (number | null)[] = [];
    const refused = client.send(0, Produce, produceRequest('logs', [{ value: 'v' }]), byName);
    refused.addCallback(() => leaders.push(cluster.leaderForPartition(partition)));
    assert.equal((await refused).responses.at(0).partitionResponses.at(0).errorCode, notLeader);
    assert.deepEqual(leaders, [1]);
    assert.deepEqual(cluster.partitionsForBroker(1), [partition]);
    const taken = await client.send(1, Produce, produceRequest('logs', [{ value: 'v' }]), byName);
    assert.equal(taken.responses.at(0).partitionResponses.at(0).errorCode, 0);
    assert.equal(cluster.updateId, updateId);
  });

  test('reaches a leader that metadata did not know, when an error response names it', async (t) => {
    const client = await connected(t);
    await client.setTopics(['logs']);
    const added = await broker.addNode(7);
    t.after(() => broker.removeNode(7));
    await broker.moveLeader('logs', 0, 7);
    t.after(() => broker.moveLeader('logs', 0, 0));
    await client.send(0, Fetch, { ...fetchRequest('logs'), topics: byId(client.cluster.topicId('logs')!) });
    assert.equal(client.cluster.leaderForPartition({ topic: 'logs', partition: 0 }), 7);
    assert.equal(client.cluster.brokerMetadata(7)!.port, added.port);
    await client.awaitReady(7);
    await client.send(7, Metadata, { topics: [] });
  });

  test('has separate connections for coordinators, which do not wait for other requests', async (t) => {
    const client = await connected(t);
    const { cluster } = client;
    const found = await client.send(0, FindCoordinator, { keyType: 0, coordinatorKeys: ['readers'] });
    const nodeId = cluster.addGroupCoordinator('readers', found)!;
    assert.equal(cluster.coordinatorForGroup('readers'), nodeId);
    const brokerId = 2147483647 - nodeId;
    await client.awaitReady(nodeId);
    await broker.control(Fetch, { answer: 'never' });
    const waiting = client.send(brokerId, Fetch, fetchRequest('logs'), byName);
    await client.send(nodeId, Metadata, { topics: [] });
    assert.equal(client.inFlightRequestCount(nodeId), 0);
    assert.equal(waiting.isDone, false);
    assert.notEqual(client.leastLoadedNode(), nodeId);
    client.close(brokerId);
    assert.ok(client.connected(nodeId));
    await failureOf(waiting);
  });

  test('answers checkVersion for one node, for node 0 too, and for any node', async (t) => {
    const client = await connected(t);
    for (const nodeId of [0, 1, undefined, null]) {
      assert.deepEqual(await client.checkVersion(nodeId, { timeoutMs: 20_000 }), client.apiVersion);
    }
    client.close(0);
    assert.deepEqual(await client.checkVersion(0, { timeoutMs: 20_000 }), client.apiVersion, 'it is connected again');
    await assert.rejects(client.checkVersion(99, { strict: true }), NodeNotReadyError);
    for (const wrong of [1.5, '0', {}]) await assert.rejects(client.checkVersion(wrong as never), TypeError);
    for (const timeoutMs of [0, -1, 1.5, '5']) {
      await assert.rejects(client.checkVersion(0, { timeoutMs: timeoutMs as never }), TypeError);
    }
  });
});

const byId = (topicId: string) => [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }];
