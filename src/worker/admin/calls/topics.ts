// Owns administration calls about topics. Network thread. Source: KIP-4, KIP-195, KIP-464, KIP-516, KIP-599

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { CreatedTopic, DescribedTopic, ListedTopic, NewTopic } from '../../../common/admin/topics.ts';
import { CreatePartitions, CreateTopics, DeleteTopics, Metadata } from '../../../protocol/flat/generated/apis.ts';
import type { CreateTopicsRequestCreatableTopic } from '../../../protocol/flat/generated/create-topics.ts';
import type { MetadataResponseTopicView } from '../../../protocol/flat/generated/metadata.ts';
import { zeroUuid } from '../../../protocol/flat/uuid.ts';
import { type Call, someBroker } from '../call.ts';
import { answerOf, askForItems } from '../items.ts';
import { atAnyBroker, atController } from '../routes.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

/** From this version on, the broker can choose both numbers (KIP-464). */
const brokerDefaultsVersion = 4;

export async function createTopics(
  call: Call,
  args: Args<'createTopics'>,
): Promise<PlainResults<string, CreatedTopic>> {
  const byName = new Map(args.topics.map((topic) => [topic.name, topic]));
  const results = await askForItems<string, CreatedTopic>(call, [...byName.keys()], {
    target: 'controller',
    isChange: args.validateOnly !== true,
    ...(args.retryOnQuotaViolation !== undefined && { retryOnQuotaViolation: args.retryOnQuotaViolation }),
    locate: (keys) => atController(call, keys),
    ask: async (to, keys) => {
      const topics = keys.map((name) => requestOf(byName.get(name)!));
      const needsDefaults = topics.some(({ numPartitions, replicationFactor, assignments }) => {
        return assignments.length === 0 && (numPartitions === -1 || replicationFactor === -1);
      });
      const request = { topics, timeoutMs: call.timeLeftMs, validateOnly: args.validateOnly === true };
      const versions = needsDefaults ? { minVersion: brokerDefaultsVersion } : {};
      const { response } = await call.send(to, CreateTopics, request, versions);
      return new Map(
        response.topics.map((topic) => [
          topic.name,
          answerOf(topic, () => createdTopic(topic), response.throttleTimeMs),
        ]),
      );
    },
  });
  if (args.waitForLeaders === true && args.validateOnly !== true) await untilLed(call, results, byName);
  return results;
}

function requestOf(topic: NewTopic): CreateTopicsRequestCreatableTopic {
  const { name, partitions = -1, replicationFactor = -1, assignments = [], configs = {} } = topic;
  const isAssigned = assignments.length > 0;
  return {
    name,
    numPartitions: isAssigned ? -1 : partitions,
    replicationFactor: isAssigned ? -1 : replicationFactor,
    assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  };
}

type CreatedView = {
  readonly topicId: string;
  readonly topicConfigErrorCode: number;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configs: Iterable<{ name: string; value: string | null; readOnly: boolean; isSensitive: boolean }> | null;
};

function createdTopic(topic: CreatedView): CreatedTopic {
  // With code 29 the topic was created, but this user may not see its configuration.
  const isShown = topic.topicConfigErrorCode === 0;
  const configs = isShown && topic.configs !== null ? [...topic.configs] : null;
  return {
    topicId: topic.topicId === zeroUuid ? null : topic.topicId,
    partitions: isShown && topic.numPartitions >= 0 ? topic.numPartitions : null,
    replicationFactor: isShown && topic.replicationFactor >= 0 ? topic.replicationFactor : null,
    configs: configs?.map(({ name, value, readOnly, isSensitive }) => ({ name, value, readOnly, isSensitive })) ?? null,
  };
}

/** Brokers do not know a new topic at once. Waits until a broker names a leader of each partition. */
async function untilLed(
  call: Call,
  results: PlainResults<string, CreatedTopic>,
  byName: ReadonlyMap<string, NewTopic>,
): Promise<void> {
  const wanted = new Map<string, number>();
  for (const [name, outcome] of results) {
    if (!outcome.ok) continue;
    const { partitions, assignments } = byName.get(name)!;
    wanted.set(name, outcome.value.partitions ?? assignments?.length ?? partitions ?? 1);
  }
  while (wanted.size > 0) {
    const topics = [...wanted.keys()].map((name) => ({ name }));
    const { response } = await call.send(someBroker, Metadata, { topics, allowAutoTopicCreation: false });
    for (const { name, errorCode, partitions } of response.topics) {
      const led = partitions.filter(({ leaderId }) => leaderId >= 0).length;
      if (errorCode === 0 && led >= wanted.get(name!)!) wanted.delete(name!);
    }
    if (wanted.size > 0) await call.backOff(null);
  }
}

