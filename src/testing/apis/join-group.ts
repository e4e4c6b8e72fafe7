// JoinGroup (key 11), versions 0 to 9, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: as groups/classic-group.ts, or in a KIP-848 group groups/mixed-group.ts; a new member without instance id gets its id first from version 4 on (79).
// Codes: 16 another node coordinates, 24 empty group id, 26 session time-out out of bounds, 23 protocols that do not fit,
// 25 member unknown, 82 instance taken over, 81 group full. `failure`: the code.

import { JoinGroup, type JoinGroupRequestView, type JoinGroupResponse } from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import { type JoinAnswer, type JoinRequest, joinRefusal } from '../groups/classic-member.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const rebalanceTimeoutFrom = 1;
const knownIdFrom = 4;
const protocolTypeFrom = 7;
const skipAssignmentFrom = 9;

export const joinGroup: ApiHandler<JoinGroupRequestView, JoinGroupResponse> = {
  api: JoinGroup,

  handle(context, request) {
    const { groups } = context.cluster;
    const { groupId, memberId, sessionTimeoutMs } = request;
    const refuse = (errorCode: number): JoinGroupResponse => written(context, joinRefusal(errorCode, memberId));
    if (groupId === '') return refuse(errorCodes.INVALID_GROUP_ID);
    if (!isCoordinator(context, coordinatorKinds.group, groupId)) return refuse(errorCodes.NOT_COORDINATOR);
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = groups.limits;
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return refuse(errorCodes.INVALID_SESSION_TIMEOUT);
    }
    const answer = groups.join(groupId, joinRequest(context, request));
    if (answer instanceof Promise) return answer.then((late) => written(context, late));
    return written(context, answer);
  },

  failure(context, request, errorCode) {
    return written(context, joinRefusal(errorCode, request.memberId));
  },
};

/** Kept beyond the request, whose memory is used again. */
function joinRequest({ version, clientId }: RequestContext, request: JoinGroupRequestView): JoinRequest {
  const { memberId, groupInstanceId: instanceId, sessionTimeoutMs, protocolType } = request;
  return {
    memberId,
    instanceId,
    clientId: clientId ?? '',
    sessionTimeoutMs,
    rebalanceTimeoutMs: version >= rebalanceTimeoutFrom ? request.rebalanceTimeoutMs : sessionTimeoutMs,
    protocolType,
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    needsKnownId: version >= knownIdFrom,
    maySkipAssignment: version >= skipAssignmentFrom,
  };
}

function written({ version }: RequestContext, answer: JoinAnswer): JoinGroupResponse {
  // Older versions have no null there.
  return version >= protocolTypeFrom ? answer : { ...answer, protocolName: answer.protocolName ?? '' };
}
