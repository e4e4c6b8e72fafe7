// Compares the reading of a topic with every other client: consumers in a new group each time, and readers that make their Fetch requests
// themselves. The limit is a socket that throws the bytes away. In turns, each in a process of its own.
//   npm run bench:peers -- consume

import { isIn, type Part } from '../support/report-plan.ts';
import { codecs, isQuick, measure } from './support/harness.ts';
import type { Compression } from './support/peer.ts';
import { type PeerName, withFourMembers } from './support/registry.ts';
import { brokerStage, withFilled } from './support/stage.ts';

const partitions = 4;
const allReaders: readonly PeerName[] = [
  'this client',
  'this client, a Buffer for each value',
  'this client, recycled',
  '@platformatic/kafka',
  'kafkajs',
  'kafka-ts',
  'kafka-crab-js',
  'node-rdkafka',
  '@confluentinc/kafka-javascript',
  "Kafka's Java client",
  'kafka-python',
];
/** Without groups, positions and commits. */
const fetchers: readonly PeerName[] = [
  "this client's Fetch and Produce",
  "this client's Fetch, recycled",
  'the build of 2026-11-22',
  "@platformatic/kafka's Fetch and Produce",
  'bare socket',
];
const someReaders: readonly PeerName[] = ['this client', '@platformatic/kafka', 'kafkajs', 'node-rdkafka'];

interface Case {
  readonly name: string;
  readonly valueBytes: number;
  /** The number of records in each partition. */
  readonly endOffset: number;
  readonly peers: readonly PeerName[];
  readonly batchBytes?: number;
  readonly hasKeys?: boolean;
  readonly compression?: Compression;
  /** Has no goal. */
  readonly isTable?: true;
  /** Also by readers that make their requests themselves. */
  readonly alsoFetch?: true;
}

const small = { valueBytes: 100, endOffset: 1_200_000 };
const large = { valueBytes: 1024, endOffset: 300_000 };
const huge = { valueBytes: 65_536, endOffset: 5000 };
const sizesAndKeys: readonly Case[] = [
  { name: 'consume 64 KiB', ...huge, peers: someReaders, alsoFetch: true, isTable: true },
  {
    name: 'consume 100 B with keys in batches of 16 KiB',
    ...small,
    batchBytes: 16_384,
    hasKeys: true,
    peers: [...someReaders, "Kafka's Java client"],
    alsoFetch: true,
    isTable: true,
  },
];
const cases: readonly Case[] = [
  { name: 'consume 100 B', ...small, peers: allReaders, alsoFetch: true },
  { name: 'consume 1 KiB', ...large, peers: allReaders, alsoFetch: true },
  {
    name: 'consume 100 B with four threads',
    ...small,
    peers: ['this client, four threads as one member', ...withFourMembers],
  },
  ...(isQuick ? [] : sizesAndKeys),
  ...codecs.map((compression) => ({
    name: `consume 1 KiB, ${compression}`,
    ...large,
    compression,
    isTable: true as const,
    peers: [
      ...(['this client', '@platformatic/kafka', 'node-rdkafka'] as const),
      ...(compression === 'gzip' ? (['kafkajs'] as const) : []),
    ],
  })),
];

export async function* run(part?: Part) {
  const stage = await brokerStage();
  for (const { alsoFetch, peers, ...one } of cases.filter((one) => isIn(part, one))) {
    yield* withFilled(stage, { ...one, partitions, isVaried: true }, async function* (topic) {
      const shared = { ...one, work: 'read', topic, partitions, compression: 'none' } as const;
      yield* measure(stage, { ...shared, peers });
      if (alsoFetch) yield* measure(stage, { ...shared, name: one.name.replace('consume', 'fetch'), peers: fetchers });
    });
  }
}
