// Faults of kafka-python that have no place in another file. docs/kafka-python.md lists all of them with their tests.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createServer } from 'node:tls';
import { parseConfig } from '../../src/common/config/config-parser.ts';
import { transportsFor } from '../../src/worker/net/transports.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { openConnected } from './support/client.ts';

describe('known faults', () => {
  let ca: CertificateAuthority;

  before(() => {
    ca = new CertificateAuthority('tests');
  });

  after(() => ca.close());

  test('a million calls of wakeup cost nothing, and wakeup after close does nothing', async (t) => {
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    const client = await openConnected(t, broker);
    for (let i = 0; i < 1_000_000; i++) client.wakeup();
    const waiting = client.poll(60_000);
    client.wakeup();
    assert.deepEqual(await waiting, []);
    await client.close();
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    t.after(() => process.off('warning', onWarning));
    for (let i = 0; i < 1000; i++) client.wakeup();
    await new Promise(setImmediate);
    assert.deepEqual(warnings, []);
  });

  test('a host name with a dot at its end is sent and compared without the dot', async (t) => {
    const asked: string[] = [];
    const server = createServer({
      ...ca.issue({ names: ['DNS:broker.example'] }),
      SNICallback: (name, use) => {
        asked.push(name);
        use(null);
      },
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { open } = await transportsFor(parseConfig({ securityProtocol: 'SSL', sslContext: { ca: ca.cert } }));
    const verdict = (host: string) =>
      new Promise<Error | null>((resolve) => {
        const memory = new Uint8Array(4096);
        const transport = open(
          { host, address: '127.0.0.1', port },
          {
            onConnect: () => {
              transport.destroy();
              resolve(null);
            },
            memoryForRead: () => memory,
            onRead: () => true,
            onDrain: () => {},
            onClose: resolve,
          },
        );
      });
    assert.equal(await verdict('broker.example.'), null);
    assert.match((await verdict('other.example.'))!.message, /ALTNAME_INVALID/);
    assert.deepEqual(asked, ['broker.example', 'other.example']);
  });
});
