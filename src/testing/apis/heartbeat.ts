// Heartbeat (key 12), versions 0 to 4, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: keeps the member's session; code 27 tells it to join again. Others: 16 another node coordinates, 24 empty
// group id, 25 member unknown, 82 instance taken over, 22 another generation. `failure`: the code.

import { Heartbeat, type HeartbeatRequestView, type HeartbeatResponse } from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

export const heartbeat: ApiHandler<HeartbeatRequestView, HeartbeatResponse> = {
  api: Heartbeat,

  handle(context, request) {
    const { groupId, memberId, groupInstanceId: instanceId, generationId } = request;
    if (groupId === '') return { errorCode: errorCodes.INVALID_GROUP_ID };
    if (!isCoordinator(context, coordinatorKinds.group, groupId)) return { errorCode: errorCodes.NOT_COORDINATOR };
    return { errorCode: context.cluster.groups.heartbeat(groupId, { memberId, instanceId, generationId }) };
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};
