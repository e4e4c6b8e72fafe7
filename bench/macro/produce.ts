// Measures what the application thread pays for a producer, against the goals that were set for it, and the producer against KafkaClient and
// against itself with a busy main thread. The broker is the same, and the contenders take turns. Main thread.
//   npm run bench -- macro/produce

import { setTimeout as delay } from 'node:timers/promises';
import { errorFor, KafkaClient, Produce, type Producer } from '../../src/index.ts';
import { threadTimeMs } from '../main-job/thread-time.ts';
import { type BenchRow, median } from '../support/rows.ts';
import { withBroker } from './support/broker.ts';
import { BusyThread, busyBlockMs, keepBusy } from './support/keep-busy.ts';
import { createTopic } from './support/topic.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? (process.env.BENCH_QUICK === '1' ? 2 : 7));
const partitions = 4;
/** Bytes of a value, records of a round, and what a record may cost the main thread: 1/12 and 1/5 of the cheapest peer's cost. */
const sizes = [
  { valueBytes: 100, records: 300_000, goalMicroseconds: 0.13 },
  { valueBytes: 1024, records: 60_000, goalMicroseconds: 0.35 },
] as const;
const loneSends = 300;
const requestBytes = 200_000;
const requestsUnderWay = 5;
/** So few that they fit into the ring, and that no garbage is collected meanwhile. */
const countedRecords = 2000;
const countings = 10;

interface Place {
  readonly client: KafkaClient;
  readonly producer: Producer;
  readonly topic: string;
  readonly parameters: BenchRow['parameters'];
}

export async function run(): Promise<BenchRow[]> {
  return withBroker(async ({ host, port, description }) => {
    const client = await KafkaClient.start({ bootstrapServers: `${host}:${port}` });
    try {
      const topic = `bench-produce-${process.pid}`;
      await createTopic(client, topic, partitions);
      await client.setTopics([topic]);
      const producer = await client.producer();
      const parameters = { broker: description, rounds, partitions };
      const place = { client, producer, topic, parameters };
      const rows: BenchRow[] = [];
      for (const size of sizes) rows.push(...(await bulk(place, size)));
      rows.push(...(await busy(place)), await lone(place), ...(await objects(place)));
      return rows;
    } finally {
      await client.close();
    }
  });
}

/** Appends all, and waits until all is acknowledged. Returns the main thread's CPU time until then, in ms. */
async function give({ producer, topic }: Place, value: Uint8Array, records: number): Promise<number> {
  const startedAt = threadTimeMs();
  for (let left = records; left > 0; ) {
    if (producer.append(topic, null, value)) left--;
    else await producer.ready(value.length * 64);
  }
  const { failed, failures } = await producer.flush();
  if (failed > 0) throw failures[0]!.error;
  return threadTimeMs() - startedAt;
}

/** The same records by Produce requests of KafkaClient, to all partitions in turn. */
async function giveByClient({ client, topic }: Place, value: Uint8Array, records: number): Promise<void> {
  const topicId = client.cluster.topicId(topic)!;
  const requestRecords = Math.ceil(requestBytes / value.length);
  const list = Array.from({ length: requestRecords }, () => ({ value }));
  const underWay = new Set<Promise<void>>();
  for (let sent = 0, index = 0; sent < records; sent += requestRecords, index = (index + 1) % partitions) {
    const leader = client.cluster.leaderForPartition({ topic, partition: index })!;
    while (underWay.size >= requestsUnderWay || !client.ready(leader)) {
      if (underWay.size === 0) await client.awaitReady(leader);
      else await Promise.race(underWay);
    }
    const topicData = [{ name: topic, topicId, partitionData: [{ index, records: list }] }];
    const request = (async () => {
      const { responses } = await client.send(leader, Produce, { acks: -1, timeoutMs: 30_000, topicData });
      const error = errorFor(responses.at(0).partitionResponses.at(0).errorCode);
      if (error !== null) throw error;
    })();
    underWay.add(request);
    void request.finally(() => underWay.delete(request)).catch(() => {});
  }
  await Promise.all(underWay);
}

