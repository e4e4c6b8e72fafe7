// Compares the reading of a topic in a consumer group with the peers: the same broker and topic, and a new group each time. The clients run
// one after the other in rotated order, each in a process of its own. Main thread.
//   npm run bench:peers -- consume

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import { kafkaTools } from '../../test/kafka/fixture/index.ts';
import { withBroker } from '../macro/support/broker.ts';
import { fillTopic } from '../macro/support/topic.ts';
import { type BenchRow, median } from '../support/rows.ts';
import type { ConsumeResult, ConsumeRun } from './support/bulk-consume-contender.ts';
import { type BulkReader, bulkReaders } from './support/bulk-consumers.ts';
import { besides, findPeers, type Peers } from './support/contender.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const partitions = 4;
const runTimeoutMs = 180_000;

interface Case {
  readonly name: string;
  readonly valueBytes: number;
  /** The number of records in each partition. */
  readonly endOffset: number;
  readonly busyMs: number;
}
const cases: readonly Case[] = [
  { name: 'consume 100 B', valueBytes: 100, endOffset: 600_000, busyMs: 0 },
  { name: 'consume 1 KiB', valueBytes: 1024, endOffset: 100_000, busyMs: 0 },
  { name: 'consume 100 B, main thread 90 % busy in 20 ms blocks', valueBytes: 100, endOffset: 200_000, busyMs: 20 },
  { name: 'consume 100 B, main thread 90 % busy in 1 s blocks', valueBytes: 100, endOffset: 200_000, busyMs: 1000 },
];
const metrics = [
  ['recordsPerSecond', 'records/s'],
  ['mainThreadMicrosecondsPerRecord', 'us'],
  ['cpuMicrosecondsPerRecord', 'us'],
  ['firstRecordMs', 'ms'],
] as const;

export async function run(): Promise<BenchRow[]> {
  const peers = await findPeers();
  return withBroker(async ({ host, port, description }) => {
    const bootstrapServer = `${host}:${port}`;
    const rows: BenchRow[] = [];
    for (const one of cases) {
      const topic = `bench-consume-${one.valueBytes}-${one.busyMs}-${process.pid}`;
      const client = await KafkaClient.start({ bootstrapServers: bootstrapServer });
      await fillTopic(client, { topic, partitions, valueBytes: one.valueBytes, endOffset: one.endOffset });
      await client.close();
      const all = one.endOffset * partitions;
      const results = new Map<BulkReader, ConsumeResult[]>(bulkReaders.map((reader) => [reader, []]));
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < bulkReaders.length; i++) {
          const reader = bulkReaders[(round + i) % bulkReaders.length]!;
          const groupId = `bench-${process.pid}-${one.valueBytes}-${one.busyMs}-${round}-${i}`;
          const place = { folder: peers.folder, bootstrapServer, topic, groupId };
          const meter = { busyMs: one.busyMs, warmUpRecords: Math.floor(all / 4), records: Math.floor(all / 2) };
          results.get(reader)!.push(await runOnce(peers, { ...place, ...meter, reader }));
        }
      }
      const settings = Object.fromEntries(
        [...results].map(([reader, [first]]) => [reader, `${first!.version}: ${first!.settings}`]),
      );
      const parameters = { broker: description, rounds, partitions, ...one, settings };
      rows.push(...rowsOf(one.name, results, parameters));
      if (one.busyMs === 0) rows.push(await javaRow(one, bootstrapServer, topic, results, parameters));
    }
    return rows;
  });
}

/** Kafka's own measure of its Java consumer, of the time from the assignment on, which is the best for it. */
async function javaRow(
  { name, endOffset }: Case,
  bootstrapServer: string,
  topic: string,
  results: ReadonlyMap<BulkReader, readonly ConsumeResult[]>,
  parameters: BenchRow['parameters'],
): Promise<BenchRow> {
  const { run: runTool } = await kafkaTools();
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const group = `bench-java-${topic}-${round}`;
    const output = await runTool('ConsumerPerformance', [
      ...['--bootstrap-server', bootstrapServer, '--topic', topic, '--group', group],
      ...['--messages', String(endOffset * partitions), '--hide-header', '--timeout', '60000'],
    ]);
    const line = output.split('\n').find((text) => /^\d{4}-/.test(text));
    const rate = Number(line?.split(',').at(-1));
    if (!(rate > 0)) throw new Error(`the tool of Kafka said no rate: ${output.slice(0, 500)}`);
    theirs.push(Math.round(rate));
  }
  const mine = results.get('this client')!.map(({ recordsPerSecond }) => Math.round(recordsPerSecond));
  const ratio = Number((median(mine) / median(theirs)).toPrecision(4));
  const comparison = "Kafka's Java consumer";
  const shared = { name: `${name}: recordsPerSecond`, unit: 'records/s', comparison, ratio };
  return {
    ...shared,
    ours: median(mine),
    theirs: median(theirs),
    parameters: { ...parameters, all: { ours: mine, theirs } },
  };
}

function rowsOf(
  name: string,
  results: ReadonlyMap<BulkReader, readonly ConsumeResult[]>,
  parameters: BenchRow['parameters'],
): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const [metric, unit] of metrics) {
    const figuresOf = (reader: BulkReader): number[] =>
      results.get(reader)!.map((result) => Number(result[metric].toPrecision(4)));
    const mine = figuresOf('this client');
    for (const reader of bulkReaders.slice(1)) {
      const theirs = figuresOf(reader);
      const ratio = Number((median(mine) / median(theirs)).toPrecision(4));
      const all = { ours: mine, theirs };
      const shared = { name: `${name}: ${metric}`, unit, comparison: reader, ratio };
      rows.push({ ...shared, ours: median(mine), theirs: median(theirs), parameters: { ...parameters, all } });
    }
  }
  return rows;
}

async function runOnce({ node }: Peers, job: ConsumeRun): Promise<ConsumeResult> {
  const args = ['--enable-source-maps', besides('bulk-consume-contender'), JSON.stringify(job)];
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
  const { stdout } = await promisify(execFile)(node, args, options);
  return JSON.parse(stdout) as ConsumeResult;
}
