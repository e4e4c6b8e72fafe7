// The application's work in the thread pool of the process does not delay the network thread.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { KafkaClientOptions } from '../../src/index.ts';
import { CertificateAuthority } from '../helpers/certificates.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { saslApis, wantLogins } from '../helpers/sasl-server.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { startChild } from './support/child.ts';

let ca: CertificateAuthority;
let broker: EmbeddedBroker;

before(async () => {
  ca = new CertificateAuthority('pool');
  broker = await startEmbeddedBroker({
    tls: ca.issue(),
    host: 'localhost',
    apiVersions: saslApis,
    topics: { big: 1 },
  });
  // Noise stays large when it is compressed.
  const records = Array.from({ length: 400 }, () => ({ value: randomBytes(1000) }));
  await broker.append('big', 0, { compression: 'gzip', records });
  await wantLogins(broker, { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'the-secret' });
});

after(async () => {
  await broker.close();
  ca.close();
});

/** Node 20 reads modules of a thread there. */
const readsModulesInPool = process.versions.node.startsWith('20.');

test('a lost connection with a host name, TLS and SCRAM comes back while all threads of the pool are busy, and start ends', async (t) => {
  const [port] = /\d+$/.exec(broker.bootstrapServers[0]!)!;
  const options: KafkaClientOptions = {
    bootstrapServers: `localhost:${port}`,
    securityProtocol: 'SASL_SSL',
    sslCaFile: ca.file('trusted.pem', ca.cert),
    saslMechanism: 'SCRAM-SHA-256',
    saslPlainUsername: 'alice',
    saslPlainPassword: 'the-secret',
    codecPoolThresholdBytes: 65_536,
    ...patient,
  };
  // Where a start with the pool taken cannot succeed, the test waits for the whole of its limit.
  const anewTimeoutMs = readsModulesInPool ? 3000 : patient.apiVersionAutoTimeoutMs;
  const child = startChild(t, 'pool-taken', { options, anewTimeoutMs });
  await waitFor('the child to be connected', () => child.stdout.includes('connected') || child.hasEnded);
  await broker.closeConnections('reset');
  child.tell('go');
  const { stdout, stderr } = await child.ended;
  assert.match(stdout, /^again: ok$/m, stderr);
  assert.match(stdout, /^derives: ok$/m);
  assert.match(stdout, /^decodes: ok$/m);
  if (readsModulesInPool)
    assert.match(stdout, /^anew: NetworkThreadError: the network thread did not begin within 8000 ms/m);
  else assert.match(stdout, /^anew: ok$/m);
});
