// Sessions (KIP-368) of muted connections, when an application does not read: the login is still renewed in time. If the broker ends the
// session, the connection is lost, and the answers before that come first.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import {
  Heartbeat,
  ListGroups,
  SaslAuthenticate,
  SaslHandshake,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { SentRequest } from '../support/fake-application.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

const node = 1;
const sessionMs = 10_000;
const count = 30;
const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' };
const options = {
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslPlainUsername: 'alice',
  saslPlainPassword: 'the-secret',
  connectionSetupTimeoutMs: 5_000,
  metadataMaxAgeMs: 3_600_000,
  // Room for a part of the answers.
  responseRingBytes: 4096,
  spillBytes: 1024,
  spillBudgetBytes: 64 * 1024,
  metrics: true,
  maxInFlightRequestsPerConnection: 100,
} as const satisfies KafkaClientOptions;

let net: FakeNetwork;
let broker: FakeBroker;

afterEach(() => net.close());

/** A connection with a session, muted: all these requests have been answered, and the application reads nothing. */
async function muted(): Promise<SentRequest<unknown>[]> {
  net = new FakeNetwork(options);
  broker = net.broker('two:9092', node);
  for (const { handlers } of [broker, net.broker('one:9092')]) {
    handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['PLAIN'] }));
    handlers.set(SaslAuthenticate.key, () => ({ sessionLifetimeMs: sessionMs }));
  }
  await net.settled();
  net.app.connect(node);
  await net.settled();
  assert.ok(net.app.isConnected(node));
  const sent = Array.from({ length: count }, () => net.app.send(node, ListGroups, {}));
  net.run();
  net.app.isReading = false;
  const groups = [{ groupId: 'g'.repeat(300) }];
  for (let i = 0; i < count; i++) broker.reply({ groups });
  net.run();
  await net.advanceSettled(1);
  assert.equal(net.metrics().total('mutedConnections'), 1);
  return sent;
}

/** Renewals that the broker has seen begin, behind the first login. */
const renewals = (): number => broker.requestsOf(SaslHandshake).length - 1;
const attempts = (): number => net.attempted.filter((address) => address === 'two:9092').length;

/** Lets time pass in steps, between which mechanisms answer. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) await net.advanceSettled(Math.min(100, left));
}

async function read(): Promise<void> {
  net.app.isReading = true;
  await net.settled();
}

const states = (sent: readonly SentRequest<unknown>[]): string[] => [...new Set(sent.map(({ state }) => state))];

test('the login is renewed before the session ends, and other requests wait for it', async () => {
  const sent = await muted();
  const transport = broker.transport;
  broker.handlers.delete(SaslHandshake.key);
  await pass(sessionMs * 0.9);
  assert.equal(renewals(), 1, 'no renewal has begun');
  const other = net.app;
  const newer = other.send(node, Heartbeat, heartbeat);
  await net.settled();
  assert.equal(broker.requestsOf(Heartbeat).length, 0, 'a request went into the exchange');
  broker.reply({ mechanisms: ['PLAIN'] });
  // Far beyond the end of the session, and any time limit of the exchange.
  await pass(5 * sessionMs);
  assert.equal(newer.state, 'open');
  await read();
  assert.deepEqual(states(sent), ['succeeded']);
  await net.settled();
  broker.reply({});
  await net.settled();
  assert.equal(newer.state, 'succeeded');
  assert.equal(broker.transport, transport, 'it is the same connection');
  assert.equal(attempts(), 1);
});

test('the time limit of a renewal counts from when the application reads again, and a broker that found a closed window gets as much time again', async () => {
  const sent = await muted();
  broker.handlers.delete(SaslHandshake.key);
  const unreadMs = sessionMs * 5.9;
  await pass(unreadMs);
  await read();
  assert.deepEqual(states(sent), ['succeeded']);
  await pass(unreadMs + options.connectionSetupTimeoutMs - 200);
  assert.ok(net.app.isConnected(node), 'given up before its time');
  await pass(400);
  assert.equal(net.app.isConnected(node), false);
});

test('when the broker ends the session, its answers are delivered, other requests fail, and a new login follows', async () => {
  const sent = await muted();
  broker.handlers.delete(SaslHandshake.key);
  const other = net.app;
  const late = other.send(node, Heartbeat, heartbeat);
  await pass(sessionMs * 0.9);
  const held = other.send(node, ListGroups, {});
  await net.settled();
  broker.transport.end();
  await pass(sessionMs);
  assert.deepEqual([late.state, held.state], ['open', 'open'], 'the end is behind what was answered');
  broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['PLAIN'] }));
  await read();
  assert.deepEqual(states(sent), ['succeeded']);
  for (const { error } of [late, held]) {
    assert.ok(error instanceof KafkaConnectionError, String(error));
    assert.equal(error.retriable, true);
  }
  await pass(500);
  net.app.connect(node);
  await net.settled();
  assert.ok(net.app.isConnected(node));
  assert.equal(attempts(), 2);
});
