// Limits and refusals of a real broker: quotas, idle connections, connections per address, sizes, rights, offsets. Each has its own
// error, which says whether to try again.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { before, test } from 'node:test';
import {
  AlterClientQuotas,
  CreateTopics,
  errorFor,
  Fetch,
  FindCoordinator,
  type KafkaClient,
  type KafkaClientOptions,
  KafkaConnectionError,
  ListOffsets,
  Metadata,
  NoBrokersAvailable,
  NodeNotReadyError,
  Produce,
  type ServerFailure,
} from '../../src/index.ts';
import { closedByHand, openClient } from '../broker/support/client.ts';
import { byName, fetchRequest, listOffsetsRequest, produceRequest } from '../broker/support/requests.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka, type KafkaOptions } from './fixture/index.ts';
import { addressOf, saslBroker, users } from './security/support/sasl-broker.ts';

const node = 1;
const topic = 'limits';
/** Far above what a test here takes while it holds connections. */
const idleMs = 15_000;
const maxConnections = 12;
const maxLogins = 4;

const sasl = saslBroker({});

/** Its plain listener has every right and limits; whoever logs in has no right at all. */
const options: KafkaOptions = {
  ...sasl,
  extraProperties: (place) => ({
    ...(typeof sasl.extraProperties === 'function' ? sasl.extraProperties(place) : sasl.extraProperties),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'connections.max.idle.ms': idleMs,
    'max.connections.per.ip': maxConnections,
    'listener.name.sasl.max.connections': maxLogins,
    'socket.request.max.bytes': 1_000_000,
    'quota.window.num': 3,
  }),
};

