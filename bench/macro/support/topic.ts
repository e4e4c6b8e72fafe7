// Owns the topics of benchmarks: creates them, and fills the ones that are only read. Main thread.

import { CreateTopics, errorFor, type KafkaClient, Produce, type RecordsCallback } from '../../../src/index.ts';

export interface FilledTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly valueBytes: number;
  /** The number of records in each partition. */
  readonly endOffset: number;
}

const batchBytes = 900_000;
/** The size of a record without its value, approximately. */
const recordBytes = 10;

/** Creates a topic with one replica, and waits until every partition has a leader. */
export async function createTopic(client: KafkaClient, topic: string, partitions: number): Promise<void> {
  const node = client.cluster.controller?.nodeId ?? client.leastLoadedNode()!;
  await client.awaitReady(node);
  const created = await client.send(node, CreateTopics, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
  });
  const problem = errorFor(created.topics.at(0).errorCode);
  if (problem !== null) throw problem;
  await client.setTopics([topic]);
  while (client.cluster.availablePartitionsForTopic(topic)?.size !== partitions) await client.refreshMetadata();
}

/** Creates a topic and fills every partition with the same number of records, uncompressed, without keys. */
export async function fillTopic(
  client: KafkaClient,
  { topic, partitions, valueBytes, endOffset }: FilledTopic,
): Promise<void> {
  await createTopic(client, topic, partitions);
  const value = Buffer.alloc(valueBytes, 'x');
  const perBatch = Math.max(1, Math.floor(batchBytes / (valueBytes + recordBytes)));
  for (let partition = 0; partition < partitions; partition++) {
    for (let sent = 0; sent < endOffset; sent += perBatch) {
      await append(client, topic, partition, value, Math.min(perBatch, endOffset - sent));
    }
  }
}

/** Appends one batch. Tries again while the partition has no leader yet. */
async function append(
  client: KafkaClient,
  topic: string,
  partition: number,
  value: Buffer,
  count: number,
): Promise<void> {
  const topicId = client.cluster.topicId(topic)!;
  const records: RecordsCallback = (writer) => {
    for (let i = 0; i < count; i++) writer.append(null, value);
  };
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
