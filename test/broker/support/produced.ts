// Owns the reading of what a producer wrote, by raw requests. Test thread.

import { Fetch, type KafkaClient, ListOffsets } from '../../../src/index.ts';

/** The values of all records of a partition. */
export async function valuesOf(client: KafkaClient, topic: string, partition = 0): Promise<string[]> {
  await client.addTopic(topic);
  const nodeId = client.cluster.leaderForPartition({ topic, partition })!;
  await client.awaitReady(nodeId);
  const at = await client.send(nodeId, ListOffsets, {
    replicaId: -1,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
  });
  const end = at.topics.at(0).partitions.at(0).offset.toNumber();
  const values: string[] = [];
  while (values.length < end) {
    const asked = [{ partition, fetchOffset: values.length, partitionMaxBytes: 1 << 24 }];
    const response = await client.send(
      nodeId,
      Fetch,
      { maxWaitMs: 100, minBytes: 1, topics: [{ topic, partitions: asked }] },
      { version: 12 },
    );
    for (const record of response.responses.at(0).partitions.at(0).records) {
      values.push(Buffer.from(record.value!).toString());
    }
  }
  return values;
}