async function bulk(
  place: Place,
  { valueBytes, records, goalMicroseconds }: (typeof sizes)[number],
): Promise<BenchRow[]> {
  const value = Buffer.alloc(valueBytes, 'x');
  const costs: number[] = [];
  const ours: number[] = [];
  const theirs: number[] = [];
  await give(place, value, records);
  await giveByClient(place, value, records / 4);
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    const cpuMs = await give(place, value, records);
    ours.push((records / (performance.now() - startedAt)) * 1000);
    costs.push((cpuMs * 1000) / records);
    const theirsAt = performance.now();
    await giveByClient(place, value, records);
    theirs.push((records / (performance.now() - theirsAt)) * 1000);
  }
  const parameters = { ...place.parameters, valueBytes, records };
  return [
    rowOf(`append of ${valueBytes} B: main thread`, 'us', median(costs), 'goal', goalMicroseconds, parameters),
    rowOf(
      `produce ${valueBytes} B`,
      'records/s',
      median(ours),
      'KafkaClient, five requests of 200 KB under way',
      median(theirs),
      parameters,
    ),
  ];
}

/**
 * An idle main thread, and one that is 90 % busy. A busy thread also takes a processor from broker and network thread. What remains when
 * another thread takes as much of it shows that alone.
 */
async function busy(place: Place): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const other = new BusyThread();
  const loads = { idle: () => () => {}, busy: keepBusy, other: () => other.keepBusy() };
  for (const { valueBytes, records } of sizes) {
    const value = Buffer.alloc(valueBytes, 'x');
    const rates = { idle: [] as number[], busy: [] as number[], other: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      for (const load of ['idle', 'busy', 'other'] as const) {
        const stop = loads[load]();
        const startedAt = performance.now();
        await give(place, value, records);
        rates[load].push((records / (performance.now() - startedAt)) * 1000);
        stop();
      }
    }
    const parameters = { ...place.parameters, valueBytes, records, busyBlockMs };
    const name = `produce ${valueBytes} B, main thread 90 % busy in 20 ms blocks`;
    const ours = median(rates.busy);
    rows.push(
      rowOf(name, 'records/s', ours, 'idle main thread', median(rates.idle), parameters),
      rowOf(name, 'records/s', ours, 'idle main thread, another thread as busy', median(rates.other), parameters),
    );
  }
  await other.close();
  return rows;
}

/** One awaited record at a time. */
async function lone({ client, producer, topic, parameters }: Place): Promise<BenchRow> {
  const value = Buffer.alloc(100, 'x');
  const topicId = client.cluster.topicId(topic)!;
  const leader = client.cluster.leaderForPartition({ topic, partition: 0 })!;
  await client.awaitReady(leader);
  const raw = async (): Promise<void> => {
    const topicData = [{ name: topic, topicId, partitionData: [{ index: 0, records: [{ value }] }] }];
    await client.send(leader, Produce, { acks: -1, timeoutMs: 30_000, topicData });
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < rounds * loneSends; i++) {
    const startedAt = performance.now();
    await producer.send(topic, { value, partition: 0 });
    const sentAt = performance.now();
    await raw();
    // The first ones are compiled.
    if (i < loneSends / 2) continue;
    ours.push(sentAt - startedAt);
    theirs.push(performance.now() - sentAt);
  }
  return rowOf(
    'a lone awaited send, p50',
    'ms',
    median(ours),
    'a raw Produce by client.send',
    median(theirs),
    parameters,
  );
}

/** What stays on the heap of the main thread for each record, as long as nothing is collected. The goal is 0. */
async function objects(place: Place): Promise<BenchRow[]> {
  const { producer, topic, parameters } = place;
  const value = Buffer.alloc(100, 'x');
  const list = Array.from({ length: countedRecords }, () => ({ value }));
  const ways = {
    append: async () => {
      for (let i = 0; i < countedRecords; i++) if (!producer.append(topic, null, value)) throw new Error('no room');
    },
    sendAll: async () => void producer.sendAll(topic, list),
  };
  const rows: BenchRow[] = [];
  for (const [name, way] of Object.entries(ways)) {
    const counted: number[] = [];
    for (let i = 0; i < countings; i++) {
      await give(place, value, 1);
      await delay(20);
      const before = process.memoryUsage().heapUsed;
      void way();
      counted.push((process.memoryUsage().heapUsed - before) / countedRecords);
      await producer.flush();
    }
    // A collection makes a figure smaller, and the first ones have the compiler's memory in them.
    const ours = Math.max(0, median(counted));
    rows.push(rowOf(`${name}: heap of the main thread per record`, 'bytes', ours, 'one empty object', 16, parameters));
  }
  return rows;
}

function rowOf(
  name: string,
  unit: string,
  ours: number,
  comparison: string,
  theirs: number,
  parameters: BenchRow['parameters'],
): BenchRow {
  const short = (figure: number): number => Number(figure.toPrecision(4));
  return { name, unit, ours: short(ours), comparison, theirs: short(theirs), ratio: short(ours / theirs), parameters };
}
