// Owns one run of the benchmark of plain frames: reads them with or without the codec pool, and reports rate and CPU time. It is a process of its
// own, so that contenders do not share heap and compiled code. Main thread of a contender.
//   NETWORK_THREAD_FILE=... node --import ./network-thread-id.js plain-pool-contender.js '{"host":...}'

import { Fetch, KafkaClient } from '../../../src/index.ts';
import { threadTimeMs } from '../../main-job/thread-time.ts';
import { readInPlace } from '../../peers/support/clients/ours.ts';
import type { FetchedTopic } from './fetched-topic.ts';
import { networkThreadMs } from './network-thread-id.ts';

/** `maxBytes` is the size of a frame. */
export interface PlainRun extends FetchedTopic {
  /** codecPoolPlainBytes */
  readonly plainBytes: number;
  /** The main thread is kept 90 % busy in blocks of this length. 0: it is idle. */
  readonly busyMs: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** CPU times are in us for each record. */
export interface PlainResult {
  readonly recordsPerSecond: number;
  readonly networkThread: number;
  readonly mainThread: number;
  /** All threads of the process, without the work that keeps the main thread busy. */
  readonly allThreads: number;
}

const run = JSON.parse(process.argv[2]!) as PlainRun;
const warmUpFrames = 40;
const { topic, partitions, endOffset, maxBytes } = run;
/** CPU time of the work that keeps this thread busy. */
let busyMs = 0;
let records = 0;
let frames = 0;
let sum = 0;

const client = await KafkaClient.start({
  bootstrapServers: `${run.host}:${run.port}`,
  codecPoolPlainBytes: run.plainBytes,
});
await readResponses();
keepBusy();
// On a busy machine the threads of the pool take a while to begin.
while (frames < warmUpFrames) await later(20);
await later(run.warmUpMs);
const before = now();
await later(run.measureMs);
const after = now();
const measured = after.records - before.records;
const each = (name: 'networkMs' | 'mainMs' | 'allMs'): number => ((after[name] - before[name]) * 1000) / measured;
const result: PlainResult = {
  recordsPerSecond: Math.round((measured * 1000) / (after.atMs - before.atMs)),
  networkThread: each('networkMs'),
  mainThread: each('mainMs'),
  allThreads: each('allMs'),
};
if (measured === 0) throw new Error(`no records came in ${run.measureMs} ms`);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(Number.isNaN(sum) ? 1 : 0));

function now() {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    records,
    networkMs: networkThreadMs(),
    mainMs: threadTimeMs() - busyMs,
    allMs: (user + system) / 1000 - busyMs,
  };
}

/** In blocks, 90 % of the time. */
function keepBusy(): void {
  if (run.busyMs === 0) return;
  const startedAt = threadTimeMs();
  for (const end = performance.now() + run.busyMs; performance.now() < end; );
  busyMs += threadTimeMs() - startedAt;
  setTimeout(keepBusy, run.busyMs / 9);
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A Fetch is under way for each partition. */
async function readResponses(): Promise<void> {
  await client.setTopics([topic]);
  const topicId = client.cluster.topicId(topic)!;
  const leader = client.cluster.leaderForPartition({ topic, partition: 0 })!;
  await client.awaitReady(leader);
  const next = (partition: number, fetchOffset: number): void => {
    const topics = [{ topicId, partitions: [{ partition, fetchOffset, partitionMaxBytes: maxBytes }] }];
    client
      .send(leader, Fetch, { maxWaitMs: 100, minBytes: 1, maxBytes, topics })
      .addCallback((response) => {
        const answer = response.responses.at(0).partitions.at(0);
        if (answer.errorCode !== 0 || answer.records.error !== null)
          throw answer.records.error ?? new Error(`error ${answer.errorCode}`);
        sum += readInPlace(answer.records.cursor()).sum;
        records += answer.records.length;
        frames++;
        const offset = answer.records.nextOffset.toNumber();
        next(partition, offset >= endOffset ? 0 : offset);
      })
      .addErrback((error) => {
        throw error;
      });
  };
  for (let partition = 0; partition < partitions; partition++) next(partition, 0);
}

process.on('warning', (warning) => {
  throw warning;
});
