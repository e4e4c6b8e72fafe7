// Measures when it pays to decode plain frames in the codec pool (`codecPoolPlainBytes`): rate, CPU of the network thread and of all threads, with
// it and without it, in turns, with the same broker. The broker is the embedded one in this process, which sends stored bytes without
// touching them: a real broker would take the core that the pool needs. Main thread.
//   npm run bench -- macro/plain-pool
//   BENCH_CASES='100 B, frames of 4 MiB' npm run bench -- macro/plain-pool

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import { type BenchRow, median } from '../support/rows.ts';
import type { PlainResult, PlainRun } from './support/plain-pool-contender.ts';

/** It is a study: the default of the option rests on it, and nothing else. */
export const isOnlyByName = true;

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const onlyCases = new RegExp(process.env.BENCH_CASES ?? '');
const runAsync = promisify(execFile);
const MiB = 1 << 20;
const partitions = 4;
const times = { warmUpMs: 700, measureMs: 1000 };
const busyBlockMs = 20;
const topics = [
  { valueBytes: 100, endOffset: 280_000, recordsPerBatch: 1000 },
  { valueBytes: 1024, endOffset: 32_000, recordsPerBatch: 100 },
] as const;

type Case = Omit<PlainRun, 'host' | 'port' | 'plainBytes'> & { readonly name: string };

export async function* run(): AsyncGenerator<BenchRow> {
  const broker = await startEmbeddedBroker();
  const work = mkdtempSync(join(tmpdir(), 'plain-pool-'));
  try {
    for (const topic of topics) await fill(broker, topic);
    for (const one of cases()) if (onlyCases.test(one.name)) yield* await measure(broker, one, join(work, 'thread'));
  } finally {
    rmSync(work, { recursive: true, force: true });
    await broker.close();
  }
}

const nameOf = (valueBytes: number): string => `plain-${valueBytes}`;

async function fill(broker: EmbeddedBroker, { valueBytes, endOffset, recordsPerBatch }: (typeof topics)[number]) {
  const topic = nameOf(valueBytes);
  await broker.createTopic(topic, { partitions });
  for (let partition = 0; partition < partitions; partition++)
    await broker.fill({ topic, partition, records: endOffset, valueBytes, recordsPerBatch });
}

function* cases(): Generator<Case> {
  for (const { valueBytes, endOffset } of topics)
    for (const frameMiB of [1, 4, 16])
      for (const busyMs of [0, busyBlockMs]) {
        const name = `${valueBytes} B, frames of ${frameMiB} MiB, main thread ${busyMs === 0 ? 'idle' : '90 % busy'}`;
        const topic = nameOf(valueBytes);
        yield { name, topic, partitions, endOffset, maxBytes: frameMiB * MiB, busyMs, ...times };
      }
}

async function measure(broker: EmbeddedBroker, { name, ...one }: Case, threadFile: string): Promise<BenchRow[]> {
  const [server] = broker.bootstrapServers;
  const colon = server!.lastIndexOf(':');
  const place = { host: server!.slice(0, colon), port: Number(server!.slice(colon + 1)) };
  const results: { pool: PlainResult; inline: PlainResult }[] = [];
  for (let round = 0; round < rounds; round++) {
    const ways = { pool: one.maxBytes / 2, inline: 0 };
    const result = {} as Record<keyof typeof ways, PlainResult>;
    const order = Object.keys(ways) as (keyof typeof ways)[];
    // Neither of them is always the first.
    if (round % 2 === 1) order.reverse();
    for (const way of order) result[way] = await contend({ ...one, ...place, plainBytes: ways[way] }, threadFile);
    results.push(result);
  }
  const row = (what: string, unit: string, metric: keyof PlainResult): BenchRow => ({
    name: `${name}: ${what}`,
    unit,
    ours: rounded(median(results.map(({ pool }) => pool[metric]))),
    comparison: 'codecPoolPlainBytes 0',
    theirs: rounded(median(results.map(({ inline }) => inline[metric]))),
    ratio: rounded(median(results.map(({ pool, inline }) => pool[metric] / inline[metric]))),
    parameters: { broker: 'embedded broker', rounds, ...one },
  });
  return [
    row('rate', 'records/s', 'recordsPerSecond'),
    row('CPU of the network thread per record', 'us', 'networkThread'),
    row('CPU of the main thread per record', 'us', 'mainThread'),
    row('CPU of all threads per record', 'us', 'allThreads'),
  ];
}

async function contend(job: PlainRun, threadFile: string): Promise<PlainResult> {
  const hook = new URL(`./support/network-thread-id${suffix}`, import.meta.url).href;
  const entry = fileURLToPath(new URL(`./support/plain-pool-contender${suffix}`, import.meta.url));
  const args = ['--enable-source-maps', '--import', hook, entry, JSON.stringify(job)];
  const { stdout } = await runAsync(process.execPath, args, {
    env: { ...process.env, NETWORK_THREAD_FILE: threadFile },
  });
  return JSON.parse(stdout) as PlainResult;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
