// Owns the measure of several threads that compute and produce in one process: attached to one network thread, with a client of ours for each
// thread, and with a client of each peer for each thread. One process after another in rotated order, with the same total work. Main thread.
//   npm run bench:peers -- threads
// The rows that begin with `goal` have what is asked for as `theirs`. About five minutes; BENCH_ROUNDS and BENCH_RECORDS change that.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import { withBroker } from '../macro/support/broker.ts';
import { createTopic } from '../macro/support/topic.ts';
import { type BenchRow, type MissingRow, median } from '../support/rows.ts';
import { besides, findPeers, type Peers } from './support/contender.ts';
import { isQuick, notInTime, rounds, roundsNow } from './support/harness.ts';
import type { Place } from './support/peer.ts';
import { buildPackage } from './support/published.ts';
import {
  isAttached,
  type ThreadsClient,
  type ThreadsResult,
  type ThreadsRun,
  threadsClients,
} from './support/threads-run.ts';

/** What the CPU of a record is made of: the work of the application, and what its client takes. */
interface Study {
  /** Part of the names of its rows. */
  readonly words: string;
  /** Steps of the loop that each record costs its thread. */
  readonly workPerRecord: number;
  readonly threadCounts: readonly number[];
  readonly clients: readonly ThreadsClient[];
  readonly rounds: number;
}

/** About 2 us for each record: an application that computes. Its work alone is more than a third of what a record costs with the cheapest peer. */
const computing: Study = {
  words: '',
  workPerRecord: 1500,
  threadCounts: [1, 2, 4, 8],
  clients: threadsClients,
  rounds: Math.min(rounds, 3),
};
/** About a quarter of a microsecond, such as a look at a few fields: most of the CPU is the client's. */
const light: Study = {
  words: ', light work',
  workPerRecord: 190,
  threadCounts: [1, 4],
  clients: ['attached', 'this client', '@platformatic/kafka', 'kafkajs', 'no client'],
  rounds,
};
const partitions = 8;
/** What was written is removed soon, before it goes to the disk. */
const configs = { 'retention.bytes': '134217728', 'segment.bytes': '67108864' };
const valueBytes = 100;
/** Of all threads together. Pools live long. With 200,000 records in eight threads the CPU of a record was 1.7 times that with 2,000,000. */
const records = Number(process.env.BENCH_RECORDS ?? (isQuick ? 200_000 : 1_000_000));
/** Ten times the slowest client. */
const runTimeoutMs = 90_000;
/** Connections of their own are measured with so many threads only. */
const ownThreads = 4;
/** One producer for all is compared where there are the fewest and the most threads. */
const sharedThreads: readonly number[] = [1, 8];
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
type Row = BenchRow | MissingRow;

export async function* run(): AsyncGenerator<Row> {
  await buildPackage();
  const peers = await findPeers();
  yield* await withBroker(async ({ host, port, description }) => {
    const bootstrapServer = `${host}:${port}`;
    const topic = `bench-threads-${process.pid}`;
    const client = await KafkaClient.start({ bootstrapServers: bootstrapServer });
    await createTopic(client, topic, partitions, configs);
    await client.close();
    const place = { folder: peers.folder, bootstrapServer, topic, partitions, security: null };
    const rows: Row[] = [];
    // A quick report has no time for the long one.
    for (const study of isQuick ? [light] : [light, computing])
      rows.push(...(await resultsOf(peers, place, study, description)));
    return rows;
  });
}

async function resultsOf(peers: Peers, place: Place, study: Study, broker: string): Promise<Row[]> {
  const { threadCounts, clients, workPerRecord, words } = study;
  const results: Results = new Map();
  const gone = new Map<ThreadsClient, string>();
  const most = roundsNow(study.rounds);
  if (most === 0) return [notInTime(`threads that compute and produce${words}`)];
  for (let round = 0; round < most; round++) {
    for (const threads of threadCounts) {
      for (let i = 0; i < clients.length; i++) {
        const client = clients[(round + i) % clients.length]!;
        if (gone.has(client) || !isMeasured(client, threads)) continue;
        const job = { ...place, valueBytes, client, threads, records, workPerRecord };
        try {
          const result = await runOnce(peers, job);
          const key = keyOf(client, threads);
          results.set(key, [...(results.get(key) ?? []), result]);
        } catch (error) {
          if (!isPeer(client)) throw error;
          gone.set(client, (error as Error).message.slice(-1500));
        }
      }
    }
  }
  const missing = [...gone].map(([client, reason]) => ({ name: `threads${words}`, missing: client, reason }));
  const there = clients.filter((client) => !gone.has(client));
  const parameters = { broker, rounds: most, partitions, records, valueBytes, workPerRecord };
  return [...missing, ...new Rows({ ...study, clients: there }, results, parameters).all()];
}

type Results = Map<string, ThreadsResult[]>;

function isMeasured(client: ThreadsClient, threads: number): boolean {
  if (client === 'attached, own') return threads === ownThreads;
  return client !== 'attached, one producer' || sharedThreads.includes(threads);
}

function isPeer(client: ThreadsClient): boolean {
  return (peerClients as readonly ThreadsClient[]).includes(client);
}

function keyOf(client: ThreadsClient, threads: number): string {
  return `${client} ${threads}`;
}

class Rows {
  readonly #study: Study;
  readonly #results: Results;
  readonly #parameters: BenchRow['parameters'];
  readonly #rows: BenchRow[] = [];

