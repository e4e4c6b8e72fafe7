// The cluster and node that connections name to brokers (KIP-1242), and connections that reached another broker.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { type KafkaClientError, KafkaProtocolError, NodeNotReadyError } from '../../../../src/common/errors/errors.ts';
import { coordinatorNodeId } from '../../../../src/common/node-ids.ts';
import {
  ApiVersions,
  ListGroups,
  Metadata,
  SaslAuthenticate,
  SaslHandshake,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, range } from '../support/fake-peer.ts';

let net: FakeNetwork;
let boot: FakeBroker;
let one: FakeBroker;
let two: FakeBroker;

/** A cluster of brokers 1 and 2 behind one bootstrap server. */
function start(options: KafkaClientOptions = {}, clusterId: string | null = 'the-cluster'): void {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', connectionsMaxIdleMs: -1, ...options });
  net.cluster.clusterId = clusterId;
  boot = net.broker('boot:9092');
  one = net.broker('one:9092', 1);
  two = net.broker('two:9092', 2);
}

afterEach(() => net.close());

/** ApiVersions that a broker was asked, as version, cluster and node. */
function named({ requests }: FakeBroker): unknown[] {
  return requests
    .filter(({ apiKey }) => apiKey === ApiVersions.key)
    .map(({ version, body }) => [version, body.clusterId, body.nodeId]);
}

/** Why the node takes no request. */
function whyNot(nodeId: number): KafkaClientError {
  const sent = net.app.send(nodeId, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof NodeNotReadyError, String(sent.error));
  return sent.error.cause as KafkaClientError;
}

/** Node 2's address leads to broker 1. */
function misroute(): void {
  net.serve('two:9092', one);
}

describe('a connection tells the broker for whom it is meant', () => {
  test('a broker gets cluster id and node id, and a bootstrap server gets neither', () => {
    start();
    net.ready(1);
    net.ready(2);
    assert.deepEqual(named(boot), [[5, null, -1]]);
    assert.deepEqual(named(one), [[5, 'the-cluster', 1]]);
    assert.deepEqual(named(two), [[5, 'the-cluster', 2]]);
  });

  test('a coordinator gets the node id of its broker', () => {
    start();
    net.ready(2);
    net.ready(coordinatorNodeId(2));
    assert.deepEqual(named(two), [
      [5, 'the-cluster', 2],
      [5, 'the-cluster', 2],
    ]);
  });

  for (const [what, options, clusterId] of [
    ['with metadataClusterCheckEnable off', { metadataClusterCheckEnable: false }, 'the-cluster'],
    ['with an apiVersion whose brokers do not know it', { apiVersion: [4, 3] }, 'the-cluster'],
    ['in a cluster without an id', {}, null],
  ] as const) {
    test(`neither id is sent ${what}`, () => {
      start(options, clusterId);
      net.ready(-1);
      net.ready(1);
      assert.deepEqual(named(one), [[5, null, -1]]);
    });
  }

  test('brokers of 4.3 do not get it, and are asked in a version that they know', () => {
    start();
    for (const broker of [boot, one, two]) broker.ranges.set(ApiVersions.key, range(0, 4));
    net.ready(1);
    net.ready(2);
    const versions = [boot, one, two].map((broker) => broker.requestsOf(ApiVersions).map(({ version }) => version));
    assert.deepEqual(versions, [[5, 4], [4], [4]]);
  });

  test('a broker that is newer than the others gets it in a second request', () => {
    start();
    boot.ranges.set(ApiVersions.key, range(0, 4));
    net.ready(1);
    assert.deepEqual(named(one), [
      [4, null, -1],
      [5, 'the-cluster', 1],
    ]);
    assert.equal(one.transports.length, 1);
  });
});

