// Lanes: further connections to one broker, so that a wait on one delays nothing on another.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  Cancelled,
  Fetch,
  IllegalArgumentError,
  type KafkaClient,
  Metadata,
  NodeNotReadyError,
  UnknownBrokerIdError,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { failureOf, openClient } from './support/client.ts';
import { byName, fetchRequest } from './support/requests.ts';

describe('lanes', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { logs: { assignments: [[0]] } } });
  });
  after(() => broker.close());

  const open = (t: Parameters<typeof openClient>[0], options = {}): Promise<KafkaClient> =>
    openClient(t, { bootstrapServers: broker.bootstrapServers, reconnectBackoffMs: 1, ...options });

  test('a Fetch that waits on its lane does not delay a request on the main connection', async (t) => {
    const client = await open(t, { metrics: true });
    await client.awaitReady(0);
    await client.awaitReady(0, { lane: 'fetch' });
    await broker.control(Fetch, { answer: 'never' }, { nodeId: 0 });
    t.after(() => broker.clearRules());
    const waiting = client.send(0, Fetch, fetchRequest('logs'), { ...byName, lane: 'fetch' });
    const groups = await client.send(0, Metadata, { topics: [] });
    assert.equal(groups.brokers.length, 1);
    assert.equal(waiting.isDone, false);
    const laneId = client.laneNodeId(0, 'fetch')!;
    assert.ok(client.connected(laneId));
    assert.equal(client.inFlightRequestCount(laneId), 1);
    assert.equal(client.inFlightRequestCount(0), 0);
    assert.ok('0-fetch' in Object.fromEntries(client.metricsSnapshot()!.nodes));
    client.close(laneId);
    assert.ok((await failureOf(waiting)) instanceof Cancelled);
    assert.ok(client.connected(0), 'the other connection stays');
    await waitFor('the lane to be closed', () => !client.connected(laneId));
  });

  test('a lane is opened by the first send that wants it, and has a limit of its own', async (t) => {
    const client = await open(t, { maxInFlightRequestsPerConnection: 1 });
    await client.awaitReady(0);
    assert.equal(client.laneNodeId(0, 'produce'), null);
    const early = await failureOf(client.send(0, Metadata, { topics: [] }, { lane: 'produce' }));
    assert.ok(early instanceof NodeNotReadyError);
    assert.match(early.message, /node 0 is not connected in lane 'produce'/);
    await waitFor('the lane to be ready', () => client.isReady(client.laneNodeId(0, 'produce') ?? -99));
    const both = [
      client.send(0, Metadata, { topics: [] }, { lane: 'produce' }),
      client.send(0, Metadata, { topics: [] }),
    ];
    for (const sent of both) assert.equal((await sent).brokers.length, 1);
    await client.awaitReady(2147483647);
    assert.equal(client.laneNodeId(0, 'coordinator'), 2147483647, 'the lane of coordinators has fixed ids');
    assert.equal((await client.send(0, Metadata, { topics: [] }, { lane: 'coordinator' })).brokers.length, 1);
  });

  test('lanes with wrong names and unknown nodes are refused with a reason', async (t) => {
    const client = await open(t);
    await client.awaitReady(0);
    for (const lane of ['', 'a b', 'x'.repeat(33), 'ü']) {
      assert.throws(() => client.send(0, Metadata, { topics: [] }, { lane }), {
        name: 'RangeError',
        message: /^lane must be 1 to 32 characters/,
      });
    }
    assert.throws(() => client.send(0, Metadata, { topics: [] }, { lane: 3 as never }), TypeError);
    for (const nodeId of [7, -1]) {
      const error = await failureOf(client.send(nodeId, Metadata, { topics: [] }, { lane: 'fetch' }));
      assert.ok(error instanceof UnknownBrokerIdError, `${nodeId}: ${error}`);
    }
    await assert.rejects(client.awaitReady(7, { lane: 'fetch', timeoutMs: 100 }), UnknownBrokerIdError);
    for (let i = 0; i < 31; i++) await client.awaitReady(0, { lane: `lane-${i}` });
    const oneTooMany = await failureOf(client.send(0, Metadata, { topics: [] }, { lane: 'one-more' }));
    assert.ok(oneTooMany instanceof IllegalArgumentError);
    assert.match(oneTooMany.message, /at most 31 lanes/);
  });
});
