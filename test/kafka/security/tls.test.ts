// TLS with a real broker: every kind of listener, accepted and refused connections, and the refusals of a Java broker.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import {
  CreateTopics,
  Fetch,
  type KafkaClient,
  type KafkaClientError,
  type KafkaClientOptions,
  KafkaConnectionError,
  KafkaTimeoutError,
  Metadata,
  Produce,
  TlsAuthenticationError,
} from '../../../src/index.ts';
import { failedStart, openClient, unreadyBecause } from '../../broker/support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from '../../broker/support/requests.ts';
import { CertificateAuthority, longPast } from '../../helpers/certificates.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { describeKafka } from '../fixture/index.ts';
import { assertRefused, foreverMs } from './support/logins.ts';
import { tlsBroker } from './support/tls-broker.ts';

const ca = new CertificateAuthority('tests');
const foreign = new CertificateAuthority('foreigners');
after(() => {
  ca.close();
  foreign.close();
});

const good = ca.issue();
const revoked = ca.issue();
ca.revoke(revoked);
const listeners = {
  tls: { certificate: good },
  mutual: { certificate: good, more: { 'ssl.client.auth': 'required' } },
  mutual12: { certificate: good, more: { 'ssl.client.auth': 'required', 'ssl.enabled.protocols': 'TLSv1.2' } },
  tls12: { certificate: good, more: { 'ssl.enabled.protocols': 'TLSv1.2' } },
  tls13: { certificate: good, more: { 'ssl.enabled.protocols': 'TLSv1.3' } },
  wrongname: { certificate: ca.issue({ names: ['DNS:broker.invalid'] }) },
  expired: { certificate: ca.issue({ validity: longPast }) },
  unknown: { certificate: foreign.issue() },
  revoked: { certificate: revoked },
  login: {
    certificate: good,
    protocol: 'SASL_SSL',
    more: {
      'sasl.enabled.mechanisms': 'PLAIN',
      'plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="alice-secret";',
    },
  },
} as const;
type Listener = keyof typeof listeners;

