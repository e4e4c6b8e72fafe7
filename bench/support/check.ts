// Owns `npm run bench -- --check`: measures the CPU of a record in the main workloads, relates it to a fixed loop measured in the same rounds, and says
// what has become dearer than the saved figures by more than a fifth. Main thread. With the embedded broker, so that nothing but Node is needed.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { tableText } from '../../src/cli/io/table.ts';
import { KafkaClient } from '../../src/index.ts';
import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import type { FetchRun } from '../macro/support/fetch-contender.ts';
import type { FetchResult } from '../macro/support/fetch-meter.ts';
import { createTopic, fillTopic } from '../macro/support/topic.ts';
import type { Job } from '../peers/support/job.ts';
import { buildPackage } from '../peers/support/published.ts';
import { runPeer } from '../peers/support/run-peer.ts';
import { median } from './rows.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const runTimeoutMs = 300_000;
const partitions = 4;
const produceWarmUpMs = 300;
const produceMs = 1000;
/** A figure that has grown by more than this is reported. */
export const maxGrowth = 0.2;
const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const saved = join(projectFolder, 'bench', 'results', 'check.json');

/** CPU per record in thousandths of a pass of the reference loop, by workload and threads. */
export type CheckFigures = Readonly<Record<string, number>>;
/** By major version of Node: each has its own engine. */
type SavedFigures = Readonly<Record<string, CheckFigures>>;

interface Workload {
  readonly name: string;
  readonly valueBytes: number;
  readonly kind: 'fetch' | 'recycling' | 'produce';
  /** How many are read. Produced is for a time. */
  readonly records?: number;
}

const workloads: readonly Workload[] = [
  { name: 'fetch 100 B', kind: 'fetch', valueBytes: 100, records: 2_000_000 },
  { name: 'fetch 1 KiB', kind: 'fetch', valueBytes: 1024, records: 400_000 },
  { name: 'fetch 1 KiB, recycled', kind: 'recycling', valueBytes: 1024, records: 400_000 },
  { name: 'produce 100 B', kind: 'produce', valueBytes: 100 },
  { name: 'produce 1 KiB', kind: 'produce', valueBytes: 1024 },
];
/** Records of each partition of the topics that are read. */
const filled: Readonly<Record<number, number>> = { 100: 250_000, 1024: 50_000 };

export interface Growth {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** 0.25: dearer by a quarter. */
  readonly growth: number;
  readonly isTooMuch: boolean;
}

/** The figures that both have. */
export function growths(before: CheckFigures, after: CheckFigures): Growth[] {
  return Object.entries(after).flatMap(([name, value]) => {
    const was = before[name];
    if (was === undefined || was <= 0) return [];
    const growth = value / was - 1;
    return [{ name, before: was, after: value, growth, isTooMuch: growth > maxGrowth }];
  });
}

/** 1 when a figure has grown too much. Figures that are saved are the new measure, whatever they are. */
export function exitCodeOf(compared: readonly Growth[], isSaved: boolean): 0 | 1 {
  return !isSaved && compared.some(({ isTooMuch }) => isTooMuch) ? 1 : 0;
}

/**
 * @param save  writes the figures as the ones to compare with from now on
 * @returns the exit code: 1 when something has become too dear
 */
export async function check(save: boolean): Promise<number> {
  const major = process.versions.node.split('.', 1)[0]!;
  const all: SavedFigures = existsSync(saved) ? (JSON.parse(readFileSync(saved, 'utf8')) as SavedFigures) : {};
  const before = all[major];
  if (before === undefined && !save) {
    console.error(`bench/results/check.json has no figures for Node ${major}: make them with --check --save`);
    return 2;
  }
  const after = await measure();
  if (save) writeFileSync(saved, `${JSON.stringify({ ...all, [major]: after }, null, 2)}\n`);
  const compared = growths(before ?? {}, after);
  const cells = compared.map(({ name, before: was, after: is, growth, isTooMuch }) => {
    const percent = `${growth > 0 ? '+' : ''}${(growth * 100).toFixed(0)} %`;
    return [isTooMuch ? 'DEARER' : 'ok', percent, was, is, name];
  });
  if (cells.length > 0) process.stdout.write(tableText(columns, cells));
  if (before === undefined) for (const [name, value] of Object.entries(after)) console.log(`saved  ${value}  ${name}`);
  return exitCodeOf(compared, save);
}

