// A broker whose answers decode and hold hostile values: the largest and smallest numbers, partitions and nodes that cannot be, names that
// objects have by nature, times of weeks. Whatever it says, the client stays within its memory, its calls end with an answer or a typed
// error, and it can be closed; the next client is served. How many elements an answer has and how long they are: test/fuzz.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  ApiVersions,
  ConsumerGroupHeartbeat,
  Fetch,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  JoinGroup,
  KafkaClient,
  KafkaClientError,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
  SyncGroup,
} from '../../src/index.ts';
import type { Cleanup } from '../broker/support/client.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

const int16 = 2 ** 15 - 1;
const int32 = 2 ** 31 - 1;
const int64 = 2n ** 63n - 1n;
const MiB = 1024 * 1024;
/** Two names of every object, one too long for any topic. */
const names = ['__proto__', 'constructor', 'x'.repeat(30_000)];
/** So often is each answer given: later ones are right, so that everything could end well. */
const times = 3;
/** What no value of a small answer can make a client hold: its rings, and the heap of its thread, are less. */
const maxGrowthBytes = 400 * MiB;

interface Row {
  readonly what: string;
  readonly api: { readonly key: number };
  readonly body: object;
}

const broken = { nodeId: int32, host: '__proto__', port: int32 };
const leader = { leaderId: int32, leaderEpoch: int32 };

const rows: readonly Row[] = [
  {
    what: 'ApiVersions: versions that end before they begin, of APIs that are not there',
    api: ApiVersions,
    body: {
      apiKeys: [
        { apiKey: int16, minVersion: int16, maxVersion: -int16 },
        { apiKey: -1, minVersion: 0, maxVersion: int16 },
        { apiKey: Metadata.key, minVersion: int16, maxVersion: 0 },
      ],
      supportedFeatures: names.map((name) => ({ name, minVersion: -1, maxVersion: int16 })),
      finalizedFeatures: names.map((name) => ({ name, minVersionLevel: int16, maxVersionLevel: -1 })),
      finalizedFeaturesEpoch: int64,
    },
  },
  { what: 'ApiVersions: weeks of throttling', api: ApiVersions, body: { throttleTimeMs: int32, apiKeys: [] } },
  {
    what: 'Metadata: brokers with impossible ids, ports and names',
    api: Metadata,
    body: {
      brokers: [
        broken,
        { nodeId: -int32, host: '', port: -1 },
        { nodeId: 0, host: 'a b\u0000c', port: 0, rack: names[2] },
      ],
      controllerId: int32,
      topics: [],
    },
  },
  {
    what: 'Metadata: partitions and epochs beyond every cluster',
    api: Metadata,
    body: {
      brokers: [broken],
      controllerId: -2,
      topics: ['logs', ...names].map((name) => ({
        name,
        errorCode: 0,
        partitions: [
          { partitionIndex: int32, ...leader, replicaNodes: [int32, -1], isrNodes: [-int32], offlineReplicas: [int32] },
          { partitionIndex: -int32, ...leader },
          { partitionIndex: 0, leaderId: -5, leaderEpoch: -5 },
        ],
      })),
      throttleTimeMs: -int32,
    },
  },
  {
    what: 'Metadata: weeks of throttling',
    api: Metadata,
    body: { brokers: [broken], topics: [], throttleTimeMs: int32 },
  },
  {
    what: 'FindCoordinator: nodes that cannot be',
    api: FindCoordinator,
    body: { coordinators: [...names, 'group'].map((key) => ({ key, ...broken, errorMessage: names[2] })) },
  },
  {
    what: 'JoinGroup: generations and members beyond sense',
    api: JoinGroup,
    body: {
      generationId: int32,
      protocolType: '__proto__',
      protocolName: 'constructor',
      leader: '__proto__',
      memberId: '__proto__',
      members: names.map((memberId) => ({ memberId, groupInstanceId: memberId, metadata: Buffer.alloc(20, 0xff) })),
    },
  },
  { what: 'SyncGroup: an assignment of noise', api: SyncGroup, body: { assignment: Buffer.alloc(1000, 0x7f) } },
  { what: 'Heartbeat: weeks of throttling', api: Heartbeat, body: { throttleTimeMs: int32 } },
  ...[int32, 0, -int32].map((heartbeatIntervalMs) => ({
    what: `ConsumerGroupHeartbeat: every ${heartbeatIntervalMs} ms, with partitions that cannot be`,
    api: ConsumerGroupHeartbeat,
    body: {
      memberId: '__proto__',
      memberEpoch: int32,
      heartbeatIntervalMs,
      assignment: { topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions: [int32, -1, 0, 0] }] },
    },
  })),
  {
    what: 'OffsetFetch: offsets at both ends of int64',
    api: OffsetFetch,
    body: {
      groups: [...names, 'group'].map((groupId) => ({
        groupId,
        topics: [...names, 'logs'].map((name) => ({
          name,
          partitions: [0, int32].map((partitionIndex) => ({
            partitionIndex,
            committedOffset: int64,
            committedLeaderEpoch: int32,
            metadata: names[2],
          })),
        })),
      })),
    },
  },
  {
    what: 'OffsetCommit: partitions that nobody committed',
    api: OffsetCommit,
    body: { topics: names.map((name) => ({ name, partitions: [{ partitionIndex: int32, errorCode: int16 }] })) },
  },
  {
    what: 'ListOffsets: offsets at both ends of int64',
    api: ListOffsets,
    body: {
      topics: ['logs', ...names].map((name) => ({
        name,
        partitions: [
          { partitionIndex: 0, offset: -int64, timestamp: int64, leaderEpoch: int32 },
          { partitionIndex: int32, offset: int64, timestamp: -int64, leaderEpoch: -int32 },
        ],
      })),
    },
  },
  {
    what: 'Fetch: a session, replicas, leaders and transactions that cannot be',
    api: Fetch,
    body: {
      sessionId: int32,
      responses: [
        {
          topic: 'logs',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          partitions: [0, int32, -1].map((partitionIndex) => ({
            partitionIndex,
            highWatermark: -int64,
            lastStableOffset: int64,
            logStartOffset: int64,
            preferredReadReplica: int32,
            currentLeader: leader,
            divergingEpoch: { epoch: int32, endOffset: -int64 },
            snapshotId: { endOffset: int64, epoch: -int32 },
            abortedTransactions: [{ producerId: -1n, firstOffset: -int64 }],
          })),
        },
      ],
      nodeEndpoints: [broken],
    },
  },
  {
    what: 'InitProducerId: numbers at the ends of their types',
    api: InitProducerId,
    body: { producerId: int64, producerEpoch: int16 },
  },
  { what: 'InitProducerId: no numbers', api: InitProducerId, body: { producerId: -2n, producerEpoch: -int16 } },
  {
    what: 'Produce: offsets, records and leaders that cannot be',
    api: Produce,
    body: {
      responses: ['logs', ...names].map((name) => ({
        name,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        partitionResponses: [0, int32].map((index) => ({
          index,
          errorCode: 87,
          baseOffset: -int64,
          logAppendTimeMs: -int64,
          logStartOffset: int64,
          recordErrors: [{ batchIndex: int32, batchIndexErrorMessage: names[2] }, { batchIndex: -1 }],
          currentLeader: leader,
        })),
      })),
      nodeEndpoints: [broken],
      throttleTimeMs: -1,
    },
  },
];

