// Starts clients of a broker that only the system's authorities vouch for, one after the other, and prints how each ends: for
// tests of what is trusted. One authority more of the system's is named by NODE_EXTRA_CA_CERTS, or set as a default here.

import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { KafkaClient, type KafkaClientError, type KafkaClientOptions } from '../../../../src/index.ts';

interface Args {
  readonly bootstrapServers: string;
  readonly options: readonly KafkaClientOptions[];
  /** Files that `tls.setDefaultCACertificates` gets. */
  readonly defaults?: readonly string[];
}

const { bootstrapServers, options, defaults } = JSON.parse(process.argv[2]!) as Args;
if (defaults !== undefined) {
  const { setDefaultCACertificates } = tls as typeof tls & { setDefaultCACertificates(list: readonly string[]): void };
  setDefaultCACertificates(defaults.map((path) => readFileSync(path, 'utf8')));
}
for (const more of options) {
  try {
    const client = await KafkaClient.start({
      bootstrapServers,
      securityProtocol: 'SSL',
      apiVersionAutoTimeoutMs: 20_000,
      logLevel: 'silent',
      ...more,
    });
    await client.close();
    console.log('connected');
  } catch (error) {
    const { code, message } = error as KafkaClientError;
    console.log(`${code}: ${message.replaceAll('\n', ' ')}`);
  }
}
