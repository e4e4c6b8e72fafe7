// Secrets in options and faults with them: nothing that a client throws, shows, reports, measures or shares in memory holds a secret
// (secrets.test.ts reads its log). Peers send back what they were sent.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import * as prom from 'prom-client';
import {
  exportToPrometheus,
  KafkaClient,
  type KafkaClientOptions,
  ListGroups,
  Metadata,
  oidcTokenProvider,
} from '../../src/index.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { ConnectProxy } from '../helpers/connect-proxy.ts';
import type { EmbeddedBroker } from '../helpers/embedded-broker.ts';
import { wantLogins } from '../helpers/sasl-server.ts';
import { ScriptedServer } from '../helpers/scripted-server.ts';
import { type TokenAnswer, TokenEndpoint, type TokenRequest } from '../helpers/token-endpoint.ts';
import { failedStart, failureOf, openClient } from './support/client.ts';
import { SecretSearch, searchedBroker } from './support/secret-search.ts';

const password = 'the-secret-word';
const passphrase = 'the-secret-passphrase';
const clientSecret = 'the-secret-of-oidc';
const token = 'the.secret.token';
const login = Buffer.from(`alice:${password}`).toString('base64');
const oidcLogin = Buffer.from(`app:${clientSecret}`).toString('base64');
const search = new SecretSearch([password, passphrase, clientSecret, token, login, oidcLogin]);

let broker: EmbeddedBroker;
searchedBroker(search, 1, (started) => {
  broker = started;
});

function options(more: KafkaClientOptions): KafkaClientOptions {
  return {
    bootstrapServers: broker.bootstrapServers,
    metrics: true,
    logger: search.logger,
    logLevel: 'debug',
    ...more,
  };
}

const plain = {
  securityProtocol: 'SASL_PLAINTEXT',
  saslMechanism: 'PLAIN',
  saslPlainUsername: 'alice',
  saslPlainPassword: password,
} as const;

/** What a client that cannot use its server throws at start, and what its sends fail with. */
async function failures(t: TestContext, given: KafkaClientOptions): Promise<Error> {
  const wanted = options(given);
  const thrown = await failedStart(wanted);
  const client = await openClient(t, { ...wanted, apiVersion: [3, 9] });
  const late = await client.awaitReady(-1, { timeoutMs: 200 }).catch((error: unknown) => error);
  const sent = client.send(-1, Metadata, { topics: [] });
  search.assertNothing(thrown, late, await failureOf(sent), sent, client, client.config, client.metrics());
  assert.ok(search.logged.length > 0, 'nothing was logged');
  return thrown.causes[0]!.error;
}

