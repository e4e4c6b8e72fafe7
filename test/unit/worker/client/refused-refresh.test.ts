// A refresh of metadata that somebody waits for, while every server refuses the login, or only some do. Servers that are merely down
// are waited for.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  KafkaTimeoutError,
  NoBrokersAvailable,
  SaslAuthenticationFailedError,
} from '../../../../src/common/errors/errors.ts';
import { SaslAuthenticate, SaslHandshake } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';
import { type Refresh, refresh } from './support/refresh.ts';

const options = {
  bootstrapServers: 'one:1,two:2',
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslPlainUsername: 'alice',
  saslPlainPassword: 'the-secret',
} as const satisfies KafkaClientOptions;
const refusesLogin = { errorCode: 58, errorMessage: 'Invalid password' };

let net: FakeNetwork;

afterEach(() => net.close());

function server(address: string): FakeBroker {
  const broker = net.broker(address);
  broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['PLAIN'] }));
  broker.handlers.set(SaslAuthenticate.key, () => refusesLogin);
  return broker;
}

async function pass(ms: number, until: () => boolean): Promise<void> {
  for (let at = 0; at < ms && !until(); at += 50) await net.advanceSettled(50);
}

function assertRefused({ outcome, error }: Refresh, causes: number, retriable: boolean): void {
  assert.equal(outcome, 'failed');
  assert.ok(error instanceof NoBrokersAvailable, String(error));
  assert.match(error.message, /login or certificate was refused:\n.*Invalid password/);
  assert.equal(error.causes.length, causes);
  assert.ok(error.cause instanceof SaslAuthenticationFailedError, String(error.cause));
  assert.equal(error.retriable, retriable);
}

test('fails without retry when every server has refused since it began, and the client goes on trying', async () => {
  net = new FakeNetwork(options);
  net.cluster.brokers = [{ id: 1, host: 'one', port: 1 }];
  const servers = [server('one:1'), server('two:2')];
  const first = refresh(net);
  await pass(60_000, () => first.outcome !== 'open');
  assertRefused(first, 2, false);
  const second = refresh(net, ['t']);
  await net.settled();
  assert.equal(second.outcome, 'open', 'that a server refused before is no answer: the password may be right by now');
  for (const one of servers) one.handlers.set(SaslAuthenticate.key, () => ({ errorCode: 0 }));
  await pass(60_000, () => second.outcome !== 'open');
  assert.equal(second.outcome, 'succeeded', String(second.error));
});

test('waits for a server that was not tried since it began, and is retriable if another server is only down', async () => {
  net = new FakeNetwork(options);
  server('one:1');
  const asked = refresh(net);
  await pass(60_000, () => asked.outcome !== 'open');
  // Nobody listens at two:2.
  assertRefused(asked, 2, true);
});

test('waits while all servers are only down, for twice the request timeout, and the client goes on trying', async () => {
  net = new FakeNetwork({ ...options, requestTimeoutMs: 20_000 });
  const asked = refresh(net);
  await pass(39_000, () => asked.outcome !== 'open');
  assert.equal(asked.outcome, 'open', String(asked.error));
  await pass(2000, () => asked.outcome !== 'open');
  assert.ok(asked.error instanceof KafkaTimeoutError, String(asked.error));
  assert.match(asked.error.message, /within 40000 ms .*not connected/);
  net.cluster.brokers = [{ id: 1, host: 'one', port: 1 }];
  const answers = server('one:1');
  answers.handlers.set(SaslAuthenticate.key, () => ({ errorCode: 0 }));
  const { length } = net.app.metadata;
  await pass(60_000, () => net.app.metadata.length > length);
  assert.ok(net.app.metadata.length > length, 'the refresh stayed due');
});
