// Logins in a whole network thread: what crosses in which order, what is held meanwhile, and how each way to fail ends. The
// mechanism is PLAIN or OAUTHBEARER, whose answers come between turns like those of every other.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  IllegalSaslStateError,
  KafkaConnectionError,
  KafkaProtocolError,
  NoBrokersAvailable,
  NodeNotReadyError,
  RequestTimedOutError,
  SaslAuthenticationFailedError,
  UnsupportedSaslMechanismError,
} from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import {
  ApiVersions,
  Heartbeat,
  ListGroups,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTED, NODE_CONNECTING, NODE_DISCONNECTED } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, frameOf, int32, range } from '../support/fake-peer.ts';

const plain = {
  bootstrapServers: 'one:9092',
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslPlainUsername: 'alice',
  saslPlainPassword: 'the-secret',
} as const satisfies KafkaClientOptions;
const oauth = {
  bootstrapServers: 'one:9092',
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'OAUTHBEARER',
  saslOauthTokenProvider: { token: () => 'unused: the network under test asks elsewhere' },
} as const satisfies KafkaClientOptions;
const node = -1;
const names = new Map(
  [SaslHandshake, SaslAuthenticate, ListGroups, Heartbeat, Produce, ApiVersions].map(({ key, name }) => [key, name]),
);

let net: FakeNetwork;
let broker: FakeBroker;

function start(options: KafkaClientOptions = plain): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092');
  // So that metadata is no reason to connect or to ask again.
  net.cluster.brokers.push({ id: 1, host: 'elsewhere', port: 9092 });
  net.serve('elsewhere:9092', 'silent');
  broker.handlers.set(SaslHandshake.key, ({ body }) => ({ errorCode: 0, mechanisms: ['GSSAPI', body.mechanism] }));
}

/** What the broker was asked, metadata apart. */
const asked = (): (string | undefined)[] =>
  broker.requests.map(({ apiKey }) => names.get(apiKey)).filter((name) => name !== undefined);
const state = (): number => net.app.end.counters.nodeState(net.app.end.counters.nodeRow(node));

async function connect(): Promise<void> {
  net.run();
  net.app.connect(node);
  await net.settled();
}

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

