// Logins at a real broker, with every mechanism that needs no other service: accepted, refused, and repeated before sessions end.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  CreateDelegationToken,
  IllegalSaslStateError,
  type KafkaClientOptions,
  KafkaTimeoutError,
  ListGroups,
  oidcTokenProvider,
  SaslAuthenticationFailedError,
  UnsupportedSaslMechanismError,
} from '../../../src/index.ts';
import { startChild } from '../../broker/support/child.ts';
import { openClient, unreadyBecause } from '../../broker/support/client.ts';
import type { LoginArguments } from '../../broker/support/scripts/login.ts';
import { CertificateAuthority } from '../../helpers/certificates.ts';
import { patient } from '../../helpers/patience.ts';
import { TokenEndpoint } from '../../helpers/token-endpoint.ts';
import { TokenIssuer, unsecuredToken } from '../../helpers/tokens.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { describeKafka } from '../fixture/index.ts';
import { loggedIn, nodeId, refusal, requestsFor } from './support/logins.ts';
import { addressOf, type Listener, saslBroker, users } from './support/sasl-broker.ts';

const issuer = new TokenIssuer();
const folder = mkdtempSync(join(tmpdir(), 'offthread-jwks-'));
const jwksFile = join(folder, 'jwks.json');
writeFileSync(jwksFile, issuer.jwks());
after(() => rmSync(folder, { recursive: true, force: true }));

/** A login that is repeated has 15 % of it, for what else the machine does. */
const sessionMs = 6000;
const withPassword = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

