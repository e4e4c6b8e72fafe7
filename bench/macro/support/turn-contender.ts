// Owns one run of the turn benchmark: writes a topic with zstd, then reads it, with or without a codec pool, and prints the times of both.
// It is a process of its own, so that contenders do not share heap and compiled code.
//   TURNS_FILE=... node --import ./turn-worker.js turn-contender.js '{"threads":2,"host":...}'

import { errorFor, Fetch, type Future, KafkaClient, Produce, type RecordsCallback } from '../../../src/index.ts';
import { createTopic } from './topic.ts';
import { nowMs } from './turn-worker.ts';

export interface TurnRun {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  /** codecPoolThreads */
  readonly threads: number;
  readonly partitions: number;
  readonly batchesPerPartition: number;
  readonly recordsPerBatch: number;
  /** How often everything is read. */
  readonly readings: number;
}

export interface Phase {
  readonly name: 'produce' | 'fetch';
  /** In ms, on the clock of the file of turns. */
  readonly from: number;
  readonly to: number;
  readonly records: number;
}

const run = JSON.parse(process.argv[2]!) as TurnRun;
const requestsPerPartition = 2;
const { topic, partitions, batchesPerPartition, recordsPerBatch } = run;
const client = await KafkaClient.start({
  bootstrapServers: `${run.host}:${run.port}`,
  codecPoolThreads: run.threads,
  // turn-worker.ts needs the metrics.
  metrics: true,
  maxInFlightRequestsPerConnection: 2 * partitions * requestsPerPartition,
});
const phases: Phase[] = [];
await createTopic(client, topic, partitions);
const leader = client.cluster.leaderForPartition({ topic, partition: 0 })!;
await client.awaitReady(leader);
await phase('produce', produceAll);
// The first reading is the warm-up. The second one is measured.
await fetchAll();
await phase('fetch', async () => {
  let records = 0;
  for (let reading = 0; reading < run.readings; reading++) records += await fetchAll();
  return records;
});
await client.close();
process.stdout.write(JSON.stringify(phases));

async function phase(name: Phase['name'], work: () => Promise<number>): Promise<void> {
  const from = nowMs();
  const records = await work();
  phases.push({ name, from, to: nowMs(), records });
}

/** JSON of the kind that is sent through Kafka: shrinks to about a third. */
function append(writer: Parameters<RecordsCallback>[0], first: number): void {
  for (let i = first; i < first + recordsPerBatch; i++) {
    const time = 1_700_000_000_000 + i * 13;
    writer.append(null, JSON.stringify({ id: i, user: `user-${(i * 7919) % 1000}`, time, value: Math.sin(i) }));
  }
}

async function produceAll(): Promise<number> {
  const topicId = client.cluster.topicId(topic)!;
  const produce = async (index: number, from: number): Promise<void> => {
    for (let batch = from; batch < batchesPerPartition; batch += requestsPerPartition) {
      const records: RecordsCallback = (writer) => append(writer, batch * recordsPerBatch);
      const partitionData = [{ index, records: { records, compression: 'zstd' as const } }];
      for (;;) {
        const request = { acks: -1, timeoutMs: 30_000, topicData: [{ topicId, partitionData }] };
        const response = await client.send(leader, Produce, request);
        const error = errorFor(response.responses.at(0).partitionResponses.at(0).errorCode);
        if (error === null) break;
        if (!error.retriable) throw error;
      }
    }
  };
  const loops: Promise<void>[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    for (let from = 0; from < requestsPerPartition; from++) loops.push(produce(partition, from));
  }
  await Promise.all(loops);
  return partitions * batchesPerPartition * recordsPerBatch;
}

async function fetchAll(): Promise<number> {
  const topicId = client.cluster.topicId(topic)!;
  const endOffset = batchesPerPartition * recordsPerBatch;
  const read = async (partition: number): Promise<number> => {
    let seen = 0;
    for (let offset = 0; offset < endOffset; ) {
      const partitionMaxBytes = 1 << 20;
      const topics = [{ topicId, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes }] }];
      const sent: Future<Awaited<ReturnType<typeof sendFetch>>> = sendFetch(topics);
      const { errorCode, records } = (await sent).responses.at(0).partitions.at(0);
      if (errorCode !== 0 || records.error !== null) throw records.error ?? errorFor(errorCode);
      offset = records.nextOffset.toNumber();
      seen += records.length;
    }
    return seen;
  };
  const counts = await Promise.all(Array.from({ length: partitions }, (_, partition) => read(partition)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function sendFetch(topics: NonNullable<Parameters<typeof Fetch.writeRequest>[1]['topics']>) {
  return client.send(leader, Fetch, {
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: 8 << 20,
    topics,
    forgottenTopicsData: [],
  });
}
