// Owns one run of one client: a warm-up, then the measured work, then the answer. A process of its own, so that clients do not share heap and
// compiled code. Main thread of a contender. The answer goes to file descriptor 3, because V8 may write its collections to standard output.
//   node peer-process.js '{"peer":"kafkajs","work":"read",...}' 3> answer

import { writeSync } from 'node:fs';
import { median, quantile } from '../../support/rows.ts';
import type { Answer, Figures, Job } from './job.ts';
import { Application, Meter } from './meter.ts';
import type { Peer } from './peer.ts';
import { isNodePeer, loadPeer } from './registry.ts';

export const answerFd = 3;

type Measured = Omit<Answer, 'version'>;

const job = JSON.parse(process.argv[2]!) as Job;
// The first isolate that writes of a collection is then the main thread's.
globalThis.gc?.();

async function write(peer: Peer): Promise<Measured> {
  const application = new Application(job.load);
  const meter = new Meter(job, application);
  const writer = await peer.write!(job, job, meter.onError);
  for (const end = performance.now() + job.warmUpMs; performance.now() < end; ) await writer.give();
  await writer.settled();
  meter.start();
  let records = 0;
  do {
    await writer.give();
    records += writer.chunk;
  } while (meter.elapsedMs < job.measureMs);
  await writer.settled();
  const measured = meter.stop(records);
  application.end();
  await writer.close();
  return { ...measured, settings: writer.settings };
}

/** Ends at the end of the time, or before the end of the topic where it is read only once. */
async function read(peer: Peer): Promise<Measured> {
  const application = new Application(job.load);
  const meter = new Meter(job, application);
  const all = job.endOffset * job.partitions;
  const last = new Map<number, number>();
  const startedAt = performance.now();
  let seen = 0;
  let records = 0;
  let bytes = 0;
  let sum = 0;
  let duplicates = 0;
  let firstRecordMs = -1;
  let isOver = false;
  let ended: (measured: Omit<Measured, 'settings'>) => void = () => {};
  const end = new Promise<Omit<Measured, 'settings'>>((resolve) => {
    ended = resolve;
  });
  const onRead = (partition: number, lastOffset: number, count: number, valueBytes: number, ofThese: number): void => {
    // Some clients go on for a while before anything else runs in this thread.
    if (isOver) return;
    if (firstRecordMs < 0) firstRecordMs = performance.now() - startedAt;
    seen += count;
    sum = (sum + ofThese) | 0;
    const before = last.get(partition) ?? -1;
    // Readers without a group begin again at 0.
    if (lastOffset <= before && lastOffset >= count) duplicates += count;
    last.set(partition, lastOffset);
    const isNearlyAll = (share: number): boolean => peer.readsAgain !== true && seen >= all * share;
    if (!meter.isRunning) {
      if (performance.now() - startedAt - firstRecordMs >= job.warmUpMs || isNearlyAll(0.25)) meter.start();
      if (isNearlyAll(0.98)) tooSmall(all);
      return;
    }
    records += count;
    bytes += valueBytes;
    if (meter.elapsedMs < job.measureMs && !isNearlyAll(0.98)) return;
    const { figures, ...rest } = meter.stop(records);
    const coldStartMs = loadMs + firstRecordMs;
    const more = { firstRecordMs, coldStartMs, duplicates, megabytesPerSecond: (bytes / meter.elapsedMs) * 1e-3 };
    isOver = true;
    ended({ ...rest, figures: { ...figures, ...more } });
  };
  const reader = await peer.read!(job, job, onRead, meter.onError);
  const measured = await end;
  application.end();
  // The profile of a thread is written when the thread ends.
  if (job.profileFolder !== null) await reader.close();
  // Otherwise the engine may leave out what was read.
  if (sum === 0.5) process.stderr.write('\n');
  return { ...measured, settings: reader.settings };
}

/** Ends the process: what a callback throws, clients keep for themselves. */
function tooSmall(records: number): never {
  process.stderr.write(`a topic of ${records} records is too small to be measured`);
  process.exit(1);
}

async function request(peer: Peer): Promise<Measured> {
  const application = new Application(job.load);
  const meter = new Meter(job, application);
  const requester = await peer.request!(job, job);
  const times: number[] = [];
  const once = async (): Promise<void> => {
    const startedAt = performance.now();
    if (job.atOnce > 1) await Promise.all(Array.from({ length: job.atOnce }, () => requester.request()));
    else await requester.request();
    times.push(performance.now() - startedAt);
  };
  const during = async (ms: number, work: () => unknown): Promise<void> => {
    for (const end = performance.now() + ms; performance.now() < end; ) await work();
  };
  await during(job.warmUpMs, once);
  times.length = 0;
  meter.start();
  await during(job.measureMs, once);
  const { figures, ...rest } = meter.stop(times.length * job.atOnce);
  const measured: Record<string, number> = {
    ...figures,
    medianUs: median(times) * 1000,
    p99Us: quantile(times, 0.99) * 1000,
  };
  const { requestSync } = requester;
  if (requestSync !== undefined && job.atOnce === 1) Object.assign(measured, blocking(requestSync));
  application.end();
  await requester.close();
  return { ...rest, figures: measured, settings: requester.settings };
}

/** The same requests, waited for with the thread asleep. */
function blocking(requestSync: () => void): Figures {
  const times: number[] = [];
  for (const limitMs of [job.warmUpMs, job.measureMs]) {
    times.length = 0;
    for (const end = performance.now() + limitMs; performance.now() < end; ) {
      const startedAt = performance.now();
      requestSync();
      times.push(performance.now() - startedAt);
    }
  }
  return { syncMedianUs: median(times) * 1000, syncP99Us: quantile(times, 0.99) * 1000 };
}

if (!isNodePeer(job.peer)) throw new Error(`${job.peer} is no client of Node`);
const loadAt = performance.now();
const peer = await loadPeer(job.peer, job.folder);
const loadMs = performance.now() - loadAt;
const measured = await { write, read, request }[job.work](peer);
writeSync(answerFd, JSON.stringify({ ...measured, version: peer.version } satisfies Answer));
process.exit(0);
