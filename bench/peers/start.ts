// Measures the cold start to the first record beside other clients. Main thread.
//   npm run bench:peers -- start

import { coldStarts } from '../macro/support/cold-start.ts';
import type { StartClient } from '../macro/support/start-contender.ts';
import type { BenchRow, MissingRow } from '../support/rows.ts';
import { findPeers } from './support/contender.ts';
import { missingPeers, nodeOfPeer } from './support/install.ts';

const others: readonly StartClient[] = [
  'the build of 2026-11-22',
  'kafkajs',
  '@platformatic/kafka',
  'kafka-ts',
  'kafka-crab-js',
  'node-rdkafka',
  '@confluentinc/kafka-javascript',
  'no client',
];

export async function run(): Promise<readonly (BenchRow | MissingRow)[]> {
  const { node, folder } = await findPeers();
  const missing = await missingPeers();
  const isThere = (client: StartClient): boolean => client === 'no client' || !missing.has(client);
  const nodeOf = (client: StartClient): string => (client === 'no client' ? node : nodeOfPeer(client, node));
  const gone = others
    .filter((client) => !isThere(client))
    .map((client) => ({
      name: 'cold start',
      missing: client,
      reason: client === 'no client' ? '' : missing.get(client)!,
    }));
  return [...gone, ...(await coldStarts(nodeOf, folder, others.filter(isThere)))];
}
