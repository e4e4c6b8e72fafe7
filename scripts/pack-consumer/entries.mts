// A program that uses every entry of the installed package. test-pack.ts compiles it with several compilers and resolutions, as
// strictly as users may.

import {
  type ClientHandle,
  errorFor,
  Fetch,
  type FetchRequest,
  KafkaClient,
  type KafkaClientOptions,
} from 'offthread-kafka';
import { exportToPrometheus, type MetricGroups, metricDefinitions } from 'offthread-kafka/metrics';
import {
  ConsumerProtocolAssignment,
  type ConsumerProtocolAssignmentView,
  ConsumerProtocolSubscription,
  errorCodes,
  Metadata,
  type MetadataResponse,
} from 'offthread-kafka/protocol';

import { EmbeddedCluster } from 'offthread-kafka/testing';

const options: KafkaClientOptions = { bootstrapServers: 'localhost:9092', securityProtocol: 'PLAINTEXT' };
// @ts-expect-error: Kafka's name is SSL
export const wrong: KafkaClientOptions = { ...options, securityProtocol: 'ssl' };

export async function use(): Promise<MetricGroups> {
  const client = await KafkaClient.start(options);
  const handle: ClientHandle = client.share();
  const topics = [{ topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }];
  const request: FetchRequest = { maxWaitMs: 500, minBytes: 1, topics };
  const response = await client.send(0, Fetch, request, { lane: 'fetch' });
  for (const { offset, key, value, headers } of response.responses.at(0).partitions.at(0).records) {
    console.log(offset, key?.byteLength, value?.byteLength, headers.length);
  }
  const { brokers } = await client.send(0, Metadata, { topics: null });
  console.log(brokers.length, handle, errorFor(errorCodes.NOT_LEADER_OR_FOLLOWER)?.retriable, metricDefinitions.length);
  const consumer = await client.consumer({ groupId: 'g', topics: ['a'] });
  for await (const batch of consumer) batch.done();
  const metrics = client.metrics();
  await client.close();
  return metrics;
}

export async function test(): Promise<void> {
  const cluster = await EmbeddedCluster.start({ brokers: 3, topics: { a: 3 } });
  await cluster.fail(Metadata, 'NOT_LEADER_OR_FOLLOWER', 2);
  // @ts-expect-error: Kafka has no such error
  await cluster.fail(Metadata, 'NOT_LEADER');
  await cluster.close();
}

export const bytes: Buffer = ConsumerProtocolSubscription.encode({ topics: ['a'] });
export const view: ConsumerProtocolAssignmentView = ConsumerProtocolAssignment.decode(
  ConsumerProtocolAssignment.encode({ assignedPartitions: [{ topic: 'a', partitions: [0, 1] }] }),
);
export const data: MetadataResponse = { brokers: [{ nodeId: 0, host: 'h', port: 9092 }] };
export { exportToPrometheus };