describe('a broker with hostile values', { concurrency: 8 }, () => {
  let broker: EmbeddedBroker;
  let rssBefore: number;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 2, topics: { logs: 1 } });
    await broker.append('logs', 0, [{ value: 'first' }]);
    rssBefore = process.memoryUsage.rss();
  });

  after(async () => {
    await broker.close();
    const grown = process.memoryUsage.rss() - rssBefore;
    assert.ok(grown < maxGrowthBytes, `${Math.round(grown / MiB)} MiB more memory`);
  });

  for (const [i, { what, api, body }] of rows.entries()) {
    test(what, { timeout: 300_000 }, async (t) => {
      // Each client has its own answers.
      await broker.control(api, { body }, { times, clientId: `client ${i}` });
      await use(t, broker, `client ${i}`, api === ConsumerGroupHeartbeat ? 'consumer' : 'classic');
      const next = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
      t.after(() => next.close());
      await next.awaitReady(-1);
      assert.ok((await next.send(-1, Metadata, { topics: [] })).brokers.length > 0);
    });
  }
});

/** Everything that a client does with brokers, for a while. Each part may fail, with an error of this package. */
async function use(
  t: Cleanup,
  broker: EmbeddedBroker,
  clientId: string,
  groupProtocol: 'classic' | 'consumer',
): Promise<void> {
  const client = await KafkaClient.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    clientId,
    requestTimeoutMs: 3000,
    closeTimeoutMs: 3000,
    logLevel: 'silent',
  });
  t.after(() => client.close());
  const typed = (error: unknown): void => {
    assert.ok(error instanceof KafkaClientError, String(error instanceof Error ? error.stack : error));
  };
  const producer = await client.producer({ deliveryTimeoutMs: 4000, requestTimeoutMs: 3000, lingerMs: 0 });
  const options = { autoOffsetReset: 'earliest', groupProtocol } as const;
  const consumer = await client.consumer({ groupId: clientId, topics: ['logs'], ...options });
  consumer.on('error', typed);
  // A broker that throttles for weeks holds these up until their own limit, or until the client is closed.
  const refreshes = [client.refreshMetadata().then(() => {}, typed), client.setTopics(['logs']).then(() => {}, typed)];
  await Promise.all([
    producer.send('logs', { value: 'a record' }).then(() => {}, typed),
    consumer.poll(3000).then(() => {}, typed),
  ]);
  const { usedBytes, maxBytes, parts } = await client.memory();
  assert.ok(usedBytes <= maxBytes, JSON.stringify(parts));
  await consumer.close().then(() => {}, typed);
  await producer.close().then(() => {}, typed);
  await client.close();
  await Promise.all(refreshes);
}
