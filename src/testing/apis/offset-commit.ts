// OffsetCommit (key 8), versions 2 to 10, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: a client without a group (generation -1, no member id) may commit while the group has no members. Any offset is
// stored, also a negative one or one beyond the log. Codes on each partition: 16 another node coordinates, 25 member
// unknown, 82 instance taken over, 22 another generation, 27 the group is rebalancing, of KIP-848 groups 113 epoch stale and
// nothing that the member kept since, 35 a version without epochs; 69 a group that is unknown (22 before version 9); 3 no such topic (100 by id) or
// partition, 12 more than 4096 bytes of metadata. `failure`: the code on every partition.

import {
  OffsetCommit,
  type OffsetCommitRequestPartitionView,
  type OffsetCommitRequestTopicView,
  type OffsetCommitRequestView,
  type OffsetCommitResponse,
  type TxnOffsetCommitResponse,
} from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds, type Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import { partitionKey } from '../groups/assignors.ts';
import type { Committer, Group } from '../groups/group-coordinator.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const topicIdsFrom = 10;
export const maxMetadataBytes = 4096;

export const offsetCommit: ApiHandler<OffsetCommitRequestView, OffsetCommitResponse> = {
  api: OffsetCommit,

  handle(context, request) {
    const { groupId } = request;
    const { groups } = context.cluster;
    const committer = {
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      epoch: request.generationIdOrMemberEpoch,
    };
    const problem = isCoordinator(context, coordinatorKinds.group, groupId)
      ? groups.checkCommit(groupId, committer, { version: context.version, isTransactional: false })
      : errorCodes.NOT_COORDINATOR;
    // Unknown topics and partitions come first, before the check of the committer.
    return commitAnswer<OffsetCommitRequestPartitionView, OffsetCommitRequestTopicView>(
      request.topics,
      (wanted, partition) => {
        const topic = topicOf(context, wanted);
        if (topic === undefined)
          return context.version >= topicIdsFrom ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
        if (topic.partitions[partition.partitionIndex] === undefined) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
        return problem === errorCodes.NONE
          ? commit(groups.findOrCreate(groupId), committer, topic, partition)
          : problem;
      },
    );
  },

  failure(_context, request, errorCode) {
    return commitAnswer(request.topics, () => errorCode);
  },
};

interface CommitTopic<Partition> {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: Iterable<Partition>;
}

/** The answer to OffsetCommit and to TxnOffsetCommit. @param codeOf the error code of each partition */
export function commitAnswer<
  Partition extends { readonly partitionIndex: number },
  Topic extends CommitTopic<Partition>,
>(
  topics: Iterable<Topic>,
  codeOf: (topic: Topic, partition: Partition) => number,
): OffsetCommitResponse & TxnOffsetCommitResponse {
  return {
    topics: Array.from(topics, (topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitions: Array.from(topic.partitions, (partition) => ({
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
  group: Group,
  { memberId, epoch }: Committer,
  topic: Topic,
  wanted: OffsetCommitRequestPartitionView,
): number {
  const { partitionIndex, committedOffset, committedLeaderEpoch: leaderEpoch } = wanted;
  const key = partitionKey(topic.id, partitionIndex);
  if (group.consumer !== null && !group.consumer.mayCommit(memberId, epoch, key)) return errorCodes.STALE_MEMBER_EPOCH;
  const metadata = wanted.committedMetadata ?? '';
  if (Buffer.byteLength(metadata) > maxMetadataBytes) return errorCodes.OFFSET_METADATA_TOO_LARGE;
  group.offsets.commit(topic.name, partitionIndex, { offset: committedOffset.toNumber(), leaderEpoch, metadata });
  return errorCodes.NONE;
}
