// Owns administration calls about the offsets that groups have committed. Network thread. Source: KIP-396, KIP-447, KIP-709

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { CommittedOffset } from '../../../common/admin/groups.ts';
import type { PlainOutcome, PlainResults } from '../../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../../common/admin/topics.ts';
import { errorFor } from '../../../common/errors/error-for.ts';
import { UnsupportedVersionError } from '../../../common/errors/errors.ts';
import { errorCodes } from '../../../common/errors/generated/error-codes.ts';
import { missingInAnswer } from '../../../common/errors/missing-in-answer.ts';
import { toPlainError } from '../../../common/errors/plain-error.ts';
import { OffsetCommit, OffsetDelete, OffsetFetch } from '../../../protocol/flat/generated/apis.ts';
import type { OffsetCommitResponsePartitionView } from '../../../protocol/flat/generated/offset-commit.ts';
import type { OffsetDeleteResponsePartitionView } from '../../../protocol/flat/generated/offset-delete.ts';
import type {
  OffsetFetchRequest,
  OffsetFetchResponsePartitionsView,
  OffsetFetchResponseView,
} from '../../../protocol/flat/generated/offset-fetch.ts';
import type { Destination } from '../../client/broker-requests.ts';
import type { Answered, Call } from '../call.ts';
import { type Answer, askForItems } from '../items.ts';
import { atCoordinators } from '../routes.ts';
import { atCoordinatorOf } from './groups.ts';
import { answersOf, byTopic } from './partitions.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];
type GroupOffsets = readonly (readonly [TopicPartitionKey, PlainOutcome<CommittedOffset | null>])[];

/** From this version on, one request may have several groups (KIP-709). */
const severalGroupsVersion = 8;
/** From this version on, brokers know open transactions (KIP-447). */
const stableVersion = 7;
/** The newest version that names topics. Newer ones have only topic ids. */
const maxNamedVersion = 9;

export function listConsumerGroupOffsets(
  call: Call,
  { groups, requireStable }: Args<'listConsumerGroupOffsets'>,
): Promise<PlainResults<string, GroupOffsets>> {
  const byId = new Map(groups.map((group) => [group.groupId, group]));
  return askForItems<string, GroupOffsets>(call, [...byId.keys()], {
    target: 'coordinator',
    isChange: false,
    locate: (keys) => atCoordinators(call, keys, 0),
    ask: async (to, keys) => {
      const answers = new Map<string, Answer<GroupOffsets>>();
      for (const key of keys) {
        answers.set(key, await offsetsOf(call, to, key, byId.get(key)!.partitions ?? null, requireStable));
      }
      return answers;
    },
  });
}

async function offsetsOf(
  call: Call,
  to: Destination,
  groupId: string,
  partitions: readonly TopicPartitionKey[] | null,
  requireStable: boolean,
): Promise<Answer<GroupOffsets>> {
  const listed = partitions === null ? null : byTopic(partitions, ({ partition }) => partition);
  const topics = listed?.map(({ name, partitions: partitionIndexes }) => ({ name, partitionIndexes })) ?? null;
  const newer = { groups: [{ groupId, topics }], requireStable };
  const { response, version } = await fetchOffsets(call, to, newer, { groupId, topics }, requireStable);
  const group = version >= severalGroupsVersion ? response.groups.find((one) => one.groupId === groupId) : response;
  if (group === undefined) return { error: missingInAnswer(OffsetFetch, `group '${groupId}'`) };
  if (group.errorCode !== 0) return { errorCode: group.errorCode };
  const offsets: (readonly [TopicPartitionKey, PlainOutcome<CommittedOffset | null>])[] = [];
  for (const topic of group.topics) {
    for (const one of topic.partitions as Iterable<OffsetFetchResponsePartitionsView>) {
      // An open transaction will change this offset, so the whole group is asked for again.
      if (one.errorCode === errorCodes.UNSTABLE_OFFSET_COMMIT) return { errorCode: one.errorCode };
      offsets.push([{ topic: topic.name, partition: one.partitionIndex }, committed(one)]);
    }
  }
  return { value: offsets };
}

/** Brokers before 2.5 do not know which offsets a transaction will change, and are asked without that. */
async function fetchOffsets(
  call: Call,
  to: Destination,
  newer: OffsetFetchRequest,
  older: OffsetFetchRequest,
  requireStable: boolean,
): Promise<Answered<OffsetFetchResponseView>> {
  const stable = { ...older, requireStable };
  const requests = { newerSince: severalGroupsVersion, newer, older: stable };
  if (!requireStable) return call.sendEither(to, OffsetFetch, requests, { maxVersion: maxNamedVersion });
  try {
    return await call.send(to, OffsetFetch, newer, { minVersion: severalGroupsVersion, maxVersion: maxNamedVersion });
  } catch (error) {
    if (!(error instanceof UnsupportedVersionError)) throw error;
  }
  return call.sendEither(
    to,
    OffsetFetch,
    { newerSince: stableVersion, newer: stable, older },
    { maxVersion: severalGroupsVersion - 1 },
  );
}

function committed(answer: OffsetFetchResponsePartitionsView): PlainOutcome<CommittedOffset | null> {
  const error = errorFor(answer.errorCode);
  if (error !== null) return { ok: false, error: toPlainError(error), maybeApplied: false };
  const { committedOffset, committedLeaderEpoch, metadata } = answer;
  // Brokers send -1 if nothing was committed.
  if (committedOffset.isNegative()) return { ok: true, value: null };
  return { ok: true, value: { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata: metadata ?? '' } };
}

/** Sets offsets of a group. If the group has members, the broker answers UNKNOWN_MEMBER_ID. */
export async function alterConsumerGroupOffsets(
  call: Call,
  { groupId, offsets }: Args<'alterConsumerGroupOffsets'>,
): Promise<PlainResults<TopicPartitionKey, null>> {
  type Key = (typeof offsets)[number];
  const results = await askForItems<Key, null>(call, offsets, {
    target: 'coordinator',
    isChange: true,
    actions: { [errorCodes.REBALANCE_IN_PROGRESS]: 'retry' },
    locate: (keys) => atCoordinatorOf(call, groupId, keys),
    ask: async (to, keys) => {
      const topics = byTopic(keys, ({ partition, offset, leaderEpoch, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch ?? -1,
        committedMetadata: metadata ?? '',
      }));
      const request = { groupId, generationIdOrMemberEpoch: -1, memberId: '', topics };
      const { response } = await call.send(to, OffsetCommit, request, { maxVersion: maxNamedVersion });
      return answersOf<Key, OffsetCommitResponsePartitionView, null>(keys, response.topics, () => ({ value: null }));
    },
  });
  return results.map(([{ topic, partition }, outcome]) => [{ topic, partition }, outcome] as const);
}

export function deleteConsumerGroupOffsets(
  call: Call,
  { groupId, partitions }: Args<'deleteConsumerGroupOffsets'>,
): Promise<PlainResults<TopicPartitionKey, null>> {
  return askForItems<TopicPartitionKey, null>(call, partitions, {
    target: 'coordinator',
    isChange: true,
    locate: (keys) => atCoordinatorOf(call, groupId, keys),
    ask: async (to, keys) => {
      const topics = byTopic(keys, ({ partition }) => ({ partitionIndex: partition }));
      const { response } = await call.send(to, OffsetDelete, { groupId, topics });
      const { errorCode } = response;
      if (errorCode !== 0) return new Map(keys.map((key) => [key, { errorCode }]));
      return answersOf<TopicPartitionKey, OffsetDeleteResponsePartitionView, null>(keys, response.topics, () => ({
        value: null,
      }));
    },
  });
}
