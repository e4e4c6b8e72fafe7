// Owns the measuring of one workload with many clients: rounds in which each runs once, in rotated order, each in a process of its own. It makes the
// rows of this client beside each other one, and tells of clients that could not be measured. Main thread of the benchmark.

import { roundsAt } from '../../support/report-plan.ts';
import { type BenchRow, type MissingRow, median } from '../../support/rows.ts';
import { missingPeers } from './install.ts';
import type { Answer, Job, Load, Work } from './job.ts';
import { outsideAnswer } from './outside.ts';
import { type Compression, compressions, type Security } from './peer.ts';
import { isNodePeer, type PeerName } from './registry.ts';
import { runPeer } from './run-peer.ts';

export const isQuick = process.env.BENCH_QUICK === '1';
/** What a quick report measures of them: the first, the one in the middle and the last. */
export function someOf<T>(all: readonly T[]): readonly T[] {
  if (!isQuick || all.length <= 3) return all;
  return [all[0]!, all[all.length >> 1]!, all.at(-1)!];
}

/** The slowest and the one that is used most stand for all in a quick report. */
export const codecs: readonly Compression[] = isQuick ? ['gzip', 'zstd'] : compressions.slice(1);

export const rounds = Number(process.env.BENCH_ROUNDS ?? (isQuick ? 1 : 5));
const warmUpMs = Number(process.env.BENCH_WARM_UP_MS ?? (isQuick ? 150 : 400));
export const measureMs = Number(process.env.BENCH_MEASURE_MS ?? (isQuick ? 250 : 600));
/** In each partition of a topic that is read: fewer, to try a benchmark out. */
export const mostRecords = Number(process.env.BENCH_RECORDS ?? Number.POSITIVE_INFINITY);
/** A round in which other programs had more than this share of the machine is marked. */
export const noisyShare = 0.15;
/** So many blocks of the application are seen at least. */
const blocks = 2;
/** Whether the whole report is made: it ends within the hour. What is run by its name has the time that it needs. */
const isReport = process.env.BENCH_REPORT === '1';

/** Measures only workloads whose names match, when it is set. */
const only = process.env.BENCH_CASES === undefined ? null : new RegExp(process.env.BENCH_CASES);

export const idle: Load = { blockMs: 0, share: 0 };

/** Where the clients work. */
export interface Stage {
  readonly node: string;
  readonly folder: string;
  readonly bootstrapServer: string;
  readonly security: Security | null;
  readonly ownPids: readonly number[];
  readonly description: string;
  /** Where profiles of the threads are written. Default: nowhere. */
  readonly profileFolder?: string;
}

export interface Workload {
  readonly name: string;
  readonly work: Work;
  /** The first one is compared with the others. */
  readonly peers: readonly PeerName[];
  readonly topic: string;
  readonly partitions: number;
  readonly valueBytes: number;
  readonly endOffset?: number;
  readonly maxBytes?: number;
  readonly acks?: -1 | 1;
  readonly compression?: Compression;
  readonly load?: Load;
  readonly atOnce?: number;
  readonly security?: Security;
  /** Fewer rounds than usual. */
  readonly mostRounds?: number;
  /** The place of this workload in a plot of growth. */
  readonly scale?: { readonly axis: string; readonly x: number };
}

/** The unit of each figure, and what it is in a row. */
const units: Readonly<Record<string, string>> = {
  perSecond: 'records/s',
  megabytesPerSecond: 'MB/s',
  mainMicroseconds: 'us',
  cpuMicroseconds: 'us',
  applicationShare: 'share',
  peakMiB: 'MiB',
  firstRecordMs: 'ms',
  coldStartMs: 'ms',
  errors: 'errors',
  disconnects: 'disconnects',
  duplicates: 'records twice',
  delayP99Ms: 'ms',
  delayMaxMs: 'ms',
  mainCollections: 'collections',
  otherCollections: 'collections',
  medianUs: 'us',
  p99Us: 'us',
  syncMedianUs: 'us',
  syncP99Us: 'us',
};

/** These are not told where they are 0 on both sides. */
const isCount = new Set(['errors', 'disconnects', 'duplicates']);

/** How each figure is called in a row. */
const names: Readonly<Record<string, string>> = {
  perSecond: 'recordsPerSecond',
  mainMicroseconds: 'mainThreadMicrosecondsPerRecord',
  cpuMicroseconds: 'cpuMicrosecondsPerRecord',
};

let groups = 0;

/** How many rounds a workload has that begins now. 0: the report's time is over. @param usual  without a report */
export function roundsNow(usual = rounds): number {
  return isReport ? roundsAt(performance.now(), usual, isQuick) : usual;
}

export function notInTime(name: string): MissingRow {
  const minutes = Math.round(performance.now() / 60_000);
  return { name, missing: 'every client', reason: `the report had taken ${minutes} minutes, and ends within its time` };
}

export async function* measure(stage: Stage, workload: Workload): AsyncGenerator<BenchRow | MissingRow> {
  const { name } = workload;
  if (only !== null && !only.test(name)) return;
  const missing = await missingPeers();
  const there = workload.peers.filter((peer) => !missing.has(peer));
  for (const peer of workload.peers) {
    if (missing.has(peer)) yield { name, missing: peer, reason: missing.get(peer)! };
  }
  const answers = new Map<PeerName, Answer[]>(there.map((peer) => [peer, []]));
  const most = roundsNow();
  if (most === 0) {
    yield notInTime(name);
    return;
  }
  const measured = Math.min(most, workload.mostRounds ?? most);
  for (let round = 0; round < measured; round++) {
    for (let i = 0; i < there.length; i++) {
      const peer = there[(round + i) % there.length]!;
      if (!answers.has(peer)) continue;
      const known = answers.get(peer)!;
      try {
        // One that has worked before, and this client, have a second try: a failure would cost all their rounds.
        const again = known.length > 0 || peer === there[0];
        known.push(
          await answerOf(stage, workload, peer).catch((error: Error) => {
            if (!again) throw error;
            console.error(`${name}: once more: ${error.message}`);
            return answerOf(stage, workload, peer);
          }),
        );
      } catch (error) {
        answers.delete(peer);
        yield { name, missing: peer, reason: (error as Error).message.slice(0, 2000) };
      }
    }
  }
  const [ours, ...others] = there;
  if (ours !== workload.peers[0] || !answers.has(ours!)) return;
  for (const peer of others) {
    if (answers.has(peer)) yield* rowsOf(stage, workload, answers.get(ours!)!, peer, answers.get(peer)!);
  }
}

