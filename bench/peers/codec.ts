// Compares the encoders and decoders of this client with those of other Kafka clients, on the same bytes and records. Main thread. The
// work is done in a process of its own, on a Node version that all clients support.
//   npm run bench:peers -- codec

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BenchRow } from '../support/rows.ts';
import { besides, findPeers } from './support/contender.ts';

/** It compares no workload of the report. */
export const isOnlyByName = true;

export async function run(): Promise<readonly BenchRow[]> {
  const { node, folder } = await findPeers();
  const args = ['--enable-source-maps', besides('codec-contender'), folder];
  const { stdout } = await promisify(execFile)(node, args, { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as BenchRow[];
}