/** The error that a send meets after a login has failed. */
async function lastError(): Promise<Error> {
  const sent = net.app.send(node, ListGroups, {});
  await net.settled();
  assert.ok(sent.error instanceof NodeNotReadyError, String(sent.error));
  return sent.error.cause as Error;
}

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
    test(`refused for ${what} ends the attempt, and is what every send meets`, async () => {
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

  test('refused is tried again under backoff, never faster, and the next one may succeed', async () => {
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

  test('with a mechanism the broker lacks names those it has', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({
      errorCode: 33,
      mechanisms: ['GSSAPI', 'x'.repeat(500), ...Array(5000).fill('y')],
    }));
    await connect();
    const error = await lastError();
    assert.ok(error instanceof UnsupportedSaslMechanismError);
    assert.match(error.message, /does not offer SASL mechanism PLAIN; it offers GSSAPI, x{40}\.\.\.(, y){18}$/);
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
          new RegExp(`does not offer SASL mechanism ${mechanism}; it offers GSSAPI, SCRAM-SHA-256$`),
        );
        assert.equal(error.retriable, false);
        assert.deepEqual(asked(), ['ApiVersions', 'SaslHandshake']);
        assert.deepEqual(broker.bareTokens, []);
      });
    }
  }

  test('goes on where the broker lists no mechanism at all, and says no error', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: [] }));
    broker.handlers.set(SaslAuthenticate.key, () => ({}));
    await connect();
    assert.equal(state(), NODE_CONNECTED);
  });

  test('at a listener that takes no logins says what error 34 means', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 34, mechanisms: [] }));
    await connect();
    const error = await lastError();
    assert.ok(error instanceof IllegalSaslStateError);
    assert.match(error.message, /error code 34; probably this listener has no SASL: .*securityProtocol without SASL/);
  });

  test('with a broker that offers none says so', async () => {
    start();
    broker.handlers.set(SaslHandshake.key, () => ({ errorCode: 33, mechanisms: [] }));
    await connect();
    assert.match((await lastError()).message, /it offers none$/);
  });

  test('at a broker without SASL fails before anything secret is sent', async () => {
    start();
    broker.ranges.delete(SaslHandshake.key);
    await connect();
    assert.match((await lastError()).message, /SaslHandshake/);
    assert.deepEqual(asked(), ['ApiVersions']);
  });

  test('closed in the middle is a lost connection', async () => {
    start();
    await connect();
    broker.transport.end();
    await net.settled();
    const error = await lastError();
    assert.ok(error instanceof KafkaConnectionError);
    assert.match(error.message, /closed the connection during authentication$/);
  });

  test('takes no large frame, nor an answer that nobody asked for', async () => {
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

  test('that has not ended is what start says when its time is over', async () => {
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

describe('a login with bare tokens', () => {
  function startBare(): void {
    start();
    broker.ranges.set(SaslHandshake.key, range(0, 0));
    broker.ranges.delete(SaslAuthenticate.key);
  }

  test('sends a token without a header, and takes an empty one', async () => {
    startBare();
    broker.takesBareTokens = () => ({ answer: Buffer.alloc(0), isOver: true });
    await connect();
    assert.deepEqual(broker.bareTokens.map(String), ['alice\0alice\0the-secret']);
    assert.equal(state(), NODE_CONNECTED);
    const sent = net.app.send(node, ListGroups, {});
    net.run();
    broker.reply({});
    net.run();
    assert.equal(sent.state, 'succeeded');
    broker.transport.send(int32(0));
    net.run();
    assert.equal(state(), NODE_DISCONNECTED, 'an empty frame is legal in a login only');
  });

  test('closed behind the credentials is taken for a refusal', async () => {
    startBare();
    broker.takesBareTokens = () => 'close';
    await connect();
    const error = await lastError();
    assert.ok(error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /closed the connection during authentication: the credentials may be wrong/);
  });

  test('refuses a token that answers nothing', async () => {
    startBare();
    broker.takesBareTokens = () => {
      broker.transport.send(int32(0));
      return { answer: Buffer.alloc(0), isOver: true };
    };
    await connect();
    assert.match((await lastError()).message, /a token of 0 bytes when no answer was due/);
  });

  test('refuses a token that should be empty, and garbage in place of one', async () => {
    for (const answer of [Buffer.from('more'), frameOf(0, 0, 0, 1)]) {
      startBare();
      broker.takesBareTokens = () => ({ answer, isOver: false });
      await connect();
      assert.ok((await lastError()) instanceof SaslAuthenticationFailedError);
      await net.close();
    }
  });
});

describe('a token provider', () => {
  test('is asked for each login, before anything is sent', async () => {
    start(oauth);
    let count = 0;
    net.askForToken = async () => ({ token: `token-${++count}`, extensions: {} });
    broker.handlers.set(SaslAuthenticate.key, () => ({}));
    await connect();
    broker.transport.end();
    await net.settled();
    await net.advanceSettled(100);
    net.app.connect(node);
    await net.settled();
    const tokens = broker
      .requestsOf(SaslAuthenticate)
      .map(({ body }) => /token-\d/.exec(body.authBytes.toString())![0]);
    assert.deepEqual(tokens, ['token-1', 'token-2']);
  });

  test('that throws ends the attempt with its error as the cause', async () => {
    start(oauth);
    net.askForToken = () => Promise.reject(new Error('vault is sealed'));
    await connect();
    const error = await lastError();
    assert.ok(error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /the token provider failed: vault is sealed$/);
    assert.equal((error.cause as Error).message, 'vault is sealed');
    assert.deepEqual(asked(), ['ApiVersions']);
  });

  test('that never answers ends with the setup deadline, and its late answer is nobody’s', async () => {
    start({ ...oauth, connectionSetupTimeoutMs: 1000 });
    const answers: ((provided: { token: string; extensions: object }) => void)[] = [];
    net.askForToken = () => new Promise((resolve) => answers.push(resolve));
    await connect();
    await net.advanceSettled(1000);
    const error = await lastError();
    assert.ok(error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /the token provider gave no token before the end of the connection setup/);
    answers[0]!({ token: 'late', extensions: {} });
    await net.settled();
    assert.equal(broker.requestsOf(SaslAuthenticate).length, 0);
  });

  test('that never answers holds up no other node', async () => {
    start({ ...oauth, bootstrapServers: 'one:9092,two:9092' });
    const other = net.broker('two:9092');
    other.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['OAUTHBEARER'] }));
    other.handlers.set(SaslAuthenticate.key, () => ({}));
    broker.handlers.set(SaslAuthenticate.key, () => ({}));
    let count = 0;
    net.askForToken = () => (++count === 1 ? new Promise(() => {}) : Promise.resolve({ token: 't', extensions: {} }));
    await connect();
    net.app.connect(-2);
    await net.settled();
    assert.deepEqual([-1, -2].map((id) => net.app.isConnected(id)).sort(), [false, true]);
  });
});

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
    test(`${what} is not renewed, and nothing spins`, async () => {
      start({ ...plain, connectionsMaxIdleMs: -1 });
      broker.handlers.set(SaslAuthenticate.key, () => ({ sessionLifetimeMs: lifetimeMs }));
      await connect();
      const before = net.turns;
      await pass(60_000);
      assert.equal(renewals(), 0);
      assert.ok(net.turns - before < 10, `${net.turns - before} turns`);
    });
  }

  test('whose renewal meets another list of mechanisms sends no credentials, and is a lost connection', async () => {
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

  test('whose lifetime is withdrawn is renewed no more', async () => {
    start();
    await login(10_000);
    broker.handlers.set(SaslAuthenticate.key, () => ({ sessionLifetimeMs: 0 }));
    await toRenewal(10_000);
    assert.equal(renewals(), 1);
    await pass(100_000);
    assert.equal(renewals(), 1);
  });

  test('answers of older requests arrive in between, and new requests wait and keep their order', async () => {
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

  test('a slow request that was sent before holds the renewal up, and does not end it', async () => {
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

  test('nobody answers the renewal once the slow request before it is answered: then its time is over', async () => {
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

  test('requests without response wait too, and are bounded', async () => {
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
    test(`that cannot be renewed, ${what}, is a lost connection, and a fresh login decides`, async () => {
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

  test('waits for a token without holding anybody up, until it is over', async () => {
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

  test('that is renewed keeps no idle connection open', async () => {
    start({ ...plain, connectionsMaxIdleMs: 15_000 });
    await login(10_000);
    await pass(15_500);
    assert.notEqual(state(), NODE_CONNECTED);
    assert.equal(renewals(), 1);
  });
});

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' };
