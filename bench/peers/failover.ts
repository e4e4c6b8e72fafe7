// Measures how long each client cannot write to a partition whose leader is killed: from SIGKILL to the first record at the new leader.
// Each client has its own process and its own kill, in rotated order. Main thread.
//   npm run bench:peers -- failover

import { randomUUID } from 'node:crypto';
import { type BenchRow, median } from '../support/rows.ts';
import { BenchCluster } from './support/cluster.ts';
import { findPeers, type Peers, withContenders } from './support/contender.ts';
import { besidePeers } from './support/peer-rows.ts';
import { type Client, clients, type LoadName, loads, type ProduceJob } from './support/producers.ts';
import { nowMs } from './support/reports.ts';

const repetitions = Number(process.env.BENCH_ROUNDS ?? 7);
const failoverTimeoutMs = 60_000;
/**
 * A broker of the fixture counts as dead 3 s after its last heartbeat, and it sends one every 500 ms. So there is no new leader in the
 * first 2.5 s after the kill. A record that is acknowledged earlier was the old leader's last one.
 */
const noSuccessorBeforeMs = 2000;

interface Outcome {
  /** From SIGKILL to the first record at the new leader. */
  readonly sinceKillMs: number;
  /** From SIGKILL to the first record that any client or the observer got acknowledged there: the cluster's part of the time. */
  readonly possibleMs: number;
  /** The client's part of the time, at least 1. */
  readonly sincePossibleMs: number;
  readonly givenUp: number;
}

/** It compares no workload of the report. */
export const isOnlyByName = true;

export async function run(): Promise<BenchRow[]> {
  const peers = await findPeers();
  return BenchCluster.with(async (cluster) => {
    const outcomes = Object.fromEntries(
      loads.map((load) => [load, new Map<string, Outcome[]>(clients.map((client) => [client, []]))]),
    ) as Record<LoadName, Map<string, Outcome[]>>;
    const about = new Map<string, object>();
    for (let round = 0; round < repetitions; round++) {
      for (let i = 0; i < clients.length; i++) {
        const client = clients[(round + i) % clients.length]!;
        const killed = await killLeader(cluster, peers, client);
        about.set(client, killed.about);
        for (const load of loads) outcomes[load].get(client)!.push(killed.outcomes[load]);
      }
    }
    const broker = `Apache Kafka ${cluster.kafka.version}, 3 brokers, broker.session.timeout.ms 3000`;
    return loads.flatMap((load) => {
      const of = (metric: keyof Outcome): Map<string, number[]> =>
        new Map([...outcomes[load]].map(([client, all]) => [client, all.map((outcome) => outcome[metric])]));
      const medians = (metric: keyof Outcome): object =>
        Object.fromEntries([...of(metric)].map(([client, all]) => [client, Math.round(median(all))]));
      const parameters = { broker, acks: -1, repetitions, about: Object.fromEntries(about) };
      const sinceKill = `failover, ${load}: SIGKILL to first record at the successor`;
      const sincePossible = `failover, ${load}: first record possible to first record`;
      return [
        ...besidePeers(sinceKill, 'ms', of('sinceKillMs'), { ...parameters, possibleMs: medians('possibleMs') }),
        ...besidePeers(sincePossible, 'ms', of('sincePossibleMs'), { ...parameters, givenUp: medians('givenUp') }),
      ];
    });
  });
}

/** Runs one client's loads and the observer on one partition, whose leader is killed. */
async function killLeader(
  cluster: BenchCluster,
  peers: Peers,
  client: Client,
): Promise<{ outcomes: Record<LoadName, Outcome>; about: object }> {
  // The active controller is not killed: a new controller would begin to count the broker's silence again.
  const controller = await cluster.activeController();
  const leader = cluster.kafka.brokers.find(({ nodeId }) => nodeId !== controller)!;
  const topic = `failover-${randomUUID()}`;
  await cluster.createTopic(topic, leader);
  const place = { folder: peers.folder, bootstrapServers: cluster.kafka.bootstrapServers, topic };
  const jobs: ProduceJob[] = [
    ...loads.map((load) => ({ client, load, ...place })),
    { client: 'eager observer', load: 'one at a time', ...place },
  ];
  try {
    return await withContenders(peers, jobs, async (contenders) => {
      const killedAtMs = nowMs();
      await leader.kill('SIGKILL');
      const isSuccessors = ({ atMs }: { atMs: number }): boolean => atMs > killedAtMs + noSuccessorBeforeMs;
      const firsts = await Promise.all(
        contenders.map((one) => one.first('produced', isSuccessors, failoverTimeoutMs).then(({ atMs }) => atMs)),
      );
      const possibleAtMs = Math.min(...firsts);
      const outcomes = loads.map((load, i) => {
        const outcome: Outcome = {
          sinceKillMs: firsts[i]! - killedAtMs,
          possibleMs: possibleAtMs - killedAtMs,
          sincePossibleMs: Math.max(1, firsts[i]! - possibleAtMs),
          givenUp: contenders[i]!.of('failed').length,
        };
        return [load, outcome];
      });
      return { outcomes: Object.fromEntries(outcomes), about: contenders[0]!.about };
    });
  } finally {
    if (!leader.isRunning) await leader.start();
    await cluster.allInSync(topic);
  }
}