/** From this version on, topics are named by name or by id (KIP-516). */
const topicStatesVersion = 6;

export function deleteTopics(call: Call, args: Args<'deleteTopics'>): Promise<PlainResults<string, null>> {
  return askForItems<string, null>(call, args.topics, {
    target: 'controller',
    isChange: true,
    ...(args.retryOnQuotaViolation !== undefined && { retryOnQuotaViolation: args.retryOnQuotaViolation }),
    locate: (keys) => atController(call, keys),
    ask: async (to, keys) => {
      const { timeLeftMs: timeoutMs } = call;
      const newer = { topics: keys.map((name) => ({ name, topicId: zeroUuid })), timeoutMs };
      const requests = { newerSince: topicStatesVersion, newer, older: { topicNames: keys, timeoutMs } };
      const { response } = await call.sendEither(to, DeleteTopics, requests);
      const { throttleTimeMs } = response;
      return new Map(response.responses.map((result) => [result.name!, answerOf(result, () => null, throttleTimeMs)]));
    },
  });
}

export function createPartitions(call: Call, args: Args<'createPartitions'>): Promise<PlainResults<string, null>> {
  const byName = new Map(args.topics.map((topic) => [topic.topic, topic]));
  return askForItems<string, null>(call, [...byName.keys()], {
    target: 'controller',
    isChange: args.validateOnly !== true,
    ...(args.retryOnQuotaViolation !== undefined && { retryOnQuotaViolation: args.retryOnQuotaViolation }),
    locate: (keys) => atController(call, keys),
    ask: async (to, keys) => {
      const topics = keys.map((name) => {
        const { totalCount, assignments } = byName.get(name)!;
        return { name, count: totalCount, assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null };
      });
      const request = { topics, timeoutMs: call.timeLeftMs, validateOnly: args.validateOnly === true };
      const { response } = await call.send(to, CreatePartitions, request);
      const { throttleTimeMs } = response;
      return new Map(response.results.map((result) => [result.name, answerOf(result, () => null, throttleTimeMs)]));
    },
  });
}

export async function listTopics(call: Call, { includeInternal }: Args<'listTopics'>): Promise<readonly ListedTopic[]> {
  const { response } = await call.send(someBroker, Metadata, { topics: null, allowAutoTopicCreation: false });
  const listed: ListedTopic[] = [];
  for (const { name, topicId, isInternal, partitions } of response.topics) {
    if (name === null || (isInternal && !includeInternal)) continue;
    listed.push({ name, topicId: topicId === zeroUuid ? null : topicId, isInternal, partitions: partitions.length });
  }
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Brokers send this value if the operations were not requested. */
const noOperations = -2147483648;

export function describeTopics(
  call: Call,
  { topics, includeAuthorizedOperations }: Args<'describeTopics'>,
): Promise<PlainResults<string, DescribedTopic>> {
  return askForItems<string, DescribedTopic>(call, topics, {
    target: 'any',
    isChange: false,
    locate: atAnyBroker,
    ask: async (to, keys) => {
      const request = {
        topics: keys.map((name) => ({ name })),
        allowAutoTopicCreation: false,
        includeTopicAuthorizedOperations: includeAuthorizedOperations,
      };
      const { response } = await call.send(to, Metadata, request);
      return new Map(response.topics.map((topic) => [topic.name!, answerOf(topic, () => describedTopic(topic))]));
    },
  });
}

function describedTopic(topic: MetadataResponseTopicView): DescribedTopic {
  const { name, topicId, isInternal, topicAuthorizedOperations } = topic;
  const partitions = topic.partitions.map((partition) => ({
    partition: partition.partitionIndex,
    leader: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicas: partition.replicaNodes.toArray(),
    isr: partition.isrNodes.toArray(),
    offlineReplicas: partition.offlineReplicas.toArray(),
  }));
  return {
    name: name!,
    topicId: topicId === zeroUuid ? null : topicId,
    isInternal,
    partitions: partitions.sort((a, b) => a.partition - b.partition),
    authorizedOperations: topicAuthorizedOperations === noOperations ? null : topicAuthorizedOperations,
  };
}
