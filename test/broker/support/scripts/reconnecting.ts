// A client that tells, for each line of its stdin, where the cluster says its brokers are, once node 1 has answered that. Child
// process of a test.

import { createInterface } from 'node:readline';
import { KafkaClient, Metadata } from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';

export interface ReconnectingArguments {
  readonly bootstrapServers: string;
}

/** One line of its stdout. */
export interface ReconnectingReport {
  readonly brokers: readonly string[];
  /** Connections that ended, attempts that failed included. */
  readonly endedConnections: number;
}

const { bootstrapServers } = JSON.parse(process.argv[2]!) as ReconnectingArguments;
const client = await KafkaClient.start({ ...patient, bootstrapServers, reconnectBackoffMaxMs: 200, metrics: true });
for await (const _ of createInterface({ input: process.stdin })) {
  await client.awaitReady(1, { timeoutMs: 60_000 });
  const response = await client.send(1, Metadata, { topics: [] });
  const brokers = Array.from(response.brokers, ({ host, port }) => `${host}:${port}`);
  const endedConnections = client.metrics().metrics!['connection-close-total']!;
  console.log(JSON.stringify({ brokers, endedConnections } satisfies ReconnectingReport));
}
await client.close();
