// Owns authorities, brokers with TLS, and what a client is refused with, for tests of TLS. Test thread.

import assert from 'node:assert/strict';
import { after, before, type TestContext } from 'node:test';
import { type KafkaClientError, type KafkaClientOptions, TlsAuthenticationError } from '../../../src/index.ts';
import { CertificateAuthority, type Issued } from '../../helpers/certificates.ts';
import { type EmbeddedBroker, startEmbeddedBroker, type TlsSettings } from '../../helpers/embedded-broker.ts';
import { failedStart } from './client.ts';

export let ca: CertificateAuthority;
export let foreign: CertificateAuthority;
export let caFile: string;
export let good: Issued;

/** Makes them before the tests of the file that calls this, and removes them after. */
export function useAuthorities(): void {
  before(() => {
    ca = new CertificateAuthority('tests');
    foreign = new CertificateAuthority('foreigners');
    caFile = ca.file('trusted.pem', ca.cert);
    good = ca.issue();
  });

  after(() => {
    ca.close();
    foreign.close();
  });
}

export async function tlsBroker(t: TestContext, tls: Partial<TlsSettings> = {}): Promise<EmbeddedBroker> {
  const broker = await startEmbeddedBroker({ topics: { logs: 1 }, tls: { ...good, ...tls } });
  t.after(() => broker.close());
  return broker;
}

export const secure = (more: KafkaClientOptions = {}): KafkaClientOptions => ({
  securityProtocol: 'SSL',
  sslCaFile: caFile,
  ...more,
});

/** Why the one server could not be used. */
export async function startFailure(options: KafkaClientOptions): Promise<KafkaClientError> {
  return (await failedStart(options, 1500)).causes[0]!.error as KafkaClientError;
}

export async function refused(
  t: TestContext,
  tls: Partial<TlsSettings>,
  more: KafkaClientOptions,
  text: RegExp,
): Promise<void> {
  const broker = await tlsBroker(t, tls);
  const error = await startFailure(secure({ bootstrapServers: broker.bootstrapServers, ...more }));
  assert.ok(error instanceof TlsAuthenticationError, `${error.name}: ${error.message}`);
  assert.equal(error.code, 'KAFKA_TLS_AUTHENTICATION');
  assert.equal(error.retriable, false);
  assert.equal(error.nodeId, -1);
  assert.match(error.message, text);
}
