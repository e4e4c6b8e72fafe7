// Owns the comparison with other Kafka clients' encoders and decoders, on the same bytes and records. Main thread. The work
// is done in a process of its own, on a Node that all of them run on.
//
//   npm install --prefix bench/peers     once; they are no dependencies of this package
//   npm run bench:peers

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findNode } from '../../scripts/node-binaries.ts';
import { projectFolder } from '../../scripts/project.ts';
import type { BenchRow } from '../rows.ts';

/** The oldest major that every peer supports. */
const nodeMajor = 22;
const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './peers-contender.ts' : './peers-contender.js', import.meta.url),
);

export async function run(): Promise<readonly BenchRow[]> {
  const folder = join(projectFolder, 'bench', 'peers');
  if (!existsSync(join(folder, 'node_modules'))) {
    throw new Error('the peers are not installed: npm install --prefix bench/peers');
  }
  const node = await findNode(nodeMajor);
  if (!('path' in node)) throw new Error(`Node ${nodeMajor} cannot be had: ${node.problem}`);
  const { stdout } = await promisify(execFile)(node.path, ['--enable-source-maps', entry, folder], {
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout) as BenchRow[];
}
