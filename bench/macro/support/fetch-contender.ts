// Owns one run of one contender of the fetch benchmark: reads the topic again and again for a while, and reports the cost. It is a process
// of its own, so that contenders do not share heap and compiled code.
//   node fetch-contender.js '{"contender":"offthread","host":...}'

import { Worker } from 'node:worker_threads';
import { Fetch, KafkaClient } from '../../../src/index.ts';
import type { RecordsView } from '../../../src/protocol/flat/records/record-view.ts';
import { FetchMeter, type MeterSettings } from './fetch-meter.ts';
import type { FetchedTopic } from './fetched-topic.ts';
import { rowWords, type YardstickFrame, type YardstickJob } from './yardstick.ts';

export interface FetchRun extends MeterSettings, FetchedTopic {
  /** `recycling`: this client, with `recycle` after each response. */
  readonly contender: 'yardstick' | 'offthread' | 'recycling';
  /** The CA file for TLS. Default: plaintext. */
  readonly sslCaFile?: string;
  /** All partitions are fetched together at this interval. Default: each partition is fetched again when its last response was read. */
  readonly everyMs?: number;
}

const run = JSON.parse(process.argv[2]!) as FetchRun;
const meter = new FetchMeter(run);

function readRows(frame: YardstickFrame): void {
  const rows = new Int32Array(frame.buffer, 0, frame.count * rowWords);
  const bytes = new Uint8Array(frame.buffer);
  let total = 0;
  let valueBytes = 0;
  for (let row = 0; row < rows.length; row += rowWords) {
    total += rows[row]! + rows[row + 2]!;
    if (rows[row + 5]! > 0) total += bytes[rows[row + 4]!]!;
    const value = rows[row + 6]!;
    const length = rows[row + 7]!;
    total += bytes[value]! + bytes[value + length - 1]!;
    valueBytes += length;
  }
  meter.count(frame.count, valueBytes, total);
}

function readRecords(records: RecordsView): void {
  const cursor = records.cursor();
  const { bytes } = cursor;
  let total = 0;
  let valueBytes = 0;
  while (cursor.next()) {
    total += cursor.offsetLow + cursor.timestampLow;
    if (cursor.keyLength > 0) total += bytes[cursor.keyOffset]!;
    const value = cursor.valueOffset;
    const length = cursor.valueLength;
    total += bytes[value]! + bytes[value + length - 1]!;
    valueBytes += length;
  }
  meter.count(records.length, valueBytes, total);
}

function startYardstick(): void {
  const control = new Int32Array(new SharedArrayBuffer(8));
  const { host, port, topic, partitions, endOffset, maxBytes } = run;
  const job: YardstickJob = { host, port, topic, partitions, endOffset, maxBytes, control, limit: 64 };
  const entry = import.meta.url.endsWith('.ts') ? './yardstick-worker.ts' : './yardstick-worker.js';
  const worker = new Worker(new URL(entry, import.meta.url), { workerData: job });
  worker.on('error', (error) => {
    throw error;
  });
  worker.on('message', (frame: YardstickFrame) => {
    readRows(frame);
    Atomics.sub(control, 0, 1);
    if (Atomics.load(control, 1) !== 0) {
      Atomics.store(control, 1, 0);
      worker.postMessage(0);
    }
  });
}

async function startClient(): Promise<void> {
  const client = await KafkaClient.start({
    bootstrapServers: `${run.host}:${run.port}`,
    ...(run.sslCaFile !== undefined && { securityProtocol: 'SSL', sslCaFile: run.sslCaFile }),
  });
  await client.setTopics([run.topic]);
  const topicId = client.cluster.topicId(run.topic)!;
  const leader = client.cluster.leaderForPartition({ topic: run.topic, partition: 0 })!;
  await client.awaitReady(leader);
  const due: (() => void)[] = [];
  const whenDue = (send: () => void): void => {
    if (run.everyMs === undefined) send();
    else due.push(send);
  };
  const sendDue = (): void => {
    for (const send of due.splice(0)) send();
  };
  if (run.everyMs !== undefined) setInterval(sendDue, run.everyMs);
  const next = (partition: number, fetchOffset: number): void => {
    client
      .send(leader, Fetch, {
        maxWaitMs: 100,
        minBytes: 1,
        maxBytes: run.maxBytes,
        topics: [{ topicId, partitions: [{ partition, fetchOffset, partitionMaxBytes: run.maxBytes }] }],
        forgottenTopicsData: [],
      })
      .addCallback((response) => {
        const answer = response.responses.at(0).partitions.at(0);
        const { records } = answer;
        if (answer.errorCode !== 0 || records.error !== null)
          throw records.error ?? new Error(`error ${answer.errorCode}`);
        readRecords(records);
        const offset = records.nextOffset.toNumber();
        if (run.contender === 'recycling') client.recycle(response);
        whenDue(() => next(partition, offset >= run.endOffset ? 0 : offset));
      })
      .addErrback((error) => {
        throw error;
      });
  };
  for (let partition = 0; partition < run.partitions; partition++) next(partition, 0);
}

process.on('warning', (warning) => {
  throw warning;
});
if (run.contender === 'yardstick') startYardstick();
else await startClient();
meter.keepBusy();
process.stdout.write(`${JSON.stringify(await meter.finished)}\n`, () => process.exit(0));