  constructor(study: Study, results: Results, parameters: BenchRow['parameters']) {
    this.#study = study;
    this.#results = results;
    this.#parameters = parameters;
  }

  all(): readonly BenchRow[] {
    this.#besideOthers();
    if (this.#study.clients.includes('attached, one producer')) this.#ofPools();
    this.#cpu();
    return this.#rows;
  }

  #add(name: string, unit: string, comparison: string, ours: readonly number[], theirs: readonly number[]): void {
    const ratio = Number((median(ours) / median(theirs)).toPrecision(4));
    const parameters = { ...this.#parameters, all: { ours, theirs } };
    this.#rows.push({ name, unit, comparison, ratio, ours: median(ours), theirs: median(theirs), parameters });
  }

  #goal(name: string, unit: string, comparison: string, measured: readonly number[], asked: number): void {
    this.#add(`goal: ${name}`, unit, comparison, measured, [asked]);
  }

  #figures(client: ThreadsClient, threads: number, metric: Metric): number[] {
    return this.#results.get(keyOf(client, threads))!.map((result) => this.#figure(result, threads, metric));
  }

  /** Memory is that of the process beyond the same threads without a client. */
  #figure(result: ThreadsResult, threads: number, metric: Metric): number {
    if (metric !== 'clientMiB') return Number(result[metric].toPrecision(4));
    const bare = median(this.#results.get(keyOf('no client', threads))!.map(({ rssMiB }) => rssMiB));
    return Number((result.rssMiB - bare).toPrecision(4));
  }

  #besideOthers(): void {
    const { threadCounts, clients, words } = this.#study;
    for (const threads of threadCounts) {
      for (const [metric, unit] of metrics) {
        const mine = this.#figures('attached', threads, metric);
        for (const client of clients) {
          if (client === 'attached' || client === 'no client' || !isMeasured(client, threads)) continue;
          this.#add(
            `${threads} threads${words}: ${metric}`,
            unit,
            client,
            mine,
            this.#figures(client, threads, metric),
          );
        }
      }
    }
  }

  /** Memory, time to attach and rate of a pool. */
  #ofPools(): void {
    const { threadCounts, clients } = this.#study;
    const rate = 'recordsPerSecond';
    const one = this.#figures('attached', 1, rate);
    for (const threads of threadCounts.slice(1)) {
      const mine = this.#figures('attached', threads, rate);
      this.#add(`${threads} attached threads: ${rate}`, 'records/s', '1 attached thread', mine, one);
    }
    const most = threadCounts.at(-1)!;
    const each = (client: ThreadsClient): number[] => {
      const alone = median(this.#figures(client, 1, 'clientMiB'));
      return this.#figures(client, most, 'clientMiB').map((all) => Number(((all - alone) / (most - 1)).toPrecision(4)));
    };
    for (const client of clients) {
      if (isAttached(client) || client === 'no client') continue;
      this.#add('one more thread: clientMiB', 'MiB', client, each('attached'), each(client));
    }
    const ofOwn = median(each('this client')) * goals.memoryOfOwnClient;
    for (const client of ['attached, one producer', 'attached'] as const) {
      const { ringMiB } = this.#results.get(keyOf(client, most))![0]!;
      const more = each(client);
      const beyond = more.map((all) => all - ringMiB);
      const name = `memory of one more thread`;
      this.#goal(`${name} beyond its rings, ${client}, at most`, 'MiB', 'the goal', beyond, goals.memoryMiB);
      this.#goal(`${name}, ${client}, at most`, 'MiB', '1/5 of a client of its own', more, ofOwn);
    }
    const openMs = this.#figures('attached', 1, 'openMs');
    this.#goal('time to attach with 1 thread, at most', 'ms', 'the goal', openMs, goals.attachMs);
    const asked = median(one) * goals.rate;
    this.#goal(
      'rate of 4 threads, at least',
      'records/s',
      '0.95 of 1 thread',
      this.#figures('attached', 4, rate),
      asked,
    );
  }

  #cpu(): void {
    const { threadCounts, clients, words } = this.#study;
    const there = peerClients.filter((peer) => clients.includes(peer));
    if (there.length === 0) return;
    const cpu = 'cpuMicrosecondsPerRecord';
    // The work is the same with any number of threads, but the engine compiles it badly in some processes that do nothing else.
    const bare = Math.min(...threadCounts.map((count) => median(this.#figures('no client', count, cpu))));
    const third = '1/3 of the cheapest peer';
    for (const threads of threadCounts) {
      const mine = this.#figures('attached', threads, cpu);
      const cheapest = Math.min(...there.map((peer) => median(this.#figures(peer, threads, cpu))));
      const name = `CPU of a record with ${threads} threads${words}`;
      this.#goal(`${name}, at most`, 'us', third, mine, cheapest * goals.cpuOfPeer);
      const beyondWork = mine.map((all) => all - bare);
      this.#goal(`${name} beyond its work, at most`, 'us', third, beyondWork, (cheapest - bare) * goals.cpuOfPeer);
    }
  }
}

async function runOnce({ node }: Peers, job: ThreadsRun): Promise<ThreadsResult> {
  const args = ['--enable-source-maps', '--expose-gc', besides('threads-contender'), JSON.stringify(job)];
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
  const { stdout } = await promisify(execFile)(node, args, options);
  return JSON.parse(stdout) as ThreadsResult;
}
