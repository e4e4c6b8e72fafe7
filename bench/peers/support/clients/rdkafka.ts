// Owns how the two packages around librdkafka with the callbacks of node-rdkafka are measured. Main thread of a contender.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Peer, type Place, sumOf, valuesOf } from '../peer.ts';

interface Message {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null | undefined;
  readonly value: Buffer;
}
type Done<T> = (error: Error | null, result: T) => void;
interface Handle {
  connect(options: object, done: Done<unknown>): void;
  disconnect(done: () => void): void;
  on(event: 'delivery-report', listener: (error: Error | null) => void): void;
  on(event: 'event.error', listener: (error: Error) => void): void;
  getMetadata(options: object, done: Done<unknown>): void;
}
interface Producer extends Handle {
  setPollInterval(ms: number): void;
  poll(): void;
  produce(topic: string, partition: number | null, value: Buffer, key: null): void;
  flush(timeoutMs: number, done: (error: Error | null) => void): void;
}
interface Consumer extends Handle {
  subscribe(topics: readonly string[]): void;
  consume(count: number, done: Done<readonly Message[]>): void;
}
interface Module {
  Producer: new (options: object, topicOptions: object) => Producer;
  KafkaConsumer: new (options: object, topicOptions: object) => Consumer;
  CODES: { ERRORS: { ERR__QUEUE_FULL: number } };
}

const messagesPerCall = 1000;
const flushTimeoutMs = 60_000;

export function rdkafkaOptions({ bootstrapServer, security }: Place): Record<string, string> {
  return {
    'bootstrap.servers': bootstrapServer,
    ...(security !== null && {
      'security.protocol': 'sasl_ssl',
      'ssl.ca.location': security.sslCaFile,
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.username': security.username,
      'sasl.password': security.password,
    }),
  };
}

const connected = (handle: Handle): Promise<void> =>
  new Promise((resolve, reject) => handle.connect({}, (error) => (error ? reject(error) : resolve())));
const disconnected = (handle: Handle): Promise<void> => new Promise((resolve) => handle.disconnect(() => resolve()));

export function load(folder: string, name: 'node-rdkafka' | '@confluentinc/kafka-javascript'): Peer {
  const require = createRequire(join(folder, 'package.json'));
  const loaded = require(name) as Module & { readonly RdKafka?: Module };
  const module = loaded.RdKafka ?? loaded;
  const { version } = require(`${name}/package.json`) as { version: string };
  return {
    version,
    compressions: ['gzip', 'snappy', 'lz4', 'zstd'],
    async write(place, { valueBytes, acks, compression }, onError) {
      const options = { ...rdkafkaOptions(place), dr_cb: true, 'compression.type': compression, acks };
      const producer = new module.Producer(options, {});
      let failure: unknown = null;
      producer.on('delivery-report', (error) => {
        if (error) failure ??= error;
      });
      producer.on('event.error', onError);
      await connected(producer);
      producer.setPollInterval(20);
      const values = valuesOf(valueBytes);
      const chunk = Math.max(1, Math.min(messagesPerCall, Math.floor(1_000_000 / valueBytes)));
      const { topic } = place;
      const isFull = (error: unknown): boolean =>
        (error as { code?: number }).code === module.CODES.ERRORS.ERR__QUEUE_FULL;
      return {
        settings: `acks ${acks}, compression ${compression}, delivery reports, else all defaults; produce`,
        chunk,
        async give() {
          for (let i = 0; i < chunk; ) {
            try {
              producer.produce(topic, null, values[i & 255]!, null);
              i++;
            } catch (error) {
              if (!isFull(error)) throw error;
              producer.poll();
              await delay(1);
            }
          }
          // Otherwise nothing else runs in this thread until the queue is full.
          await new Promise((resolve) => setImmediate(resolve));
        },
        async settled() {
          await new Promise<void>((resolve, reject) => {
            producer.flush(flushTimeoutMs, (error) => (error ? reject(error) : resolve()));
          });
          if (failure !== null) throw failure;
        },
        close: () => disconnected(producer),
      };
    },
    async read(place, { groupId }, onRead, onError) {
      const options = { ...rdkafkaOptions(place), 'group.id': groupId };
      const consumer = new module.KafkaConsumer(options, { 'auto.offset.reset': 'earliest' });
      consumer.on('event.error', onError);
      await connected(consumer);
      consumer.subscribe([place.topic]);
      let isClosed = false;
      const next = (): void => {
        consumer.consume(messagesPerCall, (error, messages) => {
          if (isClosed) return;
          if (error) onError(error);
          else for (const message of messages) take(message);
          setImmediate(next);
        });
      };
      const take = ({ partition, offset, timestamp, key, value }: Message): void =>
        onRead(partition, offset, 1, value.length, sumOf(offset, timestamp, key, value) | 0);
      next();
      return {
        settings: `all defaults, auto.offset.reset earliest; consume(${messagesPerCall})`,
        close() {
          isClosed = true;
          return disconnected(consumer);
        },
      };
    },
    async request(place) {
      const producer = new module.Producer(rdkafkaOptions(place), {});
      await connected(producer);
      const options = { topic: place.topic, timeout: 10_000 };
      return {
        settings: 'getMetadata of one topic',
        request: () =>
          new Promise((resolve, reject) =>
            producer.getMetadata(options, (error, metadata) => (error ? reject(error) : resolve(metadata))),
          ),
        close: () => disconnected(producer),
      };
    },
  };
}
