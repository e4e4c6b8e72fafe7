// Owns one run of one client of the bulk produce benchmark: a warm-up, then many records until all are acknowledged, and the cost for this
// thread. It is a process of its own, on a Node version that the peers support.
//   node bulk-produce-contender.js '{"client":"kafkajs","bootstrapServer":...}'

import { threadTimeMs } from '../../main-job/thread-time.ts';
import { type BulkClient, type BulkPlace, startBulkProducer } from './bulk-producers.ts';

export interface BulkRun extends BulkPlace {
  readonly client: BulkClient;
  readonly records: number;
  /** The main thread is kept 90 % busy in blocks of this length. 0: it is idle. */
  readonly busyMs: number;
}

export interface BulkResult {
  readonly version: string;
  readonly settings: string;
  readonly recordsPerSecond: number;
  /** Without the work that kept the thread busy. */
  readonly mainThreadMicrosecondsPerRecord: number;
  /** All threads of the process, without that work. */
  readonly cpuMicrosecondsPerRecord: number;
}

const run = JSON.parse(process.argv[2]!) as BulkRun;
const producer = await startBulkProducer(run.client, run);
let busyCpuMs = 0;

function keepBusy(): void {
  const before = threadTimeMs();
  for (const end = performance.now() + run.busyMs; performance.now() < end; );
  busyCpuMs += threadTimeMs() - before;
  setTimeout(keepBusy, run.busyMs / 9).unref();
}

await producer.give(Math.ceil(run.records / 4));
await producer.settled();
if (run.busyMs > 0) keepBusy();
const startedAt = performance.now();
const startedBusyMs = busyCpuMs;
const startedCpuMs = threadTimeMs();
const startedUsage = process.cpuUsage();
await producer.give(run.records);
await producer.settled();
const seconds = (performance.now() - startedAt) / 1000;
const busyMs = busyCpuMs - startedBusyMs;
const mainMs = threadTimeMs() - startedCpuMs - busyMs;
const { user, system } = process.cpuUsage(startedUsage);
const result: BulkResult = {
  version: producer.version,
  settings: producer.settings,
  recordsPerSecond: Math.round(run.records / seconds),
  mainThreadMicrosecondsPerRecord: (mainMs * 1000) / run.records,
  cpuMicrosecondsPerRecord: (user + system - busyMs * 1000) / run.records,
};
await producer.close();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
