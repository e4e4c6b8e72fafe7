// Owns the measure of several threads that compute and produce in one process: attached to one network thread, with a client of ours for each
// thread, and with a client of each peer for each thread. One process after another in rotated order, with the same total work. Main thread.
//   npm run bench:peers -- threads
// The rows that begin with `goal` have what is asked for as `theirs`. About ten minutes; BENCH_ROUNDS and BENCH_RECORDS change that.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import { withBroker } from '../macro/support/broker.ts';
import { createTopic } from '../macro/support/topic.ts';
import { type BenchRow, median } from '../support/rows.ts';
import { besides, findPeers, type Peers } from './support/contender.ts';
import { buildPackage } from './support/published.ts';
import {
  isAttached,
  type ThreadsClient,
  type ThreadsResult,
  type ThreadsRun,
  threadsClients,
} from './support/threads-run.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const threadCounts = [1, 2, 4, 8] as const;
const partitions = 8;
const valueBytes = 100;
/** Of all threads together. Pools live long. With 200,000 records in eight threads the CPU of a record was 1.7 times that with 2,000,000. */
const records = Number(process.env.BENCH_RECORDS ?? 1_000_000);
/** Of the CPU, for each record: about 2 us. */
const workPerRecord = 1500;
const runTimeoutMs = 180_000;
/** Connections of their own are measured with so many threads only. */
const ownThreads = 4;
const goals = { memoryMiB: 3, attachMs: 20, memoryOfOwnClient: 1 / 5, rate: 0.95, cpuOfPeer: 1 / 3 } as const;

const metrics = [
  ['recordsPerSecond', 'records/s'],
  ['connections', 'connections'],
  ['clientMiB', 'MiB'],
  ['cpuMicrosecondsPerRecord', 'us'],
  ['openMs', 'ms'],
] as const;
const peerClients = ['@platformatic/kafka', 'kafkajs'] as const;
type Metric = (typeof metrics)[number][0];

/** It takes long; the growth with the number of threads is in peers/growth. */
export const isOnlyByName = true;

export async function run(): Promise<BenchRow[]> {
  await buildPackage();
  const peers = await findPeers();
  return withBroker(async ({ host, port, description }) => {
    const bootstrapServer = `${host}:${port}`;
    const topic = `bench-threads-${process.pid}`;
    const client = await KafkaClient.start({ bootstrapServers: bootstrapServer });
    await createTopic(client, topic, partitions);
    await client.close();
    const results = new Map<string, ThreadsResult[]>();
    for (let round = 0; round < rounds; round++) {
      for (const threads of threadCounts) {
        for (let i = 0; i < threadsClients.length; i++) {
          const client = threadsClients[(round + i) % threadsClients.length]!;
          if (client === 'attached, own' && threads !== ownThreads) continue;
          const place = { folder: peers.folder, bootstrapServer, topic, partitions, security: null };
          const result = await runOnce(peers, { ...place, valueBytes, client, threads, records, workPerRecord });
          const key = keyOf(client, threads);
          results.set(key, [...(results.get(key) ?? []), result]);
        }
      }
    }
    return rowsOf(results, { broker: description, rounds, partitions, records, valueBytes, workPerRecord });
  });
}

function keyOf(client: ThreadsClient, threads: number): string {
  return `${client} ${threads}`;
}

