// Measures bulk fetches: this client against the yardstick, with the same broker and topic, in turns. The ratios are those of medians.
// Main thread.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import type { BenchRow } from '../support/rows.ts';
import { median } from '../support/rows.ts';
import { withBroker } from './support/broker.ts';
import type { FetchRun } from './support/fetch-contender.ts';
import type { FetchResult } from './support/fetch-meter.ts';
import { fillTopic } from './support/topic.ts';

const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './support/fetch-contender.ts' : './support/fetch-contender.js',
    import.meta.url,
  ),
);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const partitions = 4;
const runAsync = promisify(execFile);

interface Case {
  readonly name: string;
  readonly valueBytes: number;
  readonly endOffset: number;
  readonly maxBytes: number;
  readonly busyMs: number;
  readonly records: number;
}

const small = { valueBytes: 100, endOffset: 1_000_000, records: 8_000_000 };
const large = { valueBytes: 1024, endOffset: 120_000, records: 1_000_000 };
const cases: readonly Case[] = [
  { name: 'fetch 100 B', ...small, maxBytes: 1 << 20, busyMs: 0 },
  { name: 'fetch 1 KiB', ...large, maxBytes: 1 << 20, busyMs: 0 },
  // The next request is sent up to one block later, so each response must have enough records for a block.
  { name: 'fetch 100 B, 8 MiB a request', ...small, maxBytes: 8 << 20, busyMs: 0 },
  {
    name: 'fetch 100 B, 8 MiB a request, main thread 90 % busy in 20 ms blocks',
    ...small,
    maxBytes: 8 << 20,
    busyMs: 20,
  },
];

export async function run(): Promise<BenchRow[]> {
  return withBroker(async ({ host, port, description }) => {
    const client = await KafkaClient.start({ bootstrapServers: `${host}:${port}` });
    const topics = new Map<number, string>();
    for (const { valueBytes, endOffset } of [small, large]) {
      const topic = `bench-fetch-${valueBytes}-${process.pid}`;
      await fillTopic(client, { topic, partitions, valueBytes, endOffset });
      topics.set(valueBytes, topic);
    }
    await client.close();
    const rows: BenchRow[] = [];
    for (const one of cases) rows.push(...(await measure(one, topics.get(one.valueBytes)!, host, port, description)));
    return rows;
  });
}

async function measure(one: Case, topic: string, host: string, port: number, broker: string): Promise<BenchRow[]> {
  const results: Record<FetchRun['contender'], FetchResult[]> = { yardstick: [], offthread: [], recycling: [] };
  for (let round = 0; round < rounds; round++) {
    for (const contender of ['yardstick', 'offthread', 'recycling'] as const) {
      const { endOffset, maxBytes, busyMs, records } = one;
      const job: FetchRun = {
        contender,
        host,
        port,
        topic,
        partitions,
        endOffset,
        maxBytes,
        busyMs,
        warmUpRecords: records / 4,
        records,
      };
      const { stdout } = await runAsync(process.execPath, ['--enable-source-maps', entry, JSON.stringify(job)]);
      results[contender].push(JSON.parse(stdout) as FetchResult);
    }
  }
  const row = (contender: 'offthread' | 'recycling', metric: keyof FetchResult, unit: string): BenchRow => {
    const ours = median(results[contender].map((result) => result[metric]));
    const theirs = median(results.yardstick.map((result) => result[metric]));
    return {
      name: `${one.name}${contender === 'recycling' ? ', recycled' : ''}: ${metric}`,
      unit,
      ours,
      comparison: 'yardstick',
      theirs,
      ratio: ours / theirs,
      parameters: { broker, rounds, partitions, ...one },
    };
  };
  return (['offthread', 'recycling'] as const).flatMap((contender) => [
    row(contender, 'recordsPerSecond', 'records/s'),
    row(contender, 'mainThreadMicrosecondsPerRecord', 'us'),
  ]);
}
