// TLS with the embedded broker: connections that work, and clients that the broker refuses.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Fetch,
  type KafkaClient,
  type KafkaClientError,
  KafkaConnectionError,
  KafkaTimeoutError,
  Metadata,
  Produce,
  TlsAuthenticationError,
} from '../../src/index.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { FaultProxy } from '../helpers/fault-proxy.ts';
import { OneByteTls } from '../helpers/one-byte-tls.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openClient, openConnected, unreadyBecause } from './support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from './support/requests.ts';
import { ca, foreign, good, refused, secure, startFailure, tlsBroker, useAuthorities } from './support/tls.ts';

/** Of a TLS record: five of header, sixteen that prove the rest, and one of ours. */
const bytesOfRecord = 22;

useAuthorities();

async function checkRecords(client: KafkaClient): Promise<void> {
  const values = Array.from({ length: 200 }, (_, i) => Buffer.alloc(5000, i));
  const records = values.map((value) => ({ value }));
  await client.send(0, Produce, produceRequest('logs', records), byName);
  const response = await client.send(0, Fetch, fetchRequest('logs'), byName);
  const fetched = [...fetchedRecords(response)].map(({ value }) => Buffer.from(value!));
  assert.deepEqual(fetched, values);
}

describe('TLS with a broker that is trusted', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}: records written are read back`, async (t) => {
      const broker = await tlsBroker(t, { minVersion: version, maxVersion: version });
      const client = await openConnected(t, broker, secure());
      await checkRecords(client);
    });

    test(`${version}: an answer that comes byte by byte is put together`, async (t) => {
      const broker = await tlsBroker(t, { minVersion: version, maxVersion: version });
      const proxy = await FaultProxy.start(broker.nodes[0]!);
      t.after(() => proxy.close());
      proxy.onConnection(({ toClient, toBroker }) => {
        toClient.split(1);
        toBroker.split(1);
      });
      const client = await openClient(t, secure({ bootstrapServers: proxy.address, apiVersionAutoTimeoutMs: 90_000 }));
      const cluster = await client.send(-1, Metadata, { topics: [{ name: 'logs' }] });
      assert.equal(cluster.topics.at(0).name, 'logs');
    });

    test(`${version}: TLS records of one byte, whole or in pieces, are put together`, async (t) => {
      const broker = await startEmbeddedBroker({ topics: { logs: 1 } });
      t.after(() => broker.close());
      const server = await OneByteTls.start(broker.nodes[0]!, { ...good, minVersion: version, maxVersion: version });
      t.after(() => server.close());
      for (const pieceBytes of [Number.POSITIVE_INFINITY, 7]) {
        const before = server.sentBytes;
        const proxy = await FaultProxy.start(server);
        t.after(() => proxy.close());
        proxy.onConnection(({ toClient }) => toClient.split(pieceBytes));
        const client = await openClient(
          t,
          secure({ bootstrapServers: proxy.address, apiVersionAutoTimeoutMs: 90_000 }),
        );
        const values = Array.from({ length: 10 }, (_, i) => Buffer.alloc(500, i));
        await client.send(
          -1,
          Produce,
          produceRequest(
            'logs',
            values.map((value) => ({ value })),
          ),
          byName,
        );
        const response = await client.send(-1, Fetch, fetchRequest('logs'), byName);
        const fetched = [...fetchedRecords(response)].map(({ value }) => Buffer.from(value!));
        assert.deepEqual(fetched.slice(-values.length), values);
        const encrypted = proxy.connections.reduce((sum, { toClient }) => sum + toClient.forwardedBytes, 0);
        const sent = server.sentBytes - before;
        assert.ok(sent > 5000 && encrypted > sent * bytesOfRecord, `${encrypted} bytes for ${sent}`);
      }
    });

    test(`${version}: an idle connection stays open, and a lost connection is replaced`, async (t) => {
      const broker = await tlsBroker(t, { minVersion: version, maxVersion: version });
      const client = await openConnected(t, broker, secure());
      for (let i = 0; i < 3; i++) await client.send(0, Metadata, { topics: [] });
      assert.equal(client.connected(0), true);
      await broker.closeConnections('reset');
      // Until the client has noticed, a request may still go into the connection that is lost.
      await waitFor('a request to succeed again', async () => {
        await client.awaitReady(0);
        const answer = client.send(0, Metadata, { topics: [] });
        return answer.then(
          () => true,
          (error: unknown) => {
            assert.ok((error as KafkaClientError).retriable, String(error));
            return false;
          },
        );
      });
      await client.send(0, Metadata, { topics: [] });
    });

    test(`${version}: the broker requires a client certificate, and gets it`, async (t) => {
      const broker = await tlsBroker(t, {
        minVersion: version,
        maxVersion: version,
        ca: ca.cert,
        requireClientCertificate: true,
      });
      const own = ca.issue({ purpose: 'client', passphrase: 'hush hush' });
      const apart = {
        sslCertFile: ca.file('client.crt', own.cert),
        sslKeyFile: ca.file('client.key', own.key),
        sslPassword: 'hush hush',
      };
      const together = { sslCertFile: ca.file('client.pem', own.key + own.cert), sslPassword: 'hush hush' };
      const byValue = {
        sslContext: { ca: Buffer.from(ca.cert), cert: own.cert, key: own.key, passphrase: 'hush hush' },
      };
      for (const keys of [apart, together, byValue]) {
        const client = await openConnected(t, broker, secure(keys));
        await client.send(0, Metadata, { topics: [] });
      }
    });
  }

  test('a chain with an intermediate authority is trusted', async (t) => {
    const between = new CertificateAuthority('between', ca);
    t.after(() => between.close());
    const leaf = between.issue();
    const broker = await tlsBroker(t, { key: leaf.key, cert: leaf.cert + between.cert });
    await openConnected(t, broker, secure());
  });

  test('a certificate for another name is trusted if sslCheckHostname is false', async (t) => {
    const broker = await tlsBroker(t, ca.issue({ names: ['DNS:broker.invalid'] }));
    await openConnected(t, broker, secure({ sslCheckHostname: false }));
  });

  test('the cipher that sslCiphers names is used', async (t) => {
    const broker = await tlsBroker(t, { maxVersion: 'TLSv1.2' });
    await openConnected(t, broker, secure({ sslCiphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }));
  });

  test('any certificate is trusted if sslContext says so', async (t) => {
    const broker = await tlsBroker(t, foreign.issue());
    await openConnected(t, broker, secure({ sslContext: { rejectUnauthorized: false } }));
  });

  test('the next connection uses renewed files, and bad files fail only that connection', async (t) => {
    const broker = await tlsBroker(t);
    const changing = ca.file('changing.pem', ca.cert);
    const client = await openConnected(t, broker, secure({ sslCaFile: changing }));
    ca.file('changing.pem', 'no certificate any more');
    await client.send(0, Metadata, { topics: [] });
    client.close(0);
    const failure = await unreadyBecause(
      client,
      0,
      /files have changed .*sslCaFile '.*changing.pem': holds no certificate/,
    );
    assert.ok(failure instanceof KafkaTimeoutError, String(failure));
    assert.ok(failure.cause instanceof KafkaConnectionError);
    ca.file('changing.pem', foreign.cert);
    const untrusted = await unreadyBecause(client, 0, /UNABLE_TO_|SELF_SIGNED_/);
    assert.ok(untrusted.cause instanceof TlsAuthenticationError, String(untrusted.cause));
    ca.file('changing.pem', foreign.cert + ca.cert);
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
  });
});

describe('a client certificate that is missing or bad', { concurrency: 4 }, () => {
  const strict = { requireClientCertificate: true } as const;

  test('TLS 1.2: gives an alert in the handshake', (t) =>
    refused(
      t,
      { ...strict, ca: ca.cert, maxVersion: 'TLSv1.2' },
      {},
      /refused the TLS handshake.*client certificate \(sslCertFile\)/,
    ));

  test('TLS 1.3: gives an alert after the handshake', (t) =>
    refused(
      t,
      { ...strict, ca: ca.cert, minVersion: 'TLSv1.3' },
      {},
      /refused the TLS handshake.*CERTIFICATE_REQUIRED.*client certificate \(sslCertFile\)/,
    ));

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${version}: ends the connection if another authority has signed it, and Node's server only closes`, async (t) => {
      const own = foreign.issue({ purpose: 'client' });
      const broker = await tlsBroker(t, { ...strict, ca: ca.cert, minVersion: version, maxVersion: version });
      const error = await startFailure(
        secure({
          bootstrapServers: broker.bootstrapServers,
          sslCertFile: ca.file('foreign.crt', own.cert),
          sslKeyFile: ca.file('foreign.key', own.key),
        }),
      );
      assert.ok(error instanceof KafkaConnectionError, String(error));
      assert.match(
        error.message,
        /closed the connection .*TLS handshake.*another client certificate than that of sslCertFile/,
      );
    });
  }
});
