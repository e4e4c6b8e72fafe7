// Measures the cost of generated code: the size of the modules of the ten most used APIs and the time to load them, against all
// modules; and how many modules the start of a client parses, as counted by the debugger in each of its threads.

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import { type BenchRow, median } from '../support/rows.ts';
import type { ThreadModules } from './support/generated-modules-worker.ts';

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const runAsync = promisify(execFile);
const rounds = Number(process.env.BENCH_ROUNDS ?? 7);
/** The lists of APIs and error codes. They are small and loaded with the package. */
const lists = /^(apis|index|error-codes|data)\./;

const mostUsed = [
  'api-versions',
  'metadata',
  'produce',
  'fetch',
  'list-offsets',
  'find-coordinator',
  'join-group',
  'sync-group',
  'heartbeat',
  'offset-commit',
];

type Half = 'flat' | 'wire';

function folder(half: Half): string {
  return fileURLToPath(new URL(`../../src/protocol/${half}/generated/`, import.meta.url));
}

function modulesOf(half: Half): string[] {
  return readdirSync(folder(half))
    .filter((file) => file.endsWith(suffix) && !file.endsWith('.d.ts') && !lists.test(file))
    .map((file) => `${half}/generated/${file}`);
}

const chosen = (half: Half): string[] => mostUsed.map((name) => `${half}/generated/${name}${suffix}`);

function kilobytes(files: readonly string[]): number {
  const sum = files.reduce((bytes, file) => {
    const [half, , name] = file.split('/') as [Half, string, string];
    return bytes + statSync(join(folder(half), name)).size;
  }, 0);
  return Number((sum / 1024).toFixed(1));
}

function row(name: string, unit: string, ours: number, comparison: string, theirs: number, parameters = {}): BenchRow {
  return { name, unit, ours, comparison, theirs, ratio: Number((ours / theirs).toFixed(3)), parameters };
}

const peer = (name: string): string => fileURLToPath(new URL(`./support/${name}${suffix}`, import.meta.url));

/** The times in ms. Each is measured in a process of its own, in turns. */
async function loadTimes(sets: readonly (readonly string[])[]): Promise<number[]> {
  const times = sets.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, files] of sets.entries()) {
      const { stdout } = await runAsync(process.execPath, [peer('load-modules-peer'), JSON.stringify(files)]);
      times[i]!.push(Number(stdout));
    }
  }
  return times.map((values) => Number(median(values).toFixed(2)));
}

/** The modules that the start and end of a client parse, by thread. With a configured version the client needs no broker. */
export async function parsedByStart(apiVersion: readonly number[] | null = null): Promise<ThreadModules[]> {
  const work = mkdtempSync(join(tmpdir(), 'generated-modules-'));
  const broker = await startEmbeddedBroker();
  try {
    const file = join(work, 'threads.jsonl');
    const hook = new URL(`./support/generated-modules-worker${suffix}`, import.meta.url).href;
    if (apiVersion !== null) await broker.stopListener(0);
    const options = JSON.stringify({ bootstrapServers: broker.bootstrapServers, apiVersion });
    const args = ['--import', hook, peer('client-start-peer'), options];
    await runAsync(process.execPath, args, { env: { ...process.env, GENERATED_MODULES_FILE: file } });
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ThreadModules);
  } finally {
    await broker.close();
    rmSync(work, { recursive: true, force: true });
  }
}

export async function run(): Promise<BenchRow[]> {
  const halves = ['flat', 'wire'] as const;
  const rows = halves.map((half) => {
    const all = modulesOf(half);
    const title = `${half} modules of the ten most used APIs: size`;
    return row(title, 'KiB', kilobytes(chosen(half)), `all ${all.length}`, kilobytes(all), { mostUsed });
  });
  const sets = halves.flatMap((half) => [chosen(half), modulesOf(half)]);
  const times = await loadTimes(sets);
  for (const [i, half] of halves.entries()) {
    const title = `${half} modules of the ten most used APIs: time to load`;
    rows.push(row(title, 'ms', times[2 * i]!, `all ${sets[2 * i + 1]!.length}`, times[2 * i + 1]!, { rounds }));
  }
  const all = [...modulesOf('flat'), ...modulesOf('wire')];
  const threads = await parsedByStart();
  for (const isMain of [true, false]) {
    const thread = threads.find(({ isMainThread }) => isMainThread === isMain);
    if (thread === undefined) throw new Error(`no account of the ${isMain ? 'application' : 'network'} thread`);
    const parsed = thread.parsed.filter((file) => !lists.test(file.split('/')[2]!));
    const title = `start of a client, ${isMain ? 'application' : 'network'} thread`;
    rows.push(row(`${title}: modules parsed`, 'modules', parsed.length, 'all', all.length, { parsed }));
    rows.push(row(`${title}: bytes parsed`, 'KiB', kilobytes(parsed), 'all', kilobytes(all)));
  }
  return rows;
}
