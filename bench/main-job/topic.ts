// Owns the job's topic: its creation, leaders, end offsets and removal. Main thread.

import { CreateTopics, DeleteTopics, errorFor, ListOffsets, NodeNotReadyError } from '../../src/index.ts';
import { checkCode, type Requester } from './requester.ts';

const topicAlreadyExists = 36;
const noTopicId = 'AAAAAAAAAAAAAAAAAAAAAA';
/** The first version in which -1 means the broker's default. Some clusters allow only that. */
const defaultReplicationVersion = 4;
const createTimeoutMs = 30_000;
const latestOffset = -1;

export class Topic {
  readonly name: string;
  readonly partitions: number;
  readonly #requester: Requester;

  constructor(requester: Requester, name: string, partitions: number) {
    this.#requester = requester;
    this.name = name;
    this.partitions = partitions;
  }

  /** The topic id, for newer versions of requests. */
  get id(): string {
    return this.#requester.client.cluster.topicId(this.name) ?? noTopicId;
  }

  /** Creates the topic and waits until every partition has a leader. */
  async create(): Promise<void> {
    const { client } = this.#requester;
    const canDefault = (client.getApiVersions()?.get(CreateTopics.key)?.max ?? 0) >= defaultReplicationVersion;
    const topic = {
      name: this.name,
      numPartitions: this.partitions,
      replicationFactor: canDefault ? -1 : 1,
      assignments: [],
      configs: [],
    };
    await this.#requester.persist('creating the topic', async () => {
      const nodeId = client.cluster.controller?.nodeId ?? this.#requester.anyNode();
      const request = { topics: [topic], timeoutMs: createTimeoutMs };
      const { topics } = await this.#requester.send(nodeId, CreateTopics, request);
      // Nobody else uses this name, so an earlier attempt has succeeded and its answer was lost.
      if (topics.at(0).errorCode !== topicAlreadyExists) checkCode(topics.at(0).errorCode);
    });
    await client.setTopics([this.name]);
    await this.#requester.persist('waiting for leaders', async () => {
      if (client.cluster.availablePartitionsForTopic(this.name)?.size === this.partitions) return;
      await this.#requester.refreshMetadata();
      for (let partition = 0; partition < this.partitions; partition++) this.leader(partition);
    });
  }

  /** Throws NodeNotReadyError, which is retriable, when there is no leader. */
  leader(partition: number): number {
    const nodeId = this.#requester.client.cluster.leaderForPartition({ topic: this.name, partition }) ?? -1;
    if (nodeId === -1) throw new NodeNotReadyError(`${this.name}-${partition} has no leader`);
    return nodeId;
  }

  /** The offset of the partition's next record. */
  endOffset(partition: number): Promise<number> {
    return this.#requester.persist('asking for the end of a partition', async () => {
      const partitions = [{ partitionIndex: partition, timestamp: latestOffset, maxNumOffsets: 1 }];
      const request = { replicaId: -1, topics: [{ name: this.name, partitions }] };
      const { topics } = await this.#requester.send(this.leader(partition), ListOffsets, request);
      const answer = topics.at(0).partitions.at(0);
      checkCode(answer.errorCode);
      return answer.offset.toNumber();
    });
  }

  /** Removes the topic. Returns an error if that fails, because the job's result does not depend on it. */
  async remove(): Promise<Error | null> {
    const { client } = this.#requester;
    try {
      const nodeId = client.cluster.controller?.nodeId ?? this.#requester.anyNode();
      const topics = [{ name: this.name, topicId: noTopicId }];
      const request = { topics, topicNames: [this.name], timeoutMs: createTimeoutMs };
      const { responses } = await this.#requester.send(nodeId, DeleteTopics, request);
      return errorFor(responses.at(0).errorCode);
    } catch (error) {
      return error as Error;
    }
  }
}
