// A start that every server refuses fails at once. If one server may still accept the client, start waits for it.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  NoBrokersAvailable,
  SaslAuthenticationFailedError,
  TlsAuthenticationError,
  UnsupportedSaslMechanismError,
} from '../../../../src/common/errors/errors.ts';
import { SaslAuthenticate, SaslHandshake } from '../../../../src/protocol/flat/generated/apis.ts';
import { type Call, watch } from '../support/control-calls.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker, FakeTransport } from '../support/fake-peer.ts';

const budgetMs = 2000;
const plain = {
  bootstrapServers: 'one:1,two:2',
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslPlainUsername: 'alice',
  saslPlainPassword: 'the-secret',
  apiVersionAutoTimeoutMs: budgetMs,
} as const satisfies KafkaClientOptions;
const oauth = {
  bootstrapServers: 'one:1',
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'OAUTHBEARER',
  saslOauthTokenProvider: { token: () => 'unused: the network under test asks elsewhere' },
  apiVersionAutoTimeoutMs: budgetMs,
} as const satisfies KafkaClientOptions;
const refusesLogin = { errorCode: 58, errorMessage: 'Invalid password' };

let net: FakeNetwork;

afterEach(() => net.close());

/** A broker that wants logins, and answers them with `answer`; null: not at all. */
function server(address: string, answer: object | null): FakeBroker {
  const broker = net.broker(address);
  broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['PLAIN', 'OAUTHBEARER'] }));
  broker.handlers.set(SaslAuthenticate.key, () => answer);
  return broker;
}

/** Lets backoff pass, so that who has refused is asked once more. */
async function askedAgain(): Promise<void> {
  for (let left = 300; left > 0; left -= 100) await net.advanceSettled(100);
}

function assertRefused({ error }: Call<unknown>, ...types: readonly (new (...args: never[]) => Error)[]): void {
  assert.ok(error instanceof NoBrokersAvailable, String(error));
  assert.match(error.message, /^none of the \d bootstrap servers could be used: login or certificate was refused:\n/);
  assert.equal(error.causes.length, types.length);
  for (const [i, type] of types.entries()) assert.ok(error.causes[i]!.error instanceof type, String(error.causes[i]));
  assert.equal((error.cause as Error).message, error.causes[0]!.error.message);
}

/** The failure of a start whose time is over. */
function assertOutOfTime({ error }: Call<unknown>): void {
  assert.ok(error instanceof NoBrokersAvailable, String(error));
  assert.match(error.message, /could be used within 2000 ms \(apiVersionAutoTimeoutMs\)/);
}

/** Refuses by certificate. */
const untrusted = (transport: FakeTransport): void => transport.fail(new TlsAuthenticationError('not trusted'));

describe('every server refuses', () => {
  test('the login: start fails when the last server has refused', async () => {
    net = new FakeNetwork(plain);
    server('one:1', refusesLogin);
    const two = server('two:2', null);
    const started = watch(net.control.start());
    await net.settled();
    assert.ok(started.isOpen, 'one server has not answered');
    two.reply(refusesLogin);
    await net.settled();
    assertRefused(started, SaslAuthenticationFailedError, SaslAuthenticationFailedError);
  });

  test('the login, one of them while another is tried again', async () => {
    net = new FakeNetwork(plain);
    const one = server('one:1', null);
    const two = server('two:2', null);
    const started = watch(net.control.start());
    await net.settled();
    one.reply(refusesLogin);
    await askedAgain();
    assert.equal(one.requestsOf(SaslAuthenticate).length, 2, 'a second login is under way');
    assert.ok(started.isOpen);
    two.reply(refusesLogin);
    await net.settled();
    assertRefused(started, SaslAuthenticationFailedError, SaslAuthenticationFailedError);
  });

  test('in different ways: mechanism and certificate', async () => {
    net = new FakeNetwork(plain);
    const one = server('one:1', null);
    one.handlers.set(SaslHandshake.key, () => ({ errorCode: 33, mechanisms: ['GSSAPI'] }));
    net.serve('two:2', untrusted);
    const started = watch(net.control.start());
    await askedAgain();
    assertRefused(started, UnsupportedSaslMechanismError, TlsAuthenticationError);
  });

  test('the token that a provider gave for this login', async () => {
    net = new FakeNetwork(oauth);
    net.askForToken = async () => ({ token: 'a.b.c', extensions: {} });
    server('one:1', refusesLogin);
    const started = watch(net.control.start());
    await net.settled();
    assertRefused(started, SaslAuthenticationFailedError);
  });

  test('when checkVersion is called after an earlier login succeeded', async () => {
    net = new FakeNetwork({ ...plain, bootstrapServers: 'one:1' });
    const one = server('one:1', {});
    const started = watch(net.control.start());
    await net.settled();
    assert.ok(started.result !== undefined || started.isOpen);
    one.handlers.set(SaslAuthenticate.key, () => refusesLogin);
    net.app.disconnect(-1);
    await net.settled();
    const checked = watch(net.control.checkVersion(null, budgetMs, false));
    await net.settled();
    assertRefused(checked, SaslAuthenticationFailedError);
    const again = watch(net.control.checkVersion(null, budgetMs, false));
    await net.settled();
    assert.ok(again.isOpen, 'what was refused before is asked once more');
    await net.advanceSettled(1000);
    assertRefused(again, SaslAuthenticationFailedError);
  });
});

