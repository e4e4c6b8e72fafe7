// TLS with servers that the client refuses: bad certificates, no common version or cipher, servers without TLS.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import {
  type KafkaClientError,
  type KafkaClientOptions,
  KafkaConnectionError,
  KafkaTimeoutError,
  Metadata,
  TlsAuthenticationError,
} from '../../src/index.ts';
import { CertificateAuthority, farFuture, longPast } from '../helpers/certificates.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { FaultProxy } from '../helpers/fault-proxy.ts';
import { type Script, ScriptedServer, scripts, startHttpServer } from '../helpers/scripted-server.ts';
import { openClient, openConnected, unreadyBecause } from './support/client.ts';
import { ca, foreign, refused, secure, startFailure, tlsBroker, useAuthorities } from './support/tls.ts';

useAuthorities();

describe('TLS with a broker that is not trusted', { concurrency: 4 }, () => {
  test('a certificate for another name', (t) =>
    refused(
      t,
      ca.issue({ names: ['DNS:broker.invalid'] }),
      {},
      /127\.0\.0\.1:\d+ was refused: .*ALTNAME_INVALID\); connect by a name/,
    ));

  test('a certificate without the address', (t) =>
    refused(t, ca.issue({ names: ['DNS:localhost'] }), {}, /ALTNAME_INVALID/));

  test('an expired certificate', (t) =>
    refused(t, ca.issue({ validity: longPast }), {}, /CERT_HAS_EXPIRED\); the broker needs a new/));

  test('a certificate that is not yet valid', (t) =>
    refused(t, ca.issue({ validity: farFuture }), {}, /CERT_NOT_YET_VALID\)/));

  test('a certificate of an unknown authority, with and without the check of names', async (t) => {
    await refused(t, foreign.issue(), {}, /(UNABLE_TO_\w+|SELF_SIGNED_\w+)\); .*sslCaFile/);
    await refused(t, foreign.issue(), { sslCheckHostname: false }, /(UNABLE_TO_\w+|SELF_SIGNED_\w+)\); .*sslCaFile/);
  });

  test('without sslCaFile only the authorities of Node are trusted', (t) =>
    refused(t, {}, { sslCaFile: null }, /UNABLE_TO_\w+|SELF_SIGNED_\w+/));

  test('a revoked certificate is refused only with a revocation list', async (t) => {
    const bad = ca.issue();
    ca.revoke(bad);
    const sslCrlFile = ca.file('revoked.crl', ca.crl());
    await refused(t, bad, { sslCrlFile }, /CERT_REVOKED\); .*sslCrlFile/);
    const others = await tlsBroker(t);
    await openConnected(t, others, secure({ sslCrlFile }));
    const withoutList = await tlsBroker(t, bad);
    await openConnected(t, withoutList, secure());
  });

  test('a revocation list that is out of date or of another authority refuses every certificate', async (t) => {
    await refused(t, {}, { sslCrlFile: ca.file('old.crl', ca.crl(longPast)) }, /CRL_HAS_EXPIRED\); .*out of date/);
    await refused(t, {}, { sslCrlFile: ca.file('foreign.crl', foreign.crl()) }, /UNABLE_TO_GET_CRL\); .*every issuer/);
  });

  test('every issuer of the chain needs its revocation list', async (t) => {
    const between = new CertificateAuthority('between', ca);
    t.after(() => between.close());
    const leaf = between.issue();
    const chain = { key: leaf.key, cert: leaf.cert + between.cert };
    await refused(t, chain, { sslCrlFile: ca.file('one.crl', between.crl()) }, /UNABLE_TO_GET_CRL\); .*every issuer/);
    const broker = await tlsBroker(t, chain);
    await openConnected(t, broker, secure({ sslCrlFile: ca.file('two.crl', between.crl() + ca.crl()) }));
  });

  test('a broker without a common version', async (t) => {
    await refused(
      t,
      { maxVersion: 'TLSv1.2' },
      { sslContext: { ca: ca.cert, minVersion: 'TLSv1.3' } },
      /TLSv1\.3 to TLSv1\.3/,
    );
    await refused(
      t,
      { minVersion: 'TLSv1.3' },
      { sslContext: { ca: ca.cert, maxVersion: 'TLSv1.2' } },
      /TLSv1\.2 to TLSv1\.2/,
    );
  });

  test('a broker without a common cipher', (t) =>
    refused(t, { maxVersion: 'TLSv1.2' }, { sslCiphers: 'ECDHE-RSA-AES128-GCM-SHA256' }, /HANDSHAKE_FAILURE.*ciphers/));

  test('every waiting caller gets the error, other nodes go on, and nothing spins', async (t) => {
    const trusted = await tlsBroker(t);
    const untrusted = await FaultProxy.start((await tlsBroker(t, foreign.issue())).nodes[0]!);
    t.after(() => untrusted.close());
    const begunAt = performance.now();
    const backoffMs = 100;
    const client = await openClient(
      t,
      secure({
        bootstrapServers: [...trusted.bootstrapServers, untrusted.address],
        reconnectBackoffMs: backoffMs,
        reconnectBackoffMaxMs: backoffMs,
      }),
    );
    const failure = await unreadyBecause(client, -2, /UNABLE_TO_|SELF_SIGNED_/);
    assert.ok(failure instanceof KafkaTimeoutError, String(failure));
    assert.ok(failure.cause instanceof TlsAuthenticationError, String(failure.cause));
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
    await assert.rejects(client.awaitReady(-2, { timeoutMs: 10 * backoffMs }));
    const attempts = untrusted.connections.length;
    // A backoff is shorter by a fifth at most. A machine that is slow makes fewer attempts, not more.
    const most = 2 + (performance.now() - begunAt) / (0.8 * backoffMs);
    assert.ok(attempts > 1 && attempts <= most, `${attempts} of at most ${most}`);
  });
});

