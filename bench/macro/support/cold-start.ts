// Owns the measure of cold starts: a new process for each client, from the first line of a program until its first record is acknowledged,
// in rotated order. This client is measured as it is published, and so its package is built first. Main thread.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectFolder } from '../../../scripts/project.ts';
import { KafkaClient } from '../../../src/index.ts';
import { buildPackage } from '../../peers/support/published.ts';
import { type BenchRow, type MissingRow, median } from '../../support/rows.ts';
import { withBroker } from './broker.ts';
import type { StartClient, StartResult, StartRun } from './start-contender.ts';
import { createTopic } from './topic.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? (process.env.BENCH_QUICK === '1' ? 2 : 11));
const runTimeoutMs = 60_000;
const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const contender = fileURLToPath(new URL(`./start-contender.${suffix}`, import.meta.url));

const metrics = [
  ['importMs', 'ms', 'cold start: time to import'],
  ['firstRecordMs', 'ms', 'cold start: time to the first record'],
  ['cpuMs', 'ms', 'cold start: CPU of the process, all threads'],
  ['heapMiB', 'MiB', 'cold start: live heap of the main thread'],
] as const;

/**
 * Rows of this client beside each of the others.
 * @param nodeOf  the path of the Node that runs a client
 * @param peersFolder  the folder with the peers' node_modules
 */
export async function coldStarts(
  nodeOf: (client: StartClient) => string,
  peersFolder: string,
  others: readonly StartClient[],
): Promise<(BenchRow | MissingRow)[]> {
  const clients: readonly StartClient[] = ['this client', ...others];
  await buildPackage();
  return withBroker(async ({ host, port, description }) => {
    const bootstrapServer = `${host}:${port}`;
    const topic = `bench-start-${process.pid}`;
    const client = await KafkaClient.start({ bootstrapServers: bootstrapServer });
    await createTopic(client, topic, 1);
    await client.close();
    const entry = join(projectFolder, 'dist', 'index.js');
    const olderEntry = join(projectFolder, '.cache', 'older-build', 'build', 'src', 'index.js');
    const missing = new Map<StartClient, string>();
    const results = new Map<StartClient, StartResult[]>(clients.map((name) => [name, []]));
    for (let round = -1; round < rounds; round++) {
      for (let i = 0; i < clients.length; i++) {
        const client = clients[(round + 1 + i) % clients.length]!;
        if (missing.has(client)) continue;
        const job: StartRun = { client, entry, olderEntry, folder: peersFolder, bootstrapServer, topic };
        try {
          const result = await runOnce(nodeOf(client), job);
          // The first round fills the system's cache of files.
          if (round >= 0) results.get(client)!.push(result);
        } catch (error) {
          if (client === 'this client') throw error;
          missing.set(client, (error as Error).message.slice(-1500));
        }
      }
    }
    const there = others.filter((client) => !missing.has(client));
    const gone = [...missing].map(([client, reason]) => ({ name: 'cold start', missing: client, reason }));
    return [
      ...gone,
      ...rowsOf(results, there, { broker: description, rounds, measured: 'the package as it is published' }),
    ];
  });
}

/** Ratios are the medians of those within each round. */
function rowsOf(
  results: ReadonlyMap<StartClient, readonly StartResult[]>,
  others: readonly StartClient[],
  parameters: BenchRow['parameters'],
): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const [metric, unit, name] of metrics) {
    const ours = results.get('this client')!.map((result) => result[metric]);
    for (const comparison of others) {
      if (comparison === 'no client' && metric === 'firstRecordMs') continue;
      const theirs = results.get(comparison)!.map((result) => result[metric]);
      const ratio = rounded(median(ours.map((value, i) => value / theirs[i]!)));
      const all = { ours: ours.map(rounded), theirs: theirs.map(rounded) };
      const row = { name, unit, comparison, ratio, ours: rounded(median(ours)), theirs: rounded(median(theirs)) };
      rows.push({ ...row, parameters: { ...parameters, all } });
    }
  }
  return rows;
}

function rounded(figure: number): number {
  return Number(figure.toPrecision(4));
}

async function runOnce(node: string, job: StartRun): Promise<StartResult> {
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
  const args = ['--expose-gc', contender, JSON.stringify(job)];
  const { stdout } = await promisify(execFile)(node, args, options);
  return JSON.parse(stdout) as StartResult;
}
