// Brokers that take their time are not failed ones: a delayed accept (KIP-612) and a delayed answer to a login that failed (KIP-306) count
// by the setup timeout, and by nothing else.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { SaslAuthenticationFailedError } from '../../../../src/common/errors/errors.ts';
import { ListGroups, SaslAuthenticate } from '../../../../src/protocol/flat/generated/apis.ts';
import { connect, lastError, broker as loginBroker, net as loginNet, start } from '../sasl/support/login.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeTransport } from '../support/fake-peer.ts';

let net: FakeNetwork;

afterEach(() => net.close());

test('a connection that is accepted just within the setup timeout is used', () => {
  net = new FakeNetwork({ connectionSetupTimeoutMs: 10_000, connectionSetupTimeoutMaxMs: 10_000 });
  const broker = net.broker('one:9092', 1);
  net.ready(1);
  broker.transport.end();
  const waiting: FakeTransport[] = [];
  net.serve('one:9092', (transport) => waiting.push(transport));
  net.advance(5000);
  net.app.connect(1);
  net.run();
  assert.ok(waiting.length > 0);
  net.advance(9000);
  assert.equal(net.app.isConnected(1), false);
  for (const transport of waiting) broker.accept(transport);
  net.run();
  assert.ok(net.app.isConnected(1));
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('a refusal of a login that comes late is that refusal, not a timeout', async () => {
  start();
  net = loginNet;
  await connect();
  const [asked] = loginBroker.waiting;
  assert.equal(asked!.apiKey, SaslAuthenticate.key);
  await net.advanceSettled(net.config.connectionSetupTimeoutMs - 100);
  loginBroker.reply({ errorCode: 58, errorMessage: 'no such user' });
  await net.settled();
  assert.ok((await lastError()) instanceof SaslAuthenticationFailedError);
});
