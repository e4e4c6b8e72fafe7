// A TLS connection after its handshake: new keys, a server that asks for a certificate later, an end without a closing alert.

import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { parseConfig } from '../../src/common/config/config-parser.ts';
import { type KafkaClient, KafkaConnectionError, Metadata, TlsAuthenticationError } from '../../src/index.ts';
import { socketOptionsOf } from '../../src/worker/net/dial.ts';
import { TlsContexts } from '../../src/worker/net/tls-contexts.ts';
import { tlsTransports } from '../../src/worker/net/tls-transport.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { FaultProxy, type ProxyConnection } from '../helpers/fault-proxy.ts';
import { OpensslServer } from '../helpers/openssl-server.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openClient } from './support/client.ts';

let ca: CertificateAuthority;
let sslCaFile: string;

before(() => {
  ca = new CertificateAuthority('tests');
  sslCaFile = ca.file('trusted.pem', ca.cert);
});

after(() => ca.close());

test('TLS 1.3: key updates and a late request for a certificate do not disturb the data', async (t) => {
  const issued = ca.issue();
  const server = await OpensslServer.start(ca.file('server.crt', issued.cert), ca.file('server.key', issued.key));
  t.after(() => server.close());
  const config = parseConfig({ securityProtocol: 'SSL', sslCaFile });
  const { byNode } = socketOptionsOf(config);
  const open = tlsTransports({ contexts: new TlsContexts(config), checkHostname: true, byNode });
  const memory = Buffer.alloc(1000);
  let read = '';
  let end: Error | null | undefined;
  const transport = open(
    { address: '127.0.0.1', port: server.port, host: 'localhost' },
    {
      onConnect: () => transport.write(Buffer.from('first\n')),
      memoryForRead: () => memory,
      onRead: (bytes, count) => {
        read += Buffer.from(bytes.subarray(0, count)).toString();
        return true;
      },
      onDrain: () => {},
      onClose: (error) => {
        end = error;
      },
    },
  );
  t.after(() => transport.destroy());
  await waitFor('the client’s first line', () => server.stdout.includes('first\n'));
  server.send('with old keys');
  await waitFor('the server’s first line', () => read === 'with old keys\n');
  await server.updateKeys();
  server.send('with new keys');
  await waitFor('a line with new keys', () => read.endsWith('with new keys\n'));
  transport.write(Buffer.from('new keys here, too\n'));
  await waitFor('the client’s line with new keys', () => server.stdout.includes('new keys here, too\n'));
  await server.failToAskForCertificate();
  server.send('nevertheless');
  await waitFor('a line after that', () => read.endsWith('nevertheless\n'));
  assert.equal(read, 'with old keys\nwith new keys\nnevertheless\n');
  assert.equal(end, undefined, 'the connection has ended');
});

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  /** A client whose only connection leads through a proxy, and the proxy's newest connection. */
  async function proxied(t: TestContext): Promise<{ client: KafkaClient; newest: () => ProxyConnection }> {
    const tls = { ...ca.issue(), minVersion: version, maxVersion: version };
    const broker = await startEmbeddedBroker({ topics: { logs: 1 }, tls });
    t.after(() => broker.close());
    const proxy = await FaultProxy.start(broker.nodes[0]!);
    t.after(() => proxy.close());
    const client = await openClient(t, { securityProtocol: 'SSL', sslCaFile, bootstrapServers: proxy.address });
    return { client, newest: () => proxy.connections.at(-1)! };
  }

  const ask = (client: KafkaClient) => client.send(-1, Metadata, { topics: [{ name: 'logs' }] });

  async function assertRecovers(client: KafkaClient): Promise<void> {
    await waitFor('the end to be noticed', () => !client.connected(-1));
    await client.awaitReady(-1);
    assert.equal((await ask(client)).topics.at(0).name, 'logs');
  }

  test(`${version}: an answer is delivered if the connection ends right after it without close_notify`, async (t) => {
    const { client, newest } = await proxied(t);
    await ask(client);
    const { toClient } = newest();
    const start = toClient.forwardedBytes;
    await ask(client);
    // The same answer again, to the byte.
    toClient.cutAfter(2 * toClient.forwardedBytes - start);
    assert.equal((await ask(client)).topics.at(0).name, 'logs');
    await assertRecovers(client);
  });

  test(`${version}: a connection that ends within an answer without close_notify is a lost connection`, async (t) => {
    const { client, newest } = await proxied(t);
    await ask(client);
    const { toClient } = newest();
    toClient.cutAfter(toClient.forwardedBytes + 20);
    await assert.rejects(
      async () => ask(client),
      (error: Error) => {
        assert.ok(error instanceof KafkaConnectionError, String(error));
        assert.equal(error instanceof TlsAuthenticationError, false);
        assert.equal(error.retriable, true);
        return true;
      },
    );
    await assertRecovers(client);
  });
}
