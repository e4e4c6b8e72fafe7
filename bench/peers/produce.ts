// Compares the producing of many records with every other client: the same broker and topic, in turns, each in a process of its own.
//   npm run bench:peers -- produce

import { isIn, type Part } from '../support/report-plan.ts';
import { codecs, isQuick, measure, type Workload } from './support/harness.ts';
import type { PeerName } from './support/registry.ts';
import { brokerStage, withWritten } from './support/stage.ts';

const partitions = 4;
const allWriters: readonly PeerName[] = [
  'this client',
  "this client's Fetch and Produce",
  'the build of 2026-11-22',
  '@platformatic/kafka',
  "@platformatic/kafka's Fetch and Produce",
  'kafkajs',
  'kafka-ts',
  'kafka-crab-js',
  'node-rdkafka',
  '@confluentinc/kafka-javascript',
  "Kafka's Java client",
  'kafka-python',
  'bare socket',
];
const someWriters: readonly PeerName[] = [
  'this client',
  '@platformatic/kafka',
  "@platformatic/kafka's Fetch and Produce",
  'kafkajs',
  'node-rdkafka',
];
const codecWriters: readonly PeerName[] = ['this client', '@platformatic/kafka', 'node-rdkafka'];

interface Case extends Pick<Workload, 'name' | 'peers' | 'valueBytes' | 'acks' | 'compression'> {
  /** Has no goal. */
  readonly isTable?: true;
}

const sizesAndAcks: readonly Case[] = [
  { name: 'produce 64 KiB', valueBytes: 65_536, peers: someWriters, isTable: true },
  { name: 'produce 100 B, acks 1', valueBytes: 100, acks: 1, peers: someWriters, isTable: true },
];
const cases: readonly Case[] = [
  { name: 'produce 100 B', valueBytes: 100, peers: allWriters },
  { name: 'produce 1 KiB', valueBytes: 1024, peers: allWriters },
  ...(isQuick ? [] : sizesAndAcks),
  ...codecs.map((compression) => ({
    name: `produce 1 KiB, ${compression}`,
    valueBytes: 1024,
    compression,
    isTable: true as const,
    peers: compression === 'gzip' ? [...codecWriters, 'kafkajs' as const] : codecWriters,
  })),
];

export async function* run(part?: Part) {
  const stage = await brokerStage();
  for (const one of cases.filter((one) => isIn(part, one))) {
    yield* withWritten(stage, partitions, (topic) => measure(stage, { ...one, work: 'write', topic, partitions }));
  }
}
