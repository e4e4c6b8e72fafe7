// Owns the administration call that describes groups of the classic protocol, whatever their members say. Network thread.
// Source: KIP-430, KIP-1043

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { DescribedClassicGroup } from '../../../common/admin/groups.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import { errorCodes } from '../../../common/errors/generated/error-codes.ts';
import { DescribeGroups } from '../../../protocol/flat/generated/apis.ts';
import type { Destination } from '../../client/broker-requests.ts';
import { operationsOf } from '../authorized-operations.ts';
import type { Call } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';
import { atCoordinators } from '../routes.ts';

export function describeClassicGroups(
  call: Call,
  { groups, includeAuthorizedOperations }: AdminCalls['describeClassicGroups']['args'],
): Promise<PlainResults<string, DescribedClassicGroup>> {
  return askForItems<string, DescribedClassicGroup>(call, groups, {
    target: 'coordinator',
    isChange: false,
    locate: (keys) => atCoordinators(call, keys, 0),
    ask: (to, keys) => askClassic(call, to, keys, includeAuthorizedOperations),
  });
}

/** From this version on, brokers send the operations. */
const operationsVersion = 3;

/** Asks one coordinator. */
export async function askClassic(
  call: Call,
  to: Destination,
  groups: readonly string[],
  isAsked: boolean,
): Promise<Map<string, Answer<DescribedClassicGroup>>> {
  const versions = isAsked ? { minVersion: operationsVersion } : {};
  const request = { groups, includeAuthorizedOperations: isAsked };
  const { response } = await call.send(to, DescribeGroups, request, versions);
  const described = new Map<string, Answer<DescribedClassicGroup>>();
  for (const group of response.groups) {
    const { groupId, groupState, protocolType, protocolData, members } = group;
    // Brokers before 4.0 answer with this state if the group does not exist.
    if (group.errorCode === 0 && groupState === 'Dead' && members.length === 0) {
      described.set(groupId, { errorCode: errorCodes.GROUP_ID_NOT_FOUND });
      continue;
    }
    const readGroup = (): DescribedClassicGroup => ({
      groupId,
      protocolType,
      state: groupState,
      protocol: protocolData,
      authorizedOperations: operationsOf(group.authorizedOperations, isAsked),
      members: members.map(({ memberId, groupInstanceId, clientId, clientHost, memberMetadata, memberAssignment }) => ({
        memberId,
        groupInstanceId,
        clientId,
        clientHost,
        // The response's memory is used again.
        metadata: Uint8Array.from(memberMetadata),
        assignment: Uint8Array.from(memberAssignment),
      })),
    });
    described.set(groupId, answerOf(group, readGroup));
  }
  return described;
}
