// Compares the producing of many records with the peers and with Kafka's own producer: the same broker and topic, acks all. The clients run
// one after the other in rotated order, each in a process of its own. Main thread.
//   npm run bench:peers -- produce

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import { toolsAvailability } from '../../test/kafka/fixture/index.ts';
import { fetchJars } from '../../test/kafka/fixture/jars.ts';
import { javaCommand } from '../../test/kafka/fixture/java.ts';
import { kafkaVersion } from '../../test/kafka/fixture/versions.ts';
import { withBroker } from '../macro/support/broker.ts';
import { createTopic } from '../macro/support/topic.ts';
import { type BenchRow, median } from '../support/rows.ts';
import type { BulkResult, BulkRun } from './support/bulk-produce-contender.ts';
import { type BulkClient, bulkClients } from './support/bulk-producers.ts';
import { besides, findPeers, type Peers } from './support/contender.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const partitions = 4;
const runTimeoutMs = 180_000;
const java = "Kafka's own producer";

interface Case {
  readonly name: string;
  readonly valueBytes: number;
  readonly records: number;
  readonly busyMs: number;
  readonly withJava: boolean;
}
const cases: readonly Case[] = [
  { name: 'produce 100 B', valueBytes: 100, records: 1_000_000, busyMs: 0, withJava: true },
  { name: 'produce 1 KiB', valueBytes: 1024, records: 200_000, busyMs: 0, withJava: true },
  {
    name: 'produce 100 B, main thread 90 % busy in 20 ms blocks',
    valueBytes: 100,
    records: 300_000,
    busyMs: 20,
    withJava: false,
  },
];

type Contender = BulkClient | typeof java;
type Figures = Pick<BulkResult, 'recordsPerSecond' | 'mainThreadMicrosecondsPerRecord' | 'cpuMicrosecondsPerRecord'>;

export async function run(): Promise<BenchRow[]> {
  const peers = await findPeers();
  const hasJava = toolsAvailability().available;
  return withBroker(async ({ host, port, description }) => {
    const bootstrapServer = `${host}:${port}`;
    const rows: BenchRow[] = [];
    for (const one of cases) {
      const topic = `bench-produce-${one.valueBytes}-${one.busyMs}-${process.pid}`;
      const client = await KafkaClient.start({ bootstrapServers: bootstrapServer });
      await createTopic(client, topic, partitions);
      await client.close();
      const contenders: Contender[] = [...bulkClients, ...(one.withJava && hasJava ? [java as Contender] : [])];
      const results = new Map<Contender, Figures[]>(contenders.map((contender) => [contender, []]));
      let settings: Record<string, string> = {};
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < contenders.length; i++) {
          const contender = contenders[(round + i) % contenders.length]!;
          if (contender === java) {
            results.get(contender)!.push(await runJava(bootstrapServer, topic, one));
            continue;
          }
          const place = { folder: peers.folder, bootstrapServer, topic };
          const result = await runNode(peers, { ...place, ...one, client: contender });
          results.get(contender)!.push(result);
          settings = { ...settings, [contender]: `${result.version}: ${result.settings}` };
        }
      }
      const parameters = { broker: description, rounds, partitions, ...one, settings };
      rows.push(...rowsOf(one.name, results, parameters));
    }
    return rows;
  });
}

function rowsOf(
  name: string,
  results: ReadonlyMap<Contender, readonly Figures[]>,
  parameters: BenchRow['parameters'],
): BenchRow[] {
  const metrics = [
    ['recordsPerSecond', 'records/s'],
    ['mainThreadMicrosecondsPerRecord', 'us'],
    ['cpuMicrosecondsPerRecord', 'us'],
  ] as const;
  const rows: BenchRow[] = [];
  for (const [metric, unit] of metrics) {
    const figuresOf = (contender: Contender): number[] =>
      results.get(contender)!.map((figures) => Number(figures[metric].toPrecision(4)));
    const mine = figuresOf('this client');
    for (const contender of results.keys()) {
      // For Java's producer only the rate can be compared: it has no main thread like the others.
      if (contender === 'this client' || (contender === java && metric !== 'recordsPerSecond')) continue;
      const theirs = figuresOf(contender);
      const ratio = Number((median(mine) / median(theirs)).toPrecision(4));
      const all = { ours: mine, theirs };
      const shared = { name: `${name}: ${metric}`, unit, comparison: contender, ratio };
      rows.push({ ...shared, ours: median(mine), theirs: median(theirs), parameters: { ...parameters, all } });
    }
  }
  return rows;
}

async function runNode({ node }: Peers, job: BulkRun): Promise<BulkResult> {
  const args = ['--enable-source-maps', besides('bulk-produce-contender'), JSON.stringify(job)];
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
  const { stdout } = await promisify(execFile)(node, args, options);
  return JSON.parse(stdout) as BulkResult;
}

/** Runs Kafka's own measuring tool, with the full just-in-time compiler. Its rate counts all records, even those of the warm-up. */
async function runJava(bootstrapServer: string, topic: string, { valueBytes, records }: Case): Promise<Figures> {
  const version = kafkaVersion();
  const folders = await Promise.all([fetchJars(version), fetchJars(version, 'tools')]);
  const classPath = folders.map((folder) => join(folder, '*')).join(delimiter);
  const asked = ['--topic', topic, '--num-records', String(records), '--record-size', String(valueBytes)];
  const args = [
    ...['-Xmx512m', '-Dorg.apache.logging.log4j.level=OFF', '-cp', classPath],
    'org.apache.kafka.tools.ProducerPerformance',
    ...asked,
    ...['--throughput', '-1', '--producer-props', `bootstrap.servers=${bootstrapServer}`, 'acks=all'],
  ];
  const child = spawn(javaCommand(), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), runTimeoutMs);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  // The last line is about all records.
  const rate = [...output.matchAll(/records sent, ([\d.,]+) records\/sec/g)].at(-1)?.[1];
  if (exitCode !== 0 || rate === undefined)
    throw new Error(`ProducerPerformance failed: ${errors}${output.slice(-2000)}`);
  const recordsPerSecond = Number(rate.replace(',', '.'));
  return { recordsPerSecond, mainThreadMicrosecondsPerRecord: Number.NaN, cpuMicrosecondsPerRecord: Number.NaN };
}
