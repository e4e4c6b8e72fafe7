// Owns the topics of benchmarks: creates them, and fills the ones that are only read. Main thread.

import {
  CreateTopics,
  errorFor,
  type KafkaClient,
  Produce,
  type RecordsCallback,
  type RecordsInput,
} from '../../../src/index.ts';
import { valuesOf } from '../../peers/support/peer.ts';

export interface FilledTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly valueBytes: number;
  /** The number of records in each partition. */
  readonly endOffset: number;
  /** About the size of a batch, default 900,000 bytes. */
  readonly batchBytes?: number;
  /** Whether records have keys, of 8 bytes. Default: no. */
  readonly hasKeys?: boolean;
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** Whether values differ, as those of applications do. Default: all are the same byte. */
  readonly isVaried?: boolean;
}

const defaultBatchBytes = 900_000;
const appendsAtOnce = 4;
/** The size of a record without its value, approximately. */
const recordBytes = 10;

/** Creates a topic with one replica, and waits until every partition has a leader. */
export async function createTopic(
  client: KafkaClient,
  topic: string,
  partitions: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const node = client.cluster.controller?.nodeId ?? client.leastLoadedNode()!;
  await client.awaitReady(node);
  const entries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const created = await client.send(node, CreateTopics, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: entries }],
    timeoutMs: 10_000,
  });
  const problem = errorFor(created.topics.at(0).errorCode);
  if (problem !== null) throw problem;
  await client.setTopics([topic]);
  while (client.cluster.availablePartitionsForTopic(topic)?.size !== partitions) await client.refreshMetadata();
}

/** Creates a topic and fills every partition with the same number of records. */
export async function fillTopic(client: KafkaClient, filled: FilledTopic): Promise<void> {
  const { topic, partitions, valueBytes, endOffset, batchBytes = defaultBatchBytes } = filled;
  await createTopic(client, topic, partitions);
  const perBatch = Math.max(1, Math.floor(batchBytes / (valueBytes + recordBytes)));
  const record = recordsOf(filled);
  for (let sent = 0; sent < endOffset; sent += perBatch) {
    const count = Math.min(perBatch, endOffset - sent);
    const records: RecordsCallback = (writer) => {
      for (let i = 0; i < count; i++) writer.append(...record(sent + i));
    };
    const input = filled.compression === undefined ? records : { records, compression: filled.compression };
    for (let from = 0; from < partitions; from += appendsAtOnce) {
      const some = Array.from({ length: Math.min(appendsAtOnce, partitions - from) }, (_, i) => from + i);
      await Promise.all(some.map((partition) => append(client, topic, partition, input)));
    }
  }
}

/** The key and value of a record, by its number. */
function recordsOf({ valueBytes, hasKeys, isVaried }: FilledTopic): (n: number) => [Buffer | null, Buffer] {
  const values = isVaried === true ? valuesOf(valueBytes) : [Buffer.alloc(valueBytes, 'x')];
  const keys = hasKeys === true ? Array.from({ length: 1024 }, (_, i) => Buffer.from(`k${1_000_000 + i * 7}`)) : [null];
  return (n) => [keys[n % keys.length]!, values[n % values.length]!];
}

/** Appends one batch. Tries again while the partition has no leader yet. */
async function append(client: KafkaClient, topic: string, partition: number, records: RecordsInput): Promise<void> {
  const topicId = client.cluster.topicId(topic)!;
  for (;;) {
    const leader = client.cluster.leaderForPartition({ topic, partition })!;
    await client.awaitReady(leader);
    const response = await client.send(leader, Produce, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ topicId, partitionData: [{ index: partition, records }] }],
    });
    const error = errorFor(response.responses.at(0).partitionResponses.at(0).errorCode);
    if (error === null) return;
    if (!error.retriable) throw error;
    await client.refreshMetadata();
  }
}
