// Owns one cold start of one client: from the first line of a program until a broker has acknowledged its first record, in the way users
// write it. A process of its own, of JavaScript that is loaded as users load it. Main thread of a contender.
//   node start-contender.js '{"client":"kafkajs","folder":...}'

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Package from '../../../src/index.ts';

export type StartClient =
  | 'this client'
  | 'the build of 2026-11-22'
  | 'kafkajs'
  | '@platformatic/kafka'
  | 'kafka-ts'
  | 'kafka-crab-js'
  | 'node-rdkafka'
  | '@confluentinc/kafka-javascript'
  | 'no client';

export interface StartRun {
  readonly client: StartClient;
  /** This client's package as it is published: the path of its main entry. */
  readonly entry: string;
  /** That of the older build. */
  readonly olderEntry: string;
  /** The folder with the peers' node_modules. */
  readonly folder: string;
  readonly bootstrapServer: string;
  /** A topic with one partition. */
  readonly topic: string;
}

export interface StartResult {
  readonly importMs: number;
  /** Import included. */
  readonly firstRecordMs: number;
  /** Of all threads, from the start of the process. */
  readonly cpuMs: number;
  /** After a full garbage collection, at the first record. */
  readonly heapMiB: number;
}

interface KafkajsModule {
  Kafka: new (
    options: object,
  ) => {
    producer(options: object): { connect(): Promise<void>; send(what: object): Promise<unknown> };
  };
  Partitioners: { DefaultPartitioner: unknown };
  logLevel: { NOTHING: number };
}
interface PlatformaticModule {
  Producer: new (options: object) => { send(what: object): Promise<unknown> };
}

interface KafkaTsModule {
  createKafkaClient(options: object): {
    createProducer(options: object): { send(messages: object[]): Promise<unknown> };
  };
}
interface KafkaCrabModule {
  KafkaClient: new (options: object) => { createProducer(options: object): { send(what: object): Promise<unknown> } };
}
interface RdkafkaProducer {
  connect(options: object, done: (error: Error | null) => void): void;
  on(event: 'delivery-report', listener: (error: Error | null) => void): void;
  setPollInterval(ms: number): void;
  produce(topic: string, partition: null, value: Buffer): void;
}
interface RdkafkaModule {
  Producer: new (options: object) => RdkafkaProducer;
}

const run = JSON.parse(process.argv[2]!) as StartRun;
const value = Buffer.alloc(100, 'x');

/** Each loads its client, and returns what makes it produce. */
const loaders: Readonly<Record<StartClient, () => Promise<() => Promise<unknown>>>> = {
  async 'this client'() {
    const { Producer } = (await import(pathToFileURL(run.entry).href)) as typeof Package;
    return async () => {
      const producer = await Producer.start({ bootstrapServers: run.bootstrapServer });
      await producer.send(run.topic, { value });
    };
  },
  async kafkajs() {
    const require = createRequire(join(run.folder, 'package.json'));
    const { Kafka, Partitioners, logLevel } = require('kafkajs') as KafkajsModule;
    return async () => {
      const kafka = new Kafka({ brokers: [run.bootstrapServer], logLevel: logLevel.NOTHING });
      const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      await producer.send({ topic: run.topic, messages: [{ value }] });
    };
  },
  async '@platformatic/kafka'() {
    const path = createRequire(join(run.folder, 'package.json')).resolve('@platformatic/kafka');
    const { Producer } = (await import(pathToFileURL(path).href)) as PlatformaticModule;
    return async () => {
      const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [run.bootstrapServer] });
      await producer.send({ messages: [{ topic: run.topic, value }], acks: -1 });
    };
  },
  // It had no Producer yet.
  async 'the build of 2026-11-22'() {
    const { KafkaClient, Produce } = (await import(pathToFileURL(run.olderEntry).href)) as typeof Package;
    return async () => {
      const client = await KafkaClient.start({ bootstrapServers: run.bootstrapServer });
      await client.setTopics([run.topic]);
      const node = client.cluster.leaderForPartition({ topic: run.topic, partition: 0 })!;
      await client.awaitReady(node);
      const partitionData = [{ index: 0, records: [{ value }] }];
      const topicData = [{ name: run.topic, topicId: client.cluster.topicId(run.topic)!, partitionData }];
      await client.send(node, Produce, { acks: -1, timeoutMs: 30_000, topicData });
    };
  },
  async 'kafka-ts'() {
    const require = createRequire(join(run.folder, 'package.json'));
    const { createKafkaClient } = require('kafka-ts') as KafkaTsModule;
    return async () => {
      const [host, port] = run.bootstrapServer.split(':');
      const producer = createKafkaClient({ bootstrapServers: [{ host, port: Number(port) }] }).createProducer({});
      await producer.send([{ topic: run.topic, value: value.toString('latin1') }]);
    };
  },
  async 'kafka-crab-js'() {
    const path = createRequire(join(run.folder, 'package.json')).resolve('kafka-crab-js');
    const { KafkaClient } = (await import(pathToFileURL(path).href)) as KafkaCrabModule;
    return async () => {
      const client = new KafkaClient({ brokers: run.bootstrapServer, clientId: 'bench', logLevel: 'error' });
      await client.createProducer({}).send({ topic: run.topic, messages: [{ payload: value }] });
    };
  },
  'node-rdkafka': () => rdkafka('node-rdkafka'),
  '@confluentinc/kafka-javascript': () => rdkafka('@confluentinc/kafka-javascript'),
  async 'no client'() {
    await import('node:net');
    return async () => {};
  },
};

async function rdkafka(name: string): Promise<() => Promise<unknown>> {
  const loaded = createRequire(join(run.folder, 'package.json'))(name) as RdkafkaModule & { RdKafka?: RdkafkaModule };
  const { Producer } = loaded.RdKafka ?? loaded;
  return () =>
    new Promise<void>((resolve, reject) => {
      // Without it the record would wait for others.
      const producer = new Producer({ 'bootstrap.servers': run.bootstrapServer, dr_cb: true, 'linger.ms': 0 });
      producer.on('delivery-report', (error) => (error ? reject(error) : resolve()));
      producer.connect({}, (error) => {
        if (error) return reject(error);
        producer.setPollInterval(1);
        producer.produce(run.topic, null, value);
      });
    });
}

const begin = performance.now();
const produce = await loaders[run.client]();
const importMs = performance.now() - begin;
await produce();
const firstRecordMs = performance.now() - begin;
const { user, system } = process.cpuUsage();
globalThis.gc?.();
const result: StartResult = {
  importMs,
  firstRecordMs,
  cpuMs: (user + system) / 1000,
  heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
};
process.stdout.write(JSON.stringify(result), () => process.exit(0));
