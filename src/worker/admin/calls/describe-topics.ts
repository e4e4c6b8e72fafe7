// Owns the administration call that describes topics: page by page where brokers can do that, else by Metadata. Network thread.
// Source: KIP-4, KIP-430, KIP-516, KIP-966

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { DescribedPartition, DescribedTopic, TopicNameOrId } from '../../../common/admin/topics.ts';
import { KafkaProtocolError, UnsupportedVersionError } from '../../../common/errors/errors.ts';
import { DescribeTopicPartitions, Metadata } from '../../../protocol/flat/generated/apis.ts';
import type {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponsePartitionView,
  DescribeTopicPartitionsResponseView,
} from '../../../protocol/flat/generated/describe-topic-partitions.ts';
import type { MetadataResponseTopicView } from '../../../protocol/flat/generated/metadata.ts';
import { zeroUuid } from '../../../protocol/flat/uuid.ts';
import type { Destination } from '../../client/broker-requests.ts';
import { operationsOf } from '../authorized-operations.ts';
import { type Answered, type Call, someBroker } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';

/** From this version on, Metadata takes topic ids (KIP-516). */
const topicIdsVersion = 12;

/** At most so many partitions in one answer; brokers have the same limit by default. */
const pagePartitions = 2000;
/** Of all topics of a call, which are kept until the last page has come: far beyond any cluster. */
const maxPartitions = 2_000_000;

type Found = Map<string, Answer<DescribedTopic>>;

export function describeTopics(
  call: Call,
  { topics, includeAuthorizedOperations: isAsked }: AdminCalls['describeTopics']['args'],
): Promise<PlainResults<TopicNameOrId, DescribedTopic>> {
  return askForItems<TopicNameOrId, DescribedTopic>(call, topics, {
    target: 'any',
    isChange: false,
    locate: async (keys) => {
      // Topics that are named by id do not fail because a broker is too old for them only.
      const kinds: (readonly TopicNameOrId[])[] = [
        keys.filter((key) => typeof key === 'string'),
        keys.filter((key) => typeof key !== 'string'),
      ];
      return { groups: kinds.filter((kind) => kind.length > 0).map((kind) => ({ to: someBroker, keys: kind })) };
    },
    ask: async (to, keys) => {
      const names = keys.filter((key) => typeof key === 'string');
      const ids = keys.flatMap((key) => (typeof key === 'string' ? [] : [key.topicId]));
      const found = names.length > 0 ? await byNames(call, to, names, isAsked) : await byIds(call, to, ids, isAsked);
      const answers = new Map<TopicNameOrId, Answer<DescribedTopic>>();
      for (const key of keys) {
        const answer = found.get(typeof key === 'string' ? key : key.topicId);
        if (answer !== undefined) answers.set(key, answer);
      }
      return answers;
    },
  });
}

async function byNames(call: Call, to: Destination, names: readonly string[], isAsked: boolean): Promise<Found> {
  try {
    return await byPages(call, to, names, isAsked);
  } catch (error) {
    // Brokers before 3.8, and those with ZooKeeper, do not have the API.
    if (!(error instanceof UnsupportedVersionError)) throw error;
  }
  const topics = names.map((name) => ({ name }));
  const request = { topics, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: isAsked };
  const { response } = await call.send(to, Metadata, request);
  return new Map(
    response.topics.map((topic) => [topic.name!, answerOf(topic, () => describedTopic(topic, isAsked))] as const),
  );
}

async function byIds(call: Call, to: Destination, ids: readonly string[], isAsked: boolean): Promise<Found> {
  const topics = ids.map((topicId) => ({ topicId, name: null }));
  const request = { topics, allowAutoTopicCreation: false, includeTopicAuthorizedOperations: isAsked };
  const { response } = await call.send(to, Metadata, request, { minVersion: topicIdsVersion });
  return new Map(
    response.topics.map((topic) => [topic.topicId, answerOf(topic, () => describedTopic(topic, isAsked))] as const),
  );
}

