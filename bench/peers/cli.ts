// Compares the command line with kcat: the same broker, topic and file, in turns, each run a process of its own. The command line is measured
// as it is published, and so its package is built first. Main thread.
//   npm run bench:peers -- cli
// The rows that begin with `goal` have what is asked for as `theirs`. kcat is a package of Debian (`apt-get install kcat`); without it the rows
// beside it are left out. BENCH_ROUNDS, BENCH_FILE_BYTES and BENCH_RECORDS change the size.

import { execFile, execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from '../../scripts/project.ts';
import { KafkaClient } from '../../src/index.ts';
import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import { withBroker } from '../macro/support/broker.ts';
import { createTopic, fillTopic } from '../macro/support/topic.ts';
import { type BenchRow, type MissingRow, median } from '../support/rows.ts';
import { isQuick, rounds } from './support/harness.ts';
import { buildPackage } from './support/published.ts';

/** Short runs are cheap, and so there are more of them. */
const shortRounds = rounds * 5;
const fileBytes = Number(process.env.BENCH_FILE_BYTES ?? (isQuick ? 1e8 : 1e9));
const consumedRecords = Number(process.env.BENCH_RECORDS ?? (isQuick ? 1_000_000 : 4_000_000));
const lineBytes = 100;
const partitions = 4;
const topicCounts = [1, 5000, 10_000] as const;
const runTimeoutMs = 120_000;
const goals = { versionCpuMs: 60, metadata: 2, consume: 1.5, produce: 1, memoryGrowth: 1.1 } as const;

const cli = join(projectFolder, 'dist', 'cli', 'index.js');

/** A command with its arguments; each as the shell reads it. */
interface Program {
  readonly args: readonly string[];
  /** A file that is its standard input. */
  readonly input?: string;
}

interface Measured {
  readonly seconds: number;
  /** Of all threads, system calls included. */
  readonly cpuSeconds: number;
}

export async function* run(): AsyncGenerator<BenchRow | MissingRow, void, void> {
  await buildPackage();
  yield await versionRow();
  // A quick report has no time for ten thousand topics.
  if (!isQuick) yield await memoryRow();
  if (!isInstalled('kcat')) {
    const reason = 'kcat is not installed: apt-get install kcat';
    yield { name: 'goals beside kcat', missing: 'kcat', reason };
    return;
  }
  yield* await withBroker(({ host, port, description }) => besideKcat(`${host}:${port}`, description));
}

async function versionRow(): Promise<BenchRow> {
  const cpu: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < shortRounds; round++) {
    cpu.push((await measure({ args: [process.execPath, cli, '--version'] })).cpuSeconds * 1000);
    bare.push((await measure({ args: [process.execPath, '--eval', '0'] })).cpuSeconds * 1000);
  }
  const parameters = { rounds: shortRounds, cpuMsOfNodeAlone: median(bare) };
  return row('goal: --version, CPU at most', 'ms', 'the goal', cpu, [goals.versionCpuMs], parameters);
}

/** The memory of the process with offsets of many topics, beside that with half of them. */
async function memoryRow(): Promise<BenchRow> {
  const peaks: number[] = [];
  for (const topics of topicCounts) {
    const names = Array.from({ length: topics }, (_, i) => [`a-topic-of-the-bench-${i}`, 1] as const);
    const broker = await startEmbeddedBroker({ topics: Object.fromEntries(names) });
    try {
      peaks.push(
        await peakKib(
          ['offsets', '--bootstrap-server', [broker.bootstrapServers].flat().join(','), '--timeout', '120000'],
          topics,
        ),
      );
    } finally {
      await broker.close();
    }
  }
  const [one, half, all] = peaks as [number, number, number];
  const ofHalf = (half - one) / topicCounts[1];
  const ofAll = (all - one) / topicCounts[2];
  const parameters = { topicCounts, peakKib: peaks };
  const name = 'goal: offsets of 10,000 topics, memory of a topic, at most';
  return row(name, 'KiB', '1.1 of that with 5,000', [ofAll], [ofHalf * goals.memoryGrowth], parameters);
}

