// Measures the cold start: a new process for each client, from the first line of a program until its first record is acknowledged, in
// rotated order. This client is measured as it is published, and so its package is built first. Main thread.
//   npm run bench:peers -- start

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { command } from '../../scripts/command.ts';
import { projectFolder } from '../../scripts/project.ts';
import { KafkaClient } from '../../src/index.ts';
import { withBroker } from '../macro/support/broker.ts';
import { createTopic } from '../macro/support/topic.ts';
import { type BenchRow, median } from '../support/rows.ts';
import { besides, findPeers, type Peers } from './support/contender.ts';
import type { StartClient, StartResult, StartRun } from './support/start-contender.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 15);
const runTimeoutMs = 120_000;
const buildTimeoutMs = 600_000;
const startClients: readonly StartClient[] = ['this client', 'kafkajs', '@platformatic/kafka', 'no client'];

const metrics = [
  ['importMs', 'ms', 'cold start: time to import'],
  ['firstRecordMs', 'ms', 'cold start: time to the first record'],
  ['cpuMs', 'ms', 'cold start: CPU of the process, all threads'],
  ['heapMiB', 'MiB', 'cold start: live heap of the main thread'],
] as const;

export async function run(): Promise<BenchRow[]> {
  const peers = await findPeers();
  await command('npm', ['run', '--silent', 'build'], { cwd: projectFolder, timeoutMs: buildTimeoutMs });
  return withBroker(async ({ host, port, description }) => {
    const bootstrapServer = `${host}:${port}`;
    const topic = `bench-start-${process.pid}`;
    const client = await KafkaClient.start({ bootstrapServers: bootstrapServer });
    await createTopic(client, topic, 1);
    await client.close();
    const entry = join(projectFolder, 'dist', 'index.js');
    const results = new Map<StartClient, StartResult[]>(startClients.map((name) => [name, []]));
    for (let round = -1; round < rounds; round++) {
      for (let i = 0; i < startClients.length; i++) {
        const client = startClients[(round + 1 + i) % startClients.length]!;
        const result = await runOnce(peers, { client, entry, folder: peers.folder, bootstrapServer, topic });
        // The first round fills the system's cache of files.
        if (round >= 0) results.get(client)!.push(result);
      }
    }
    return rowsOf(results, { broker: description, rounds });
  });
}

/** Ratios are the medians of those within each round. */
function rowsOf(
  results: ReadonlyMap<StartClient, readonly StartResult[]>,
  parameters: BenchRow['parameters'],
): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const [metric, unit, name] of metrics) {
    const ours = results.get('this client')!.map((result) => result[metric]);
    for (const comparison of startClients.slice(1)) {
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

async function runOnce({ node }: Peers, job: StartRun): Promise<StartResult> {
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
  const args = ['--expose-gc', besides('start-contender'), JSON.stringify(job)];
  const { stdout } = await promisify(execFile)(node, args, options);
  return JSON.parse(stdout) as StartResult;
}
