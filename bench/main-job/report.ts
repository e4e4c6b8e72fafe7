// Owns the output of the result: a table for people, one line of JSON for programs. Main thread.

import { cpus } from 'node:os';
import { tableText } from '../../src/cli/io/table.ts';
import type { Blocked } from './consume.ts';
import type { JobResult } from './job.ts';
import { threadTimeSource } from './thread-time.ts';

/** The result for programs. The names of numbers end in their units. */
export function jsonReport(result: JobResult): object {
  const { produced, fetched, corpus, faults } = result;
  const megabytes = produced.payloadBytes / 1e6;
  return {
    ok: result.problems.length === 0,
    broker: result.broker,
    brokerVersion: result.brokerVersion?.join('.') ?? null,
    files: corpus.files.length,
    repeat: corpus.repeat,
    partitions: result.partitions,
    records: produced.records,
    megabytes: round(megabytes, 3),
    splitLines: produced.splits,
    isIdempotent: produced.isIdempotent,
    produceSeconds: round(produced.seconds, 3),
    produceMegabytesPerSecond: round(megabytes / produced.seconds, 1),
    produceMicrosPerRecord: round((produced.appendMs * 1000) / produced.records, 4),
    fetchSeconds: round(fetched.seconds, 3),
    fetchMegabytesPerSecond: round(megabytes / fetched.seconds, 1),
    fetches: fetched.fetches,
    workShare: round(fetched.times.workShare, 4),
    workBlocks: fetched.times.blocks,
    libraryMicrosPerRecord: round((fetched.times.libraryMs * 1000) / produced.records, 4),
    readingMicrosPerRecord: round((fetched.times.readingMs * 1000) / produced.records, 4),
    threadTimeSource,
    userWorkBlockP99Ms: round(fetched.times.blockP99Ms, 1),
    eventLoopDelayP99Ms: round(fetched.times.eventLoopDelayP99Ms, 1),
    words: fetched.words,
    distinctWords: fetched.distinctWords,
    requestsTimedOut: faults.timedOut,
    requestsDisconnected: faults.disconnected,
    requestsRetried: faults.retried,
    recordsRetried: produced.retriedRecords,
    blockedMs: fetched.blocked === null ? 0 : round(fetched.blocked.ms, 0),
    blockedRssMegabytes:
      fetched.blocked === null ? null : fetched.blocked.rssBytes.map((bytes) => round(bytes / 1e6, 1)),
    peakRssMegabytes: round(peakRssBytes() / 1e6, 1),
    problems: result.problems,
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
  };
}

export async function tableReport(result: JobResult): Promise<string> {
  const { produced, fetched, faults } = result;
  const megabytes = produced.payloadBytes / 1e6;
  const perRecord = (ms: number) => `${((ms * 1000) / produced.records).toFixed(3)} us per record`;
  const rate = (seconds: number) =>
    `${(megabytes / seconds).toFixed(1)} MB/s, ${Math.round(produced.records / seconds).toLocaleString('en')} records/s`;
  const cpuOrWall = threadTimeSource === 'wall' ? 'wall time' : 'CPU time';
  const rows: [string, string][] = [
    ['broker', result.broker],
    ['records', `${produced.records.toLocaleString('en')} in ${result.partitions} partitions`],
    ['size', `${megabytes.toFixed(1)} MB of keys and values`],
    ['produce', rate(produced.seconds)],
    ['fetch', rate(fetched.seconds)],
    ['main thread in user work', `${(fetched.times.workShare * 100).toFixed(1)} % while fetching`],
    [
      'words counted',
      `${fetched.words.toLocaleString('en')}, about ${fetched.distinctWords.toLocaleString('en')} different`,
    ],
    ['this library, producing', `${perRecord(produced.appendMs)} (time in append, cutting out of lines included)`],
    ['this library, fetching', `${perRecord(fetched.times.libraryMs)} (main thread ${cpuOrWall})`],
    [
      'event-loop delay, p99',
      `${fetched.times.eventLoopDelayP99Ms.toFixed(1)} ms, made by the job itself: its blocks of user work take ${fetched.times.blockP99Ms.toFixed(1)} ms (p99)`,
    ],
    ['requests timed out', `${faults.timedOut}`],
    ['requests disconnected', `${faults.disconnected}`],
    ['requests sent again', `${faults.retried}`],
    ['records sent again', produced.retriedRecords.toLocaleString('en')],
    ...blockRow(fetched.blocked),
    ['memory of the process', `${(peakRssBytes() / 1e6).toFixed(0)} MB at most`],
  ];
  if (produced.splits > 0) rows.push(['lines cut', `${produced.splits} pieces: longer than one batch`]);
  const isGood = result.problems.length === 0;
  rows.push(['every line back once, in order', isGood ? 'yes, byte for byte' : 'NO']);
  const table = tableText([{ title: '' }, { title: '' }], rows);
  return `\n${table.replaceAll(/^/gm, '  ').trimEnd()}\n${result.problems.map((problem) => `\n  ! ${problem}`).join('')}`;
}

function blockRow(blocked: Blocked | null): [string, string][] {
  if (blocked === null) return [];
  const [before, after] = blocked.rssBytes.map((bytes) => `${(bytes / 1e6).toFixed(0)} MB`);
  return [['main thread blocked', `${(blocked.ms / 1000).toFixed(1)} s; memory ${before} before, ${after} after`]];
}

function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
