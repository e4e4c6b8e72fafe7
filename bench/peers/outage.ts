// Measures what each client does while all brokers are killed or stopped for a minute: how many TCP connections it opens, and how soon it
// works again after the outage. All clients are in the same outage, each in its own processes. Main thread.
//   npm run bench:peers -- outage

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchRow, median } from '../support/rows.ts';
import { BenchCluster } from './support/cluster.ts';
import { findPeers, type Peers, type ProduceContender, withContenders } from './support/contender.ts';
import { besidePeers } from './support/peer-rows.ts';
import { clients, loads, type ProduceJob } from './support/producers.ts';
import { nowMs } from './support/reports.ts';

const repetitions = Number(process.env.BENCH_ROUNDS ?? 3);
const outageMs = Number(process.env.BENCH_OUTAGE_MS ?? 60_000);
const returnTimeoutMs = 120_000;

/** A killed broker's system refuses connections at once. A stopped broker's system still accepts them, but nothing answers. */
const kinds = ['killed', 'stopped'] as const;
type Kind = (typeof kinds)[number];

interface Outcome {
  readonly kind: Kind;
  readonly job: ProduceJob;
  readonly connections: number;
  /** From the first record that any client or the observer got acknowledged after the outage. At least 1. */
  readonly sincePossibleMs: number;
  readonly givenUp: number;
  readonly about: object;
}

/** It compares no workload of the report. */
export const isOnlyByName = true;

export async function run(): Promise<BenchRow[]> {
  const peers = await findPeers();
  return BenchCluster.with(async (cluster) => {
    const outcomes: Outcome[] = [];
    for (let round = 0; round < repetitions; round++) {
      for (const kind of kinds) outcomes.push(...(await outage(cluster, peers, kind)));
    }
    const broker = `Apache Kafka ${cluster.kafka.version}, 3 brokers`;
    return kinds.flatMap((kind) => loads.flatMap((load) => rowsOf(outcomes, kind, load, { broker, repetitions })));
  });
}

function rowsOf(
  outcomes: readonly Outcome[],
  kind: Kind,
  load: ProduceJob['load'],
  parameters: BenchRow['parameters'],
): BenchRow[] {
  const of = <T>(what: (outcome: Outcome) => T): Map<string, T[]> =>
    new Map(
      clients.map((client) => {
        const own = outcomes.filter(({ kind: k, job }) => k === kind && job.client === client && job.load === load);
        return [client, own.map(what)];
      }),
    );
  const title = `brokers ${kind} for ${outageMs / 1000} s, ${load}`;
  const about = Object.fromEntries([...of((outcome) => outcome.about)].map(([client, all]) => [client, all[0]]));
  const givenUp = Object.fromEntries([...of((outcome) => outcome.givenUp)].map(([name, all]) => [name, median(all)]));
  const more = { ...parameters, acks: -1, about, givenUp };
  return [
    ...besidePeers(
      `${title}: TCP connections opened`,
      'connections',
      of((outcome) => outcome.connections),
      more,
    ),
    ...besidePeers(
      `${title}: first record possible to first record`,
      'ms',
      of((outcome) => outcome.sincePossibleMs),
      more,
    ),
  ];
}

/** Runs every client's loads and the observer on one partition, through one outage. */
async function outage(cluster: BenchCluster, peers: Peers, kind: Kind): Promise<Outcome[]> {
  const { brokers, bootstrapServers } = cluster.kafka;
  const topic = `outage-${randomUUID()}`;
  const place = { folder: peers.folder, bootstrapServers, topic };
  const measured = clients.flatMap((client) => loads.map((load) => ({ client, load })));
  const observer = { client: 'eager observer', load: 'one at a time' } as const;
  const jobs: ProduceJob[] = [...measured, observer].map((one) => ({ ...one, ...place }));
  await cluster.createTopic(topic, brokers[0]!);
  const comeBack = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => (broker.isRunning ? broker.kill('SIGCONT') : broker.start())));
  };
  try {
    return await withContenders(peers, jobs, async (contenders) => {
      const wentAtMs = nowMs();
      await Promise.all(brokers.map((broker) => broker.kill(kind === 'killed' ? 'SIGKILL' : 'SIGSTOP')));
      await delay(wentAtMs + outageMs - nowMs());
      const endedAtMs = nowMs();
      const [firsts] = await Promise.all([firstRecords(contenders, endedAtMs), comeBack()]);
      const possibleAtMs = Math.min(...firsts);
      return contenders.slice(0, -1).map((one, i) => ({
        kind,
        job: one.job,
        connections: one.of('connect').filter(({ atMs }) => atMs > wentAtMs && atMs < endedAtMs).length,
        sincePossibleMs: Math.max(1, firsts[i]! - possibleAtMs),
        givenUp: one.of('failed').length,
        about: one.about,
      }));
    });
  } finally {
    await comeBack();
    await cluster.allInSync(topic);
  }
}

function firstRecords(contenders: readonly ProduceContender[], afterMs: number): Promise<number[]> {
  return Promise.all(
    contenders.map(async (one) => {
      const { atMs } = await one.first('produced', (produced) => produced.atMs > afterMs, returnTimeoutMs);
      return atMs;
    }),
  );
}
