// TxnOffsetCommit (key 28), versions 0 to 6, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: offsets wait for the end of the transaction. The group has to be in it: up to version 3 else code 48, in 4 code
// 120; from 5 on it is put into it, once the last one's markers are written. Who commits is checked as in OffsetCommit, but
// nobody is asked to be in the group; before version 6 the codes 69 and 113 are 22. Topics go by id in version 6. 16 another
// node coordinates the group, 49 another producer id, 47 another epoch, 3 no such topic (100 by id) or partition, 12 too
// much metadata. `failure`: the code on every partition.

import {
  TxnOffsetCommit,
  type TxnOffsetCommitRequestPartitionView,
  type TxnOffsetCommitRequestTopicView,
  type TxnOffsetCommitRequestView,
  type TxnOffsetCommitResponse,
} from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds, type Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import { partitionKey } from '../groups/assignors.ts';
import type { Group } from '../groups/group-coordinator.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';
import { commitAnswer, maxMetadataBytes } from './offset-commit.ts';

const memberFrom = 3;
const abortableFrom = 4;
const addsGroupFrom = 5;
const topicIdsFrom = 6;

export const txnOffsetCommit: ApiHandler<TxnOffsetCommitRequestView, TxnOffsetCommitResponse> = {
  api: TxnOffsetCommit,

  handle(context, request) {
    const { cluster, version } = context;
    const completion = version >= addsGroupFrom ? cluster.transactions.completion(request.transactionalId) : null;
    if (completion !== null) return completion.then(() => txnOffsetCommit.handle(context, request));
    const problem = check(context, request);
    const producerId = request.producerId.toNumber();
    // Unknown topics and partitions come first, before the check of the committer.
    return commitAnswer<TxnOffsetCommitRequestPartitionView, TxnOffsetCommitRequestTopicView>(
      request.topics,
      (wanted, partition) => {
        const topic = version >= topicIdsFrom ? cluster.topicById(wanted.topicId) : cluster.topic(wanted.name);
        if (topic === undefined && version >= topicIdsFrom) return errorCodes.UNKNOWN_TOPIC_ID;
        if (topic?.partitions[partition.partitionIndex] === undefined) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
        if (problem !== errorCodes.NONE) return problem;
        const key = partitionKey(topic.id, partition.partitionIndex);
        const { consumer } = cluster.groups.findOrCreate(request.groupId);
        const mayCommit = consumer?.mayCommit(request.memberId, request.generationIdOrMemberEpoch, key) ?? true;
        if (!mayCommit) return version >= topicIdsFrom ? errorCodes.STALE_MEMBER_EPOCH : errorCodes.ILLEGAL_GENERATION;
        return commit(cluster.groups.findOrCreate(request.groupId), producerId, topic, partition);
      },
    );
  },

  failure(_context, request, errorCode) {
    return commitAnswer(request.topics, () => errorCode);
  },
};

function check(context: RequestContext, request: TxnOffsetCommitRequestView): number {
  const { cluster, version } = context;
  const { groups, transactions } = cluster;
  const { groupId, transactionalId, producerEpoch } = request;
  if (groupId === '') return errorCodes.INVALID_GROUP_ID;
  if (!isCoordinator(context, coordinatorKinds.group, groupId)) return errorCodes.NOT_COORDINATOR;
  const errorCode = transactions.checkAdd(transactionalId, {
    producerId: request.producerId.toNumber(),
    producerEpoch,
  });
  if (errorCode === errorCodes.PRODUCER_FENCED) return errorCodes.INVALID_PRODUCER_EPOCH;
  if (errorCode !== errorCodes.NONE) return errorCode;
  if (version >= addsGroupFrom) transactions.addGroup(transactionalId, groupId, true);
  else if (!transactions.hasGroup(transactionalId, groupId))
    return version >= abortableFrom ? errorCodes.TRANSACTION_ABORTABLE : errorCodes.INVALID_TXN_STATE;
  const committer =
    version >= memberFrom
      ? { memberId: request.memberId, instanceId: request.groupInstanceId, epoch: request.generationIdOrMemberEpoch }
      : { memberId: '', instanceId: null, epoch: -1 };
  const problem = groups.checkCommit(groupId, committer, { version, isTransactional: true });
  const isNew = problem === errorCodes.STALE_MEMBER_EPOCH || problem === errorCodes.GROUP_ID_NOT_FOUND;
  return isNew && version < topicIdsFrom ? errorCodes.ILLEGAL_GENERATION : problem;
}

function commit(group: Group, producerId: number, topic: Topic, wanted: TxnOffsetCommitRequestPartitionView): number {
  const { partitionIndex, committedOffset, committedLeaderEpoch: leaderEpoch } = wanted;
  const metadata = wanted.committedMetadata ?? '';
  if (Buffer.byteLength(metadata) > maxMetadataBytes) return errorCodes.OFFSET_METADATA_TOO_LARGE;
  const value = { offset: committedOffset.toNumber(), leaderEpoch, metadata };
  group.offsets.commitInTransaction(producerId, topic.name, partitionIndex, value);
  return errorCodes.NONE;
}
