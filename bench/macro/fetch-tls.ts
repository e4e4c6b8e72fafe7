// Measures the cost of TLS in a bulk fetch: the same client, broker and topic over TLS and in plaintext, in turns. The main thread's time
// must not change, because the network thread does TLS. Main thread.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import type { BenchRow } from '../support/rows.ts';
import { median } from '../support/rows.ts';
import type { FetchRun } from './support/fetch-contender.ts';
import type { FetchResult } from './support/fetch-meter.ts';
import { type TlsPlaces, withTlsBroker } from './support/tls-broker.ts';
import { fillTopic } from './support/topic.ts';

const entry = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? './support/fetch-contender.ts' : './support/fetch-contender.js',
    import.meta.url,
  ),
);
const rounds = Number(process.env.BENCH_ROUNDS ?? 11);
const runAsync = promisify(execFile);
const filled = { topic: `bench-fetch-tls-${process.pid}`, partitions: 4, valueBytes: 1024, endOffset: 60_000 };
const records = 300_000;

/**
 * The slower records come, the more a record costs the main thread, with and without TLS: the thread sleeps more often, and its caches are
 * cold. At full speed TLS is slower. So the cost of TLS itself only shows when both run at the same pace.
 */
const paces = [
  { name: 'as fast as it goes', busyMs: 0 },
  { name: 'all partitions every 20 ms', busyMs: 0, everyMs: 20 },
  { name: 'main thread 90 % busy in blocks of 20 ms', busyMs: 20 },
] as const;

const kinds = ['plaintext', 'tls'] as const;
const metrics = [
  ['mainThreadMicrosecondsPerRecord', 'us'],
  ['recordsPerSecond', 'records/s'],
] as const;

export function run(): Promise<BenchRow[]> {
  return withTlsBroker(measure);
}

async function measure({ plaintext, tls, description }: TlsPlaces): Promise<BenchRow[]> {
  const client = await KafkaClient.start({ bootstrapServers: `${plaintext.host}:${plaintext.port}` });
  await fillTopic(client, filled);
  await client.close();
  const rows: BenchRow[] = [];
  for (const { name, ...pace } of paces) {
    const results: Record<(typeof kinds)[number], FetchResult[]> = { plaintext: [], tls: [] };
    for (let round = 0; round < rounds; round++) {
      for (const kind of kinds) {
        const place = kind === 'tls' ? tls : plaintext;
        const warmUpRecords = records / 3;
        const job: FetchRun = {
          contender: 'recycling',
          ...filled,
          maxBytes: 1 << 20,
          ...pace,
          warmUpRecords,
          records,
          ...place,
        };
        const { stdout } = await runAsync(process.execPath, ['--enable-source-maps', entry, JSON.stringify(job)]);
        results[kind].push(JSON.parse(stdout) as FetchResult);
      }
    }
    for (const [metric, unit] of metrics) {
      rows.push({
        name: `fetch 1 KiB over TLS, ${name}: ${metric}`,
        unit,
        ours: median(results.tls.map((result) => result[metric])),
        comparison: 'the same in plaintext',
        theirs: median(results.plaintext.map((result) => result[metric])),
        ratio: median(results.tls.map((result, round) => result[metric] / results.plaintext[round]![metric])),
        parameters: { broker: description, rounds, records, ...filled },
      });
    }
  }
  return rows;
}
