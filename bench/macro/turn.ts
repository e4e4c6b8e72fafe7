// Measures the poll loop's rounds with zstd: their length with and without the codec pool, and the throughput, in turns, with the same
// broker. Main thread.

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchRow, median, quantile } from '../support/rows.ts';
import { withBroker } from './support/broker.ts';
import type { Phase, TurnRun } from './support/turn-contender.ts';

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const rounds = Number(process.env.BENCH_ROUNDS ?? 3);
const runAsync = promisify(execFile);
const load = { partitions: 4, batchesPerPartition: 24, recordsPerBatch: 9000, readings: 3 };

interface Measured {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
  /** The share of the time that is spent in rounds longer than 5 ms. */
  readonly longShare: number;
  readonly recordsPerSecond: number;
}

type Results = Record<Phase['name'], Measured[]>;

export async function run(): Promise<BenchRow[]> {
  return withBroker(async ({ host, port, description }) => {
    const threads = 2;
    const pooled: Results = { produce: [], fetch: [] };
    const inline: Results = { produce: [], fetch: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [count, results] of [
        [threads, pooled],
        [0, inline],
      ] as const) {
        const topic = `bench-turn-${process.pid}-${round}-${count}`;
        await measure({ host, port, topic, threads: count, ...load }, results);
      }
    }
    const parameters = { broker: description, rounds, codecPoolThreads: threads, compression: 'zstd', ...load };
    return (['fetch', 'produce'] as const).flatMap((phase) => {
      const row = (what: string, unit: string, metric: keyof Measured): BenchRow => {
        const [ours, theirs] = [pooled, inline].map((results) => median(results[phase].map((one) => one[metric])));
        const name = `${phase} with zstd: ${what}`;
        const ratio = Number((ours! / theirs!).toFixed(3));
        return { name, unit, ours: ours!, comparison: 'codecPoolThreads 0', theirs: theirs!, ratio, parameters };
      };
      return [
        row('turn of the poll loop, p99', 'ms', 'p99Ms'),
        row('turn of the poll loop, p50', 'ms', 'p50Ms'),
        row('longest turn of the poll loop', 'ms', 'longestMs'),
        row('time in turns above 5 ms', 'of all', 'longShare'),
        row('throughput', 'records/s', 'recordsPerSecond'),
      ];
    });
  });
}

async function measure(job: TurnRun, results: Results): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'turns-'));
  try {
    const file = join(work, 'turns');
    const hook = new URL(`./support/turn-worker${suffix}`, import.meta.url).href;
    const entry = fileURLToPath(new URL(`./support/turn-contender${suffix}`, import.meta.url));
    const args = ['--enable-source-maps', '--import', hook, entry, JSON.stringify(job)];
    const { stdout } = await runAsync(process.execPath, args, { env: { ...process.env, TURNS_FILE: file } });
    const bytes = readFileSync(file);
    const turns = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    for (const phase of JSON.parse(stdout) as Phase[]) results[phase.name].push(summary(phase, turns));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function summary({ name, from, to, records }: Phase, turns: Float64Array): Measured {
  const lengths: number[] = [];
  let longMs = 0;
  for (let i = 0; i < turns.length; i += 2) {
    if (turns[i]! < from || turns[i]! > to) continue;
    const length = turns[i + 1]!;
    lengths.push(length);
    if (length > 5) longMs += length;
  }
  if (lengths.length === 0) {
    throw new Error(
      `no round of the poll loop was recorded during ${name}: look at support/turn-worker.ts, which must record them`,
    );
  }
  const round = (value: number): number => Number(value.toFixed(3));
  return {
    p50Ms: round(quantile(lengths, 0.5)),
    p99Ms: round(quantile(lengths, 0.99)),
    longestMs: round(quantile(lengths, 1)),
    longShare: round(longMs / (to - from)),
    recordsPerSecond: Math.round((records / (to - from)) * 1000),
  };
}
