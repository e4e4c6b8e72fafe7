// Requests and their responses through the whole client: every API, order, nodes, versions.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import Long from 'long';
import {
  type Api,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  Fetch,
  FindCoordinator,
  type KafkaClient,
  ListGroups,
  ListOffsets,
  Metadata,
  Produce,
  UnsupportedVersionError,
} from '../../src/index.ts';
import { zeroUuid } from '../../src/protocol/flat/uuid.ts';
import { type EmbeddedBroker, errorCodes, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { calm, closedByHand, failureOf, openClient, openConnected } from './support/client.ts';
import { byName, fetchedRecords, fetchRequest, listOffsetsRequest, produceRequest } from './support/requests.ts';

describe('requests', () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;

  before(async () => {
    broker = await startEmbeddedBroker({
      nodes: [{ id: 0 }, { id: 7, rack: 'b' }, { id: 2147483647 }],
      topics: {
        logs: { assignments: [[0], [7], [2147483647]] },
      },
    });
    client = await openConnected(closedByHand, broker, { reconnectBackoffMs: 1, retryBackoffMs: 1 });
  });

  afterEach(async () => {
    await broker.clearRules();
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  /** One for all tests that ask for nothing special, connected to every node whatever the test before did to it. */
  const shared = (): Promise<KafkaClient> => calm(client, broker);

  test('of all eight APIs return views of their responses', async () => {
    const client = await shared();
    const versions = await client.send(0, ApiVersions, { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' });
    assert.equal(versions.errorCode, 0);
    assert.ok(versions.apiKeys.map(({ apiKey }) => apiKey).includes(Produce.key));

    const created = await client.send(0, CreateTopics, {
      topics: [{ name: 'eight', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 1000,
    });
    assert.deepEqual(
      created.topics.map(({ name, errorCode, numPartitions }) => [name, errorCode, numPartitions]),
      [['eight', 0, 2]],
    );
    const { topicId } = created.topics.at(0);

    const metadata = await client.send(7, Metadata, { topics: [{ name: 'eight' }] });
    assert.deepEqual(
      metadata.brokers.map(({ nodeId, rack }) => [nodeId, rack]),
      [
        [0, null],
        [7, 'b'],
        [2147483647, null],
      ],
    );
    assert.equal(metadata.topics.at(0).topicId, topicId);
    const leader = metadata.topics.at(0).partitions.at(0).leaderId;

    const produced = await client.send(leader, Produce, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ topicId, partitionData: [{ index: 0, records: [{ key: 'k', value: 'v', timestamp: 5 }] }] }],
    });
    const stored = produced.responses.at(0).partitionResponses.at(0);
    assert.deepEqual([stored.errorCode, stored.baseOffset.toNumber()], [0, 0]);

    const offsets = await client.send(leader, ListOffsets, listOffsetsRequest('eight'));
    assert.equal(offsets.topics.at(0).partitions.at(0).offset.toNumber(), 1);

    const fetched = await client.send(leader, Fetch, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
    });
    const [record] = fetchedRecords(fetched);
    assert.deepEqual(
      [record!.key!.toString(), record!.value!.toString(), record!.timestamp.toNumber(), record!.offset.toNumber()],
      ['k', 'v', 5, 0],
    );

    const coordinators = await client.send(0, FindCoordinator, { keyType: 0, coordinatorKeys: ['group'] });
    assert.equal(coordinators.coordinators.at(0).errorCode, 0);
    assert.ok([0, 7, 2147483647].includes(coordinators.coordinators.at(0).nodeId));

    const deleted = await client.send(0, DeleteTopics, {
      topics: [{ name: 'eight', topicId: zeroUuid }],
      timeoutMs: 1000,
    });
    assert.deepEqual(
      deleted.responses.map(({ name, errorCode }) => [name, errorCode]),
      [['eight', 0]],
    );
  });

  for (const api of [ApiVersions, Metadata, ListOffsets, FindCoordinator]) {
    test(`of ${api.name} work in every version that broker and client share`, async () => {
      const client = await shared();
      const { min, max } = client.getApiVersions()!.get(api.key)!;
      assert.ok(max > min);
      for (let version = min; version <= max; version++) {
        const response = (await sendSmallest(client, api, version)) as { readonly errorCode?: number };
        assert.equal(response.errorCode ?? 0, 0, `version ${version}`);
      }
    });
  }

  test('to one node are answered in the order they were sent', async (t) => {
    const client = await openConnected(t, broker, { maxInFlightRequestsPerConnection: 1000 });
    const order: number[] = [];
    const futures = Array.from({ length: 500 }, (_, i) => {
      const future = client.send(0, Produce, produceRequest('logs', [{ value: `${i}` }]), byName);
      return future.addCallback(() => order.push(i));
    });
    const responses = await Promise.all(futures);
    assert.deepEqual(
      order,
      Array.from({ length: 500 }, (_, i) => i),
    );
    const first = responses[0]!.responses.at(0).partitionResponses.at(0).baseOffset.toNumber();
    responses.forEach((response, i) => {
      assert.equal(response.responses.at(0).partitionResponses.at(0).baseOffset.toNumber(), first + i);
    });
  });

  test('to several nodes do not wait for each other', async () => {
    const client = await shared();
    await broker.control(Fetch, { holdUntil: 'node-0' }, { nodeId: 0, times: 1 });
    const held = client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), byName);
    await broker.waitForHeld('node-0');
    await client.send(7, Produce, produceRequest('logs', [{ value: 'on 7' }], { partition: 1 }), byName);
    await client.send(2147483647, Produce, produceRequest('logs', [{ value: 'x' }], { partition: 2 }), byName);
    assert.equal(held.isDone, false);
    await broker.release('node-0');
    await held;
    const fetched = await client.send(7, Fetch, fetchRequest('logs', { partition: 1 }), byName);
    assert.equal(fetchedRecords(fetched).at(0).value!.toString(), 'on 7');
  });

  test('go to the named node, also if it is named by its bootstrap id', async (t) => {
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers.slice(1, 2) });
    const before = (await broker.stats()).requestsByNode;
    await client.send(-1, ListOffsets, listOffsetsRequest('logs', -1, 1));
    await client.awaitReady(2147483647);
    await client.send(2147483647, ListOffsets, listOffsetsRequest('logs', -1, 2));
    const { requestsByNode } = await broker.stats();
    const more = (nodeId: number): number =>
      (requestsByNode[nodeId]?.[ListOffsets.key] ?? 0) - (before[nodeId]?.[ListOffsets.key] ?? 0);
    assert.deepEqual([more(0), more(7), more(2147483647)], [0, 1, 1]);
  });

  test('return the error codes of the broker as data', async () => {
    const client = await shared();
    const response = await client.send(0, Produce, produceRequest('nowhere', [{ value: 'x' }]), byName);
    assert.equal(response.responses.at(0).partitionResponses.at(0).errorCode, errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
  });

  describe('with acks 0', () => {
    test('succeed with null when they are written, and do not count as in flight', async (t) => {
      const client = await openConnected(t, broker, { maxInFlightRequestsPerConnection: 1 });
      await broker.createTopic('acks0', { assignments: [[0]] });
      const futures = Array.from({ length: 20 }, (_, i) => {
        const future = client.send(0, Produce, produceRequest('acks0', [{ value: `${i}` }], { acks: 0 }), byName);
        assert.equal(client.isReady(0), true);
        return future;
      });
      assert.deepEqual(await Promise.all(futures), new Array(20).fill(null));
      // Answered behind them on the same connection, so they have all arrived.
      const offsets = await client.send(0, ListOffsets, listOffsetsRequest('acks0'));
      assert.equal(offsets.topics.at(0).partitions.at(0).offset.toNumber(), 20);
    });

    test('are sent without another request after them', async () => {
      const client = await shared();
      const sent = (await broker.stats()).requests[Produce.key] ?? 0;
      client.send(0, Produce, produceRequest('logs', [{ value: 'alone' }], { acks: 0 }), byName);
      await broker.waitForRequests(Produce, sent + 1);
    });

    test('end the connection when the broker refuses them, and later requests use a new connection', async () => {
      const client = await shared();
      const { acceptedConnections } = await broker.stats();
      const refused = produceRequest('nowhere', [{ value: 'x' }], { acks: 0 });
      assert.equal(await client.send(0, Produce, refused, byName), null);
      await waitFor('another connection', async () => {
        await client.awaitReady(0);
        return (await broker.stats()).acceptedConnections > acceptedConnections;
      });
      await client.awaitReady(0);
      await client.send(0, Metadata, { topics: [] });
    });
  });

  describe('with a version', () => {
    test('use that version', async () => {
      const client = await shared();
      await client.send(0, Metadata, { topics: [{ name: 'logs' }] }, { version: 4 });
      const arrived = (await broker.arrivedRequests()).filter(({ apiKey }) => apiKey === Metadata.key);
      assert.equal(arrived.at(-1)!.version, 4);
    });

    for (const version of [99, 32767]) {
      test(`${version}, which does not exist, fail and nothing is sent`, async () => {
        const client = await shared();
        const before = (await broker.stats()).requests[Metadata.key];
        const error = await failureOf(client.send(0, Metadata, { topics: [] }, { version }));
        assert.ok(error instanceof UnsupportedVersionError);
        assert.match(error.message, new RegExp(`Metadata .*version ${version} .*0 to 13`));
        assert.equal(error.retriable, false);
        assert.equal(client.connected(0), true);
        assert.equal((await broker.stats()).requests[Metadata.key], before);
      });
    }

    test('fail with IncompatibleBrokerVersion for an API that the broker does not have', async () => {
      const client = await shared();
      const error = await failureOf(client.send(0, ListGroups, {}));
      assert.ok(error instanceof UnsupportedVersionError);
      assert.equal(error.name, 'IncompatibleBrokerVersion');
      assert.match(error.message, /ListGroups \(API key 16\)/);
    });
  });

  test('are sent in the newest version of a broker that is older', async (t) => {
    const old = await startEmbeddedBroker({
      topics: { logs: 1 },
      apiVersions: { [Fetch.key]: [4, 6], [Metadata.key]: [0, 1], [Produce.key]: [3, 5], [ApiVersions.key]: [0, 0] },
    });
    t.after(() => old.close());
    const client = await openConnected(t, old);
    assert.deepEqual(client.apiVersion, [4, 2]);
    await client.send(0, Produce, produceRequest('logs', [{ value: 'old' }]));
    const fetched = await client.send(0, Fetch, fetchRequest('logs'));
    assert.equal(fetchedRecords(fetched).at(0).value!.toString(), 'old');
    const versions = new Map((await old.arrivedRequests()).map(({ apiKey, version }) => [apiKey, version]));
    assert.equal(versions.get(Fetch.key), 6);
    assert.equal(versions.get(Produce.key), 5);
    assert.equal(versions.get(Metadata.key), 1);
    assert.equal(versions.get(ApiVersions.key), 0);
  });

  test('fail with the reason if the answer cannot be read, and the others go on', async () => {
    const client = await shared();
    const thrown = new Error('from readResponse');
    const unreadable: Api<{ topics: [] }, never> = {
      key: Metadata.key,
      name: 'Metadata',
      minVersion: 0,
      maxVersion: 13,
      flexibleVersion: 9,
      latestVersionUnstable: false,
      writeRequest: (writer, request) => Metadata.writeRequest(writer, request),
      readResponse: () => {
        throw thrown;
      },
      writeResponse: () => {},
      readRequest: () => null,
    };
    const bad = client.send(0, unreadable, { topics: [] });
    const good = client.send(0, Metadata, { topics: [] });
    assert.equal(await failureOf(bad), thrown);
    await good;
    await client.send(0, Metadata, { topics: [] });
  });

  test('return views that stay valid for ever', async (t) => {
    const client = await openConnected(t, broker, { responseRingBytes: 64 * 1024, spillBytes: 16 * 1024 });
    const first = await client.send(0, Metadata, { topics: [{ name: 'logs' }] });
    const before = JSON.stringify(first);
    // More than the ring holds, so its memory has been written anew several times.
    for (let i = 0; i < 300; i++) await client.send(0, Metadata, { topics: [{ name: 'logs' }] });
    assert.equal(JSON.stringify(first), before);
  });

  test('carry 64-bit numbers beyond what a double holds', async () => {
    const client = await shared();
    await broker.createTopic('far', { assignments: [[0]], startOffset: 2 ** 52 });
    const produced = await client.send(
      0,
      Produce,
      produceRequest('far', [{ value: 'x', timestamp: Long.fromString('9007199254740993') }]),
      byName,
    );
    assert.equal(produced.responses.at(0).partitionResponses.at(0).baseOffset.toString(), String(2 ** 52));
    const fetched = await client.send(0, Fetch, fetchRequest('far', { offset: 2n ** 52n }), byName);
    assert.equal(fetchedRecords(fetched).at(0).timestamp.toString(), '9007199254740993');
  });

  /** The least each API takes. */
  function sendSmallest(
    client: Awaited<ReturnType<typeof openConnected>>,
    api: { readonly key: number },
    version: number,
  ): PromiseLike<unknown> {
    switch (api.key) {
      case ApiVersions.key:
        return client.send(0, ApiVersions, { clientSoftwareName: 'test', clientSoftwareVersion: '1' }, { version });
      case Metadata.key:
        return client.send(0, Metadata, { topics: [{ name: 'logs' }] }, { version });
      case ListOffsets.key:
        return client.send(0, ListOffsets, listOffsetsRequest('logs'), { version });
      default:
        return client.send(0, FindCoordinator, version >= 4 ? { coordinatorKeys: ['g'] } : { key: 'g' }, { version });
    }
  }
});
