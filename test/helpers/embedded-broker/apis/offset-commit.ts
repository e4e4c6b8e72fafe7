// OffsetCommit (key 8), versions 2 to 10, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: whoever is in no group (generation -1, no member id) may commit while the group has no members. Any offset is
// stored, also a negative one or one beyond the log. Codes on each partition: 16 another node coordinates, 25 member
// unknown, 82 instance taken over, 22 another generation, 27 the group is rebalancing; 3 no such topic (100 by id) or
// partition, 12 more than 4096 bytes of metadata. `failure`: the code on every partition.

import {
  OffsetCommit,
  type OffsetCommitRequestPartitionView,
  type OffsetCommitRequestTopicView,
  type OffsetCommitRequestView,
  type OffsetCommitResponse,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { coordinatorKinds, type Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { Group } from '../groups/group-coordinator.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const topicIdsFrom = 10;
export const maxMetadataBytes = 4096;

export const offsetCommit: ApiHandler<OffsetCommitRequestView, OffsetCommitResponse> = {
  api: OffsetCommit,

  handle(context, request) {
    const { groupId } = request;
    const { groups } = context.cluster;
    if (!isCoordinator(context, coordinatorKinds.group, groupId))
      return offsetCommit.failure(context, request, errorCodes.NOT_COORDINATOR);
    const committer = {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      epoch: request.generationIdOrMemberEpoch,
    };
    const problem = groups.checkCommit(groupId, committer, { version: context.version, isTransactional: false });
    if (problem !== errorCodes.NONE) return offsetCommit.failure(context, request, problem);
    const group = groups.findOrCreate(groupId);
    return answer(request, (wanted, partition) => commit(context, group, topicOf(context, wanted), partition));
  },

  failure(_context, request, errorCode) {
    return answer(request, () => errorCode);
  },
};

function answer(
  request: OffsetCommitRequestView,
  codeOf: (topic: OffsetCommitRequestTopicView, partition: OffsetCommitRequestPartitionView) => number,
): OffsetCommitResponse {
  return {
    topics: request.topics.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitions: topic.partitions.map((partition) => ({
        partitionIndex: partition.partitionIndex,
        errorCode: codeOf(topic, partition),
      })),
    })),
  };
}

function topicOf({ cluster, version }: RequestContext, wanted: OffsetCommitRequestTopicView): Topic | undefined {
  return version >= topicIdsFrom ? cluster.topicById(wanted.topicId) : cluster.topic(wanted.name);
}

function commit(
  { version }: RequestContext,
  group: Group,
  topic: Topic | undefined,
  wanted: OffsetCommitRequestPartitionView,
): number {
  const { partitionIndex, committedOffset, committedLeaderEpoch: leaderEpoch } = wanted;
  if (topic === undefined)
    return version >= topicIdsFrom ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  if (topic.partitions[partitionIndex] === undefined) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  const metadata = wanted.committedMetadata ?? '';
  if (Buffer.byteLength(metadata) > maxMetadataBytes) return errorCodes.OFFSET_METADATA_TOO_LARGE;
  group.offsets.commit(topic.name, partitionIndex, { offset: committedOffset.toNumber(), leaderEpoch, metadata });
  return errorCodes.NONE;
}
