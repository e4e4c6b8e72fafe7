// Owns how kafka-crab-js is measured, a package of Rust around librdkafka. Main thread of a contender.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Calls, callsUnderWay, recordsPerCall } from '../calls.ts';
import { type Peer, type Place, sumOf, valuesOf } from '../peer.ts';
import { rdkafkaOptions } from './rdkafka.ts';

interface Message {
  readonly partition: number;
  readonly offset: number;
  readonly key?: Buffer | null;
  readonly payload: Buffer;
}
interface Client {
  createProducer(options: object): {
    send(what: object): Promise<readonly { error?: { message: string } | null }[]>;
  };
  createConsumer(options: object): {
    subscribe(topics: string): Promise<void>;
    recv(): Promise<Message | null>;
    recvBatch?(count: number, timeoutMs: number): Promise<readonly Message[]>;
    disconnect(): Promise<void>;
  };
}
interface Module {
  KafkaClient: new (options: object) => Client;
}

const messagesPerCall = 1000;
const batchTimeoutMs = 100;

export async function load(folder: string): Promise<Peer> {
  const require = createRequire(join(folder, 'package.json'));
  const path = require.resolve('kafka-crab-js');
  const { KafkaClient } = (await import(pathToFileURL(path).href)) as Module;
  const { version } = require(join(folder, 'node_modules', 'kafka-crab-js', 'package.json')) as { version: string };
  const clientOf = (place: Place): Client => {
    const { 'security.protocol': _, ...configuration } = rdkafkaOptions(place);
    return new KafkaClient({
      brokers: place.bootstrapServer,
      clientId: 'bench',
      logLevel: 'error',
      ...(place.security !== null && { securityProtocol: 'SaslSsl' }),
      configuration,
    });
  };
  return {
    version,
    compressions: ['gzip', 'snappy', 'lz4', 'zstd'],
    async write(place, { valueBytes, acks, compression }) {
      const configuration = { acks: String(acks), 'compression.type': compression };
      const producer = clientOf(place).createProducer({ configuration });
      const values = valuesOf(valueBytes);
      const chunk = recordsPerCall(valueBytes);
      const calls = new Calls();
      const { topic } = place;
      return {
        settings: `acks ${acks}, ${chunk} messages a call, ${callsUnderWay} calls under way`,
        chunk,
        async give() {
          const messages = Array.from({ length: chunk }, (_, n) => ({ payload: values[n & 255]! }));
          await calls.add(async () => {
            for (const { error } of await producer.send({ topic, messages })) if (error) throw new Error(error.message);
          });
        },
        settled: () => calls.settled(),
        close: () => Promise.resolve(),
      };
    },
    async read(place, { groupId }, onRead, onError) {
      const configuration = { 'auto.offset.reset': 'earliest' };
      const consumer = clientOf(place).createConsumer({ groupId, enableAutoCommit: true, configuration });
      await consumer.subscribe(place.topic);
      let isClosed = false;
      // It tells no timestamps.
      const take = ({ partition, offset, key, payload }: Message): void =>
        onRead(partition, offset, 1, payload.length, sumOf(offset, 0, key, payload) | 0);
      const loop = async (): Promise<void> => {
        while (!isClosed) {
          if (consumer.recvBatch !== undefined) {
            for (const message of await consumer.recvBatch(messagesPerCall, batchTimeoutMs)) take(message);
          } else {
            const message = await consumer.recv();
            if (message !== null) take(message);
          }
        }
      };
      const ended = loop().catch((error) => {
        if (!isClosed) onError(error);
      });
      return {
        settings: `auto.offset.reset earliest; ${consumer.recvBatch === undefined ? 'recv' : `recvBatch(${messagesPerCall})`}`,
        async close() {
          isClosed = true;
          await consumer.disconnect();
          await ended;
        },
      };
    },
  };
}