describeKafka(
  'a broker that wants logins',
  (suite) => {
    const at = (listener: Listener, more: KafkaClientOptions): KafkaClientOptions => ({
      bootstrapServers: addressOf(suite.kafka.brokers[0]!, listener),
      securityProtocol: 'SASL_PLAINTEXT',
      ...patient,
      ...more,
    });
    const withToken = (token: () => string | Promise<string>): KafkaClientOptions => ({
      saslMechanism: 'OAUTHBEARER',
      saslOauthTokenProvider: { token },
    });

    for (const saslMechanism of withPassword) {
      describe(saslMechanism, () => {
        test('lets a user in', async (t) => {
          await loggedIn(t, at('sasl', { saslMechanism, ...users.alice }));
        });

        test('refuses a wrong password and an unknown user, and start says so', async () => {
          for (const saslPlainUsername of ['alice', 'nobody']) {
            const wrong = { saslMechanism, saslPlainUsername, saslPlainPassword: 'wrong-secret' };
            const error = await refusal(at('sasl', wrong), SaslAuthenticationFailedError, ['wrong-secret']);
            assert.match(error.message, /^login with \S+ at node -1 \(localhost:\d+\) failed: Authentication failed/);
          }
        });

        test('sessions are renewed under load, and no request is lost', async (t) => {
          const client = await loggedIn(t, at('reauth', { saslMechanism, ...users.alice }));
          await requestsFor(client, 1.5 * sessionMs);
        });
      });
    }

    for (const saslMechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      test(`${saslMechanism} escapes names and prepares passwords`, async (t) => {
        const user = { saslPlainUsername: 'o=re', saslPlainPassword: 'kä\u00adse' };
        await loggedIn(t, at('sasl', { saslMechanism, ...user }));
      });

      test(`${saslMechanism} takes a delegation token`, async (t) => {
        const client = await loggedIn(t, at('sasl', { saslMechanism, ...users.alice }));
        const created = await client.send(nodeId, CreateDelegationToken, { maxLifetimeMs: 60_000, renewers: [] });
        assert.equal(created.errorCode, 0);
        const token = { saslPlainUsername: created.tokenId, saslPlainPassword: created.hmac.toString('base64') };
        // The token reaches the broker's table of tokens by its metadata log.
        const options = at('sasl', { saslMechanism, saslDelegationToken: true, ...token });
        await loggedIn(t, options);
        const asPassword = at('sasl', { saslMechanism, ...token });
        await refusal(asPassword, SaslAuthenticationFailedError, [token.saslPlainPassword]);
      });
    }

    test('Admin makes, describes, renews and ends delegation tokens', async (t) => {
      const client = await loggedIn(t, at('sasl', { saslMechanism: 'SCRAM-SHA-256', ...users.alice }));
      const admin = client.admin({ timeoutMs: 120_000 });
      const token = await admin.createDelegationToken({ renewers: ['User:bob'], maxLifetimeMs: 600_000 });
      assert.equal(token.owner, 'User:alice');
      assert.equal(token.requester, 'User:alice');
      assert.deepEqual(token.renewers, ['User:bob']);
      const found = await waitFor('the token', async () => {
        const tokens = await admin.describeDelegationToken(['User:alice']);
        return tokens.find(({ tokenId }) => tokenId === token.tokenId);
      });
      assert.deepEqual(found, token);
      assert.deepEqual(await admin.describeDelegationToken(['User:nobody']), []);
      const renewed = await admin.renewDelegationToken(token.hmac, { renewPeriodMs: 300_000 });
      assert.ok(renewed.lte(token.maxTimestampMs));
      // A connection that logged in by a token makes no other.
      const byToken = await loggedIn(
        t,
        at('sasl', {
          saslMechanism: 'SCRAM-SHA-256',
          saslDelegationToken: true,
          saslPlainUsername: token.tokenId,
          saslPlainPassword: Buffer.from(token.hmac).toString('base64'),
        }),
      );
      await assert.rejects(byToken.admin({ timeoutMs: 120_000 }).createDelegationToken(), {
        code: 'KAFKA_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED',
      });
      await admin.expireDelegationToken(token.hmac);
      await waitFor('the token to be gone', async () => {
        const tokens = await admin.describeDelegationToken();
        return tokens.every(({ tokenId }) => tokenId !== token.tokenId);
      });
      await assert.rejects(admin.renewDelegationToken(Uint8Array.of(1, 2, 3)), {
        code: 'KAFKA_DELEGATION_TOKEN_NOT_FOUND',
      });
      await assert.rejects(admin.createDelegationToken({ owner: 'alice' }), { code: 'KAFKA_ILLEGAL_ARGUMENT' });
    });

    test('a session is renewed while the application thread is blocked and the connection is muted, and nothing is lost', async (t) => {
      const rooms = { responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 65_536 };
      const options = {
        saslMechanism: 'PLAIN',
        ...users.alice,
        ...rooms,
        maxInFlightRequestsPerConnection: 400,
      } as const;
      const client = await loggedIn(t, at('reauth', { ...options, metrics: true }));
      const connections = (): unknown => client.metrics()[`node-metrics.node-${nodeId}`]!['connection-creation-total'];
      const before = connections();
      const sent = Array.from({ length: 300 }, () => client.send(nodeId, ListGroups, {}));
      // Its microtasks, which tell the network thread, come first.
      await Promise.resolve();
      // fixed sleep: that this thread is blocked for two sessions is what is tested
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2 * sessionMs);
      assert.equal(client.metrics().metrics!['muted-connections'], 1);
      // Written before any answer is read: a broker closes a connection whose session is over.
      sent.push(client.send(nodeId, ListGroups, {}));
      for (const future of sent) assert.equal((await future).errorCode, 0);
      assert.equal(connections(), before);
    });

    test('a mechanism that the broker lacks is refused with the list of those it has', async () => {
      const options = at('jwks', { saslMechanism: 'PLAIN', ...users.alice });
      const error = await refusal(options, UnsupportedSaslMechanismError, ['alice-secret']);
      assert.match(error.message, /does not offer SASL mechanism PLAIN; it offers OAUTHBEARER/);
    });

    test('a login is refused at a broker without logins', async () => {
      const options = {
        ...at('sasl', { saslMechanism: 'PLAIN', ...users.alice }),
        bootstrapServers: suite.kafka.bootstrapServers,
      };
      await refusal(options, IllegalSaslStateError, ['alice-secret']);
    });

    test('the first awaitReady gives the reason if start does not wait for brokers', async (t) => {
      const options = at('sasl', {
        saslMechanism: 'PLAIN',
        ...users.alice,
        saslPlainPassword: 'wrong-secret',
        apiVersion: [3, 9],
      });
      const client = await openClient(t, options);
      const error = await unreadyBecause(client, -1, /Authentication failed/);
      assert.ok(error instanceof KafkaTimeoutError);
      assert.ok(error.cause instanceof SaslAuthenticationFailedError);
    });

    describe('OAUTHBEARER', () => {
      test('lets an unsecured token in, and asks for one at each login', async (t) => {
        let asked = 0;
        const options = withToken(async () => {
          asked++;
          return unsecuredToken();
        });
        await loggedIn(t, at('sasl', options));
        assert.ok(asked >= 2, `asked ${asked} times for two nodes`);
      });

      test('lets a signed token in', async (t) => {
        await loggedIn(
          t,
          at(
            'jwks',
            withToken(() => issuer.token()),
          ),
        );
      });

      const refused: Readonly<Record<string, () => string>> = {
        expired: () => issuer.token({ lifetime: -60 }),
        'for somebody else': () => issuer.token({ audience: 'other' }),
        'signed with a foreign key': () => new TokenIssuer().token(),
        unsecured: () => unsecuredToken(),
        'no token at all': () => 'garbage',
      };
      for (const [what, token] of Object.entries(refused)) {
        test(`refuses a token that is ${what}, and start says so`, async () => {
          const given = token();
          const error = await refusal(
            at(
              'jwks',
              withToken(() => given),
            ),
            SaslAuthenticationFailedError,
            [given],
          );
          assert.match(error.message, /invalid_token/);
        });
      }

      test('sessions are renewed with new tokens under load, and no request is lost', async (t) => {
        const subjects: string[] = [];
        const options = withToken(() => {
          subjects.push('alice');
          return unsecuredToken();
        });
        const client = await loggedIn(t, at('reauth', options));
        const before = subjects.length;
        await requestsFor(client, 2.5 * sessionMs);
        assert.ok(subjects.length >= before + 2);
      });

      test('a token for somebody else ends the session, and a fresh login follows', async (t) => {
        let subject = 'alice';
        const subjects: string[] = [];
        const tokens = withToken(() => {
          subjects.push(subject);
          return unsecuredToken({ subject });
        });
        const client = await loggedIn(t, { ...at('reauth', tokens), metrics: true });
        const connections = (): number =>
          client.metrics()[`node-metrics.node-${nodeId}`]!['connection-creation-total']!;
        const [connected, asked] = [connections(), subjects.length];
        subject = 'bob';
        // Who logged in cannot change on a connection; the connection that comes after it is bob's.
        let failures = 0;
        const end = Date.now() + 20 * sessionMs;
        while (connections() === connected) {
          assert.ok(Date.now() < end, 'the connection stays, though its user has changed');
          await client.awaitReady(nodeId);
          await client.send(nodeId, ListGroups, {}).then(undefined, () => failures++);
        }
        // One was refused on the old connection, and one was for the new one.
        assert.ok(subjects.slice(asked).filter((one) => one === 'bob').length >= 2, subjects.join(' '));
        await client.awaitReady(nodeId);
        await client.send(nodeId, ListGroups, {});
        assert.ok(failures <= 2, `${failures} requests failed`);
      });

      test('a module gives tokens in the network thread', async (t) => {
        const file = join(folder, 'provider.mjs');
        writeFileSync(
          file,
          `export const token = () => ${JSON.stringify(issuer.token())};\nexport const extensions = () => ({ traceId: '1' });\n`,
        );
        const saslOauthTokenProvider = new URL(`file://${file}`);
        await loggedIn(t, at('jwks', { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider }));
      });

      test('an authorization server gives tokens, to the network thread and to a provider here', async (t) => {
        const endpoint = await TokenEndpoint.start(() => ({ json: { access_token: issuer.token(), expires_in: 300 } }));
        t.after(() => endpoint.close());
        const oidc = { tokenEndpointUrl: endpoint.url, clientId: 'app', clientSecret: 'oidc-secret', scope: 'kafka' };
        for (const saslOauthTokenProvider of [{ oidc }, oidcTokenProvider(oidc)]) {
          const asked = endpoint.requests.length;
          await loggedIn(t, at('jwks', { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider }));
          // Two nodes log in, and share what was issued.
          assert.equal(endpoint.requests.length, asked + 1);
        }
      });

      test('an authorization server with its own authority is trusted only by NODE_EXTRA_CA_CERTS', async (t) => {
        const ca = new CertificateAuthority('authorization');
        t.after(() => ca.close());
        const answer = () => ({ json: { access_token: issuer.token(), expires_in: 300 } });
        const endpoint = await TokenEndpoint.start(answer, ca.issue());
        t.after(() => endpoint.close());
        const oidc = { tokenEndpointUrl: endpoint.url, clientId: 'app', clientSecret: 'oidc-secret' };
        const login = at('jwks', { saslMechanism: 'OAUTHBEARER', saslOauthTokenProvider: { oidc } });
        const args: LoginArguments = { options: login, nodeId };
        const limited = { ...args, options: { ...login, apiVersionAutoTimeoutMs: 10_000 } };
        const stranger = await startChild(t, 'login', limited, { env: { NODE_EXTRA_CA_CERTS: '' } }).ended;
        assert.match(
          stranger.stdout,
          /NoBrokersAvailable: .*no token from https:\/\/127\S+: (UNABLE_TO|SELF_SIGNED)_\w+; .*NODE_EXTRA_CA_CERTS/s,
        );
        assert.equal(endpoint.requests.length, 0, 'the secret went to a server that nobody has proved');
        const env = { NODE_EXTRA_CA_CERTS: ca.file('authorization.pem', ca.cert) };
        const trusting = await startChild(t, 'login', args, { env }).ended;
        assert.equal(trusting.stdout, 'logged in, error code 0\n');
        for (const { stdout, stderr } of [stranger, trusting]) assert.ok(!(stdout + stderr).includes('oidc-secret'));
      });
    });
  },
  saslBroker({ jwksFile, sessionMs }),
);
