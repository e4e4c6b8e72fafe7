// A client with every kind of secret writes none of them into its log at level debug, and none into process warnings without a logger.
// This holds when everything works, and when a peer sends a secret back.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { KafkaClient, type KafkaClientOptions, type LogFields, Metadata, NoBrokersAvailable } from '../../src/index.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { ConnectProxy } from '../helpers/connect-proxy.ts';
import { type EmbeddedBroker, startEmbeddedBrokerInProcess } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { type SaslRules, saslApis, wantLogins } from '../helpers/sasl-server.ts';
import { type ScriptedConnection, ScriptedServer } from '../helpers/scripted-server.ts';
import { TokenEndpoint } from '../helpers/token-endpoint.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { startChild } from './support/child.ts';
import { openConnected } from './support/client.ts';

const hidden = {
  passphrase: 'hidden passphrase',
  password: 'hidden&password',
  // As an error code of an authorization server might look.
  clientSecret: 'hidden_client_secret',
  token: 'hidden.token.there',
  proxyPassword: 'hidden:proxy',
} as const;
const proxyLogin = `carol:${hidden.proxyPassword}`;
/** As they are, and as protocols write them. */
const forms = [
  'hidden',
  encodeURIComponent(hidden.password),
  ...[...Object.values(hidden), proxyLogin, `the id:${hidden.clientSecret}`, `the+id:${hidden.clientSecret}`].map(
    (text) => Buffer.from(text).toString('base64').replace(/=+$/, ''),
  ),
];

let ca: CertificateAuthority;
let keyFiles: KafkaClientOptions;
let broker: EmbeddedBroker;
let proxy: ConnectProxy;
let endpoint: TokenEndpoint;
let logged: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = [];

const logger = Object.fromEntries(
  (['debug', 'info', 'warn', 'error'] as const).map((level) => [
    level,
    (fields: LogFields, message: string) => void logged.push({ level, fields, message }),
  ]),
) as unknown as NonNullable<KafkaClientOptions['logger']>;

before(async () => {
  ca = new CertificateAuthority('tests');
  const own = ca.issue({ purpose: 'client', passphrase: hidden.passphrase });
  keyFiles = {
    sslCaFile: ca.file('trusted.pem', ca.cert),
    sslCertFile: ca.file('client.crt', own.cert),
    sslKeyFile: ca.file('client.key', own.key),
  };
  const tls = { ...ca.issue(), ca: ca.cert, requireClientCertificate: true };
  broker = await startEmbeddedBrokerInProcess({ apiVersions: saslApis, tls });
  proxy = await ConnectProxy.start({ login: proxyLogin });
  endpoint = await TokenEndpoint.start(() => ({ json: { access_token: hidden.token } }));
});

after(async () => {
  await endpoint.close();
  await proxy.close();
  await broker.close();
  ca.close();
});

beforeEach(async () => {
  logged = [];
  endpoint.answerWith(() => ({ json: { access_token: hidden.token } }));
  await broker.clearRules();
});

/** Through the proxy, in TLS with a key of its own, with a login: every secret at once. */
function options(mechanism: SaslRules['mechanism'], more: KafkaClientOptions = {}): KafkaClientOptions {
  const { password, clientSecret } = hidden;
  const oidc = { tokenEndpointUrl: endpoint.url, clientId: 'the id', clientSecret };
  return {
    bootstrapServers: broker.bootstrapServers[0]!,
    proxyUrl: `http://carol:${encodeURIComponent(hidden.proxyPassword)}@${proxy.address}`,
    securityProtocol: 'SASL_SSL',
    ...keyFiles,
    sslPassword: hidden.passphrase,
    saslMechanism: mechanism,
    ...(mechanism === 'OAUTHBEARER'
      ? { saslOauthTokenProvider: { oidc } }
      : { saslPlainUsername: 'alice', saslPlainPassword: password }),
    logLevel: 'debug',
    ...patient,
    ...more,
  };
}

function rulesOf(mechanism: SaslRules['mechanism']): SaslRules {
  const isToken = mechanism === 'OAUTHBEARER';
  return { mechanism, username: isToken ? '' : 'alice', password: isToken ? hidden.token : hidden.password };
}

function assertHidden(text: string): void {
  for (const form of forms) assert.ok(!text.includes(form), `'${form}' in ${text}`);
}

/** @param events that must be there: a log without records hides everything */
function assertLogHides(...events: string[]): void {
  const seen = logged.map(({ fields }) => fields.event);
  for (const event of events) assert.ok(seen.includes(event), `no ${event} among ${seen.join(', ')}`);
  assertHidden(inspect(logged, { depth: 20, showHidden: true, maxStringLength: null, maxArrayLength: null }));
  assertHidden(logged.map((record) => JSON.stringify(record)).join('\n'));
}