function answerOf(stage: Stage, workload: Workload, peer: PeerName): Promise<Answer> {
  const load = workload.load ?? idle;
  const enough = load.blockMs === 0 ? 0 : (blocks * load.blockMs) / load.share;
  const job: Job = {
    peer,
    work: workload.work,
    folder: stage.folder,
    bootstrapServer: stage.bootstrapServer,
    security: workload.security ?? stage.security,
    topic: workload.topic,
    partitions: workload.partitions,
    valueBytes: workload.valueBytes,
    acks: workload.acks ?? -1,
    compression: workload.compression ?? 'none',
    groupId: `bench-${process.pid}-${groups++}`,
    maxBytes: workload.maxBytes ?? null,
    endOffset: Math.min(workload.endOffset ?? 0, mostRecords),
    load,
    warmUpMs,
    measureMs: Math.max(measureMs, enough),
    atOnce: workload.atOnce ?? 1,
    ownPids: stage.ownPids,
    profileFolder: stage.profileFolder ?? null,
  };
  return isNodePeer(peer) ? runPeer(stage.node, job) : outsideAnswer(job);
}

function* rowsOf(
  stage: Stage,
  workload: Workload,
  ours: readonly Answer[],
  comparison: PeerName,
  theirs: readonly Answer[],
): Generator<BenchRow> {
  const parameters = {
    client: workload.peers[0],
    ...(workload.load !== undefined && { load: workload.load }),
    ...(workload.scale !== undefined && { scale: workload.scale }),
    noisyRounds: ours.flatMap((answer, round) =>
      Math.max(answer.foreign, theirs[round]!.foreign) > noisyShare ? [round] : [],
    ),
  };
  const about = {
    broker: stage.description,
    partitions: workload.partitions,
    rounds: ours.length,
    settings: { ours: ours[0]!.settings, theirs: `${theirs[0]!.version}: ${theirs[0]!.settings}` },
    foreign: {
      ours: ours.map(({ foreign }) => rounded(foreign)),
      theirs: theirs.map(({ foreign }) => rounded(foreign)),
    },
  };
  for (const [figure, unit] of Object.entries(units)) {
    const pairs = pairsOf(figure, ours, theirs);
    if (pairs.length === 0) continue;
    const [mine, other] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
    // Nothing went wrong with either.
    if (isCount.has(figure) && Math.max(...mine, ...other) === 0) continue;
    yield {
      name: `${workload.name}: ${names[figure] ?? figure}`,
      unit: workload.work === 'request' ? unit.replace('records/s', 'requests/s') : unit,
      ours: rounded(median(mine)),
      comparison,
      theirs: rounded(median(other)),
      // Pair by pair. Where there was nothing, such as errors, it is compared with 1.
      ratio: rounded(median(pairs.map(([value, theirValue]) => value / (theirValue || 1)))),
      // Said once: the other rows of the same name and comparison are of the same runs.
      parameters: {
        ...parameters,
        ...(figure === 'perSecond' && about),
        spread: { ours: spread(mine), theirs: spread(other) },
      },
    };
  }
  const threads = { ours: ours.at(-1)!.threads, theirs: theirs.at(-1)!.threads };
  yield threadsRow(workload, comparison, threads, parameters);
}

/** The figures of both in each round. */
function pairsOf(figure: string, ours: readonly Answer[], theirs: readonly Answer[]): [number, number][] {
  return ours.flatMap(({ figures }, round): [number, number][] => {
    // Only we can wait without the event loop: the others are awaited.
    const theirFigure = figure.replace('syncMedian', 'median').replace('syncP99', 'p99');
    const [value, other] = [figures[figure], theirs[round]?.figures[theirFigure]];
    return value === undefined || other === undefined || Number.isNaN(value + other) ? [] : [[value, other]];
  });
}

/** All threads together, in shares of one core; the parameters have each. */
function threadsRow(
  { name }: Workload,
  comparison: PeerName,
  { ours, theirs }: { ours: Answer['threads']; theirs: Answer['threads'] },
  parameters: BenchRow['parameters'],
): BenchRow {
  const sum = (threads: Answer['threads']): number => Object.values(threads).reduce((all, share) => all + share, 0);
  const shares = (threads: Answer['threads']): object =>
    Object.fromEntries(Object.entries(threads).map(([thread, share]) => [thread, rounded(share)]));
  return {
    name: `${name}: CPU of all threads`,
    unit: 'cores',
    ours: rounded(sum(ours)),
    comparison,
    theirs: rounded(sum(theirs)),
    ratio: rounded(sum(ours) / (sum(theirs) || 1)),
    parameters: { ...parameters, threads: { ours: shares(ours), theirs: shares(theirs) } },
  };
}

function spread(values: readonly number[]): readonly number[] {
  return [Math.min(...values), median(values), Math.max(...values)].map(rounded);
}

/** Four digits: the measurements are not more exact. */
export function rounded(figure: number): number {
  return Number(figure.toPrecision(4));
}
