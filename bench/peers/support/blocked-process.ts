// Owns one client that reads a topic in a group while its main thread is blocked for a long time: what it read twice, what it never read, what it
// lost, and its memory before and after. A process of its own. Main thread of a contender. It begins and ends its block when it is told so.
//   node --expose-gc blocked-process.js '{"peer":"kafkajs",...}' 3> reports

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Job } from './job.ts';
import { connectionsTo, peakMiB } from './machine.ts';
import { isNodePeer, loadPeer } from './registry.ts';

export interface BlockedJob extends Job {
  readonly blockedMs: number;
  /** Records that are written to the topic in all. */
  readonly total: number;
  /** How long the rest may take after the block. */
  readonly catchUpTimeoutMs: number;
}

export type BlockedReport =
  | { readonly kind: 'reading' | 'blocking' }
  | { readonly kind: 'done'; readonly version: string; readonly settings: string; readonly figures: BlockedFigures };

export interface BlockedFigures {
  readonly errors: number;
  readonly disconnects: number;
  readonly duplicates: number;
  readonly neverRead: number;
  readonly memoryBeforeMiB: number;
  readonly memoryAfterMiB: number;
  readonly memoryGrowth: number;
  readonly peakMiB: number;
  /** From the end of the block until all records were read. The limit when they were not. */
  readonly catchUpMs: number;
}

const reportFd = 3;
const MiB = 1 << 20;
const checkMs = 20;

function report(what: BlockedReport): void {
  writeSync(reportFd, `${JSON.stringify(what)}\n`);
}

const job = JSON.parse(process.argv[2]!) as BlockedJob;
if (!isNodePeer(job.peer)) throw new Error(`${job.peer} is no client of Node`);
const port = Number(job.bootstrapServer.slice(job.bootstrapServer.lastIndexOf(':') + 1));
const last = new Map<number, number>();
let errors = 0;
let read = 0;
let duplicates = 0;

const orders = createInterface({ input: process.stdin });
const peer = await loadPeer(job.peer, job.folder);
const onError = (error: unknown): void => {
  errors++;
  process.stderr.write(`${String(error)}\n`);
};
const reader = await peer.read!(
  job,
  job,
  (partition, lastOffset, count) => {
    const before = last.get(partition) ?? -1;
    // Of a batch that begins before what was read, only the part up to there is read twice.
    const again = Math.max(0, Math.min(count, before - (lastOffset - count)));
    duplicates += again;
    read += count - again;
    last.set(partition, Math.max(before, lastOffset));
  },
  onError,
);
while (read === 0) await new Promise((resolve) => setTimeout(resolve, checkMs));
report({ kind: 'reading' });
await once(orders, 'line');
globalThis.gc?.();
const memoryBeforeMiB = process.memoryUsage().rss / MiB;
const connections = connectionsTo(port);
report({ kind: 'blocking' });
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, job.blockedMs);
const startedAt = performance.now();
while (read < job.total && performance.now() - startedAt < job.catchUpTimeoutMs) {
  await new Promise((resolve) => setTimeout(resolve, checkMs));
}
const catchUpMs = performance.now() - startedAt;
const after = connectionsTo(port);
globalThis.gc?.();
const memoryAfterMiB = process.memoryUsage().rss / MiB;
const figures: BlockedFigures = {
  errors,
  disconnects: [...connections].filter((inode) => !after.has(inode)).length,
  duplicates,
  neverRead: Math.max(0, job.total - read),
  memoryBeforeMiB,
  memoryAfterMiB,
  memoryGrowth: memoryAfterMiB / memoryBeforeMiB,
  peakMiB: peakMiB(),
  catchUpMs,
};
report({ kind: 'done', version: peer.version, settings: reader.settings, figures });
process.exit(0);