describe('a client that is logged in', () => {
  test('shows no secret in a diagnostic report, in metrics as text, or in a structured clone', async (t) => {
    await wantLogins(broker, { mechanism: 'PLAIN', username: 'alice', password });
    const client = await openClient(t, options(plain));
    // It connects to nobody, and holds a pass phrase all the same.
    const other = await openClient(
      t,
      options({ securityProtocol: 'SSL', sslPassword: passphrase, apiVersion: [3, 9] }),
    );
    await client.awaitReady(0);
    const registry = new prom.Registry();
    exportToPrometheus(client, prom, { registry });
    const report = JSON.stringify(process.report.getReport());
    assert.match(report, /"workers":\[\{/, 'the report tells of no network thread');
    search.assertNothing(
      report,
      await registry.metrics(),
      structuredClone({ ...client.config, logger: null }),
      structuredClone({ ...other.config, logger: null }),
      inspect(other, { depth: 9 }),
      inspect(client, { depth: 9 }),
    );
  });

  for (const [where, provide] of [
    ['the network thread', (oidc: object) => ({ oidc })],
    ['this thread', (oidc: object) => oidcTokenProvider(oidc as never)],
  ] as const) {
    test(`with OIDC in ${where} shows no secret and no token`, async (t) => {
      await wantLogins(broker, { mechanism: 'OAUTHBEARER', username: '', password: token });
      const endpoint = await TokenEndpoint.start(() => ({ json: { access_token: token, expires_in: 300 } }));
      t.after(() => endpoint.close());
      const client = await openClient(t, options(withOidc(provide(oidcOptions(endpoint)))));
      await client.awaitReady(0);
      assert.equal((await client.send(0, ListGroups, {})).errorCode, 0);
      search.assertNothing(client, client.config, client.metrics());
    });
  }
});

function oidcOptions(endpoint: { readonly url: string }, timeoutMs = 60_000) {
  return { tokenEndpointUrl: endpoint.url, clientId: 'app', clientSecret, timeoutMs };
}

function withOidc(saslOauthTokenProvider: object): KafkaClientOptions {
  return {
    securityProtocol: 'SASL_PLAINTEXT',
    saslMechanism: 'OAUTHBEARER',
    saslOauthTokenProvider: saslOauthTokenProvider as never,
  };
}

describe('errors show no secret:', () => {
  const echo = ({ headers, body }: TokenRequest): string => `${headers.authorization} ${body} ${clientSecret} ${token}`;
  const answers: readonly (readonly [what: string, answer: (request: TokenRequest) => TokenAnswer, says: RegExp])[] = [
    ['refuses', (asked) => ({ status: 401, json: { error: 'invalid_client', error_description: echo(asked) } }), /401/],
    [
      'refuses with a secret for a code',
      (asked) => ({ status: 400, json: { error: echo(asked) } }),
      /status 400 \[KAFKA_SASL_AUTHENTICATION_FAILED\]$/,
    ],
    ['fails', (asked) => ({ status: 500, text: echo(asked) }), /status 500/],
    ['answers in words', (asked) => ({ text: echo(asked) }), /no access_token/],
    ['gives a token that is none', () => ({ json: { access_token: `${token}\n` } }), /characters that are not allowed/],
    ['is silent', () => 'silent', /no answer within 200 ms/],
  ];
  for (const [what, answer, says] of answers) {
    test(`an authorization server that ${what}`, async (t) => {
      await wantLogins(broker, { mechanism: 'OAUTHBEARER', username: '', password: token });
      const endpoint = await TokenEndpoint.start(answer);
      t.after(() => endpoint.close());
      const error = await failures(
        t,
        withOidc({ oidc: oidcOptions(endpoint, what === 'is silent' ? 200 : undefined) }),
      );
      assert.match(error.message, says);
    });
  }

  test('a broker that sends back what it got, unchanged and as base64', async (t) => {
    const sent = `alice\0alice\0${password}`;
    const said = [password, sent, Buffer.from(password).toString('base64'), Buffer.from(sent).toString('base64')];
    const instead = { first: { body: { errorCode: 58, errorMessage: `who is ${said.join(' or ')}?` } } };
    await wantLogins(broker, { mechanism: 'PLAIN', username: 'alice', password, instead });
    const error = await failures(t, plain);
    assert.match(error.message, /who is \[secret\] or .*\[secret\]\?/);
  });

  test('an HTTP proxy that fails and sends back the login', async (t) => {
    const server = await ScriptedServer.start(async (connection) => {
      await connection.read(4);
      const head = `HTTP/1.1 502 ${login} ${password}\r\nX-Login: ${login}\r\nContent-Length: 0\r\n\r\n`;
      connection.write(Buffer.from(head));
      connection.end();
    });
    t.after(() => server.close());
    const error = await failures(t, { proxyUrl: `http://alice:${password}@${server.address}` });
    assert.match(error.message, /HTTP 502 \[secret\] \[secret\]/);
  });

  test('a proxy that wants another login or does not speak HTTP', async (t) => {
    const strict = await ConnectProxy.start({ login: 'alice:another' });
    t.after(() => strict.close());
    const garbage = await ScriptedServer.start(async (connection) => {
      await connection.read(4);
      connection.write(Buffer.from(`garbage ${login} ${password}\r\n\r\n`));
    });
    t.after(() => garbage.close());
    for (const address of [strict.address, garbage.address]) {
      for (const scheme of ['http', 'socks5']) {
        await failures(t, { proxyUrl: `${scheme}://alice:${password}@${address}`, connectionSetupTimeoutMs: 300 });
      }
    }
  });

  test('a key file that holds no key', async (t) => {
    const ca = new CertificateAuthority('tests');
    t.after(() => ca.close());
    const own = ca.issue({ purpose: 'client', passphrase });
    const sslKeyFile = ca.file('own.key', `${passphrase} ${own.key.slice(0, 200)}`);
    const files = { sslCertFile: ca.file('own.crt', own.cert), sslKeyFile, sslPassword: passphrase };
    await assert.rejects(KafkaClient.start(options({ securityProtocol: 'SSL', ...files })), (error: Error) => {
      search.assertNothing(error);
      assert.ok(!inspect(error, { showHidden: true }).includes(own.key.split('\n')[1]!), 'a part of the key is shown');
      return true;
    });
  });
});
