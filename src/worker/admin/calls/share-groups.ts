// Owns administration calls about share groups and groups of Kafka Streams. Network thread. Source: KIP-932, KIP-1226, KIP-1071

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type {
  DescribedShareGroup,
  DescribedStreamsGroup,
  ShareGroupOffset,
  StreamsTasks,
} from '../../../common/admin/groups.ts';
import type { PlainOutcome, PlainResults } from '../../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../../common/admin/topics.ts';
import { errorFor } from '../../../common/errors/error-for.ts';
import { toPlainError } from '../../../common/errors/plain-error.ts';
import {
  AlterShareGroupOffsets,
  DeleteShareGroupOffsets,
  DescribeShareGroupOffsets,
  ShareGroupDescribe,
  StreamsGroupDescribe,
} from '../../../protocol/flat/generated/apis.ts';
import { operationsOf } from '../authorized-operations.ts';
import type { Call } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';
import { atCoordinators } from '../routes.ts';
import { atCoordinatorOf, partitionsOf } from './groups.ts';
import { byTopic } from './partitions.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

export function describeShareGroups(
  call: Call,
  { groups, includeAuthorizedOperations }: Args<'describeShareGroups'>,
): Promise<PlainResults<string, DescribedShareGroup>> {
  return askForItems<string, DescribedShareGroup>(call, groups, {
    target: 'coordinator',
    isChange: false,
    locate: (keys) => atCoordinators(call, keys, 0),
    ask: async (to, groupIds) => {
      const { response } = await call.send(to, ShareGroupDescribe, { groupIds, includeAuthorizedOperations });
      return new Map(
        response.groups.map((group) => {
          const readGroup = (): DescribedShareGroup => ({
            groupId: group.groupId,
            state: group.groupState,
            assignor: group.assignorName,
            groupEpoch: group.groupEpoch,
            assignmentEpoch: group.assignmentEpoch,
            authorizedOperations: operationsOf(group.authorizedOperations, includeAuthorizedOperations),
            members: group.members.map((member) => ({
              memberId: member.memberId,
              clientId: member.clientId,
              clientHost: member.clientHost,
              memberEpoch: member.memberEpoch,
              subscribedTopics: [...member.subscribedTopicNames],
              assignment: partitionsOf(member.assignment),
            })),
          });
          return [group.groupId, answerOf(group, readGroup)];
        }),
      );
    },
  });
}

type Offsets = readonly (readonly [TopicPartitionKey, PlainOutcome<ShareGroupOffset | null>])[];

export function listShareGroupOffsets(
  call: Call,
  { groups }: Args<'listShareGroupOffsets'>,
): Promise<PlainResults<string, Offsets>> {
  const byId = new Map(groups.map((group) => [group.groupId, group.partitions ?? null]));
  return askForItems<string, Offsets>(call, [...byId.keys()], {
    target: 'coordinator',
    isChange: false,
    locate: (keys) => atCoordinators(call, keys, 0),
    ask: async (to, keys) => {
      const asked = keys.map((groupId) => {
        const wanted = byId.get(groupId)!;
        const listed = wanted === null ? null : byTopic(wanted, ({ partition }) => partition);
        return { groupId, topics: listed?.map(({ name, partitions }) => ({ topicName: name, partitions })) ?? null };
      });
      const { response } = await call.send(to, DescribeShareGroupOffsets, { groups: asked });
      const answers = new Map<string, Answer<Offsets>>();
      for (const group of response.groups) {
        const readOffsets = (): Offsets => {
          const found: (readonly [TopicPartitionKey, PlainOutcome<ShareGroupOffset | null>])[] = [];
          for (const { topicName, partitions } of group.topics) {
            for (const one of partitions)
              found.push([{ topic: topicName, partition: one.partitionIndex }, offsetOf(one)]);
          }
          return found;
        };
        answers.set(group.groupId, answerOf(group, readOffsets));
      }
      return answers;
    },
  });
}

function offsetOf(answer: {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly startOffset: ShareGroupOffset['startOffset'];
  readonly leaderEpoch: number;
  readonly lag: ShareGroupOffset['startOffset'];
}): PlainOutcome<ShareGroupOffset | null> {
  const error = errorFor(answer.errorCode);
  if (error !== null) {
    if (answer.errorMessage !== null) error.message += `: ${answer.errorMessage}`;
    return { ok: false, error: toPlainError(error), maybeApplied: false };
  }
  const { startOffset, leaderEpoch, lag } = answer;
  // Brokers say -1 for a partition that the group has not begun.
  if (startOffset.isNegative()) return { ok: true, value: null };
  return { ok: true, value: { startOffset, leaderEpoch, lag: lag.isNegative() ? null : lag } };
}