/** That a client which cannot start shows nothing: in its log, its error, and, in a program without a logger, its output. */
async function assertFailureHides(t: TestContext, given: KafkaClientOptions, reason: RegExp): Promise<void> {
  const limited = { ...given, apiVersionAutoTimeoutMs: 30_000 };
  // What is no final answer is tried again until the limit, and so both wait at the same time.
  const child = startChild(t, 'failing-start', limited);
  const failed = KafkaClient.start({ ...limited, logger }).then((client) => client.close());
  await assert.rejects(failed, (error: Error) => {
    assert.ok(error instanceof NoBrokersAvailable, inspect(error));
    assert.match(error.message, reason);
    assertHidden(inspect(error, { depth: 20, showHidden: true }));
    return true;
  });
  assertLogHides('connection-failed');
  const { stdout, stderr } = await child.ended;
  assert.match(stdout, reason);
  assert.match(stderr, /KAFKA_CONNECTION_FAILED/);
  assertHidden(stdout + stderr);
}

describe('no secret is in the log of a client at level debug', () => {
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'] as const) {
    test(`with ${mechanism}: connected, lost, connected again, closed`, { timeout: 300_000 }, async (t) => {
      await wantLogins(broker, rulesOf(mechanism));
      const client = await openConnected(t, broker, { ...options(mechanism), logger, reconnectBackoffMs: 10 });
      await client.send(0, Metadata, { topics: [] });
      proxy.dropAll();
      await waitFor('the loss', () => logged.some(({ fields }) => fields.event === 'connection-closed'));
      await client.awaitReady(0);
      await client.close();
      assertLogHides('connected', 'connection-closed');
    });
  }

  test('when the broker repeats the password it refuses', { timeout: 300_000 }, async (t) => {
    const errorMessage = `alice may not log in with ${hidden.password}`;
    await wantLogins(broker, { ...rulesOf('PLAIN'), instead: { first: { body: { errorCode: 58, errorMessage } } } });
    await assertFailureHides(t, options('PLAIN'), /alice may not log in with \[secret\]/);
  });

  test('when the broker repeats the token it refuses', { timeout: 300_000 }, async (t) => {
    const refusal = { body: { errorCode: 58, errorMessage: `${hidden.token} is no token` } };
    await wantLogins(broker, { ...rulesOf('OAUTHBEARER'), instead: { first: refusal } });
    await assertFailureHides(t, options('OAUTHBEARER'), /\[secret\] is no token/);
  });

  test('when the authorization server repeats the secret it refuses', { timeout: 300_000 }, async (t) => {
    await wantLogins(broker, rulesOf('OAUTHBEARER'));
    const { clientSecret } = hidden;
    endpoint.answerWith(({ headers }) => ({
      status: 401,
      json: { error: clientSecret, error_description: `${clientSecret} of ${headers.authorization} is wrong` },
    }));
    await assertFailureHides(t, options('OAUTHBEARER'), /no token from http:\S+: it answered with status 401/);
  });

  test('when the proxy repeats the login it refuses', { timeout: 300_000 }, async (t) => {
    const refusing = await ScriptedServer.start(refuseByRepeating);
    t.after(() => refusing.close());
    const proxyUrl = `http://carol:${encodeURIComponent(hidden.proxyPassword)}@${refusing.address}`;
    await assertFailureHides(t, options('PLAIN', { proxyUrl }), /HTTP 403 carol:\[secret\] is Basic \[secret\]/);
  });

  test('when the pass phrase is wrong for the key', { timeout: 300_000 }, async () => {
    const given = { ...options('PLAIN'), sslPassword: 'hidden but wrong', logger };
    await assert.rejects(
      KafkaClient.start(given).then((client) => client.close()),
      (error: Error) => {
        assert.match(error.message, /sslKeyFile/);
        assertHidden(inspect(error, { depth: 20, showHidden: true }));
        return true;
      },
    );
    assertLogHides();
  });
});

/** A proxy that quotes what it was sent in its answer. */
async function refuseByRepeating(connection: ScriptedConnection): Promise<void> {
  let head = '';
  while (!head.endsWith('\r\n\r\n')) head += (await connection.read(1)).toString('latin1');
  const login = /Proxy-Authorization: (.*)\r\n/i.exec(head)![1]!;
  connection.write(Buffer.from(`HTTP/1.1 403 ${proxyLogin} is ${login}\r\nContent-Length: 0\r\n\r\n`));
  connection.end();
}
