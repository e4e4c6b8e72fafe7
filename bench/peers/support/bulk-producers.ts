// Owns how each client produces many records, as fast as possible, with acknowledgements of all replicas. Main thread of a contender.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KafkaClient } from '../../../src/index.ts';

export const bulkClients = ['this client', '@platformatic/kafka', 'kafkajs'] as const;
export type BulkClient = (typeof bulkClients)[number];

export interface BulkPlace {
  /** The folder with the peers' node_modules. */
  readonly folder: string;
  readonly bootstrapServer: string;
  readonly topic: string;
  readonly valueBytes: number;
}

export interface BulkProducer {
  readonly version: string;
  /** The settings that were configured. */
  readonly settings: string;
  /** Gives `records` records to the client. Resolves when it takes more, which may be before they are acknowledged. */
  give(records: number): Promise<void>;
  /** Resolves when all given records are acknowledged. Rejects when one of them failed. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Different values, like those of applications. */
function valuesOf(bytes: number): Buffer[] {
  return Array.from({ length: 256 }, (_, i) => {
    const value = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; at++) value[at] = 32 + ((at * 31 + i * 17 + ((at * i) >> 3)) % 90);
    return value;
  });
}

export function startBulkProducer(client: BulkClient, place: BulkPlace): Promise<BulkProducer> {
  if (client === 'kafkajs') return startKafkajs(place);
  return client === '@platformatic/kafka' ? startPlatformatic(place) : startOurs(place);
}

async function startOurs(place: BulkPlace): Promise<BulkProducer> {
  return ourBulkProducer(await KafkaClient.start({ bootstrapServers: place.bootstrapServer }), place);
}

/** A producer of that client, which is closed with it. */
export async function ourBulkProducer(client: KafkaClient, { topic, valueBytes }: BulkPlace): Promise<BulkProducer> {
  const producer = await client.producer();
  const values = valuesOf(valueBytes);
  producer.on('failure', ({ error }) => {
    throw error;
  });
  return {
    version: 'this',
    settings: 'all defaults, idempotent; append',
    async give(records) {
      for (let i = 0; i < records; i++) {
        const value = values[i & 255]!;
        while (!producer.append(topic, null, value)) await producer.ready(valueBytes * 64);
      }
    },
    async settled() {
      const { failed, failures } = await producer.flush();
      if (failed > 0) throw failures[0]?.error ?? new Error(`${failed} records failed`);
    },
    async close() {
      await producer.close();
      await client.close();
    },
  };
}

/** About as many bytes as Kafka's own producer puts into a request while several requests are under way. */
const callBytes = 128 * 1024;
const callsUnderWay = 5;

/** Messages in a call of the peers. They give whole calls. */
export function recordsPerCall(valueBytes: number): number {
  return Math.max(1, Math.floor(callBytes / valueBytes));
}

/** Calls of a client that takes a list of messages, a few at a time. */
class Calls {
  readonly #under = new Set<Promise<void>>();
  #failure: unknown = null;

  async add(call: () => Promise<unknown>): Promise<void> {
    while (this.#under.size >= callsUnderWay) await Promise.race(this.#under);
    const under: Promise<void> = call().then(
      () => void this.#under.delete(under),
      (error: unknown) => {
        this.#failure ??= error;
        this.#under.delete(under);
      },
    );
    this.#under.add(under);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#under);
    if (this.#failure !== null) throw this.#failure;
  }
}

interface KafkajsProducer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(what: { topic: string; acks: number; messages: readonly { value: Buffer }[] }): Promise<unknown>;
}
interface KafkajsModule {
  Kafka: new (options: object) => { producer(options: object): KafkajsProducer };
  Partitioners: { DefaultPartitioner: unknown };
  logLevel: { NOTHING: number };
}

async function startKafkajs({ folder, bootstrapServer, topic, valueBytes }: BulkPlace): Promise<BulkProducer> {
  const require = createRequire(join(folder, 'package.json'));
  const { Kafka, Partitioners, logLevel } = require('kafkajs') as KafkajsModule;
  const { version } = require('kafkajs/package.json') as { version: string };
  const kafka = new Kafka({ clientId: 'bench', brokers: [bootstrapServer], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const values = valuesOf(valueBytes);
  const perCall = recordsPerCall(valueBytes);
  const calls = new Calls();
  return {
    version,
    settings: `${perCall} messages a call, ${callsUnderWay} calls under way, not idempotent (its default)`,
    async give(records) {
      for (let i = 0; i < records; i += perCall) {
        const messages = Array.from({ length: perCall }, (_, n) => ({ value: values[(i + n) & 255]! }));
        await calls.add(() => producer.send({ topic, acks: -1, messages }));
      }
    },
    settled: () => calls.settled(),
    close: () => producer.disconnect(),
  };
}

interface PlatformaticProducer {
  send(what: { acks: number; messages: readonly { topic: string; value: Buffer }[] }): Promise<unknown>;
  close(): Promise<void>;
}
interface PlatformaticModule {
  Producer: new (options: object) => PlatformaticProducer;
}

async function startPlatformatic({ folder, bootstrapServer, topic, valueBytes }: BulkPlace): Promise<BulkProducer> {
  const require = createRequire(join(folder, 'package.json'));
  const path = require.resolve('@platformatic/kafka');
  const { Producer: PeerProducer } = (await import(pathToFileURL(path).href)) as PlatformaticModule;
  const { version } = require(join(path, '../../package.json')) as { version: string };
  const producer = new PeerProducer({ clientId: 'bench', bootstrapBrokers: [bootstrapServer] });
  const values = valuesOf(valueBytes);
  const perCall = recordsPerCall(valueBytes);
  const calls = new Calls();
  return {
    version,
    settings: `${perCall} messages a call, ${callsUnderWay} calls under way, not idempotent (its default)`,
    async give(records) {
      for (let i = 0; i < records; i += perCall) {
        const messages = Array.from({ length: perCall }, (_, n) => ({ topic, value: values[(i + n) & 255]! }));
        await calls.add(() => producer.send({ acks: -1, messages }));
      }
    },
    settled: () => calls.settled(),
    close: () => producer.close(),
  };
}
