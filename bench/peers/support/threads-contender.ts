// Owns one run of the threads benchmark: starts the threads, lets them warm up, measures them at work, counts connections and memory. A
// process of its own, on a Node that the peers support.
//   node --expose-gc threads-contender.js '{"client":"attached","threads":4,...}'

import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { parseProducerConfig } from '../../../src/common/config/producer-config.ts';
import { createProducerMemory } from '../../../src/main/producer/producer-memory.ts';
import { createDoorbell } from '../../../src/ring/doorbell.ts';
import { createCounters } from '../../../src/state/counters.ts';
import { median } from '../../support/rows.ts';
import { producerOptions } from './clients/ours.ts';
import { besides } from './contender.ts';
import { published } from './published.ts';
import {
  isAttached,
  type ThreadData,
  type ThreadOrder,
  type ThreadsResult,
  type ThreadsRun,
  type ThreadTold,
} from './threads-run.ts';

const MiB = 1024 * 1024;
const run = JSON.parse(process.argv[2]!) as ThreadsRun;
const { KafkaClient } = await published();
const client = isAttached(run.client) ? await KafkaClient.start({ bootstrapServers: run.bootstrapServer }) : null;
const settings = { valueBytes: run.valueBytes, acks: -1, compression: 'none' } as const;
const isShared = run.client === 'attached, one producer';
const producer = isShared ? await client!.producer(producerOptions(settings)) : null;
const recordsEach = Math.ceil(run.records / run.threads);
const openMs: number[] = [];
const workers: Worker[] = [];
for (let i = 0; i < run.threads; i++) {
  const handle = (producer ?? client)?.share() ?? null;
  const { folder, bootstrapServer, topic, partitions, security, valueBytes, workPerRecord } = run;
  const place = { folder, bootstrapServer, topic, partitions, security };
  const workerData: ThreadData = { client: run.client, place, valueBytes, handle, records: recordsEach, workPerRecord };
  const worker = new Worker(besides('threads-worker'), { workerData, transferList: [...(handle?.transferList ?? [])] });
  workers.push(worker);
  const [opened] = (await once(worker, 'message')) as [ThreadTold];
  openMs.push(opened.openMs);
}

/** Resolves when every thread has done it, with the number of records of all. */
async function tell(order: ThreadOrder): Promise<number> {
  const answers = workers.map((worker) => once(worker, 'message') as Promise<[ThreadTold]>);
  for (const worker of workers) worker.postMessage(order);
  return (await Promise.all(answers)).reduce((count, [{ records }]) => count + records, 0);
}

await tell('warm-up');
const usage = process.cpuUsage();
const startedAt = performance.now();
const records = await tell('run');
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(usage);
const connections = openConnections(Number(run.bootstrapServer.split(':').at(-1)));
await tell('rest');
globalThis.gc!();
const rssMiB = process.memoryUsage().rss / MiB;
const result: ThreadsResult = {
  recordsPerSecond: Math.round(records / seconds),
  connections,
  rssMiB,
  cpuMicrosecondsPerRecord: (user + system) / records,
  ringMiB:
    client === null
      ? 0
      : ((isShared ? 0 : client.config.requestRingBytes + client.config.responseRingBytes) + producerRings()) / MiB,
  openMs: median(openMs),
};
await tell('end');
await producer?.close();
await client?.close();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

/** Bytes of the rings of a producer with default options, or of one more thread of it: for records and their outcomes. */
function producerRings(): number {
  const memory = createProducerMemory(
    parseProducerConfig({}, () => {}),
    createDoorbell(),
    createCounters(),
    isShared,
  );
  for (const { link, lifePort } of [memory.application, memory.network])
    for (const port of [link.bodyPort, link.sparePort, lifePort]) port.close();
  const { requestRing, responseRing } = memory.network.link;
  return requestRing.byteLength + responseRing.byteLength;
}

/** Of this process to that port, as Linux tells. */
function openConnections(port: number): number {
  const own = new Set<string>();
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const inode = readlinkSync(`/proc/self/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1];
      if (inode !== undefined) own.add(inode);
    } catch {
      // Closed meanwhile, such as that of the folder itself.
    }
  }
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const isEstablished = '01';
  let count = 0;
  for (const file of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[2]?.endsWith(`:${hexPort}`) && fields[3] === isEstablished && own.has(fields[9]!)) count++;
    }
  }
  return count;
}
