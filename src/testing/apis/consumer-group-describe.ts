// ConsumerGroupDescribe (key 69), versions 0 and 1, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: state, epochs, members, what they have and shall have. 16 another node coordinates, 69 no such group of this
// kind. Authorized operations are never filled in. `failure`: the code of every group.

import {
  ConsumerGroupDescribe,
  type ConsumerGroupDescribeRequestView,
  type ConsumerGroupDescribeResponse,
  type ConsumerGroupDescribeResponseAssignment,
  type ConsumerGroupDescribeResponseDescribedGroup,
} from '../../protocol/flat/generated/apis.ts';
import { type ClusterState, coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { PartitionKey } from '../groups/assignors.ts';
import type { ConsumerGroup } from '../groups/consumer-group.ts';
import type { ApiHandler } from '../handler.ts';
import { byTopic } from './consumer-group-heartbeat.ts';
import { isCoordinator } from './coordinators.ts';

export const consumerGroupDescribe: ApiHandler<ConsumerGroupDescribeRequestView, ConsumerGroupDescribeResponse> = {
  api: ConsumerGroupDescribe,

  handle(context, request) {
    const { cluster } = context;
    return {
      groups: request.groupIds.map((groupId) => {
        if (!isCoordinator(context, coordinatorKinds.group, groupId))
          return refusal(groupId, errorCodes.NOT_COORDINATOR);
        const group = cluster.groups.find(groupId)?.consumer ?? null;
        return group === null ? refusal(groupId, errorCodes.GROUP_ID_NOT_FOUND) : describe(cluster, group);
      }),
    };
  },

  failure(_context, request, errorCode) {
    return { groups: request.groupIds.map((groupId) => refusal(groupId, errorCode)) };
  },
};

function refusal(groupId: string, errorCode: number): ConsumerGroupDescribeResponseDescribedGroup {
  return { groupId, errorCode, errorMessage: `error ${errorCode}` };
}

function describe(cluster: ClusterState, group: ConsumerGroup): ConsumerGroupDescribeResponseDescribedGroup {
  return {
    errorCode: errorCodes.NONE,
    groupId: group.id,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignorName,
    members: group.members.map((member) => ({
      memberId: member.id,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: '/127.0.0.1',
      subscribedTopicNames: member.topicNames,
      subscribedTopicRegex: member.regex === '' ? null : member.regex,
      assignment: assignment(cluster, member.assigned.keys()),
      targetAssignment: assignment(cluster, group.targetOf(member.id)),
      memberType: member.classic === null ? 1 : 0,
    })),
  };
}

function assignment(cluster: ClusterState, keys: Iterable<PartitionKey>): ConsumerGroupDescribeResponseAssignment {
  return {
    topicPartitions: byTopic(keys).map((topic) => ({
      ...topic,
      topicName: cluster.topicById(topic.topicId)?.name ?? '',
    })),
  };
}
