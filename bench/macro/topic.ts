// Owns the filling of a topic for benchmarks that read. Main thread.

import { CreateTopics, errorFor, type KafkaClient, Produce } from '../../src/index.ts';

export interface FilledTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly valueBytes: number;
  /** Records in each partition. */
  readonly endOffset: number;
}

const batchBytes = 900_000;
/** What a record takes beside its value, about. */
const recordBytes = 10;

/** Creates a topic and fills every partition with the same number of records, uncompressed, without keys. */
export async function fillTopic(
  client: KafkaClient,
  { topic, partitions, valueBytes, endOffset }: FilledTopic,
): Promise<void> {
  const node = client.cluster.controller?.nodeId ?? client.leastLoadedNode()!;
  await client.awaitReady(node);
  const created = await client.send(node, CreateTopics, {
    topics: [{ name: topic, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
  });
  const problem = errorFor(created.topics.at(0).errorCode);
  if (problem !== null) throw problem;
  await waitForLeaders(client, topic, partitions);
  const value = Buffer.alloc(valueBytes, 'x');
  const perBatch = Math.max(1, Math.floor(batchBytes / (valueBytes + recordBytes)));
  for (let partition = 0; partition < partitions; partition++) {
    const leader = client.cluster.leaderForPartition({ topic, partition })!;
    await client.awaitReady(leader);
    for (let sent = 0; sent < endOffset; sent += perBatch) {
      while (!client.isReady(leader)) await client.poll(1000);
      const count = Math.min(perBatch, endOffset - sent);
      sendBatch(client, leader, topic, partition, value, count);
    }
    while (client.inFlightRequestCount() > 0) await client.poll(1000);
  }
}

function sendBatch(
  client: KafkaClient,
  leader: number,
  topic: string,
  partition: number,
  value: Buffer,
  count: number,
): void {
  const topicId = client.cluster.topicId(topic)!;
  const records = (writer: { append(key: null, value: Uint8Array): unknown }): void => {
    for (let i = 0; i < count; i++) writer.append(null, value);
  };
  client
    .send(leader, Produce, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ topicId, partitionData: [{ index: partition, records }] }],
    })
    .addCallback((response) => {
      const error = errorFor(response.responses.at(0).partitionResponses.at(0).errorCode);
      if (error !== null) throw error;
    })
    .addErrback((error) => {
      throw error;
    });
}

async function waitForLeaders(client: KafkaClient, topic: string, partitions: number): Promise<void> {
  await client.setTopics([topic]);
  while (client.cluster.availablePartitionsForTopic(topic)?.size !== partitions) await client.refreshMetadata();
}