export async function alterShareGroupOffsets(
  call: Call,
  { groupId, offsets }: Args<'alterShareGroupOffsets'>,
): Promise<PlainResults<TopicPartitionKey, null>> {
  type Key = (typeof offsets)[number];
  const results = await askForItems<Key, null>(call, offsets, {
    target: 'coordinator',
    isChange: true,
    locate: (keys) => atCoordinatorOf(call, groupId, keys),
    ask: async (to, keys) => {
      const topics = byTopic(keys, ({ partition, startOffset }) => ({ partitionIndex: partition, startOffset }));
      const request = { groupId, topics: topics.map(({ name, partitions }) => ({ topicName: name, partitions })) };
      const { response } = await call.send(to, AlterShareGroupOffsets, request);
      const { errorCode, errorMessage } = response;
      if (errorCode !== 0) return new Map(keys.map((key) => [key, { errorCode, errorMessage }]));
      const answers = new Map<string, Answer<null>>();
      for (const { topicName, partitions } of response.responses) {
        for (const one of partitions)
          answers.set(
            `${topicName}-${one.partitionIndex}`,
            answerOf(one, () => null),
          );
      }
      return answersByKey(keys, answers);
    },
  });
  return results.map(([{ topic, partition }, outcome]) => [{ topic, partition }, outcome] as const);
}

function answersByKey<K extends TopicPartitionKey>(
  keys: readonly K[],
  answers: ReadonlyMap<string, Answer<null>>,
): Map<K, Answer<null>> {
  const found = new Map<K, Answer<null>>();
  for (const key of keys) {
    const answer = answers.get(`${key.topic}-${key.partition}`);
    if (answer !== undefined) found.set(key, answer);
  }
  return found;
}

export function deleteShareGroupOffsets(
  call: Call,
  { groupId, topics }: Args<'deleteShareGroupOffsets'>,
): Promise<PlainResults<string, null>> {
  return askForItems<string, null>(call, topics, {
    target: 'coordinator',
    isChange: true,
    locate: (keys) => atCoordinatorOf(call, groupId, keys),
    ask: async (to, keys) => {
      const request = { groupId, topics: keys.map((topicName) => ({ topicName })) };
      const { response } = await call.send(to, DeleteShareGroupOffsets, request);
      const { errorCode, errorMessage } = response;
      if (errorCode !== 0) return new Map(keys.map((key) => [key, { errorCode, errorMessage }]));
      return new Map(response.responses.map((one) => [one.topicName, answerOf(one, () => null)]));
    },
  });
}

export function describeStreamsGroups(
  call: Call,
  { groups, includeAuthorizedOperations }: Args<'describeStreamsGroups'>,
): Promise<PlainResults<string, DescribedStreamsGroup>> {
  return askForItems<string, DescribedStreamsGroup>(call, groups, {
    target: 'coordinator',
    isChange: false,
    locate: (keys) => atCoordinators(call, keys, 0),
    ask: async (to, groupIds) => {
      const { response } = await call.send(to, StreamsGroupDescribe, { groupIds, includeAuthorizedOperations });
      return new Map(
        response.groups.map((group) => {
          const readGroup = (): DescribedStreamsGroup => ({
            groupId: group.groupId,
            state: group.groupState,
            groupEpoch: group.groupEpoch,
            assignmentEpoch: group.assignmentEpoch,
            authorizedOperations: operationsOf(group.authorizedOperations, includeAuthorizedOperations),
            topologyEpoch: group.topology?.epoch ?? null,
            members: group.members.map((member) => ({
              memberId: member.memberId,
              groupInstanceId: member.instanceId,
              clientId: member.clientId,
              clientHost: member.clientHost,
              memberEpoch: member.memberEpoch,
              processId: member.processId,
              activeTasks: tasksOf(member.assignment.activeTasks),
              standbyTasks: tasksOf(member.assignment.standbyTasks),
              warmupTasks: tasksOf(member.assignment.warmupTasks),
            })),
          });
          return [group.groupId, answerOf(group, readGroup)];
        }),
      );
    },
  });
}

function tasksOf(
  tasks: Iterable<{ readonly subtopologyId: string; readonly partitions: Iterable<number> }>,
): StreamsTasks[] {
  return [...tasks].map(({ subtopologyId, partitions }) => ({ subtopologyId, partitions: [...partitions] }));
}
