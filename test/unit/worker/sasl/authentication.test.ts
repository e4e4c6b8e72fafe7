// Logins in a whole network thread: the order of their requests, and the end of each failed login. The mechanism is PLAIN or
// OAUTHBEARER. The answers of mechanisms come between turns.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import {
  IllegalSaslStateError,
  KafkaConnectionError,
  KafkaProtocolError,
  NoBrokersAvailable,
  SaslAuthenticationFailedError,
  UnsupportedSaslMechanismError,
} from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { ListGroups, SaslAuthenticate, SaslHandshake } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTED, NODE_CONNECTING, NODE_DISCONNECTED } from '../../../../src/state/counters.ts';
import { int32, range } from '../support/fake-peer.ts';
import { asked, broker, connect, lastError, net, node, oauth, plain, start, state } from './support/login.ts';

afterEach(() => net.close());

describe('a login', () => {
  test('follows the version exchange, and the node is ready only after it', async () => {
    start();
    await connect();
    assert.deepEqual(asked(), ['ApiVersions', 'SaslHandshake', 'SaslAuthenticate']);
    assert.equal(state(), NODE_CONNECTING);
    const [, handshake, authenticate] = broker.requests;
    assert.deepEqual([handshake!.version, handshake!.body.mechanism], [1, 'PLAIN']);
    assert.equal(authenticate!.body.authBytes.toString(), 'alice\0alice\0the-secret');
    broker.reply({});
    await net.settled();
    assert.equal(state(), NODE_CONNECTED);
    const sent = net.app.send(node, ListGroups, {});
    net.run();
    broker.reply({});
    net.run();
    assert.equal(sent.state, 'succeeded');
  });

  const refusals: readonly (readonly [
    what: string,
    code: number,
    type: new (...args: never[]) => Error,
    says: RegExp,
  ])[] = [
    [
      'bad credentials',
      58,
      SaslAuthenticationFailedError,
      /^login with PLAIN at node -1 \(one:9092\) failed: Invalid user \[secret\]/,
    ],
    ['a state that does not fit', 34, IllegalSaslStateError, /Invalid user/],
    ['an unknown code', 99, KafkaProtocolError, /error code 99/],
  ];
  for (const [what, errorCode, type, says] of refusals) {
    test(`refused for ${what} ends the attempt, and every send fails with that reason`, async () => {
      start();
      broker.handlers.set(SaslAuthenticate.key, () => ({ errorCode, errorMessage: 'Invalid user the-secret' }));
      await connect();
      assert.equal(state(), NODE_DISCONNECTED);
      assert.ok(net.transports[0]!.isDestroyed);
      const error = await lastError();
      assert.ok(error instanceof type, String(error));
      assert.match(error.message, says);
      assert.equal((error as SaslAuthenticationFailedError).retriable, false);
    });
  }

  test('refused is tried again after the backoff, and the next one can succeed', async () => {
    start({ ...plain, reconnectBackoffMs: 100, reconnectBackoffMaxMs: 1000 });
    let isGood = false;
    // A broker that takes its time to refuse, as KIP-306 has it.
    broker.handlers.set(SaslAuthenticate.key, () => (isGood ? {} : null));
    await connect();
    for (const attempts of [1, 2, 3, 4]) {
      assert.equal(net.attempts.length, attempts);
      await net.advanceSettled(300);
      broker.reply({ errorCode: 58 });
      await net.settled();
      const backoffMs = 100 * 2 ** (attempts - 1);
      net.app.connect(node);
      await net.advanceSettled(backoffMs * 0.8 - 1);
      assert.equal(net.attempts.length, attempts, 'an attempt during the backoff');
      await net.advanceSettled(backoffMs * 0.4 + 1);
      net.app.connect(node);
      await net.settled();
    }
    isGood = true;
    await net.advanceSettled(300);
    broker.reply({});
    await net.settled();
    assert.equal(state(), NODE_CONNECTED);
    assert.ok(net.turns < 2000, `${net.turns} turns`);
  });

  test('is not tried at another address of the same broker', async () => {
    start();
    net.names.set('one', ['10.0.0.1', '10.0.0.2']);
    net.serve('10.0.0.1:9092', broker);
    net.serve('10.0.0.2:9092', broker);
    broker.handlers.set(SaslAuthenticate.key, () => ({ errorCode: 58 }));
    await connect();
    assert.deepEqual(net.attempted, ['10.0.0.1:9092']);
  });

  test('with a mechanism that the broker lacks fails with the list of those it has', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({
      errorCode: 33,
      mechanisms: ['GSSAPI', 'x'.repeat(500), ...Array(5000).fill('y')],
    }));
    await connect();
    const error = await lastError();
    assert.ok(error instanceof UnsupportedSaslMechanismError);
    assert.match(
      error.message,
      /does not offer SASL mechanism PLAIN; it offers GSSAPI, x{40}\.\.\.(, y){18} \[KAFKA_\w+\]$/,
    );
    assert.deepEqual(asked(), ['ApiVersions', 'SaslHandshake'], 'credentials were sent');
  });

  for (const [mechanism, options] of [
    ['PLAIN', plain],
    ['SCRAM-SHA-512', { ...plain, saslMechanism: 'SCRAM-SHA-512' }],
    ['OAUTHBEARER', oauth],
  ] as const) {
    for (const version of [0, 1]) {
      test(`sends nothing of ${mechanism} to a broker that takes SaslHandshake ${version} and lists other mechanisms`, async () => {
        start(options);
        net.askForToken = async () => ({ token: 'the-token', extensions: {} });
        broker.ranges.set(SaslHandshake.key, range(0, version));
        broker.takesBareTokens = () => ({ answer: Buffer.alloc(0), isOver: true });
        broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['GSSAPI', 'SCRAM-SHA-256'] }));
        await connect();
        const error = await lastError();
        assert.ok(error instanceof UnsupportedSaslMechanismError, String(error));
        assert.match(
          error.message,
          new RegExp(`does not offer SASL mechanism ${mechanism}; it offers GSSAPI, SCRAM-SHA-256 \\[KAFKA_\\w+\\]$`),
        );
        assert.equal(error.retriable, false);
        assert.deepEqual(asked(), ['ApiVersions', 'SaslHandshake']);
        assert.deepEqual(broker.bareTokens, []);
      });
    }
  }

  test('goes on if the broker lists no mechanism and no error', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: [] }));
    broker.handlers.set(SaslAuthenticate.key, () => ({}));
    await connect();
    assert.equal(state(), NODE_CONNECTED);
  });

  test('at a listener without logins fails, and the error explains code 34', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 34, mechanisms: [] }));
    await connect();
    const error = await lastError();
    assert.ok(error instanceof IllegalSaslStateError);
    assert.match(error.message, /error code 34; probably this listener has no SASL: .*securityProtocol without SASL/);
  });

  test('with a broker that offers no mechanism fails with that reason', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 33, mechanisms: [] }));
    await connect();
    assert.match((await lastError()).message, /it offers none \[KAFKA_\w+\]$/);
  });

  test('at a broker without SASL fails before anything secret is sent', async () => {
    start();
    broker.ranges.delete(SaslHandshake.key);
    await connect();
    assert.match((await lastError()).message, /SaslHandshake/);
    assert.deepEqual(asked(), ['ApiVersions']);
  });

  test('that the broker closes in the middle is a lost connection', async () => {
    start();
    await connect();
    broker.transport.end();
    await net.settled();
    const error = await lastError();
    assert.ok(error instanceof KafkaConnectionError);
    assert.match(error.message, /closed the connection during authentication \[KAFKA_\w+\]$/);
  });

  test('refuses a large frame and an answer without a request', async () => {
    start();
    await connect();
    broker.transport.send(Buffer.concat([int32(600_000), Buffer.alloc(100)]));
    await net.settled();
    assert.match((await lastError()).message, /600000 is above the limit of 524288/);
  });

  test('that takes too long ends with the setup deadline', async () => {
    start({ ...plain, connectionSetupTimeoutMs: 1000 });
    await connect();
    net.advance(999);
    assert.equal(state(), NODE_CONNECTING);
    net.advance(1);
    assert.match((await lastError()).message, /did not finish in time/);
  });

  test('that has not ended is named by start when its time is over', async () => {
    start({ ...plain, apiVersionAutoTimeoutMs: 1000 });
    const started = net.control.start();
    for (let i = 0; i < 12; i++) await net.advanceSettled(100);
    const result = await started;
    assert.ok('error' in result);
    assert.match(result.error.message, /connected, but the login has not ended so far/);
  });

  test('start fails with the reason of the refusal', async () => {
    start({ ...plain, apiVersionAutoTimeoutMs: 1000 });
    broker.handlers.set(SaslAuthenticate.key, () => ({ errorCode: 58, errorMessage: 'Invalid password' }));
    const started = net.control.start();
    for (let i = 0; i < 20; i++) await net.advanceSettled(100);
    const result = await started;
    assert.ok('error' in result);
    const error = fromPlainError(result.error);
    assert.ok(error instanceof NoBrokersAvailable);
    assert.equal(error.retriable, false);
    assert.ok(error.cause instanceof SaslAuthenticationFailedError);
    assert.ok(error.causes[0]!.error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /Invalid password/);
  });
});