describe('TLS with a server that', { concurrency: 4 }, () => {
  async function serverFailure(
    t: TestContext,
    script: Script,
    more: KafkaClientOptions = {},
  ): Promise<KafkaClientError> {
    const server = await ScriptedServer.start(script);
    t.after(() => server.close());
    const error = await startFailure(secure({ bootstrapServers: server.address, ...more }));
    assert.ok(error instanceof KafkaConnectionError, String(error));
    assert.equal(error instanceof TlsAuthenticationError, false);
    assert.equal(error.retriable, true);
    return error;
  }

  test('closes in the middle of the handshake, as a plaintext listener of Kafka does', async (t) => {
    const error = await serverFailure(t, async (connection) => {
      await connection.read(4);
      connection.end();
    });
    assert.match(error.message, /closed the connection during the TLS handshake: it may be a plaintext port/);
  });

  test('resets the connection', async (t) => {
    const error = await serverFailure(t, async (connection) => {
      await connection.read(4);
      connection.reset();
    });
    assert.match(error.message, /closed the connection during the TLS handshake.*max\.connections\.per\.ip/);
  });

  test('is silent', async (t) => {
    const error = await serverFailure(t, scripts.silent, { connectionSetupTimeoutMs: 300 });
    assert.match(
      error.message,
      /connectionSetupTimeoutMs.*did not answer the TLS handshake; it may be a plaintext port/,
    );
  });

  test('answers in HTTP', async (t) => {
    const server = await startHttpServer();
    t.after(() => server.close());
    const error = await startFailure(secure({ bootstrapServers: server.address }));
    assert.equal(error instanceof TlsAuthenticationError, false);
    assert.match(error.message, /does not speak TLS: .*plaintext port/);
  });

  test('is a plaintext broker is an error', async (t) => {
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    const error = await startFailure(
      secure({ bootstrapServers: broker.bootstrapServers, connectionSetupTimeoutMs: 500 }),
    );
    assert.equal(error instanceof TlsAuthenticationError, false);
    assert.match(error.message, /plaintext port/);
  });

  test('expects TLS while the client does not use it is an error', async (t) => {
    const broker = await tlsBroker(t);
    const error = await startFailure({ bootstrapServers: broker.bootstrapServers });
    assert.match(error.message, /TLS/);
  });
});