describe('one server refuses', () => {
  test('and another is a black hole: start waits until its limit', async () => {
    net = new FakeNetwork(plain);
    server('one:1', refusesLogin);
    net.serve('two:2', 'silent');
    const started = watch(net.control.start());
    await net.settled();
    for (let left = budgetMs - 1; left > 0; left -= 100) await net.advanceSettled(Math.min(100, left));
    assert.ok(started.isOpen);
    await net.advanceSettled(1);
    assertOutOfTime(started);
    assert.ok((started.error as NoBrokersAvailable).causes[0]!.error instanceof SaslAuthenticationFailedError);
  });

  test('and another is down: start waits, and succeeds when that server comes back', async () => {
    net = new FakeNetwork(plain);
    server('one:1', refusesLogin);
    const started = watch(net.control.start());
    await net.settled();
    for (let i = 0; i < 5; i++) await net.advanceSettled(100);
    assert.ok(started.isOpen);
    net.cluster.brokers.push({ id: 2, host: 'two', port: 2 });
    server('two:2', {});
    for (let i = 0; i < 10; i++) await net.advanceSettled(100);
    assert.ok(started.result, String(started.error));
  });

  test('and is down when another refuses: not all servers have refused', async () => {
    net = new FakeNetwork(plain);
    server('one:1', refusesLogin);
    const two = server('two:2', null);
    const started = watch(net.control.start());
    await net.settled();
    net.serve('one:1', 'refuses');
    await askedAgain();
    assert.equal(net.attempted.filter((address) => address === 'one:1').length, 2);
    two.reply(refusesLogin);
    await net.settled();
    assert.ok(started.isOpen);
  });

  test('before checkVersion is called and is silent then: the old refusal does not count', async () => {
    net = new FakeNetwork(plain);
    const one = server('one:1', refusesLogin);
    const two = server('two:2', {});
    watch(net.control.start());
    net.app.connect(-1);
    await net.settled();
    assert.equal(one.requestsOf(SaslAuthenticate).length, 1, 'it has not refused');
    assert.ok(net.app.isConnected(-2));
    net.serve('one:1', 'silent');
    two.handlers.set(SaslAuthenticate.key, () => refusesLogin);
    net.app.disconnect(-2);
    await net.advanceSettled(1);
    const checked = watch(net.control.checkVersion(null, budgetMs, false));
    for (let i = 0; i < 6; i++) await net.advanceSettled(100);
    assert.ok(two.requestsOf(SaslAuthenticate).length > 1, 'the other was asked');
    assert.ok(checked.isOpen);
  });

  test('at its second address while the first is down: the server counts as refusing', async () => {
    net = new FakeNetwork({ bootstrapServers: 'one:1', apiVersionAutoTimeoutMs: budgetMs });
    net.names.set('one', ['address-a', 'address-b']);
    net.serve('address-b:1', untrusted);
    const started = watch(net.control.start());
    await askedAgain();
    assert.deepEqual(net.attempted.slice(0, 2), ['address-a:1', 'address-b:1']);
    assertRefused(started, TlsAuthenticationError);
  });
});

test('start waits for a token provider that fails, because no server has refused', async () => {
  net = new FakeNetwork(oauth);
  server('one:1', {});
  net.cluster.brokers.push({ id: 1, host: 'one', port: 1 });
  let isSealed = true;
  net.askForToken = async () => {
    if (isSealed) throw new SaslAuthenticationFailedError('vault is sealed');
    return { token: 'a.b.c', extensions: {} };
  };
  const started = watch(net.control.start());
  await net.settled();
  for (let i = 0; i < 5; i++) await net.advanceSettled(100);
  assert.ok(started.isOpen);
  isSealed = false;
  for (let i = 0; i < 10; i++) await net.advanceSettled(100);
  assert.ok(started.result, String(started.error));
});
