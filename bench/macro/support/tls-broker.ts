// Owns the broker for benchmarks over TLS: a real broker with a listener of each kind. Main thread.

import { CertificateAuthority } from '../../../test/helpers/certificates.ts';
import { onProcessEnd } from '../../../test/kafka/fixture/cleanup.ts';
import { kafkaAvailability, startKafka } from '../../../test/kafka/fixture/index.ts';
import { tlsBroker } from '../../../test/kafka/security/support/tls-broker.ts';

interface Place {
  readonly host: string;
  readonly port: number;
  readonly sslCaFile?: string;
}

export interface TlsPlaces {
  readonly plaintext: Place;
  readonly tls: Place & { readonly sslCaFile: string };
  readonly description: string;
}

/** Runs `work`. Broker and certificates are removed after success and after failure. */
export async function withTlsBroker<T>(work: (places: TlsPlaces) => Promise<T>): Promise<T> {
  const { available } = kafkaAvailability(undefined, true);
  if (!available)
    throw new Error('this benchmark starts a broker with both kinds of listener: it needs Java 17 and Maven');
  const ca = new CertificateAuthority('benchmark');
  const forget = onProcessEnd(() => ca.close());
  try {
    const kafka = await startKafka({
      ...tlsBroker(ca, { tls: { certificate: ca.issue() } }),
      purpose: 'full speed',
      heapMegabytes: 1024,
    });
    try {
      return await work({
        plaintext: { host: kafka.host, port: kafka.port },
        tls: { host: 'localhost', port: kafka.brokers[0]!.extraPorts[0]!, sslCaFile: ca.file('trusted.pem', ca.cert) },
        description: `Apache Kafka ${kafka.version}`,
      });
    } finally {
      await kafka.stop();
    }
  } finally {
    forget();
    ca.close();
  }
}
