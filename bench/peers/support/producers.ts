// Owns one way to produce a record for each client, with acks -1, as its users would. Main thread of a contender.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OurProducer } from './our-producer.ts';

export const clients = ['this client', '@platformatic/kafka', 'kafkajs'] as const;
export type Client = (typeof clients)[number];
/** `eager observer` is this client with next to no backoff, beside those measured: when it succeeds, the cluster works. */
export type ClientName = Client | 'eager observer';

export interface ProducerPlace {
  /** With the peers' node_modules. */
  readonly folder: string;
  readonly bootstrapServers: readonly string[];
  /** Of one partition. */
  readonly topic: string;
}

export const loads = ['one at a time', 'ten a second'] as const;
/** A record, and 20 ms after its end, good or bad, the next; or a record every 100 ms, however many are under way. */
export type LoadName = (typeof loads)[number];

export interface ProduceJob extends ProducerPlace {
  readonly client: ClientName;
  readonly load: LoadName;
}

export interface Producer {
  readonly version: string;
  /** Whatever was configured that bears on retries, or why nothing was. */
  readonly settings: string;
  /** Resolves when the record is acknowledged; rejects when the client has given it up. */
  produce(): Promise<void>;
}

const value = Buffer.alloc(100, 'x');

export function startProducer(name: ClientName, place: ProducerPlace): Promise<Producer> {
  if (name === 'kafkajs') return startKafkajs(place);
  if (name === '@platformatic/kafka') return startPlatformatic(place);
  if (name === 'this client') return OurProducer.start(place, {}, 'all defaults');
  const eager = { retryBackoffMs: 10, reconnectBackoffMs: 10, reconnectBackoffMaxMs: 20, logLevel: 'silent' } as const;
  return OurProducer.start(place, eager, JSON.stringify(eager));
}

interface KafkajsProducer {
  connect(): Promise<void>;
  send(what: {
    topic: string;
    acks: number;
    messages: readonly { partition: number; value: Buffer }[];
  }): Promise<unknown>;
}
interface KafkajsModule {
  Kafka: new (options: object) => { producer(options: object): KafkajsProducer };
  Partitioners: { DefaultPartitioner: unknown };
  logLevel: { NOTHING: number };
}

async function startKafkajs({ folder, bootstrapServers, topic }: ProducerPlace): Promise<Producer> {
  const require = createRequire(join(folder, 'package.json'));
  const { Kafka, Partitioners, logLevel } = require('kafkajs') as KafkajsModule;
  const { version } = require('kafkajs/package.json') as { version: string };
  // Retries are on by default: 5, from 300 ms, doubled each time. More of them would only wait longer and longer (up to 30 s);
  // a record given up after 5 is one the application sends again, and begins at 300 ms. That serves it better here.
  const kafka = new Kafka({ clientId: 'bench', brokers: [...bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = [{ partition: 0, value }];
  return {
    version,
    settings: 'all defaults: retries 5, initialRetryTime 300, multiplier 2; a record given up is sent again',
    async produce() {
      await producer.send({ topic, acks: -1, messages });
    },
  };
}

interface PlatformaticProducer {
  send(what: {
    acks: number;
    messages: readonly { topic: string; partition: number; value: Buffer }[];
  }): Promise<unknown>;
}
interface PlatformaticModule {
  Producer: new (options: object) => PlatformaticProducer;
}

async function startPlatformatic({ folder, bootstrapServers, topic }: ProducerPlace): Promise<Producer> {
  const require = createRequire(join(folder, 'package.json'));
  const path = require.resolve('@platformatic/kafka');
  const { Producer } = (await import(pathToFileURL(path).href)) as PlatformaticModule;
  const { version } = require(join(path, '../../package.json')) as { version: string };
  // Retries are on by default, and at even distances: 3 of them, 1 s apart. Without an end they would do the same.
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [...bootstrapServers] });
  const messages = [{ topic, partition: 0, value }];
  return {
    version,
    settings: 'all defaults: retries 3, retryDelay 1000; a record given up is sent again',
    async produce() {
      await producer.send({ acks: -1, messages });
    },
  };
}
