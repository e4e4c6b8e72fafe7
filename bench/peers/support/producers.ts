// Owns how each client produces a record with acks -1, in the way its users do. Main thread of a contender.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OurProducer } from './our-producer.ts';

export const clients = ['this client', '@platformatic/kafka', 'kafkajs'] as const;
export type Client = (typeof clients)[number];
/** `eager observer` is this client with almost no backoff. It is not measured: when it succeeds, the cluster works. */
export type ClientName = Client | 'eager observer';

export interface ProducerPlace {
  /** The folder with the peers' node_modules. */
  readonly folder: string;
  readonly bootstrapServers: readonly string[];
  /** A topic with one partition. */
  readonly topic: string;
}

export const loads = ['one at a time', 'ten a second'] as const;
/** `one at a time`: the next record comes 20 ms after the last one has succeeded or failed. `ten a second`: a record every 100 ms. */
export type LoadName = (typeof loads)[number];

export interface ProduceJob extends ProducerPlace {
  readonly client: ClientName;
  readonly load: LoadName;
}

export interface Producer {
  readonly version: string;
  /** The configured settings about retries. */
  readonly settings: string;
  /** Resolves when the record is acknowledged. Rejects when the client has given it up. */
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
  // The defaults are 5 retries, from 300 ms, doubled each time. More retries would wait up to 30 s each. After 5 retries the record is sent
  // again from the beginning, with 300 ms, which is better for this client here.
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
  // The defaults are 3 retries, 1 s apart. More retries would make no difference, because a failed record is sent again.
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
