// Repeated logins (KIP-368): when a session is renewed, which requests wait for it, and what happens when the renewal fails.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { KafkaConnectionError, NodeNotReadyError, RequestTimedOutError } from '../../../../src/common/errors/errors.ts';
import {
  Heartbeat,
  ListGroups,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTED, NODE_DISCONNECTED } from '../../../../src/state/counters.ts';
import { asked, broker, connect, lastError, net, node, oauth, plain, start, state } from './support/login.ts';

/** A login that the broker lets in, for `sessionLifetimeMs`. */
async function login(sessionLifetimeMs = 0): Promise<void> {
  broker.handlers.set(SaslAuthenticate.key, () => ({ sessionLifetimeMs }));
  await connect();
  assert.equal(state(), NODE_CONNECTED);
}

/** Lets time pass in steps, between which mechanisms answer. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) await net.advanceSettled(Math.min(100, left));
}

afterEach(() => net.close());

describe('a session', () => {
  /** Advances to where the login is repeated: at 90 % of the session, with no chance added. */
  const toRenewal = (lifetimeMs: number): Promise<void> => net.advanceSettled(lifetimeMs * 0.9);
  const renewals = (): number => broker.requestsOf(SaslHandshake).length - 1;

  test('is renewed between 85 and 95 % of its life, again and again', async () => {
    for (const [random, at] of [
      [0, 8500],
      [0.999, 9499],
    ] as const) {
      start();
      net.random = () => random;
      await login(10_000);
      await net.advanceSettled(at - 100);
      assert.equal(renewals(), 0);
      await net.advanceSettled(200);
      assert.equal(renewals(), 1);
      await pass(at);
      assert.equal(renewals(), 2);
      assert.equal(net.attempts.length, 1);
      await net.close();
    }
  });

  const none: readonly (readonly [what: string, lifetimeMs: number | bigint])[] = [
    ['without a lifetime', 0],
    ['with a negative lifetime', -5],
    ['that lasts for ever', 2n ** 63n - 1n],
    ['longer than a timer', 2 ** 40],
  ];
  for (const [what, lifetimeMs] of none) {
    test(`${what} is not renewed, and the thread does not spin`, async () => {
      start({ ...plain, connectionsMaxIdleMs: -1 });
      broker.handlers.set(SaslAuthenticate.key, () => ({ sessionLifetimeMs: lifetimeMs }));
      await connect();
      const before = net.turns;
      await pass(60_000);
      assert.equal(renewals(), 0);
      assert.ok(net.turns - before < 10, `${net.turns - before} turns`);
    });
  }

  test('whose renewal gets another list of mechanisms sends no credentials, and its connection is lost', async () => {
    start();
    await login(10_000);
    broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['GSSAPI'] }));
    await toRenewal(10_000);
    await net.settled();
    assert.equal(broker.requestsOf(SaslAuthenticate).length, 1);
    assert.equal(state(), NODE_DISCONNECTED);
    assert.match(
      (await lastError()).message,
      /re-authentication .* does not offer SASL mechanism PLAIN; it offers GSSAPI/,
    );
  });

  test('of a millisecond is renewed once a second', async () => {
    start();
    await login(1);
    await pass(5_500);
    assert.ok(renewals() >= 4 && renewals() <= 6, `${renewals()} renewals`);
  });

  test('without a lifetime after a renewal is no longer renewed', async () => {
    start();
    await login(10_000);
    broker.handlers.set(SaslAuthenticate.key, () => ({ sessionLifetimeMs: 0 }));
    await toRenewal(10_000);
    assert.equal(renewals(), 1);
    await pass(100_000);
    assert.equal(renewals(), 1);
  });

  test('gets answers of older requests during a renewal, and new requests wait in order', async () => {
    start();
    await login(10_000);
    const older = [net.app.send(node, ListGroups, {}), net.app.send(node, Heartbeat, heartbeat)];
    broker.handlers.delete(SaslHandshake.key);
    broker.handlers.delete(SaslAuthenticate.key);
    await toRenewal(10_000);
    assert.deepEqual(asked().slice(-3), ['ListGroups', 'Heartbeat', 'SaslHandshake']);
    const newer = [net.app.send(node, Heartbeat, heartbeat), net.app.send(node, ListGroups, {})];
    await net.settled();
    assert.equal(broker.waiting.length, 3, 'requests were sent into the exchange');
    broker.reply({});
    broker.reply({});
    await net.settled();
    assert.deepEqual(
      older.map((sent) => sent.state),
      ['succeeded', 'succeeded'],
    );
    broker.reply({ mechanisms: ['PLAIN'] });
    await net.settled();
    assert.equal(asked().at(-1), 'SaslAuthenticate');
    assert.equal(broker.waiting.length, 1);
    broker.reply({ sessionLifetimeMs: 10_000 });
    await net.settled();
    assert.deepEqual(asked().slice(-2), ['Heartbeat', 'ListGroups']);
    broker.reply({});
    broker.reply({});
    await net.settled();
    assert.deepEqual(
      newer.map((sent) => sent.state),
      ['succeeded', 'succeeded'],
    );
    assert.equal(net.attempts.length, 1);
  });

  test('waits with its renewal for a slow request that was sent before', async () => {
    start({ ...plain, connectionSetupTimeoutMs: 2_000, requestTimeoutMs: 3_000 });
    await login(10_000);
    const slow = net.app.send(node, ListGroups, {}, { timeoutMs: 60_000 });
    broker.handlers.delete(SaslHandshake.key);
    broker.handlers.delete(SaslAuthenticate.key);
    await toRenewal(10_000);
    assert.equal(asked().at(-1), 'SaslHandshake');
    await pass(30_000);
    assert.equal(state(), NODE_CONNECTED);
    broker.reply({});
    await net.settled();
    assert.equal(slow.state, 'succeeded');
    // From here on the broker could answer.
    await pass(1_500);
    assert.equal(state(), NODE_CONNECTED);
    broker.reply({ mechanisms: ['PLAIN'] });
    await net.settled();
    await pass(1_500);
    broker.reply({ sessionLifetimeMs: 10_000 });
    await net.settled();
    assert.equal(state(), NODE_CONNECTED);
    assert.equal(net.attempts.length, 1);
  });

  test('fails if the renewal gets no answer in time after the slow request before it is answered', async () => {
    start({ ...plain, connectionSetupTimeoutMs: 2_000 });
    await login(10_000);
    net.app.send(node, ListGroups, {}, { timeoutMs: 60_000 });
    broker.handlers.delete(SaslHandshake.key);
    await toRenewal(10_000);
    await pass(10_000);
    broker.reply({});
    await pass(1_900);
    assert.equal(state(), NODE_CONNECTED);
    await pass(200);
    assert.equal(state(), NODE_DISCONNECTED);
    assert.match((await lastError()).message, /re-authentication .* an answer of the broker did not come in time/);
  });

  test('makes requests without response wait too, up to a limit', async () => {
    start({ ...plain, requestRingBytes: 4096, spillBytes: 512, apiVersion: [3, 9] });
    await login(10_000);
    broker.handlers.delete(SaslHandshake.key);
    await toRenewal(10_000);
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: [{ key: null, value: 'x'.repeat(400) }] }] }];
    const sent = [];
    for (let i = 0; i < 20; i++) {
      sent.push(net.app.send(node, Produce, { acks: 0, timeoutMs: 1000, topicData }));
      net.run();
    }
    assert.equal(broker.requestsOf(Produce).length, 0);
    const failed = sent.filter(({ state }) => state === 'failed');
    for (const { error } of failed) assert.ok(error instanceof NodeNotReadyError);
    const refused = failed.length;
    assert.ok(refused > 5 && refused < 15, `${refused} of 20 refused`);
    broker.reply({ mechanisms: ['PLAIN'] });
    await net.settled();
    assert.equal(broker.requestsOf(Produce).length, 20 - refused);
  });

  const failures: readonly (readonly [what: string, fail: () => void])[] = [
    ['by the broker', () => broker.reply({ errorCode: 58, errorMessage: 'Cannot change principals' })],
    ['as the broker closes', () => broker.transport.end()],
    ['as nobody answers', () => net.advance(5_000)],
  ];
  for (const [what, fail] of failures) {
    test(`that cannot be renewed, ${what}, is a lost connection, and a new login follows`, async () => {
      start({ ...plain, connectionSetupTimeoutMs: 5_000 });
      await login(10_000);
      broker.handlers.set(SaslAuthenticate.key, () => null);
      await toRenewal(10_000);
      const held = net.app.send(node, ListGroups, {});
      await net.settled();
      fail();
      await net.settled();
      assert.ok(
        held.error instanceof KafkaConnectionError || held.error instanceof RequestTimedOutError,
        String(held.error),
      );
      assert.equal((held.error as KafkaConnectionError).retriable, true);
      assert.equal(state(), NODE_DISCONNECTED);
      broker.handlers.set(SaslAuthenticate.key, () => ({}));
      await pass(1_000);
      await login();
    });
  }

  test('waits for a token without delaying other requests, until it is over', async () => {
    start(oauth);
    net.askForToken = () => Promise.resolve({ token: 't', extensions: {} });
    await login(10_000);
    net.askForToken = () => new Promise(() => {});
    await toRenewal(10_000);
    const sent = net.app.send(node, ListGroups, {});
    await net.settled();
    broker.reply({});
    net.run();
    assert.equal(sent.state, 'succeeded');
    assert.equal(renewals(), 0);
    await net.advanceSettled(1_100);
    assert.equal(state(), NODE_DISCONNECTED);
    assert.match((await lastError()).message, /re-authentication .* failed: .*a token did not come in time/);
  });

  test('does not keep an idle connection open by its renewals', async () => {
    start({ ...plain, connectionsMaxIdleMs: 15_000 });
    await login(10_000);
    await pass(15_500);
    assert.notEqual(state(), NODE_CONNECTED);
    assert.equal(renewals(), 1);
  });
});

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' };