describeKafka(
  'limits of a real broker',
  (suite) => {
    before(async () => {
      const client = await openClient(closedByHand, plain());
      await client.awaitReady(node);
      const configs = [{ name: 'max.message.bytes', value: '4000' }];
      const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs }];
      await client.send(node, CreateTopics, { topics, timeoutMs: 10_000 });
      await waitFor('a leader', async () => {
        const response = await client.send(node, ListOffsets, listOffsetsRequest(topic));
        return response.topics.at(0).partitions.at(0).errorCode === 0;
      });
      await client.close();
    });

    const plain = (): KafkaClientOptions => ({
      bootstrapServers: suite.kafka.bootstrapServers,
      apiVersionAutoTimeoutMs: 90_000,
    });

    async function produce(client: KafkaClient, bytes: number) {
      const records = [{ value: randomBytes(bytes) }];
      const response = await client.send(node, Produce, produceRequest(topic, records), byName);
      return { response, errorCode: response.responses.at(0).partitionResponses.at(0).errorCode };
    }

    /** The client's own quota. */
    async function limit(client: KafkaClient, clientId: string, key: string, value: number): Promise<void> {
      const entity = [{ entityType: 'client-id', entityName: clientId }];
      const entries = [{ entity, ops: [{ key, value, remove: false }] }];
      const altered = await client.send(node, AlterClientQuotas, { entries, validateOnly: false });
      assert.equal(altered.entries.at(0).errorCode, 0);
    }

    /** What has a quota: each asks for 3000 bytes or so, and returns by how many ms it was throttled. */
    const limited: readonly (readonly [
      what: string,
      key: string,
      value: number,
      ask: (client: KafkaClient) => Promise<number>,
    ])[] = [
      [
        'producer',
        'producer_byte_rate',
        2000,
        async (client) => {
          const { response, errorCode } = await produce(client, 3000);
          assert.equal(errorCode, 0, 'a throttled request is carried out');
          return response.throttleTimeMs;
        },
      ],
      [
        'consumer',
        'consumer_byte_rate',
        2000,
        async (client) => {
          const response = await client.send(node, Fetch, fetchRequest(topic, { maxBytes: 3000 }), byName);
          assert.equal(
            response.responses.length > 0,
            response.throttleTimeMs === 0,
            'a throttled fetch brings nothing',
          );
          return response.throttleTimeMs;
        },
      ],
      [
        'client',
        'request_percentage',
        0.01,
        async (client) => {
          const response = await client.send(node, Metadata, { topics: [{ name: topic }] });
          assert.equal(response.topics.at(0).errorCode, 0, 'a throttled request is carried out');
          return response.throttleTimeMs;
        },
      ],
    ];

    for (const [what, key, value, ask] of limited) {
      test(`a ${what} beyond its ${key} is answered, and is then throttled`, async (t) => {
        const client = await openClient(t, { ...plain(), clientId: key });
        await client.awaitReady(node);
        assert.equal((await produce(client, 3000)).errorCode, 0);
        await limit(client, key, key, value);
        const until = await waitFor('to be throttled, and told of it in time', async () => {
          await waitFor('the node', () => client.ready(node));
          // The network thread counts from the moment when it reads the answer, which is later than this.
          const sentAt = performance.now();
          const throttleMs = await ask(client);
          const refused = client.send(node, Metadata, { topics: [] });
          if (throttleMs === 0 || performance.now() > sentAt + throttleMs) {
            await Promise.allSettled([refused]);
            return null;
          }
          assert.ok(refused.exception instanceof NodeNotReadyError, String(refused.exception));
          assert.match(refused.exception.message, /is throttled for another \d+ ms \(quota\)/);
          assert.equal(client.connected(node), true);
          return sentAt + throttleMs;
        });
        await waitFor('the end of the throttling', () => client.isReady(node));
        assert.ok(performance.now() >= until - 1, 'not before its time');
        await client.send(node, Metadata, { topics: [] });
      });
    }

    test('requests in flight behind a throttled request get the throttle time in addition', async (t) => {
      const clientId = 'behind';
      const client = await openClient(t, { ...plain(), clientId });
      await client.awaitReady(node);
      await limit(client, clientId, 'request_percentage', 0.01);
      // The most that this quota throttles by is one window, of a second, and so little it always does.
      const behindMs = 700;
      const [first, behind] = await waitFor('to be throttled', async () => {
        await waitFor('the node', () => client.ready(node));
        const sentAt = performance.now();
        const ahead = client.send(node, Metadata, { topics: [] });
        const next = client.send(node, Metadata, { topics: [] }, { timeoutMs: behindMs });
        const { throttleTimeMs } = await ahead;
        // Where even the answer ahead takes so long, its throttling comes too late to be known.
        const isLate = performance.now() - sentAt > behindMs / 2;
        const [{ status }] = await Promise.allSettled([next]);
        if (isLate && status === 'rejected') return null;
        await next;
        return throttleTimeMs > 0 ? [throttleTimeMs, performance.now() - sentAt] : null;
      });
      assert.ok(first > behindMs && behind > behindMs, `${first} ms, answered after ${behind} ms`);
    });

    test('a connection that the broker closes because it is idle is opened again when it is needed', async (t) => {
      const client = await openClient(t, { ...plain(), metrics: true });
      await client.awaitReady(node);
      // A refresh of metadata soon opens the next one.
      const closed = () => client.metrics()[`node-metrics.node-${node}`]!['connection-close-total']!;
      assert.equal(closed(), 0);
      await waitFor('the broker to close it', () => closed() > 0);
      await client.awaitReady(node);
      const response = await client.send(node, Metadata, { topics: [] });
      assert.equal(response.brokers.length, 1);
    });

    test('too many connections from one address give a retriable error, and the client goes on when there is room', async (t) => {
      const taken = await takeConnections(suite.kafka.host, suite.kafka.port);
      t.after(() => {
        for (const socket of taken) socket.destroy();
      });
      await assert.rejects(openClient(t, { ...plain(), apiVersionAutoTimeoutMs: 5000 }), (error) => {
        assert.ok(error instanceof NoBrokersAvailable);
        assert.equal(error.retriable, true);
        const [{ error: cause }] = error.causes as [ServerFailure];
        assert.match(cause.message, /closed the connection|ECONNRESET|EPIPE/);
        assert.match(cause.message, /all the connections it takes from this address \(max\.connections\.per\.ip\)/);
        return true;
      });
      for (const socket of taken) socket.destroy();
      const client = await openClient(t, plain());
      await client.awaitReady(node);
    });

    test('too many connections to a listener give an error that says so, and the client goes on when there is room', async (t) => {
      const address = addressOf(suite.kafka.brokers[0]!, 'sasl');
      const [host, port] = address.split(':');
      const taken = await Promise.all(Array.from({ length: maxLogins }, () => connected(host!, Number(port))));
      t.after(() => {
        for (const socket of taken) socket.destroy();
      });
      const login = {
        ...plain(),
        ...users.alice,
        bootstrapServers: address,
        securityProtocol: 'SASL_PLAINTEXT',
      } as const;
      const short = { connectionSetupTimeoutMs: 1500, apiVersionAutoTimeoutMs: 5000 };
      await assert.rejects(openClient(t, { ...login, ...short, saslMechanism: 'PLAIN' }), (error) => {
        assert.ok(error instanceof NoBrokersAvailable);
        assert.equal(error.retriable, true);
        assert.match(error.causes[0]!.error.message, /no answer to ApiVersions so far.*\(max\.connections\)/);
        return true;
      });
      for (const socket of taken) socket.destroy();
      const client = await openClient(t, { ...login, saslMechanism: 'PLAIN' });
      await client.awaitReady(node);
    });

    test('a batch that is too large for the topic gives MESSAGE_TOO_LARGE, which is not retriable', async (t) => {
      const client = await openClient(t, plain());
      await client.awaitReady(node);
      const error = errorFor((await produce(client, 5000)).errorCode);
      assert.equal(error?.errorName, 'MESSAGE_TOO_LARGE');
      assert.equal(error?.retriable, false);
      assert.equal((await produce(client, 1000)).errorCode, 0);
    });

    test('a request that is too large for the broker ends the connection', async (t) => {
      const client = await openClient(t, plain());
      await client.awaitReady(node);
      await assert.rejects(produce(client, 1_500_000), (error) => {
        assert.ok(error instanceof KafkaConnectionError, String(error));
        return true;
      });
      await client.awaitReady(node);
      assert.equal((await produce(client, 1000)).errorCode, 0);
    });

    test('an offset out of range gives OFFSET_OUT_OF_RANGE', async (t) => {
      const client = await openClient(t, plain());
      await client.awaitReady(node);
      const response = await client.send(node, Fetch, fetchRequest(topic, { offset: 1_000_000 }), byName);
      const error = errorFor(response.responses.at(0).partitions.at(0).errorCode);
      assert.equal(error?.errorName, 'OFFSET_OUT_OF_RANGE');
    });

    test('missing rights give their own errors, which are not retriable, and the connection stays', async (t) => {
      const client = await openClient(t, {
        bootstrapServers: addressOf(suite.kafka.brokers[0]!, 'sasl'),
        securityProtocol: 'SASL_PLAINTEXT',
        saslMechanism: 'PLAIN',
        ...users.alice,
        apiVersionAutoTimeoutMs: 90_000,
      });
      await client.awaitReady(node);
      const described = await client.send(node, Metadata, { topics: [{ name: topic }] });
      const coordinator = await client.send(node, FindCoordinator, { coordinatorKeys: ['group'], keyType: 0 });
      const codes = [
        described.topics.at(0).errorCode,
        (await produce(client, 100)).errorCode,
        coordinator.coordinators.at(0).errorCode,
      ];
      const names = codes.map((code) => errorFor(code)?.errorName);
      assert.deepEqual(names, [
        'TOPIC_AUTHORIZATION_FAILED',
        'TOPIC_AUTHORIZATION_FAILED',
        'GROUP_AUTHORIZATION_FAILED',
      ]);
      for (const code of codes) assert.equal(errorFor(code)?.retriable, false);
      assert.equal(client.connected(node), true);
    });
  },
  options,
);

/** Connections until the broker takes no more; those it closed are not among them. */
async function takeConnections(host: string, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  let refused = 0;
  while (refused === 0 && sockets.length < 3 * maxConnections) {
    const socket = await connected(host, port, () => refused++);
    sockets.push(socket);
  }
  await waitFor('the broker to refuse one', () => refused > 0);
  return sockets;
}

async function connected(host: string, port: number, onClose = (): void => {}): Promise<Socket> {
  const socket = connect({ host, port });
  socket.on('error', () => {});
  socket.once('close', onClose);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}
