// Owns one connection that logs in, in a network thread without sockets, for tests of logins. Test thread.

import assert from 'node:assert/strict';
import type { KafkaClientOptions } from '../../../../../src/common/config/config.ts';
import { NodeNotReadyError } from '../../../../../src/common/errors/errors.ts';
import {
  ApiVersions,
  Heartbeat,
  ListGroups,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
} from '../../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../../support/fake-network.ts';
import type { FakeBroker } from '../../support/fake-peer.ts';

export const plain = {
  bootstrapServers: 'one:9092',
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslPlainUsername: 'alice',
  saslPlainPassword: 'the-secret',
} as const satisfies KafkaClientOptions;

export const oauth = {
  bootstrapServers: 'one:9092',
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'OAUTHBEARER',
  saslOauthTokenProvider: { token: () => 'unused: the network under test asks elsewhere' },
} as const satisfies KafkaClientOptions;

export const node = -1;

export const names = new Map(
  [SaslHandshake, SaslAuthenticate, ListGroups, Heartbeat, Produce, ApiVersions].map(({ key, name }) => [key, name]),
);

export let net: FakeNetwork;

export let broker: FakeBroker;

export function start(options: KafkaClientOptions = plain): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092');
  // So that metadata is no reason to connect or to ask again.
  net.cluster.brokers.push({ id: 1, host: 'elsewhere', port: 9092 });
  net.serve('elsewhere:9092', 'silent');
  broker.handlers.set(SaslHandshake.key, ({ body }) => ({ errorCode: 0, mechanisms: ['GSSAPI', body.mechanism] }));
}

/** What the broker was asked, metadata apart. */
export const asked = (): (string | undefined)[] =>
  broker.requests.map(({ apiKey }) => names.get(apiKey)).filter((name) => name !== undefined);

export const state = (): number => net.app.end.counters.nodeState(net.app.end.counters.nodeRow(node));

export async function connect(): Promise<void> {
  net.run();
  net.app.connect(node);
  await net.settled();
}

/** The error that a send meets after a login has failed. */
export async function lastError(): Promise<Error> {
  const sent = net.app.send(node, ListGroups, {});
  await net.settled();
  assert.ok(sent.error instanceof NodeNotReadyError, String(sent.error));
  return sent.error.cause as Error;
}
