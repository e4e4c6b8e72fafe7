// SyncGroup (key 14), versions 0 to 5, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: as groups/classic-group.ts, or in a KIP-848 group groups/mixed-group.ts: members wait for the leader's assignments. Codes: 16 another node coordinates,
// 24 empty group id, 25 member unknown, 82 instance taken over, 22 another generation, 23 another protocol, 27 the group
// rebalances again. `failure`: the code.

import { SyncGroup, type SyncGroupRequestView, type SyncGroupResponse } from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { isCoordinator } from './coordinators.ts';

export const syncGroup: ApiHandler<SyncGroupRequestView, SyncGroupResponse> = {
  api: SyncGroup,

  handle(context, request) {
    const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request;
    if (groupId === '') return { errorCode: errorCodes.INVALID_GROUP_ID };
    if (!isCoordinator(context, coordinatorKinds.group, groupId)) return { errorCode: errorCodes.NOT_COORDINATOR };
    const assignments = new Map(request.assignments.map((each) => [each.memberId, Buffer.from(each.assignment)]));
    const member = { memberId, instanceId: groupInstanceId, generationId };
    return context.cluster.groups.sync(groupId, { ...member, protocolType, protocolName, assignments });
  },

  failure(_context, _request, errorCode) {
    return { errorCode };
  },
};
