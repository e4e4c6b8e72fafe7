// Owns the start of the producer's checker in a process of its own, and what its judgement means. Main thread of a proof.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Isolation, Reading } from './reading.ts';

export interface ProducedVerdict {
  readonly acknowledged: number;
  readonly failed: number;
  readonly maybe: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Failed for certain, and there all the same; or written by nobody. */
  readonly unexpected: number;
  readonly read: number;
}

export interface Checked {
  readonly verdict: ProducedVerdict;
  readonly readings: Readonly<Record<Isolation, Reading>>;
}

/** A run that wrote nothing has shown nothing. */
export function isFaultless({ acknowledged, lost, doubled, reordered, unexpected }: ProducedVerdict): boolean {
  return acknowledged > 0 && lost + doubled + reordered + unexpected === 0;
}

/** @param ledger the file in which each record and its outcome stands */
export async function checkProduced(servers: readonly string[], topic: string, ledger: string): Promise<Checked> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const file = fileURLToPath(new URL(`./producer-checker${extension}`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', file, servers.join(), topic, ledger], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`the checker ended with exit code ${code}`);
  return JSON.parse(out) as Checked;
}