describe('a connection that led to another broker', () => {
  test('is closed, and sends fail with the reason', () => {
    start();
    net.ready(1);
    misroute();
    net.app.connect(2);
    net.run();
    assert.equal(net.app.isConnected(2), false);
    assert.ok(one.transports.at(-1)!.isDestroyed);
    const error = whyNot(2);
    assert.equal(error.code, 'KAFKA_REBOOTSTRAP_REQUIRED');
    assert.equal(error.nodeId, 2);
    assert.match(error.message, /two:9092 is not node 2 of cluster 'the-cluster'.*129.*load balancer/);
  });

  test('makes the client ask the bootstrap servers, whose answer counts', () => {
    start();
    net.ready(1);
    misroute();
    const asked = boot.requestsOf(Metadata).length;
    net.cluster.brokers = [net.cluster.brokers[0]!];
    const moved = net.broker('elsewhere:9092', 2);
    net.app.connect(2);
    net.advance(net.config.retryBackoffMs);
    assert.ok(boot.requestsOf(Metadata).length > asked, 'the bootstrap server was not asked again');
    assert.equal(net.metrics().total('startedOver'), 1);
    net.ready(2);
    assert.deepEqual(named(moved), [[5, 'the-cluster', 2]]);
  });

  test('ends no other connection, and requests on other connections are answered', () => {
    start();
    net.ready(1);
    misroute();
    const sent = net.app.send(1, ListGroups, {});
    net.app.connect(2);
    net.run();
    assert.ok(net.app.isConnected(1));
    one.reply({ groups: [] });
    net.run();
    assert.equal(sent.state, 'succeeded');
  });

  test('is tried again with a growing delay, and works when the route is right', () => {
    start();
    net.ready(1);
    misroute();
    const before = one.transports.length;
    for (let i = 0; i < 100; i++) {
      net.app.connect(2);
      net.advance(100);
    }
    const attempts = one.transports.length - before;
    assert.ok(attempts >= 8 && attempts <= 20, `${attempts} attempts in 10 s`);
    net.serve('two:9092', two);
    net.advance(net.config.reconnectBackoffMaxMs * 2);
    net.ready(2);
  });

  test('finds a new cluster through the bootstrap servers if the cluster was replaced', () => {
    start();
    net.ready(1);
    net.cluster.clusterId = 'another';
    one.transports.at(-1)!.end();
    net.run();
    net.advance(10_000);
    net.ready(1);
    assert.deepEqual(named(one).at(-1), [5, 'another', 1]);
  });

  test('is an error of the server if the server was not told for whom the connection is meant', () => {
    start();
    boot.handlers.set(ApiVersions.key, () => ({ errorCode: 129 }));
    net.run();
    const error = whyNot(-1);
    assert.ok(error instanceof KafkaProtocolError);
    assert.match(error.message, /error code 129/);
  });
});

describe('a connection that logs in', () => {
  const login = {
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: 'PLAIN',
    saslPlainUsername: 'alice',
    saslPlainPassword: 'the-secret',
  } as const satisfies KafkaClientOptions;

  function startLogins(options: KafkaClientOptions = {}): void {
    start({ ...login, ...options });
    for (const broker of [boot, one, two]) {
      broker.handlers.set(SaslHandshake.key, () => ({ mechanisms: ['PLAIN'] }));
      broker.handlers.set(SaslAuthenticate.key, () => ({}));
    }
  }

  async function connect(nodeId: number): Promise<void> {
    await net.settled();
    net.app.connect(nodeId);
    await net.settled();
  }

  /** What a broker was asked, by name. */
  const asked = ({ requests }: FakeBroker): string[] => requests.map(({ codec }) => codec.name);

  test('tells it after the login, because brokers do not compare it before', async () => {
    startLogins();
    await connect(1);
    assert.ok(net.app.isConnected(1));
    assert.deepEqual(named(one), [
      [5, null, -1],
      [5, 'the-cluster', 1],
    ]);
    assert.deepEqual(asked(one).slice(0, 4), ['ApiVersions', 'SaslHandshake', 'SaslAuthenticate', 'ApiVersions']);
    assert.deepEqual(named(boot), [[5, null, -1]]);
  });

  test('is not ready, and gets no request, before the answer', async () => {
    startLogins();
    await connect(-1);
    one.handlers.set(ApiVersions.key, ({ body }) => (body.clusterId === null ? versionsOf(one) : null));
    await connect(1);
    assert.equal(net.app.isConnected(1), false);
    assert.equal(whyNot(1), undefined, 'nothing is wrong so far');
    one.reply(versionsOf(one));
    await net.settled();
    assert.ok(net.app.isConnected(1));
  });

  test('is closed when it led to another broker', async () => {
    startLogins();
    await connect(1);
    misroute();
    await connect(2);
    assert.equal(net.app.isConnected(2), false);
    assert.equal(whyNot(2).code, 'KAFKA_REBOOTSTRAP_REQUIRED');
    assert.ok(net.app.isConnected(1));
  });

  test('asks nothing after the login if brokers are of 4.3 or the check is off', async () => {
    startLogins({ metadataClusterCheckEnable: false });
    await connect(1);
    assert.deepEqual(named(one), [[5, null, -1]]);
    await net.close();
    startLogins();
    for (const broker of [boot, one]) broker.ranges.set(ApiVersions.key, range(0, 4));
    await connect(1);
    assert.deepEqual(named(one), [[4, null, -1]]);
    assert.ok(net.app.isConnected(1));
  });
});

function versionsOf({ ranges }: FakeBroker): object {
  return { apiKeys: [...ranges].map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max })) };
}
