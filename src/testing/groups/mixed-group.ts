// Owns the classic members of a KIP-848 group: how brokers 4.3 answer their JoinGroup, SyncGroup, Heartbeat and LeaveGroup, and how
// a group changes from one protocol to the other and back. Runs in the broker's thread.

import { errorCodes } from '../error-codes.ts';
import { nodeCrypto } from '../node-modules.ts';
import { indexOf, type PartitionKey, partitionKey, topicIdOf } from './assignors.ts';
import type { ClassicGroup, MemberIdentity, SyncRequest } from './classic-group.ts';
import {
  type JoinAnswer,
  type JoinRequest,
  joinRefusal,
  noAssignment,
  type SyncAnswer,
  syncRefusal,
} from './classic-member.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { ConsumerMember, leftButStatic } from './consumer-member.ts';
import { type ClassicSubscription, readAssignment, readSubscription, writeAssignment } from './consumer-protocol.ts';
import type { GroupTopics } from './group-coordinator.ts';

export const consumerProtocolType = 'consumer';

/** JoinGroup to a KIP-848 group that has members. Nobody leads: the coordinator assigns. */
export function joinMixed(group: ConsumerGroup, topics: GroupTopics, request: JoinRequest): JoinAnswer {
  const { instanceId, protocols } = request;
  const subscription = protocols.length === 0 ? null : readSubscription(protocols[0]!.metadata);
  const isOfKind = request.protocolType === consumerProtocolType && subscription !== null;
  if (!isOfKind || !sharesProtocol(group, request))
    return joinRefusal(errorCodes.INCONSISTENT_GROUP_PROTOCOL, request.memberId);
  if (request.memberId === '' && instanceId === null && request.needsKnownId) {
    return joinRefusal(errorCodes.MEMBER_ID_REQUIRED, `${request.clientId}-${nodeCrypto().randomUUID()}`);
  }
  const member = memberOf(group, request);
  if (typeof member === 'number') return joinRefusal(member, request.memberId);
  const isChanged = adopt(member, request, subscription);
  group.advance(member, isChanged, keysOf(topics, subscription));
  group.keepAlive(member);
  return {
    ...joinRefusal(errorCodes.NONE, member.id),
    generationId: member.epoch,
    protocolType: consumerProtocolType,
    protocolName: protocols[0]!.name,
  };
}

export function syncMixed(group: ConsumerGroup, topics: GroupTopics, request: SyncRequest): SyncAnswer {
  const member = group.member(request.memberId);
  if (member?.classic == null) return syncRefusal(errorCodes.UNKNOWN_MEMBER_ID);
  const problem = check(member, request);
  if (problem !== errorCodes.NONE) return syncRefusal(problem);
  const protocolName = member.classic.protocols[0]!.name;
  const isOther =
    (request.protocolType !== null && request.protocolType !== consumerProtocolType) ||
    (request.protocolName !== null && request.protocolName !== protocolName);
  if (isOther) return syncRefusal(errorCodes.INCONSISTENT_GROUP_PROTOCOL);
  if (group.assignmentEpoch > member.epoch && member.state !== 'unrevoked')
    return syncRefusal(errorCodes.REBALANCE_IN_PROGRESS);
  group.keepAlive(member);
  const version = readSubscription(member.classic.protocols[0]!.metadata)?.version ?? 0;
  return {
    errorCode: errorCodes.NONE,
    protocolType: consumerProtocolType,
    protocolName,
    assignment: writeAssignment(named(topics, member.assigned.keys()), version),
  };
}

export function heartbeatMixed(
  group: ConsumerGroup,
  request: MemberIdentity & { readonly generationId: number },
): number {
  const member = group.member(request.memberId);
  if (member?.classic == null) return errorCodes.UNKNOWN_MEMBER_ID;
  const problem = check(member, request);
  if (problem !== errorCodes.NONE) return problem;
  group.keepAlive(member);
  const isWaiting = member.state === 'unreleased' && !group.hasRoomFor(member);
  const needsJoin = member.epoch < group.assignmentEpoch || (member.state !== 'stable' && !isWaiting);
  return needsJoin ? errorCodes.REBALANCE_IN_PROGRESS : errorCodes.NONE;
}

