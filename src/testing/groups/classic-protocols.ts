// Owns what members of a classic group say of themselves and of their protocols: who may join whom, and which protocol a group takes. Runs
// in the broker's thread.

import { errorCodes } from '../error-codes.ts';
import type { ClassicMember, JoinAnswer, JoinRequest, SyncAnswer } from './classic-member.ts';

export interface MemberIdentity {
  readonly memberId: string;
  readonly instanceId: string | null;
}

export interface SyncRequest extends MemberIdentity {
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: ReadonlyMap<string, Buffer>;
}

/** Whether a member with those protocols may be in a group with these members. */
export function supportsProtocols(
  request: JoinRequest,
  protocolType: string | null,
  members: readonly ClassicMember[],
): boolean {
  if (request.protocolType === '' || request.protocols.length === 0) return false;
  if (members.length === 0) return true;
  if (request.protocolType !== protocolType) return false;
  const others = members.filter(({ id }) => id !== request.memberId);
  return request.protocols.some(({ name }) =>
    others.every(({ protocols }) => protocols.some((protocol) => protocol.name === name)),
  );
}

/** Of those that all members have, the one that most have as their first. */
export function selectProtocol(members: readonly ClassicMember[]): string {
  const common = members[0]!.protocols
    .map(({ name }) => name)
    .filter((name) => members.every(({ protocols }) => protocols.some((protocol) => protocol.name === name)));
  const votes = members.map(({ protocols }) => protocols.find(({ name }) => common.includes(name))!.name);
  const count = (name: string): number => votes.filter((vote) => vote === name).length;
  return common.reduce((best, name) => (count(name) > count(best) ? name : best), common[0]!);
}

/** What the leader is told of everybody. */
export function membersForLeader(members: readonly ClassicMember[], protocolName: string): JoinAnswer['members'] {
  return members.map((member) => ({
    memberId: member.id,
    groupInstanceId: member.instanceId,
    metadata: member.metadata(protocolName),
  }));
}

/** What answers tell of the group. */
interface Generation {
  readonly generationId: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
}

/** Without the members, which only the leader is told. */
export function joinAnswer(
  { generationId, protocolType, protocolName, leaderId }: Generation,
  { id: memberId }: ClassicMember,
): JoinAnswer {
  return {
    errorCode: errorCodes.NONE,
    memberId,
    generationId,
    protocolType,
    protocolName,
    leader: leaderId!,
    skipAssignment: false,
    members: [],
  };
}

export function syncAnswer({ protocolType, protocolName }: Generation, { assignment }: ClassicMember): SyncAnswer {
  return { errorCode: errorCodes.NONE, protocolType, protocolName, assignment };
}
