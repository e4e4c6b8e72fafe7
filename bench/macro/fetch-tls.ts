// Owns what TLS costs a bulk fetch: the same client, broker and topic over TLS and in plaintext, in turns, as ratios of medians.
// The main thread's share is what must not change: TLS is the network thread's. Main thread.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import type { BenchRow } from '../rows.ts';
import { median } from '../rows.ts';
import type { FetchRun } from './fetch-contender.ts';
import type { FetchResult } from './fetch-meter.ts';
import { type TlsPlaces, withTlsBroker } from './tls-broker.ts';
import { fillTopic } from './topic.ts';

const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './fetch-contender.ts' : './fetch-contender.js', import.meta.url),
);
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const runAsync = promisify(execFile);
const filled = { topic: `bench-fetch-tls-${process.pid}`, partitions: 4, valueBytes: 1024, endOffset: 60_000 };
const records = 600_000;

export function run(): Promise<BenchRow[]> {
  return withTlsBroker(measure);
}

async function measure({ plaintext, tls, description }: TlsPlaces): Promise<BenchRow[]> {
  const client = await KafkaClient.start({ bootstrapServers: `${plaintext.host}:${plaintext.port}` });
  await fillTopic(client, filled);
  await client.close();
  const results: Record<'plaintext' | 'tls', FetchResult[]> = { plaintext: [], tls: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [kind, place] of [
      ['plaintext', plaintext],
      ['tls', tls],
    ] as const) {
      const job: FetchRun = {
        contender: 'recycling',
        ...filled,
        maxBytes: 1 << 20,
        busyMs: 0,
        warmUpRecords: records / 4,
        records,
        ...place,
      };
      const { stdout } = await runAsync(process.execPath, ['--enable-source-maps', entry, JSON.stringify(job)]);
      results[kind].push(JSON.parse(stdout) as FetchResult);
    }
  }
  const row = (metric: keyof FetchResult, unit: string): BenchRow => {
    const ours = median(results.tls.map((result) => result[metric]));
    const theirs = median(results.plaintext.map((result) => result[metric]));
    const parameters = { broker: description, rounds, records, ...filled };
    return {
      name: `fetch 1 KiB over TLS: ${metric}`,
      unit,
      ours,
      comparison: 'the same in plaintext',
      theirs,
      ratio: ours / theirs,
      parameters,
    };
  };
  return [
    row('mainThreadMicrosecondsPerRecord', 'us'),
    row('recordsPerSecond', 'records/s'),
    row('megabytesPerSecond', 'MB/s'),
  ];
}
