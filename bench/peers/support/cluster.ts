// Owns the cluster of three real brokers for benchmarks that kill brokers, and its administration. Main thread.

import { CreateTopics, DescribeQuorum, errorFor, KafkaClient } from '../../../src/index.ts';
import { waitFor } from '../../../test/helpers/wait-for.ts';
import {
  type KafkaBroker,
  type KafkaFixture,
  kafkaAvailability,
  startKafka,
} from '../../../test/kafka/fixture/index.ts';

const brokerCount = 3;
/** The time for a restarted broker to join the cluster again and to catch up. */
const recoveryTimeoutMs = 120_000;

export class BenchCluster {
  readonly kafka: KafkaFixture;
  readonly #admin: KafkaClient;

  private constructor(kafka: KafkaFixture, admin: KafkaClient) {
    this.kafka = kafka;
    this.#admin = admin;
  }

  /** Runs `work`. The cluster is removed after success and after failure. */
  static async with<T>(work: (cluster: BenchCluster) => Promise<T>): Promise<T> {
    if (!kafkaAvailability(undefined, true).available) {
      throw new Error('this benchmark starts and kills its own brokers: it needs Java 17 and Maven');
    }
    const kafka = await startKafka({ brokers: brokerCount, purpose: 'full speed' });
    try {
      const { bootstrapServers } = kafka;
      await using admin = await KafkaClient.start({ bootstrapServers, logLevel: 'silent', closeTimeoutMs: 0 });
      return await work(new BenchCluster(kafka, admin));
    } finally {
      await kafka.stop();
    }
  }

  /** The id of the active controller. */
  async activeController(): Promise<number> {
    const nodeId = await this.#readyNode();
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }];
    const response = await this.#admin.send(nodeId, DescribeQuorum, { topics });
    return response.topics.at(0).partitions.at(0).leaderId;
  }

  /** Creates a topic with one partition and a replica on each broker, led by `leader`, and waits until all replicas are in sync. */
  async createTopic(name: string, leader: KafkaBroker): Promise<void> {
    const others = this.kafka.brokers.filter((broker) => broker !== leader);
    const brokerIds = [leader, ...others].map(({ nodeId }) => nodeId);
    const assignments = [{ partitionIndex: 0, brokerIds }];
    const topics = [{ name, numPartitions: -1, replicationFactor: -1, assignments, configs: [] }];
    const created = await this.#admin.send(await this.#readyNode(), CreateTopics, { topics, timeoutMs: 30_000 });
    const problem = errorFor(created.topics.at(0).errorCode);
    if (problem !== null) throw problem;
    await this.allInSync(name, leader);
  }

  /** Waits until all brokers have the topic's records. @param leader also waits until this broker is the leader */
  async allInSync(topic: string, leader?: KafkaBroker): Promise<void> {
    await waitFor(
      `all copies of ${topic} in sync`,
      async () => {
        this.#admin.setTopics([topic]).addErrback(() => {});
        const cluster = await this.#admin.refreshMetadata();
        const partition = cluster.partition({ topic, partition: 0 });
        return partition?.isr.length === brokerCount && (leader === undefined || partition.leader === leader.nodeId);
      },
      recoveryTimeoutMs,
    );
  }

  async #readyNode(): Promise<number> {
    return waitFor('a node that is ready', () => {
      const nodeId = this.#admin.leastLoadedNode();
      return nodeId !== null && this.#admin.ready(nodeId) ? nodeId : null;
    });
  }
}
