// Logins of whole clients: a fault at any step ends in limited time with an error of its own, and no secret is in anything that a client
// throws, logs, shows or shares.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { inspect } from 'node:util';
import {
  InvalidReceiveError,
  KafkaClient,
  type KafkaClientOptions,
  KafkaConfigurationError,
  KafkaConnectionError,
  KafkaProtocolError,
  ListGroups,
  Metadata,
  NodeNotReadyError,
  SaslAuthenticate,
  SaslAuthenticationFailedError,
  SaslHandshake,
  UnsupportedSaslMechanismError,
} from '../../src/index.ts';
import { type EmbeddedBroker, type Reply, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { type SaslRules, type SaslStep, saslApis, wantLogins } from '../helpers/sasl-server.ts';
import { startChild } from './support/child.ts';
import { type Cleanup, failedStart, openClient, unreadyBecause } from './support/client.ts';
import { SecretSearch, searchedBroker } from './support/secret-search.ts';
import { Settlements } from './support/settlements.ts';

const password = 'the-secret-word';
const token = 'the.secret.token';
const secrets = [password, token, Buffer.from(password).toString('base64')];
const user = { saslPlainUsername: 'alice', saslPlainPassword: password };
const scram: SaslRules = { mechanism: 'SCRAM-SHA-256', username: 'alice', password };
const plain: SaslRules = { mechanism: 'PLAIN', username: 'alice', password };
const oauth: SaslRules = { mechanism: 'OAUTHBEARER', username: '', password: token };

const search = new SecretSearch([password, token]);
let broker: EmbeddedBroker;
searchedBroker(search, 2, (started) => {
  broker = started;
});

function options(rules: SaslRules, more: KafkaClientOptions = {}): KafkaClientOptions {
  const credentials = rules === oauth ? { saslOauthTokenProvider: { token: () => token } } : user;
  return {
    bootstrapServers: broker.bootstrapServers[0]!,
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: rules.mechanism,
    ...patient,
    metrics: true,
    logger: search.logger,
    logLevel: 'debug',
    ...credentials,
    ...more,
  };
}

/** Why a client cannot start. */
async function refusal(given: KafkaClientOptions): Promise<Error> {
  const error = await failedStart(given);
  search.assertNothing(error);
  return error.causes[0]!.error;
}

describe('a client that logs in', () => {
  for (const rules of [plain, scram, { ...scram, mechanism: 'SCRAM-SHA-512' } as const, oauth]) {
    test(`with ${rules.mechanism} does not show its secrets`, async (t) => {
      await wantLogins(broker, rules);
      const client = await openClient(t, options(rules));
      await client.awaitReady(0);
      assert.equal((await client.send(0, ListGroups, {})).errorCode, 0);
      search.assertNothing(client, client.config, client.metrics());
    });
  }

  test('with bad credentials gets the reason at start, at each wait and at each send', async (t) => {
    await wantLogins(broker, { ...plain, password: 'another' });
    const error = await refusal(options(plain));
    assert.ok(error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /Invalid username or password/);
    assert.ok(search.logged.length > 0, 'nothing was logged');
    const client = await openClient(t, options(plain, { apiVersion: [3, 9] }));
    const late = await unreadyBecause(client, -1, /Invalid username or password/);
    assert.ok(late.cause instanceof SaslAuthenticationFailedError);
    search.assertNothing(late);
    await assert.rejects(
      async () => client.send(-1, Metadata, { topics: [] }),
      (refused: Error) => {
        assert.ok(refused instanceof NodeNotReadyError);
        assert.ok(refused.cause instanceof SaslAuthenticationFailedError, String(refused.cause));
        search.assertNothing(refused);
        return true;
      },
    );
    // New rights are used by the next attempt, which comes by itself.
    await broker.clearRules();
    await wantLogins(broker, plain);
    await client.awaitReady(-1);
  });

  const closes: readonly Reply[] = [{ answer: 'close' }, { answer: 'reset' }];
  const garbage: Reply = { wire: { rawBytes: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') } };
  const tooLarge: Reply = { body: {}, wire: { sizePrefix: 600_000 } };
  const cut: Reply = { body: {}, wire: { cutAfter: 9 } };
  const wrongId: Reply = { body: {}, wire: { correlationId: 77 } };
  const stranger: Reply = { body: { errorCode: 99 } };
  const notUtf8: Reply = { body: { authBytes: Buffer.from([0xff, 0xfe, 0x3d]) } };
  const steps: readonly SaslStep[] = ['handshake', 'first', 'second'];
  const faults: readonly (readonly [
    what: string,
    reply: Reply,
    type: new (...args: never[]) => Error,
    steps: readonly SaslStep[],
  ])[] = [
    ['closes', closes[0]!, KafkaConnectionError, steps],
    ['resets', closes[1]!, KafkaConnectionError, steps],
    ['sends garbage', garbage, InvalidReceiveError, steps],
    ['claims a large answer', tooLarge, InvalidReceiveError, steps],
    ['closes within its answer', cut, KafkaConnectionError, steps],
    ['answers another request', wrongId, KafkaProtocolError, steps],
    ['answers with an unknown code', stranger, KafkaProtocolError, steps],
    ['sends a token that is not UTF-8', notUtf8, SaslAuthenticationFailedError, ['first', 'second']],
  ];
  for (const [what, reply, type, at] of faults) {
    for (const step of at) {
      test(`to a broker that ${what} at step ${step} gets an error that says so`, async () => {
        await wantLogins(broker, { ...scram, instead: { [step]: reply } });
        const error = await refusal(options(scram));
        assert.ok(error instanceof type, inspect(error));
      });
    }
  }

  for (const step of steps) {
    test(`to a broker that is silent at step ${step} gives up in time`, async () => {
      await wantLogins(broker, { ...scram, instead: { [step]: { answer: 'never' } } });
      const error = await refusal(options(scram, { connectionSetupTimeoutMs: 300 }));
      assert.match(error.message, /did not finish in time/);
    });
  }

  const lies: readonly (readonly [what: string, alter: SaslRules['alter'], says: RegExp])[] = [
    ['does not extend the nonce', (message) => message.replace(/more,/, ','), /did not extend/],
    ['takes another nonce', (message) => message.replace(/^r=./, 'r=!'), /not that of this login/],
    ['wants a billion iterations', (message) => message.replace(/i=\d+/, 'i=1000000000'), /iteration count 1000000000/],
    ['wants one iteration', (message) => message.replace(/i=\d+/, 'i=1'), /iteration count 1;/],
    [
      'does not know the password',
      (message) => message.replace(/^v=.*/, `v=${Buffer.alloc(32).toString('base64')}`),
      /signature is wrong/,
    ],
    ['sends an error of its own', (message) => message.replace(/^v=.*/, 'e=other-error'), /refused: other-error/],
  ];
  for (const [what, alter, says] of lies) {
    test(`to a broker that ${what} gets an error that says so`, async () => {
      await wantLogins(broker, { ...scram, ...(alter === undefined ? {} : { alter }) });
      const error = await refusal(options(scram));
      assert.ok(error instanceof SaslAuthenticationFailedError, inspect(error));
      assert.match(error.message, says);
    });
  }

  test('with a mechanism that the broker lacks gets an error with the mechanisms that the broker has', async () => {
    await wantLogins(broker, scram);
    const error = await refusal(options(plain));
    assert.ok(error instanceof UnsupportedSaslMechanismError);
    assert.match(error.message, /it offers SCRAM-SHA-256/);
  });

  test('logs in again under load, and no request is lost, delayed or sent during the login', async (t) => {
    await wantLogins(broker, { ...scram, sessionLifetimeMs: 1100 });
    const client = await openClient(t, options(scram));
    await client.awaitReady(0);
    const settlements = new Settlements(client);
    const connections = (await broker.stats()).openConnections;
    const logins = async (): Promise<number> => (await broker.stats()).requests[SaslHandshake.key] ?? 0;
    const before = await logins();
    while ((await logins()) < before + 4) {
      const sent = Array.from({ length: 4 }, () => settlements.send(0, ListGroups, {}));
      await sent.at(-1);
    }
    const { errors } = await settlements.finish();
    assert.deepEqual(errors, []);
    assert.ok((await broker.stats()).openConnections <= connections);
  });
});

test('each request is settled once and the counters agree when a broker refuses every third login and renewal', async (t) => {
  await wantLogins(broker, plain);
  let logins = 0;
  await broker.control(SaslAuthenticate, () =>
    ++logins % 3 === 0 ? { body: { errorCode: 58, errorMessage: 'not now' } } : { body: { sessionLifetimeMs: 1100 } },
  );
  const client = await openClient(t, options(plain, { reconnectBackoffMs: 20 }));
  const settlements = new Settlements(client);
  let lost = 0;
  while (logins < 10 || lost === 0) {
    await client.awaitReady(0);
    // One that is refused at the call was never sent, and so is not lost.
    const sent = Array.from({ length: 4 }, () => settlements.send(0, ListGroups, {})).filter(({ isDone }) => !isDone);
    for (const { status } of await Promise.allSettled(sent)) if (status === 'rejected') lost++;
  }
  const { succeeded, errors } = await settlements.finish();
  assert.ok(succeeded > 100 && errors.length > 0, `${succeeded} succeeded, ${errors.length} did not`);
  // Lost with the connection, or met by its end on the way to the network thread.
  for (const error of errors) assert.ok((error as KafkaConnectionError | NodeNotReadyError).retriable, inspect(error));
  const all = client.metrics().metrics!;
  assert.equal(all['request-accepted-total'], all['request-succeeded-total']! + all['request-failed-total']!);
  assert.equal(all['requests-open'], 0);
  assert.equal(all['request-succeeded-total'], succeeded);
  search.assertNothing(errors);
});

describe('a token provider', () => {
  const failing: readonly (readonly [what: string, provide: () => unknown, says: RegExp])[] = [
    [
      'throws',
      () => {
        throw new Error('vault is sealed');
      },
      /the token provider failed: vault is sealed/,
    ],
    [
      'throws what is no error',
      () => {
        throw token;
      },
      /the token provider failed/,
    ],
    ['rejects', () => Promise.reject(new TypeError('no vault')), /the token provider failed: no vault/],
    ['returns nothing', () => undefined, /a value of type undefined/],
    ['returns a function', () => () => token, /the token provider failed/],
    ['returns text that is no token', () => `${token}\n`, /characters that are not allowed/],
    ['never returns', () => new Promise(() => {}), /gave no token before the end/],
  ];
  for (const [what, provide, says] of failing) {
    test(`that ${what} ends the login with that reason, in time`, async () => {
      await wantLogins(broker, oauth);
      const saslOauthTokenProvider = { token: provide as () => string };
      const limit = what === 'never returns' ? { connectionSetupTimeoutMs: 300 } : {};
      const error = await refusal(options(oauth, { saslOauthTokenProvider, ...limit }));
      assert.ok(error instanceof SaslAuthenticationFailedError, inspect(error));
      assert.match(error.message, says);
    });
  }

  describe('while the application thread is blocked', () => {
    /** In a thread of its own, that lets everybody in. */
    let other: EmbeddedBroker;

    before(async () => {
      other = await startEmbeddedBroker({ nodes: 2, apiVersions: { ...saslApis, [ListGroups.key]: [0, 4] } });
      await other.control(SaslHandshake, { body: { mechanisms: ['OAUTHBEARER'] } });
      await other.control(SaslAuthenticate, { body: {} });
      await other.control(ListGroups, { body: {} });
    });

    after(() => other.close());

    test('delays only the logins that ask it', async (t) => {
      const client = await openClient(t, options(oauth, { bootstrapServers: other.bootstrapServers[0]! }));
      await client.awaitReady(0);
      client.maybeConnect(1);
      for (let i = 0; i < 20; i++) {
        const sent = client.send(0, ListGroups, {});
        client.pollSync(120_000, sent);
        assert.ok(sent.succeeded, 'a node that is logged in did not answer');
      }
      assert.equal(client.connected(1), false, 'a provider on this thread was called while it was blocked');
      await client.awaitReady(1);
    });

    test('serves logins if it is a module', async (t) => {
      const saslOauthTokenProvider = `data:text/javascript,export default { token: () => '${token}' }`;
      const bootstrapServers = other.bootstrapServers[0]!;
      const client = await openClient(t, options(oauth, { bootstrapServers, saslOauthTokenProvider }));
      await client.awaitReady(0);
      client.maybeConnect(1);
      const deadline = performance.now() + 120_000;
      while (!client.connected(1) && performance.now() < deadline) client.pollSync(5);
      assert.equal(client.connected(1), true);
    });
  });

  test('whose module does not finish loading ends logins and start in time', async () => {
    await wantLogins(broker, oauth);
    const saslOauthTokenProvider = 'data:text/javascript,await new Promise(() => setInterval(() => {}, 1e6))';
    const error = await refusal(options(oauth, { saslOauthTokenProvider, connectionSetupTimeoutMs: 300 }));
    assert.match(error.message, /gave no token before the end/);
  });

  const modules: readonly (readonly [what: string, url: string, says: RegExp])[] = [
    ['is not there', 'file:///no/such/module.mjs', /module cannot be loaded: .*no\/such\/module/],
    ['does not parse', 'data:text/javascript,const const', /module cannot be loaded/],
    ['is no provider', 'data:text/javascript,export const tokens = 1', /has a function named token/],
  ];
  for (const [what, saslOauthTokenProvider, says] of modules) {
    test(`whose module ${what} is an error at start, also if start does not wait for servers`, async () => {
      for (const more of [{}, { apiVersion: [3, 9] }]) {
        await assert.rejects(KafkaClient.start(options(oauth, { saslOauthTokenProvider, ...more })), (error: Error) => {
          assert.ok(error instanceof KafkaConfigurationError, inspect(error));
          assert.match(error.message, says);
          return true;
        });
      }
    });
  }
});

test('a program without a logger that cannot log in prints no secret', async (t: Cleanup) => {
  await wantLogins(broker, { ...plain, password: 'another' });
  const { bootstrapServers } = broker;
  const credentials = { securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'PLAIN', ...user };
  const args = { bootstrapServers, ...patient, ...credentials };
  const { stdout, stderr } = await startChild(t, 'failing-start', args).ended;
  assert.match(stdout, /^NoBrokersAvailable .*Invalid username or password/s);
  for (const secret of secrets) assert.ok(!(stdout + stderr).includes(secret), stdout + stderr);
});

test('GSSAPI without its package is an error at start, which says what to install', async (t: Cleanup) => {
  const args = { ...patient, securityProtocol: 'SASL_PLAINTEXT', saslMechanism: 'GSSAPI' };
  // Where a test run has the package, it is by this variable.
  const { stdout, exitCode } = await startChild(t, 'failing-start', args, { env: { NODE_PATH: '' } }).ended;
  assert.match(
    stdout,
    /^KafkaConfigurationError KAFKA_CONFIGURATION saslMechanism GSSAPI needs the package 'kerberos', which is not installed/,
  );
  assert.equal(exitCode, 0);
});
