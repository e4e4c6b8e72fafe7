// Owns how each client reads a whole topic as the only member of a new group. Every record is fully read: offset, timestamp, bytes of key
// and value. Main thread of a contender, and the threads
// that it starts.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  Consumer,
  type ConsumerBatch,
  type ConsumerHandle,
  Fetch,
  KafkaClient,
  type RecordCursor,
} from '../../../src/index.ts';

export const bulkReaders = [
  'this client',
  'this client, a Buffer for each value',
  'this client, four threads as one member',
  "KafkaClient's Fetch, without a consumer",
  '@platformatic/kafka',
  'kafkajs',
] as const;
export type BulkReader = (typeof bulkReaders)[number];

export interface ReadPlace {
  /** The folder with the peers' node_modules. */
  readonly folder: string;
  readonly bootstrapServer: string;
  readonly topic: string;
  readonly groupId: string;
}

export interface Reading {
  readonly version: string;
  readonly settings: string;
  close(): Promise<void>;
}

/** Called after records were read. @param sum a sum over the read bytes, so that the engine cannot leave out the reads */
export type OnRead = (records: number, valueBytes: number, sum: number) => void;

export function startReading(reader: BulkReader, place: ReadPlace, onRead: OnRead): Promise<Reading> {
  if (reader === 'kafkajs') return readWithKafkajs(place, onRead);
  if (reader === '@platformatic/kafka') return readWithPlatformatic(place, onRead);
  if (reader === "KafkaClient's Fetch, without a consumer") return readWithFetch(place, onRead);
  if (reader === 'this client, four threads as one member') return readWithThreads(place, onRead);
  return readWithOurs(place, onRead, reader !== 'this client');
}

async function readWithOurs(place: ReadPlace, onRead: OnRead, makesBuffers: boolean): Promise<Reading> {
  const client = await KafkaClient.start({ bootstrapServers: place.bootstrapServer });
  const consumer = await client.consumer({
    groupId: place.groupId,
    topics: [place.topic],
    autoOffsetReset: 'earliest',
  });
  const read = async (): Promise<void> => {
    for await (const batch of consumer) {
      const { valueBytes, sum } = makesBuffers ? readAsBuffers(batch.cursor()) : readInPlace(batch.cursor());
      onRead(batch.count, valueBytes, sum);
    }
  };
  const ended = read();
  return {
    version: 'this',
    settings: 'all defaults, autoOffsetReset earliest; for await, cursor',
    async close() {
      await consumer.close();
      await ended;
      await client.close();
    },
  };
}

interface Sums {
  readonly valueBytes: number;
  readonly sum: number;
}

function readInPlace(cursor: RecordCursor): Sums {
  const { bytes } = cursor;
  let sum = 0;
  let valueBytes = 0;
  while (cursor.next()) {
    sum += cursor.offsetLow + cursor.timestampLow;
    if (cursor.keyLength > 0) sum += bytes[cursor.keyOffset]!;
    const at = cursor.valueOffset;
    const length = cursor.valueLength;
    sum += bytes[at]! + bytes[at + length - 1]!;
    valueBytes += length;
  }
  return { valueBytes, sum: sum | 0 };
}

function readAsBuffers(cursor: RecordCursor): Sums {
  let sum = 0;
  let valueBytes = 0;
  while (cursor.next()) {
    sum += cursor.offsetLow + cursor.timestampLow;
    const { key, value } = cursor;
    if (key !== null && key.length > 0) sum += key[0]!;
    sum += value![0]! + value![value!.length - 1]!;
    valueBytes += value!.length;
  }
  return { valueBytes, sum: sum | 0 };
}

/** Two fetches in flight for all partitions together: what the network thread can do without positions, batches and commits. */
async function readWithFetch({ bootstrapServer, topic }: ReadPlace, onRead: OnRead): Promise<Reading> {
  const client = await KafkaClient.start({ bootstrapServers: bootstrapServer });
  await client.awaitTopic(topic);
  const count = client.cluster.partitionsForTopic(topic)!.size;
  const node = client.cluster.leaderForPartition({ topic, partition: 0 })!;
  await client.awaitReady(node);
  let isClosed = false;
  const read = async (partitions: readonly number[]): Promise<void> => {
    const next = new Map(partitions.map((partition) => [partition, 0]));
    while (!isClosed) {
      const rows = [...next].map(([partition, fetchOffset]) => ({
        partition,
        fetchOffset: BigInt(fetchOffset),
        partitionMaxBytes: 1024 * 1024,
      }));
      const request = {
        maxWaitMs: 500,
        minBytes: 1,
        maxBytes: 50 * 1024 * 1024,
        topics: [{ topic, partitions: rows }],
      };
      const response = await client.send(node, Fetch, request, { version: 12 });
      for (const { partitionIndex, records } of response.responses.at(0).partitions) {
        const { valueBytes, sum } = readInPlace(records.cursor());
        next.set(partitionIndex, records.nextOffset.toNumber());
        onRead(records.length, valueBytes, sum);
      }
    }
  };
  const all = Array.from({ length: count }, (_, partition) => partition);
  const ended = [0, 1].map((part) => read(all.filter((partition) => partition % 2 === part)));
  return {
    version: 'this',
    settings: 'two fetches in flight, 1 MiB for each partition; cursor',
    async close() {
      isClosed = true;
      await Promise.all(ended);
      await client.close();
    },
  };
}