function describedTopic(topic: MetadataResponseTopicView, isAsked: boolean): DescribedTopic {
  const { name, topicId, isInternal, topicAuthorizedOperations } = topic;
  const partitions = topic.partitions.map((partition) => describedPartition(partition, null, null));
  return {
    name: name!,
    topicId: topicId === zeroUuid ? null : topicId,
    isInternal,
    partitions: partitions.sort((a, b) => a.partition - b.partition),
    authorizedOperations: operationsOf(topicAuthorizedOperations, isAsked),
  };
}

interface Cursor {
  readonly topicName: string;
  readonly partitionIndex: number;
}

/** A topic may be spread over several pages. */
async function byPages(call: Call, to: Destination, names: readonly string[], isAsked: boolean): Promise<Found> {
  const found: Found = new Map();
  const pages = new Map<string, DescribedPartition[]>();
  let pending = [...new Set(names)].sort();
  const wanted = new Set(names);
  /** Each page may end in the middle of a topic. */
  const maxPages = names.length + maxPartitions / pagePartitions;
  let [page, count] = [0, 0];
  let cursor: Cursor | null = null;
  for (;;) {
    if (call.isOver) throw call.timedOut(null);
    const topics = pending.map((name) => ({ name }));
    const request: DescribeTopicPartitionsRequest = { topics, responsePartitionLimit: pagePartitions, cursor };
    const { response }: Answered<DescribeTopicPartitionsResponseView> = await call.send(
      to,
      DescribeTopicPartitions,
      request,
    );
    for (const topic of response.topics) {
      const { name, topicId, isInternal, topicAuthorizedOperations } = topic;
      if (name === null || !wanted.has(name)) continue;
      const partitions = pages.get(name) ?? [];
      pages.set(name, partitions);
      count += topic.partitions.length;
      if (count > maxPartitions) throw new KafkaProtocolError(`more than ${maxPartitions} partitions of these topics`);
      for (const partition of topic.partitions) {
        const { eligibleLeaderReplicas, lastKnownElr } = partition;
        const [eligible, lastKnown] = [eligibleLeaderReplicas?.toArray() ?? null, lastKnownElr?.toArray() ?? null];
        partitions.push(describedPartition(partition, eligible, lastKnown));
      }
      const readTopic = (): DescribedTopic => ({
        name,
        topicId: topicId === zeroUuid ? null : topicId,
        isInternal,
        partitions: partitions.sort((a, b) => a.partition - b.partition),
        authorizedOperations: operationsOf(topicAuthorizedOperations, isAsked),
      });
      found.set(name, answerOf(topic, readTopic));
    }
    if (response.nextCursor === null) return found;
    if (++page === maxPages) throw new KafkaProtocolError(`more than ${maxPages} pages of these topics`);
    const { topicName, partitionIndex } = response.nextCursor;
    if (!isBehind(cursor, topicName, partitionIndex)) {
      throw new KafkaProtocolError(
        `the next page of topics begins at ${topicName} ${partitionIndex}; it must begin behind the last one, at ${cursor?.topicName} ${cursor?.partitionIndex}`,
      );
    }
    cursor = { topicName, partitionIndex };
    pending = pending.filter((name) => name >= topicName);
  }
}

function isBehind(cursor: Cursor | null, topicName: string, partitionIndex: number): boolean {
  if (cursor === null) return true;
  return cursor.topicName === topicName ? partitionIndex > cursor.partitionIndex : topicName > cursor.topicName;
}

/** What both APIs tell of a partition. */
type PartitionView = Pick<
  DescribeTopicPartitionsResponsePartitionView,
  'partitionIndex' | 'leaderId' | 'leaderEpoch' | 'replicaNodes' | 'isrNodes' | 'offlineReplicas'
>;

function describedPartition(
  partition: PartitionView,
  eligibleLeaderReplicas: number[] | null,
  lastKnownEligibleLeaderReplicas: number[] | null,
): DescribedPartition {
  return {
    partition: partition.partitionIndex,
    leader: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicas: partition.replicaNodes.toArray(),
    isr: partition.isrNodes.toArray(),
    offlineReplicas: partition.offlineReplicas.toArray(),
    eligibleLeaderReplicas,
    lastKnownEligibleLeaderReplicas,
  };
}
