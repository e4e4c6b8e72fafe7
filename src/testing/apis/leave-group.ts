// LeaveGroup (key 13), versions 0 to 5, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: up to version 2 one member, whose code stands at the top; later several, each with its own: 25 unknown, 82
// instance taken over. A static member may be named by its instance id alone. 16 another node coordinates, 24 empty group
// id. `failure`: the code at the top.

import { LeaveGroup, type LeaveGroupRequestView, type LeaveGroupResponse } from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

const severalFrom = 3;

export const leaveGroup: ApiHandler<LeaveGroupRequestView, LeaveGroupResponse> = {
  api: LeaveGroup,

  handle(context, request) {
    const { groupId } = request;
    if (groupId === '') return { errorCode: errorCodes.INVALID_GROUP_ID };
    if (!isCoordinator(context, coordinatorKinds.group, groupId)) return { errorCode: errorCodes.NOT_COORDINATOR };
    const leave = (memberId: string, instanceId: string | null): number =>
      context.cluster.groups.leave(groupId, { memberId, instanceId });
    if (context.version < severalFrom) return { errorCode: leave(request.memberId, null) };
    const members = request.members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      errorCode: leave(memberId, groupInstanceId),
    }));
    return { errorCode: errorCodes.NONE, members };
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};
