// The authorities that a whole client trusts: exactly the given ones, and without any those of the process.

import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { type KafkaClientOptions, KafkaTimeoutError } from '../../src/index.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { startChild } from './support/child.ts';
import { openConnected, unreadyBecause } from './support/client.ts';

let ca: CertificateAuthority;
let foreign: CertificateAuthority;
let caFile: string;
let broker: EmbeddedBroker;

before(async () => {
  ca = new CertificateAuthority('system');
  foreign = new CertificateAuthority('foreigners');
  caFile = ca.file('system.pem', ca.cert);
  broker = await startEmbeddedBroker({ tls: ca.issue() });
});

after(async () => {
  await broker.close();
  ca.close();
  foreign.close();
});

interface Trusting {
  readonly env?: Readonly<Record<string, string>>;
  readonly defaults?: readonly string[];
}

/** How clients end that are started with each of the options, in a process that trusts what `trusting` says. */
async function outcomes(t: TestContext, trusting: Trusting, ...options: KafkaClientOptions[]): Promise<string[]> {
  const { env = {}, defaults } = trusting;
  const args = { bootstrapServers: broker.bootstrapServers[0], options, defaults };
  const { stdout, stderr } = await startChild(t, 'trusting', args, { env }).ended;
  const lines = stdout.split('\n').filter((line) => line !== '');
  assert.equal(lines.length, options.length, stderr);
  return lines;
}

describe('a restriction that is empty', () => {
  test('is refused at start, and does not mean the authorities of the system', async (t) => {
    const empty = ca.file('empty.pem', '');
    const system = { env: { NODE_EXTRA_CA_CERTS: caFile } };
    const seen = await outcomes(
      t,
      system,
      {},
      { sslCaFile: empty },
      { sslContext: { ca: '' } },
      { sslContext: { ca: [] } },
      { sslContext: { ca: 'nonsense' } },
      { sslCrlFile: empty },
      { sslContext: { crl: [] } },
      { sslCertFile: empty, sslKeyFile: empty },
    );
    assert.equal(seen[0], 'connected', 'the system does not vouch for the broker: the test proves nothing');
    for (const [i, line] of seen.slice(1).entries())
      assert.match(line, /^KAFKA_CONFIGURATION: .*ssl/, `options ${i + 1}`);
  });

  test('in a file that is emptied later fails the next connection', async (t) => {
    const changing = ca.file('emptied.pem', ca.cert);
    const client = await openConnected(t, broker, { securityProtocol: 'SSL', sslCaFile: changing });
    truncateSync(changing);
    client.close(0);
    const error = await unreadyBecause(client, 0, /files have changed and cannot be used: sslCaFile '.*' ?: is empty/);
    assert.ok(error instanceof KafkaTimeoutError, String(error));
  });
});

describe('a client without its own authorities trusts', () => {
  const skip = 'setDefaultCACertificates' in tls ? false : `Node ${process.version} has no setDefaultCACertificates`;

  test('the authorities that tls.setDefaultCACertificates has set', { skip }, async (t) => {
    const other = foreign.file('other.pem', foreign.cert);
    assert.deepEqual(await outcomes(t, { defaults: [other, caFile] }, {}), ['connected']);
    // Given ones count alone, whatever the process trusts.
    const [named] = await outcomes(t, { defaults: [caFile] }, { sslCaFile: other });
    assert.match(named!, /KAFKA_NO_BROKERS_AVAILABLE: .*not among those of sslCaFile/);
  });

  test('no authorities of Node or of the system after that', { skip }, async (t) => {
    const other = foreign.file('only.pem', foreign.cert);
    for (const defaults of [[other], []]) {
      const [seen] = await outcomes(t, { env: { NODE_EXTRA_CA_CERTS: caFile }, defaults }, {});
      assert.match(seen!, /KAFKA_NO_BROKERS_AVAILABLE/, `${defaults.length} defaults`);
    }
  });
});