function rowsOf(
  results: ReadonlyMap<string, readonly ThreadsResult[]>,
  parameters: BenchRow['parameters'],
): BenchRow[] {
  const rows: BenchRow[] = [];
  const figuresOf = (client: ThreadsClient, threads: number, metric: Metric): number[] =>
    results.get(keyOf(client, threads))!.map((result) => figure(result, results, threads, metric));
  const add = (name: string, unit: string, comparison: string, ours: readonly number[], theirs: readonly number[]) => {
    const ratio = Number((median(ours) / median(theirs)).toPrecision(4));
    const all = { ours, theirs };
    rows.push({
      name,
      unit,
      comparison,
      ratio,
      ours: median(ours),
      theirs: median(theirs),
      parameters: { ...parameters, all },
    });
  };
  for (const threads of threadCounts) {
    for (const [metric, unit] of metrics) {
      const mine = figuresOf('attached', threads, metric);
      for (const client of threadsClients) {
        if (client === 'attached' || client === 'no client') continue;
        if (client === 'attached, own' && threads !== ownThreads) continue;
        add(`${threads} threads: ${metric}`, unit, client, mine, figuresOf(client, threads, metric));
      }
    }
  }
  const rate = 'recordsPerSecond';
  for (const threads of threadCounts.slice(1)) {
    const one = figuresOf('attached', 1, rate);
    add(
      `${threads} attached threads: ${rate}`,
      'records/s',
      '1 attached thread',
      figuresOf('attached', threads, rate),
      one,
    );
  }
  const most = threadCounts.at(-1)!;
  const each = (client: ThreadsClient): number[] => {
    const alone = median(figuresOf(client, 1, 'clientMiB'));
    return figuresOf(client, most, 'clientMiB').map((all) => Number(((all - alone) / (most - 1)).toPrecision(4)));
  };
  for (const client of threadsClients) {
    if (isAttached(client) || client === 'no client') continue;
    add('one more thread: clientMiB', 'MiB', client, each('attached'), each(client));
  }
  const goal = (name: string, unit: string, comparison: string, measured: readonly number[], asked: number): void =>
    add(`goal: ${name}`, unit, comparison, measured, [asked]);
  const ofOwn = median(each('this client')) * goals.memoryOfOwnClient;
  for (const client of ['attached, one producer', 'attached'] as const) {
    const { ringMiB } = results.get(keyOf(client, most))![0]!;
    const more = each(client);
    const beyond = more.map((all) => all - ringMiB);
    goal(`memory of one more thread beyond its rings, ${client}, at most`, 'MiB', 'the goal', beyond, goals.memoryMiB);
    goal(`memory of one more thread, ${client}, at most`, 'MiB', '1/5 of a client of its own', more, ofOwn);
  }
  goal('time to attach with 1 thread, at most', 'ms', 'the goal', figuresOf('attached', 1, 'openMs'), goals.attachMs);
  const oneRate = median(figuresOf('attached', 1, rate)) * goals.rate;
  goal('rate of 4 threads, at least', 'records/s', '0.95 of 1 thread', figuresOf('attached', 4, rate), oneRate);
  const cpu = 'cpuMicrosecondsPerRecord';
  // The work is the same with any number of threads, but the engine compiles it badly in some processes that do nothing else.
  const bare = Math.min(...threadCounts.map((count) => median(figuresOf('no client', count, cpu))));
  for (const threads of threadCounts) {
    const mine = figuresOf('attached', threads, cpu);
    const cheapest = Math.min(...peerClients.map((peer) => median(figuresOf(peer, threads, cpu))));
    const name = `CPU of a record with ${threads} threads`;
    goal(`${name}, at most`, 'us', '1/3 of the cheapest peer', mine, cheapest * goals.cpuOfPeer);
    const beyondWork = mine.map((all) => all - bare);
    const peerBeyondWork = (cheapest - bare) * goals.cpuOfPeer;
    goal(`${name} beyond its work, at most`, 'us', '1/3 of the cheapest peer', beyondWork, peerBeyondWork);
  }
  return rows;
}

/** Memory is that of the process beyond the same threads without a client. */
function figure(
  result: ThreadsResult,
  results: ReadonlyMap<string, readonly ThreadsResult[]>,
  threads: number,
  metric: Metric,
): number {
  if (metric !== 'clientMiB') return Number(result[metric].toPrecision(4));
  const bare = median(results.get(keyOf('no client', threads))!.map(({ rssMiB }) => rssMiB));
  return Number((result.rssMiB - bare).toPrecision(4));
}

async function runOnce({ node }: Peers, job: ThreadsRun): Promise<ThreadsResult> {
  const args = ['--enable-source-maps', '--expose-gc', besides('threads-contender'), JSON.stringify(job)];
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
  const { stdout } = await promisify(execFile)(node, args, options);
  return JSON.parse(stdout) as ThreadsResult;
}
