// ConsumerGroupHeartbeat (key 68), versions 0 and 1, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: as groups/consumer-group.ts. Codes: 16 another node coordinates; 42 what the protocol forbids (no group id, no
// member id but at joining by version 0, joining with partitions, without a rebalance time-out or subscription, -2 without
// an instance id); 112 no such assignor; 69 the group is unknown, or has live members of another kind; 25 member unknown;
// 110 epoch wrong; 111 instance in use; 82 instance taken over; 81 group full; 128 bad regular expression. `failure`: the code.

import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatRequestView,
  type ConsumerGroupHeartbeatResponse,
} from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import { assignors, indexOf, type PartitionKey, partitionKey, topicIdOf } from '../groups/assignors.ts';
import { type ConsumerHeartbeat, isRegex } from '../groups/consumer-group.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const memberIdFrom = 1;

export const consumerGroupHeartbeat: ApiHandler<ConsumerGroupHeartbeatRequestView, ConsumerGroupHeartbeatResponse> = {
  api: ConsumerGroupHeartbeat,

  handle(context, request) {
    const { groupId } = request;
    const problem = check(context, request);
    if (problem !== errorCodes.NONE) return refusal(problem);
    if (!isCoordinator(context, coordinatorKinds.group, groupId)) return refusal(errorCodes.NOT_COORDINATOR);
    const group = context.cluster.groups.consumer(groupId, request.memberEpoch === 0);
    if (group === null) return refusal(errorCodes.GROUP_ID_NOT_FOUND);
    const { assigned, ...answer } = group.heartbeat(heartbeatOf(context, request));
    return { ...answer, assignment: assigned === null ? null : { topicPartitions: byTopic(assigned) } };
  },

  failure(_context, _request, errorCode) {
    return refusal(errorCode);
  },
};

/** Partitions as the protocol lists them. */
export function byTopic(keys: Iterable<PartitionKey>): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const key of keys) topics.set(topicIdOf(key), [...(topics.get(topicIdOf(key)) ?? []), indexOf(key)]);
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }));
}

function check({ version }: RequestContext, request: ConsumerGroupHeartbeatRequestView): number {
  const { memberId, memberEpoch, instanceId, rackId, topicPartitions, serverAssignor } = request;
  const isJoining = memberEpoch === 0;
  const isWrong =
    request.groupId === '' ||
    (memberId === '' && (version >= memberIdFrom || !isJoining)) ||
    instanceId === '' ||
    rackId === '' ||
    memberEpoch < -2 ||
    (memberEpoch === -2 && instanceId === null);
  if (isWrong) return errorCodes.INVALID_REQUEST;
  if (isJoining) {
    const isBadJoin =
      request.rebalanceTimeoutMs === -1 ||
      topicPartitions === null ||
      topicPartitions.length > 0 ||
      (request.subscribedTopicNames === null && request.subscribedTopicRegex === null);
    if (isBadJoin) return errorCodes.INVALID_REQUEST;
  }
  if (serverAssignor !== null && !assignors.has(serverAssignor)) return errorCodes.UNSUPPORTED_ASSIGNOR;
  const isBadRegex = version >= memberIdFrom && !isRegex(request.subscribedTopicRegex ?? '');
  return isBadRegex ? errorCodes.INVALID_REGULAR_EXPRESSION : errorCodes.NONE;
}

/** Kept beyond the request, whose memory is used again. */
function heartbeatOf(
  { clientId, version }: RequestContext,
  request: ConsumerGroupHeartbeatRequestView,
): ConsumerHeartbeat {
  const owned = request.topicPartitions;
  return {
    memberId: request.memberId,
    memberEpoch: request.memberEpoch,
    instanceId: request.instanceId,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    topicNames: request.subscribedTopicNames === null ? null : [...request.subscribedTopicNames],
    regex: version >= memberIdFrom ? request.subscribedTopicRegex : null,
    serverAssignor: request.serverAssignor,
    owned:
      owned === null
        ? null
        : new Set(
            [...owned].flatMap(({ topicId, partitions }) => [...partitions].map((i) => partitionKey(topicId, i))),
          ),
    clientId: clientId ?? '',
  };
}

function refusal(errorCode: number): ConsumerGroupHeartbeatResponse {
  return { errorCode, errorMessage: `error ${errorCode}`, memberId: null, assignment: null };
}
