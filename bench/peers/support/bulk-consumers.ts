// Owns how each client reads a whole topic as the only member of a new group. Every record is fully read: offset, timestamp, bytes of key
// and value. Main thread of a contender.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KafkaClient } from '../../../src/index.ts';

export const bulkReaders = [
  'this client',
  'this client, a Buffer for each value',
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
      const cursor = batch.cursor();
      const { bytes } = cursor;
      let sum = 0;
      let valueBytes = 0;
      while (cursor.next()) {
        sum += cursor.offsetLow + cursor.timestampLow;
        if (makesBuffers) {
          const value = cursor.value!;
          const key = cursor.key;
          if (key !== null && key.length > 0) sum += key[0]!;
          sum += value[0]! + value[value.length - 1]!;
          valueBytes += value.length;
          continue;
        }
        if (cursor.keyLength > 0) sum += bytes[cursor.keyOffset]!;
        const at = cursor.valueOffset;
        const length = cursor.valueLength;
        sum += bytes[at]! + bytes[at + length - 1]!;
        valueBytes += length;
      }
      onRead(batch.count, valueBytes, sum | 0);
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