export function leaveMixed(group: ConsumerGroup, { memberId, instanceId }: MemberIdentity): number {
  const member = instanceId === null ? group.member(memberId) : group.staticMember(instanceId);
  if (member === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
  if (memberId !== '' && member.id !== memberId) return errorCodes.FENCED_INSTANCE_ID;
  group.remove(member);
  return errorCodes.NONE;
}

/** Whether every member of a classic group can live in a KIP-848 group. */
export function isUpgradable(classic: ClassicGroup): boolean {
  return (
    classic.protocolType === consumerProtocolType &&
    classic.members.every(({ protocols }) => protocols.every(({ metadata }) => readSubscription(metadata) !== null))
  );
}

/** The members of a classic group change the protocol with their partitions. Members that wait for an answer join again. */
export function upgrade(classic: ClassicGroup, group: ConsumerGroup, topics: GroupTopics): void {
  for (const old of classic.members) {
    const member = new ConsumerMember(old);
    const subscription = readSubscription(old.protocols[0]!.metadata)!;
    member.classic = { sessionTimeoutMs: old.sessionTimeoutMs, protocols: old.protocols };
    member.rebalanceTimeoutMs = old.rebalanceTimeoutMs;
    member.topicNames = [...new Set(subscription.topics)].sort();
    member.epoch = classic.generationId;
    const assigned = keysOf(topics, { owned: readAssignment(old.assignment) ?? [] });
    member.assigned = new Map([...assigned].map((key) => [key, classic.generationId]));
    group.adopt(member);
    group.keepAlive(member);
  }
  classic.abandon(errorCodes.REBALANCE_IN_PROGRESS);
  classic.dissolve();
}

/** Whether only classic members are left. */
export function isDowngradable(group: ConsumerGroup): boolean {
  return !group.isEmpty && group.members.every(({ classic }) => classic !== null);
}

/** The remaining classic members go back to their own protocol and join again. */
export function downgrade(group: ConsumerGroup, classic: ClassicGroup, topics: GroupTopics): void {
  const members = group.members.map((member) => ({
    id: member.id,
    request: {
      memberId: member.id,
      instanceId: member.instanceId,
      clientId: member.clientId,
      sessionTimeoutMs: member.classic!.sessionTimeoutMs,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      protocolType: consumerProtocolType,
      protocols: member.classic!.protocols,
      needsKnownId: false,
      maySkipAssignment: false,
    },
    assignment: member.assigned.size === 0 ? noAssignment : writeAssignment(named(topics, member.assigned.keys())),
  }));
  group.dissolve();
  classic.takeOver(group.epoch, members);
}

function sharesProtocol(group: ConsumerGroup, request: JoinRequest): boolean {
  const others = group.members.filter(({ id, classic }) => id !== request.memberId && classic !== null);
  return request.protocols.some(({ name }) =>
    others.every(({ classic }) => classic!.protocols.some((protocol) => protocol.name === name)),
  );
}

function memberOf(group: ConsumerGroup, request: JoinRequest): ConsumerMember | number {
  const { memberId, instanceId, clientId } = request;
  const holder = instanceId === null ? group.member(memberId) : group.staticMember(instanceId);
  if (holder !== undefined && memberId !== '' && holder.id !== memberId) return errorCodes.FENCED_INSTANCE_ID;
  if (holder !== undefined && holder.id === memberId) return holder;
  if (holder === undefined && instanceId !== null && memberId !== '') return errorCodes.UNKNOWN_MEMBER_ID;
  const id = memberId === '' ? `${instanceId ?? clientId}-${nodeCrypto().randomUUID()}` : memberId;
  const member = new ConsumerMember({ id, instanceId, clientId });
  if (holder === undefined) {
    group.add(member);
  } else {
    if (holder.classic === null && holder.epoch !== leftButStatic) return errorCodes.UNRELEASED_INSTANCE_ID;
    group.replace(holder, member);
  }
  return member;
}

/** Whether that changes what the member wants. */
function adopt(member: ConsumerMember, request: JoinRequest, subscription: ClassicSubscription): boolean {
  const before = JSON.stringify(member.topicNames);
  member.classic = { sessionTimeoutMs: request.sessionTimeoutMs, protocols: request.protocols };
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
  member.rackId = subscription.rackId;
  member.regex = '';
  member.topicNames = [...new Set(subscription.topics)].sort();
  return JSON.stringify(member.topicNames) !== before;
}

function check(
  member: ConsumerMember,
  { instanceId, generationId }: MemberIdentity & { readonly generationId: number },
): number {
  if (instanceId !== null && instanceId !== member.instanceId) return errorCodes.UNKNOWN_MEMBER_ID;
  return generationId === member.epoch ? errorCodes.NONE : errorCodes.ILLEGAL_GENERATION;
}

function keysOf({ topics }: GroupTopics, { owned }: Pick<ClassicSubscription, 'owned'>): Set<PartitionKey> {
  return new Set(
    owned.flatMap(({ topic, partitions }) => {
      const known = topics.find(({ name }) => name === topic);
      return known === undefined ? [] : partitions.map((index) => partitionKey(known.id, index));
    }),
  );
}

function named({ topics }: GroupTopics, keys: Iterable<PartitionKey>): { topic: string; partitions: number[] }[] {
  const byTopic = new Map<string, number[]>();
  for (const key of keys) {
    const topic = topics.find(({ id }) => id === topicIdOf(key))?.name;
    if (topic !== undefined) byTopic.set(topic, [...(byTopic.get(topic) ?? []), indexOf(key)]);
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions: partitions.sort((a, b) => a - b) }));
}