describeKafka(
  'a broker with TLS',
  (suite) => {
    const node = 1;

    function options(listener: Listener, more: KafkaClientOptions = {}): KafkaClientOptions {
      const port = suite.kafka.brokers[0]!.extraPorts[Object.keys(listeners).indexOf(listener)];
      return {
        bootstrapServers: `localhost:${port}`,
        securityProtocol: 'SSL',
        sslCaFile: ca.file('trusted.pem', ca.cert),
        apiVersionAutoTimeoutMs: 90_000,
        ...more,
      };
    }

    async function ready(t: Parameters<typeof openClient>[0], given: KafkaClientOptions): Promise<KafkaClient> {
      const client = await openClient(t, given);
      await client.awaitReady(node);
      return client;
    }

    /** What the bootstrap server could not be used for; a verdict of either side is no reason to go on trying. */
    async function refusal(given: KafkaClientOptions, isVerdict: boolean): Promise<KafkaClientError> {
      const error = await failedStart(given, isVerdict ? foreverMs : 2000);
      if (isVerdict) assertRefused(error);
      return error.causes[0]!.error as KafkaClientError;
    }

    async function refused(given: KafkaClientOptions, text: RegExp): Promise<void> {
      const error = await refusal(given, true);
      assert.ok(error instanceof TlsAuthenticationError, `${error.name}: ${error.message}`);
      assert.match(error.message, text);
    }

    describe('lets in', () => {
      for (const listener of ['tls', 'tls12', 'tls13'] as const) {
        test(`${listener}: records written are read back`, async (t) => {
          const client = await ready(t, options(listener));
          const topic = `records-${listener}`;
          const wanted = { name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] };
          await client.send(node, CreateTopics, { topics: [wanted], timeoutMs: 10_000 });
          const values = Array.from({ length: 300 }, (_, i) => Buffer.alloc(3000, i));
          await waitFor('the records to be taken', async () => {
            const request = produceRequest(
              topic,
              values.map((value) => ({ value })),
            );
            const response = await client.send(node, Produce, request, byName);
            return response.responses.at(0).partitionResponses.at(0).errorCode === 0;
          });
          const response = await client.send(node, Fetch, fetchRequest(topic), byName);
          const fetched = [...fetchedRecords(response)].map(({ value }) => Buffer.from(value!));
          assert.deepEqual(fetched, values);
        });
      }

      for (const listener of ['mutual', 'mutual12'] as const) {
        test(`${listener}: a client with a certificate, its key apart and encrypted, or in one file`, async (t) => {
          const own = ca.issue({ purpose: 'client', passphrase: 'hush' });
          const sslCertFile = ca.file('client.crt', own.cert);
          const sslKeyFile = ca.file('client.key', own.key);
          const both = ca.file('client.pem', own.cert + own.key);
          for (const keys of [{ sslCertFile, sslKeyFile }, { sslCertFile: both }]) {
            const client = await ready(t, options(listener, { ...keys, sslPassword: 'hush' }));
            await client.send(node, Metadata, { topics: [] });
          }
        });
      }

      test('a revoked broker without a revocation list, and other brokers with one', async (t) => {
        await ready(t, options('revoked'));
        await ready(t, options('tls', { sslCrlFile: ca.file('list.crl', ca.crl()) }));
      });

      test('a certificate for another name if sslCheckHostname is false', async (t) => {
        await ready(t, options('wrongname', { sslCheckHostname: false }));
      });

      test('a login inside TLS', async (t) => {
        const login = {
          saslMechanism: 'PLAIN',
          saslPlainUsername: 'alice',
          saslPlainPassword: 'alice-secret',
        } as const;
        const client = await ready(t, options('login', { securityProtocol: 'SASL_SSL', ...login }));
        await client.send(node, Metadata, { topics: [] });
      });
    });

    describe('is refused, or refuses', () => {
      test('a certificate for another name', () => refused(options('wrongname'), /ALTNAME_INVALID.*connect by a name/));
      test('an expired certificate', () => refused(options('expired'), /CERT_HAS_EXPIRED/));
      test('an unknown authority', () => refused(options('unknown'), /(SELF_SIGNED|UNABLE_TO)_\w+\); .*sslCaFile/));
      test('a revoked certificate', () =>
        refused(options('revoked', { sslCrlFile: ca.file('list.crl', ca.crl()) }), /CERT_REVOKED/));

      for (const listener of ['mutual', 'mutual12'] as const) {
        test(`${listener}: a client without a certificate`, () =>
          refused(options(listener), /refused the TLS handshake: .*requires a client certificate \(sslCertFile\)/));

        test(`${listener}: a client of a foreign authority, and an expired one`, async () => {
          for (const own of [
            foreign.issue({ purpose: 'client' }),
            ca.issue({ purpose: 'client', validity: longPast }),
          ]) {
            const sslCertFile = ca.file('bad.pem', own.cert + own.key);
            await refused(
              options(listener, { sslCertFile }),
              /requires another client certificate than that of sslCertFile/,
            );
          }
        });
      }

      test('no version in common', async () => {
        const by = (sslContext: object) => ({ sslContext: { ca: ca.cert, ...sslContext } });
        await refused(options('tls12', by({ minVersion: 'TLSv1.3' })), /offered were TLSv1\.3 to TLSv1\.3/);
        await refused(options('tls13', by({ maxVersion: 'TLSv1.2' })), /offered were TLSv1\.2 to TLSv1\.2/);
      });

      test('a plaintext client at a TLS port, and a TLS client at a plaintext port', async () => {
        const { sslCaFile: _, ...open } = options('tls');
        const plain = await refusal({ ...open, securityProtocol: 'PLAINTEXT' }, false);
        assert.match(plain.message, /TLS/);
        const reverse = await refusal({ ...options('tls'), bootstrapServers: suite.kafka.bootstrapServers }, false);
        assert.ok(reverse instanceof KafkaConnectionError);
        assert.equal(reverse instanceof TlsAuthenticationError, false);
        assert.match(reverse.message, /plaintext port/);
      });
    });

    test('renewed files serve the next connection, and bad files fail it with the reason', async (t) => {
      const own = ca.issue({ purpose: 'client' });
      const sslCertFile = ca.file('renewed.pem', own.cert + own.key);
      const client = await ready(t, options('mutual', { sslCertFile }));
      ca.file('renewed.pem', 'half a file');
      client.close(node);
      const error = await unreadyBecause(client, node, /renewed\.pem/);
      assert.ok(error instanceof KafkaTimeoutError && error.cause instanceof KafkaConnectionError);
      const next = ca.issue({ purpose: 'client' });
      ca.file('renewed.pem', next.cert + next.key);
      await client.awaitReady(node);
      await client.send(node, Metadata, { topics: [] });
    });
  },
  tlsBroker(ca, listeners),
);