async function besideKcat(server: string, broker: string): Promise<(BenchRow | MissingRow)[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cli-'));
  const client = await KafkaClient.start({ bootstrapServers: server });
  try {
    const lines = join(folder, 'lines.txt');
    writeLines(lines);
    const rows: (BenchRow | MissingRow)[] = [];
    const works = {
      metadata: () => metadataRow(server, client, broker),
      consume: () => consumeRow(server, client, broker),
      produce: () => produceRow(server, client, broker, lines),
    };
    for (const [name, work] of Object.entries(works)) {
      // One that fails does not cost the others.
      const missing = (error: Error) => ({
        name,
        missing: 'this command beside kcat',
        reason: error.message.slice(0, 2000),
      });
      rows.push(await work().catch(missing));
    }
    return rows;
  } finally {
    await client.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function metadataRow(server: string, client: KafkaClient, broker: string): Promise<BenchRow> {
  await createTopic(client, `bench-cli-metadata-${process.pid}`, partitions);
  const { ours, theirs } = await inTurns(shortRounds, {
    ours: () => measure({ args: [process.execPath, cli, 'metadata', '--bootstrap-server', server] }),
    theirs: () => measure({ args: ['kcat', '-b', server, '-L'] }),
  });
  const bare: number[] = [];
  for (let round = 0; round < shortRounds; round++)
    bare.push((await measure({ args: [process.execPath, '--eval', '0'] })).seconds * 1000);
  const ms = (list: readonly Measured[]) => list.map(({ seconds }) => seconds * 1000);
  const parameters = { broker, rounds: shortRounds, msOfNodeAlone: median(bare), kcatMs: median(ms(theirs)) };
  const asked = median(ms(theirs)) * goals.metadata;
  return row('goal: metadata, time at most', 'ms', '2 times kcat', ms(ours), [asked], parameters);
}

async function consumeRow(server: string, client: KafkaClient, broker: string): Promise<BenchRow> {
  const topic = `bench-cli-consume-${process.pid}`;
  await fillTopic(client, { topic, partitions, valueBytes: lineBytes, endOffset: consumedRecords / partitions });
  const from = ['--topic', topic, '--from-beginning', '--exit'];
  const { ours, theirs } = await inTurns(rounds, {
    ours: () => measure({ args: [process.execPath, cli, 'consume', '--bootstrap-server', server, ...from] }),
    theirs: () => measure({ args: ['kcat', '-b', server, '-C', '-q', '-t', topic, '-o', 'beginning', '-e'] }),
  });
  await removeTopic(client, topic);
  return rateRow('consume of 100 B to /dev/null', consumedRecords, goals.consume, ours, theirs, broker);
}

async function produceRow(server: string, client: KafkaClient, broker: string, lines: string): Promise<BenchRow> {
  const once = async (argsFor: (topic: string) => readonly string[]): Promise<Measured> => {
    const topic = `bench-cli-produce-${process.pid}-${Math.random().toString(36).slice(2)}`;
    await createTopic(client, topic, partitions);
    const measured = await measure({ args: argsFor(topic) });
    await removeTopic(client, topic);
    return measured;
  };
  const { ours, theirs } = await inTurns(rounds, {
    ours: () =>
      once((topic) => [
        process.execPath,
        cli,
        'produce',
        '--bootstrap-server',
        server,
        '--topic',
        topic,
        '--input',
        lines,
      ]),
    theirs: () => once((topic) => ['kcat', '-b', server, '-P', '-t', topic, '-l', lines]),
  });
  return rateRow(
    `produce of a file of ${fileBytes / 1e9} GB`,
    fileBytes / lineBytes,
    goals.produce,
    ours,
    theirs,
    broker,
  );
}

function rateRow(
  name: string,
  records: number,
  times: number,
  ours: readonly Measured[],
  theirs: readonly Measured[],
  broker: string,
): BenchRow {
  const rates = (list: readonly Measured[]) => list.map(({ seconds }) => Math.round(records / seconds));
  const cpu = (list: readonly Measured[]) => list.map(({ cpuSeconds }) => Number(cpuSeconds.toPrecision(3)));
  const asked = median(rates(theirs)) * times;
  const parameters = {
    broker,
    rounds,
    records,
    kcat: rates(theirs),
    cpuSeconds: { ours: cpu(ours), theirs: cpu(theirs) },
  };
  const comparison = times === 1 ? 'kcat' : `${times} times kcat`;
  return row(`goal: ${name}, at least`, 'records/s', comparison, rates(ours), [asked], parameters);
}

async function inTurns(
  count: number,
  { ours, theirs }: { readonly ours: () => Promise<Measured>; readonly theirs: () => Promise<Measured> },
): Promise<{ ours: Measured[]; theirs: Measured[] }> {
  const found: { ours: Measured[]; theirs: Measured[] } = { ours: [], theirs: [] };
  for (let round = -1; round < count; round++) {
    const first = round % 2 === 0;
    const one = first ? await ours() : await theirs();
    const other = first ? await theirs() : await ours();
    // The first round of several fills the caches of files.
    if (round < 0 && count > 1) continue;
    found.ours.push(first ? one : other);
    found.theirs.push(first ? other : one);
  }
  return found;
}

/** Runs a program with its output to /dev/null, and measures it as the shell does. Fails with what it said. */
async function measure({ args, input = '/dev/null' }: Program): Promise<Measured> {
  const script = 'TIMEFORMAT="%R %U %S"; input=$1; shift; time "$@" <"$input" >/dev/null';
  const { stderr } = await promisify(execFile)('bash', ['-e', '-c', script, 'bash', input, ...args], {
    timeout: runTimeoutMs,
    killSignal: 'SIGKILL',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const times = stderr.trim().split('\n').at(-1)!.split(' ').map(Number);
  const [seconds, user, system] = times as [number, number, number];
  if (times.length !== 3 || times.some(Number.isNaN)) throw new Error(`${args.join(' ')}: no times in ${stderr}`);
  return { seconds, cpuSeconds: user + system };
}

/** The most memory that our process had. It checks that there is a line for each topic. */
async function peakKib(args: readonly string[], topics: number): Promise<number> {
  // Not what `process.resourceUsage()` tells, which begins with the most that this process had.
  const ownPeak = "readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\\s+(\\d+)/)[1]";
  const peak = `existsSync('/proc/self/status') ? ${ownPeak} : process.resourceUsage().maxRSS`;
  const tell = `import { existsSync, readFileSync } from 'node:fs'; process.on('exit', () => console.error(${peak}))`;
  const node = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, cli];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...node, ...args], {
    timeout: runTimeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = stdout.trim().split('\n').length;
  if (lines !== topics) throw new Error(`offsets of ${topics} topics printed ${lines} lines: ${stderr}`);
  return Number(stderr.trim().split('\n').at(-1));
}

function isInstalled(name: string): boolean {
  try {
    execFileSync('bash', ['-c', 'command -v "$1"', 'bash', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function removeTopic(client: KafkaClient, topic: string): Promise<void> {
  (await client.admin().deleteTopics([topic])).orThrow();
}

/** Lines of 100 bytes with their ends, all different. */
function writeLines(path: string): void {
  const perChunk = 10_000;
  const file = openSync(path, 'w');
  try {
    for (let at = 0; at < fileBytes / lineBytes; at += perChunk) {
      const count = Math.min(perChunk, fileBytes / lineBytes - at);
      const lines = Array.from(
        { length: count },
        (_, i) => `${`${at + i} of the lines of the bench`.padEnd(lineBytes - 1, 'x')}\n`,
      );
      writeSync(file, lines.join(''));
    }
  } finally {
    closeSync(file);
  }
}

function row(
  name: string,
  unit: string,
  comparison: string,
  ours: readonly number[],
  theirs: readonly number[],
  parameters: BenchRow['parameters'],
): BenchRow {
  const rounded = (values: readonly number[]) => Number(median(values).toPrecision(4));
  const ratio = Number((median(ours) / median(theirs)).toPrecision(4));
  return {
    name,
    unit,
    comparison,
    ours: rounded(ours),
    theirs: rounded(theirs),
    ratio,
    parameters: { ...parameters, all: ours.map((value) => Number(value.toPrecision(4))) },
  };
}
