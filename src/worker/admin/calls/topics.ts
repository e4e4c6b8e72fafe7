// Owns administration calls about topics. Network thread. Source: KIP-4, KIP-195, KIP-464, KIP-516, KIP-599

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { CreatedTopic, ListedTopic, NewTopic, TopicNameOrId } from '../../../common/admin/topics.ts';
import { errorFor } from '../../../common/errors/error-for.ts';
import { KafkaTimeoutError } from '../../../common/errors/errors.ts';
import { errorCodes } from '../../../common/errors/generated/error-codes.ts';
import { toPlainError } from '../../../common/errors/plain-error.ts';
import { CreatePartitions, CreateTopics, DeleteTopics, Metadata } from '../../../protocol/flat/generated/apis.ts';
import type { CreateTopicsRequestCreatableTopic } from '../../../protocol/flat/generated/create-topics.ts';
import { zeroUuid } from '../../../protocol/flat/uuid.ts';
import type { Call } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';
import { atController } from '../routes.ts';
import { askAnyBroker } from '../whole.ts';

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
      const request = { topics, timeoutMs: call.brokerWaitMs, validateOnly: args.validateOnly === true };
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
  return args.waitForLeaders === true && args.validateOnly !== true ? untilLed(call, results, byName) : results;
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

/**
 * Brokers do not know a new topic at once. Waits until a broker names a leader of each partition. A topic that has none when the call's time
 * is over was created all the same, and its outcome says so.
 */
async function untilLed(
  call: Call,
  results: PlainResults<string, CreatedTopic>,
  byName: ReadonlyMap<string, NewTopic>,
): Promise<PlainResults<string, CreatedTopic>> {
  const wanted = new Map<string, number>();
  for (const [name, outcome] of results) {
    if (!outcome.ok) continue;
    const { partitions, assignments } = byName.get(name)!;
    wanted.set(name, outcome.value.partitions ?? assignments?.length ?? partitions ?? 1);
  }
  let late: Error | null = null;
  while (wanted.size > 0 && late === null) {
    try {
      const topics = [...wanted.keys()].map((name) => ({ name }));
      const { response } = await askAnyBroker(call, Metadata, { topics, allowAutoTopicCreation: false });
      for (const { name, errorCode, partitions } of response.topics) {
        const led = partitions.filter(({ leaderId }) => leaderId >= 0).length;
        if (errorCode === 0 && led >= (wanted.get(name!) ?? 0)) wanted.delete(name!);
      }
      if (wanted.size > 0) await call.backOff(errorFor(errorCodes.LEADER_NOT_AVAILABLE));
    } catch (error) {
      if (!(error instanceof KafkaTimeoutError)) throw error;
      late = error;
    }
  }
  if (late === null) return results;
  const notLed = { ok: false, error: toPlainError(late), maybeApplied: true } as const;
  return results.map(([name, outcome]) => [name, wanted.has(name) ? notLed : outcome] as const);
}

/** From this version on, topics are named by name or by id (KIP-516). */
const topicStatesVersion = 6;

export function deleteTopics(call: Call, args: Args<'deleteTopics'>): Promise<PlainResults<TopicNameOrId, null>> {
  return askForItems<TopicNameOrId, null>(call, args.topics, {
    target: 'controller',
    isChange: true,
    ...(args.retryOnQuotaViolation !== undefined && { retryOnQuotaViolation: args.retryOnQuotaViolation }),
    locate: (keys) => atController(call, keys),
    ask: async (to, keys) => {
      const { brokerWaitMs: timeoutMs } = call;
      const topicNames = keys.filter((key) => typeof key === 'string');
      const topics = keys.map((key) => {
        return typeof key === 'string' ? { name: key, topicId: zeroUuid } : { name: null, topicId: key.topicId };
      });
      const newer = { topics, timeoutMs };
      const { response } =
        topicNames.length < keys.length
          ? await call.send(to, DeleteTopics, newer, { minVersion: topicStatesVersion })
          : await call.sendEither(to, DeleteTopics, {
              newerSince: topicStatesVersion,
              newer,
              older: { topicNames, timeoutMs },
            });
      const byName = new Map<string, Answer<null>>();
      const byId = new Map<string, Answer<null>>();
      for (const result of response.responses) {
        const answer = answerOf(result, () => null, response.throttleTimeMs);
        if (result.name !== null) byName.set(result.name, answer);
        if (result.topicId !== zeroUuid) byId.set(result.topicId, answer);
      }
      const answers = new Map<TopicNameOrId, Answer<null>>();
      for (const key of keys) {
        const answer = typeof key === 'string' ? byName.get(key) : byId.get(key.topicId);
        if (answer !== undefined) answers.set(key, answer);
      }
      return answers;
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
      const request = { topics, timeoutMs: call.brokerWaitMs, validateOnly: args.validateOnly === true };
      const { response } = await call.send(to, CreatePartitions, request);
      const { throttleTimeMs } = response;
      return new Map(response.results.map((result) => [result.name, answerOf(result, () => null, throttleTimeMs)]));
    },
  });
}

export async function listTopics(call: Call, { includeInternal }: Args<'listTopics'>): Promise<readonly ListedTopic[]> {
  const { response } = await askAnyBroker(call, Metadata, { topics: null, allowAutoTopicCreation: false });
  const listed: ListedTopic[] = [];
  for (const { name, topicId, isInternal, partitions } of response.topics) {
    if (name === null || (isInternal && !includeInternal)) continue;
    listed.push({ name, topicId: topicId === zeroUuid ? null : topicId, isInternal, partitions: partitions.length });
  }
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}
