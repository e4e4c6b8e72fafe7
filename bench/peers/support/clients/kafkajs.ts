// Owns how kafkajs is measured. Main thread of a contender.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Calls, callsUnderWay, recordsPerCall } from '../calls.ts';
import { type Peer, type Place, sumOf, valuesOf } from '../peer.ts';

interface Message {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer;
}
interface Producer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(what: object): Promise<unknown>;
}
interface Consumer {
  readonly events: { readonly CRASH: string };
  on(event: string, listener: (event: { payload: { error: Error } }) => void): void;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(what: { topic: string; fromBeginning: boolean }): Promise<void>;
  run(what: {
    eachBatch(payload: { batch: { partition: number; messages: readonly Message[] } }): Promise<void>;
  }): Promise<void>;
}
interface Admin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  fetchTopicMetadata(what: { topics: readonly string[] }): Promise<unknown>;
}
interface Module {
  Kafka: new (
    options: object,
  ) => {
    producer(options: object): Producer;
    consumer(options: object): Consumer;
    admin(): Admin;
  };
  Partitioners: { DefaultPartitioner: unknown };
  CompressionTypes: Readonly<Record<string, number>>;
  logLevel: { NOTHING: number };
}

export function load(folder: string): Peer {
  const require = createRequire(join(folder, 'package.json'));
  const module = require('kafkajs') as Module;
  const { version } = require('kafkajs/package.json') as { version: string };
  const clientOf = ({ bootstrapServer, security }: Place) =>
    new module.Kafka({
      clientId: 'bench',
      brokers: [bootstrapServer],
      logLevel: module.logLevel.NOTHING,
      ...(security !== null && {
        ssl: { ca: [readFileSync(security.sslCaFile)] },
        sasl: { mechanism: 'scram-sha-256', username: security.username, password: security.password },
      }),
    });
  return {
    version,
    // The others are packages of other authors, which are not installed.
    compressions: ['gzip'],
    async write(place, { valueBytes, acks, compression }) {
      const producer = clientOf(place).producer({ createPartitioner: module.Partitioners.DefaultPartitioner });
      await producer.connect();
      const values = valuesOf(valueBytes);
      const chunk = recordsPerCall(valueBytes);
      const calls = new Calls();
      const type = module.CompressionTypes[compression === 'none' ? 'None' : 'GZIP'];
      return {
        settings: `acks ${acks}, ${chunk} messages a call, ${callsUnderWay} calls under way, not idempotent (its default)`,
        chunk,
        async give() {
          const messages = Array.from({ length: chunk }, (_, n) => ({ value: values[n & 255]! }));
          await calls.add(() => producer.send({ topic: place.topic, acks, compression: type, messages }));
        },
        settled: () => calls.settled(),
        close: () => producer.disconnect(),
      };
    },
    async read(place, { groupId }, onRead, onError) {
      const consumer = clientOf(place).consumer({ groupId });
      consumer.on(consumer.events.CRASH, ({ payload }) => onError(payload.error));
      await consumer.connect();
      await consumer.subscribe({ topic: place.topic, fromBeginning: true });
      await consumer.run({
        async eachBatch({ batch: { partition, messages } }) {
          if (messages.length === 0) return;
          let sum = 0;
          let valueBytes = 0;
          for (const { offset, timestamp, key, value } of messages) {
            sum += sumOf(Number(offset), Number(timestamp), key, value);
            valueBytes += value.length;
          }
          onRead(partition, Number(messages.at(-1)!.offset), messages.length, valueBytes, sum | 0);
        },
      });
      return { settings: 'all defaults, fromBeginning; eachBatch', close: () => consumer.disconnect() };
    },
    async request(place) {
      const admin = clientOf(place).admin();
      await admin.connect();
      const topics = [place.topic];
      return {
        settings: 'all defaults; admin.fetchTopicMetadata',
        request: () => admin.fetchTopicMetadata({ topics }),
        close: () => admin.disconnect(),
      };
    },
  };
}