/** Four threads read one consumer, each by cursor. The counts of each batch come here by message. */
async function readWithThreads({ bootstrapServer, topic, groupId }: ReadPlace, onRead: OnRead): Promise<Reading> {
  const consumer = await Consumer.start({
    bootstrapServers: bootstrapServer,
    groupId,
    topics: [topic],
    autoOffsetReset: 'earliest',
  });
  const workers = Array.from({ length: 4 }, () => {
    const handle: ConsumerHandle = consumer.share();
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { handle },
      transferList: [...handle.transferList],
    });
    worker.on('message', ({ count, valueBytes, sum }: Sums & { count: number }) => onRead(count, valueBytes, sum));
    return worker;
  });
  return {
    version: 'this',
    settings: 'all defaults, autoOffsetReset earliest; four attached threads, for await, cursor',
    async close() {
      await consumer.close();
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

async function readInThread(handle: ConsumerHandle): Promise<void> {
  const consumer = await Consumer.attach(handle);
  const tell = (batch: ConsumerBatch): void => {
    const { valueBytes, sum } = readInPlace(batch.cursor());
    parentPort!.postMessage({ count: batch.count, valueBytes, sum });
  };
  for await (const batch of consumer) tell(batch);
}

interface KafkajsMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer;
}
interface KafkajsConsumer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(what: { topic: string; fromBeginning: boolean }): Promise<void>;
  run(what: { eachBatch(payload: { batch: { messages: readonly KafkajsMessage[] } }): Promise<void> }): Promise<void>;
}
interface KafkajsModule {
  Kafka: new (options: object) => { consumer(options: object): KafkajsConsumer };
  logLevel: { NOTHING: number };
}

async function readWithKafkajs(
  { folder, bootstrapServer, topic, groupId }: ReadPlace,
  onRead: OnRead,
): Promise<Reading> {
  const require = createRequire(join(folder, 'package.json'));
  const { Kafka, logLevel } = require('kafkajs') as KafkajsModule;
  const { version } = require('kafkajs/package.json') as { version: string };
  const kafka = new Kafka({ clientId: 'bench', brokers: [bootstrapServer], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    async eachBatch({ batch: { messages } }) {
      let sum = 0;
      let valueBytes = 0;
      for (const { offset, timestamp, key, value } of messages) {
        sum += Number(offset) + Number(timestamp);
        if (key !== null && key.length > 0) sum += key[0]!;
        sum += value[0]! + value[value.length - 1]!;
        valueBytes += value.length;
      }
      onRead(messages.length, valueBytes, sum | 0);
    },
  });
  return { version, settings: 'all defaults; eachBatch', close: () => consumer.disconnect() };
}

interface PlatformaticMessage {
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Buffer | null | undefined;
  readonly value: Buffer;
}
interface PlatformaticConsumer {
  consume(
    options: object,
  ): Promise<AsyncIterable<PlatformaticMessage> & { on(event: 'data', f: (m: PlatformaticMessage) => void): void }>;
  close(force: boolean): Promise<void>;
}
interface PlatformaticModule {
  Consumer: new (options: object) => PlatformaticConsumer;
}

async function readWithPlatformatic(place: ReadPlace, onRead: OnRead): Promise<Reading> {
  const { folder, bootstrapServer, topic, groupId } = place;
  const require = createRequire(join(folder, 'package.json'));
  const path = require.resolve('@platformatic/kafka');
  const { Consumer } = (await import(pathToFileURL(path).href)) as PlatformaticModule;
  const { version } = require(join(path, '../../package.json')) as { version: string };
  const consumer = new Consumer({ groupId, clientId: 'bench', bootstrapBrokers: [bootstrapServer] });
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest', autocommit: 1000 });
  stream.on('data', ({ offset, timestamp, key, value }) => {
    let sum = Number(offset) + Number(timestamp) + value[0]! + value[value.length - 1]!;
    if (key?.length) sum += key[0]!;
    onRead(1, value.length, sum | 0);
  });
  return { version, settings: "mode 'earliest', autocommit 1000; 'data'", close: () => consumer.close(true) };
}

if (!isMainThread && workerData?.handle !== undefined)
  await readInThread((workerData as { handle: ConsumerHandle }).handle);