const columns = [
  { title: 'VERDICT' },
  { title: 'GROWTH', isNumber: true },
  { title: 'BEFORE', isNumber: true },
  { title: 'AFTER', isNumber: true },
  { title: 'FIGURE' },
];

async function measure(): Promise<CheckFigures> {
  await buildPackage();
  const broker = await startEmbeddedBroker();
  try {
    const server = broker.bootstrapServers[0]!;
    const client = await KafkaClient.start({ bootstrapServers: server });
    for (const [bytes, endOffset] of Object.entries(filled)) {
      await fillTopic(client, { topic: `fetch-${bytes}`, partitions, valueBytes: Number(bytes), endOffset });
    }
    await createTopic(client, 'produce', partitions);
    await client.close();
    const figures = new Map<string, number[]>();
    const keep = (name: string, value: number): void => {
      figures.set(name, [...(figures.get(name) ?? []), value]);
    };
    for (let round = 0; round < rounds; round++) {
      for (const workload of workloads) {
        // Before and after, since other programs of the machine come and go.
        const earlier = await reference();
        const { main, all } = await runOnce(workload, server);
        const unit = (earlier + (await reference())) / 2;
        keep(`${workload.name}: main thread`, main / unit);
        keep(`${workload.name}: all threads`, all / unit);
      }
    }
    return Object.fromEntries([...figures].map(([name, values]) => [name, Number(median(values).toPrecision(4))]));
  } finally {
    await broker.close();
  }
}

/** The unit of the figures, in us: a thousandth of a pass of the loop. */
async function reference(): Promise<number> {
  return Number(await run('./reference-peer', '')) / 1000;
}

/** CPU per record in us. */
async function runOnce(workload: Workload, server: string): Promise<{ main: number; all: number }> {
  const { kind, valueBytes, records = 0 } = workload;
  if (kind === 'produce') {
    const { figures } = await runPeer(process.execPath, produceJob(server, valueBytes));
    return { main: figures.mainMicroseconds!, all: figures.cpuMicroseconds! };
  }
  const colon = server.lastIndexOf(':');
  const job: FetchRun = {
    contender: kind === 'fetch' ? 'offthread' : 'recycling',
    host: server.slice(0, colon),
    port: Number(server.slice(colon + 1)),
    topic: `fetch-${valueBytes}`,
    partitions,
    endOffset: filled[valueBytes]!,
    maxBytes: 1 << 20,
    busyMs: 0,
    warmUpRecords: records / 4,
    records,
  };
  const result = JSON.parse(await run('../macro/support/fetch-contender', JSON.stringify(job))) as FetchResult;
  return { main: result.mainThreadMicrosecondsPerRecord, all: result.cpuMicrosecondsPerRecord };
}

function produceJob(bootstrapServer: string, valueBytes: number): Job {
  return {
    peer: 'this client',
    work: 'write',
    folder: '',
    bootstrapServer,
    topic: 'produce',
    partitions,
    security: null,
    valueBytes,
    acks: -1,
    compression: 'none',
    load: { blockMs: 0, share: 0 },
    warmUpMs: produceWarmUpMs,
    measureMs: produceMs,
    ownPids: [process.pid],
    profileFolder: null,
    groupId: '',
    maxBytes: null,
    endOffset: 0,
    atOnce: 1,
  };
}

async function run(module: string, argument: string): Promise<string> {
  const path = fileURLToPath(new URL(`${module}.${suffix}`, import.meta.url));
  const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
  const { stdout } = await promisify(execFile)(process.execPath, [path, argument], options);
  return stdout;
}
