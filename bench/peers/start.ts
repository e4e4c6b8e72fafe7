// Measures the cold start to the first record beside other clients. Main thread.
//   npm run bench:peers -- start

import { coldStarts } from '../macro/support/cold-start.ts';
import type { BenchRow } from '../support/rows.ts';
import { findPeers } from './support/contender.ts';

export async function run(): Promise<BenchRow[]> {
  const { node, folder } = await findPeers();
  return coldStarts(node, folder, ['kafkajs', '@platformatic/kafka', 'no client']);
}
