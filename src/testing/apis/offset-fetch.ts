// OffsetFetch (key 9), versions 1 to 10, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: one group up to version 7, several from 8 on, each with its own code. What was never committed has offset -1
// and no error, also in a group that is unknown. A null list of topics means all that were committed. With
// `requireStable` a partition whose offset an open transaction is about to change has code 88. Topics go by id in version
// 10: unknown ids have code 100. Members of KIP-848 groups that give an epoch get 25 and 113 when it is wrong. 16: another node coordinates. `failure`: the code of every group, and of older versions on
// every partition.

import {
  OffsetFetch,
  type OffsetFetchRequestView,
  type OffsetFetchResponse,
  type OffsetFetchResponseGroup,
  type OffsetFetchResponsePartitions,
  type OffsetFetchResponseTopics,
} from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { Group } from '../groups/group-coordinator.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const topErrorFrom = 2;
const groupsFrom = 8;
const topicIdsFrom = 10;

interface Wanted {
  readonly groupId: string;
  readonly memberId: string | null;
  readonly memberEpoch: number;
  readonly topics: readonly WantedTopic[] | null;
}

interface WantedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitionIndexes: readonly number[];
}

export const offsetFetch: ApiHandler<OffsetFetchRequestView, OffsetFetchResponse> = {
  api: OffsetFetch,

  handle(context, request) {
    return written(
      context,
      wantedGroups(context, request).map((wanted) => fetchGroup(context, wanted, request.requireStable)),
    );
  },

  failure(context, request, errorCode) {
    return written(
      context,
      wantedGroups(context, request).map((wanted) => refused(context, wanted, errorCode)),
    );
  },
};

function wantedGroups({ version }: RequestContext, request: OffsetFetchRequestView): Wanted[] {
  if (version >= groupsFrom) {
    return request.groups.map(({ groupId, memberId, memberEpoch, topics }) => ({
      groupId,
      memberId,
      memberEpoch,
      topics:
        topics?.map(({ name, topicId, partitionIndexes }) => ({
          name,
          topicId,
          partitionIndexes: [...partitionIndexes],
        })) ?? null,
    }));
  }
  const topics =
    request.topics?.map(({ name, partitionIndexes }) => ({
      name,
      topicId: zeroUuid,
      partitionIndexes: [...partitionIndexes],
    })) ?? null;
  return [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }];
}

function fetchGroup(context: RequestContext, wanted: Wanted, requireStable: boolean): OffsetFetchResponseGroup {
  const { cluster } = context;
  const { groupId } = wanted;
  if (!isCoordinator(context, coordinatorKinds.group, groupId))
    return refused(context, wanted, errorCodes.NOT_COORDINATOR);
  const group = cluster.groups.find(groupId);
  const problem = group?.consumer?.checkFetch(wanted.memberId, wanted.memberEpoch) ?? errorCodes.NONE;
  if (problem !== errorCodes.NONE) return refused(context, wanted, problem);
  const topics = (wanted.topics ?? committedTopics(context, group)).map((topic): OffsetFetchResponseTopics => {
    const known = context.version >= topicIdsFrom ? cluster.topicById(topic.topicId) : { name: topic.name };
    const partitions = topic.partitionIndexes.map((partitionIndex) =>
      known === undefined
        ? nothing(partitionIndex, errorCodes.UNKNOWN_TOPIC_ID)
        : offsetOf(group, known.name, partitionIndex, requireStable),
    );
    return { name: topic.name, topicId: topic.topicId, partitions };
  });
  return { groupId, topics, errorCode: errorCodes.NONE };
}

function committedTopics({ cluster }: RequestContext, group: Group | undefined): WantedTopic[] {
  return [...(group?.offsets.places() ?? [])].map(([name, partitionIndexes]) => ({
    name,
    topicId: cluster.topic(name)?.id ?? zeroUuid,
    partitionIndexes,
  }));
}

function offsetOf(
  group: Group | undefined,
  topic: string,
  partitionIndex: number,
  requireStable: boolean,
): OffsetFetchResponsePartitions {
  if (requireStable && group?.offsets.isUnstable(topic, partitionIndex))
    return nothing(partitionIndex, errorCodes.UNSTABLE_OFFSET_COMMIT);
  const committed = group?.offsets.committed(topic, partitionIndex) ?? null;
  if (committed === null) return nothing(partitionIndex, errorCodes.NONE);
  const { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = committed;
  return { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode: errorCodes.NONE };
}

function nothing(partitionIndex: number, errorCode: number): OffsetFetchResponsePartitions {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode };
}

function refused(
  { version }: RequestContext,
  { groupId, topics }: Wanted,
  errorCode: number,
): OffsetFetchResponseGroup {
  if (version >= topErrorFrom) return { groupId, topics: [], errorCode };
  const refusedTopics = (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((index) => nothing(index, errorCode)),
  }));
  return { groupId, topics: refusedTopics, errorCode };
}

function written({ version }: RequestContext, groups: readonly OffsetFetchResponseGroup[]): OffsetFetchResponse {
  if (version >= groupsFrom) return { groups };
  const { topics = [], errorCode = errorCodes.NONE } = groups[0]!;
  return {
    topics: topics.map(({ name = '', partitions = [] }) => ({ name, partitions })),
    errorCode,
  };
}
