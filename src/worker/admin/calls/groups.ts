// Owns administration calls that list, describe and delete groups and remove members. Network thread.
// Source: KIP-518, KIP-848, KIP-1043, KIP-345, KIP-800

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type {
  DescribedClassicGroup,
  DescribedConsumerGroup,
  ListedGroup,
  ListedGroups,
} from '../../../common/admin/groups.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../../common/admin/topics.ts';
import { errorFor } from '../../../common/errors/error-for.ts';
import { IllegalArgumentError, UnsupportedVersionError } from '../../../common/errors/errors.ts';
import { errorCodes } from '../../../common/errors/generated/error-codes.ts';
import { fromPlainError, type PlainError, toPlainError } from '../../../common/errors/plain-error.ts';
import { ConsumerGroupDescribe, DeleteGroups, LeaveGroup, ListGroups } from '../../../protocol/flat/generated/apis.ts';
import type { Destination } from '../../client/broker-requests.ts';
import { actionFor } from '../actions.ts';
import { readAssignment } from '../assignment-data.ts';
import { operationsOf } from '../authorized-operations.ts';
import { broker, type Call, isRetriableFailure } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';
import { allBrokers, atCoordinators } from '../routes.ts';
import { askClassic } from './classic-groups.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

/** Asks every broker until it answers. If a broker does not answer, only the groups that it coordinates are missing. */
export async function listGroups(call: Call, args: Args<'listGroups'>): Promise<ListedGroups> {
  const groups = new Map<string, ListedGroup>();
  const errors: { brokerId: number; error: PlainError }[] = [];
  const brokerIds = await allBrokers(call);
  await Promise.all(
    brokerIds.map(async (brokerId) => {
      try {
        for (const group of await groupsOf(call, brokerId, args)) groups.set(group.groupId, group);
      } catch (error) {
        errors.push({ brokerId, error: toPlainError(error) });
      }
    }),
  );
  const isWanted = ({ protocolType }: ListedGroup): boolean =>
    args.protocolTypes.length === 0 || args.protocolTypes.includes(protocolType);
  const listed = [...groups.values()].filter(isWanted).sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  return { groups: listed, errors: errors.sort((a, b) => a.brokerId - b.brokerId) };
}

const statesVersion = 4;
const typesVersion = 5;

async function groupsOf(call: Call, brokerId: number, args: Args<'listGroups'>): Promise<ListedGroup[]> {
  const { states, types } = args;
  const minVersion = types.length > 0 ? typesVersion : states.length > 0 ? statesVersion : 0;
  const request = { statesFilter: states, typesFilter: types };
  for (;;) {
    try {
      const { response, version } = await call.send(broker(brokerId), ListGroups, request, { minVersion });
      const error = errorFor(response.errorCode);
      if (error === null) {
        return response.groups.map(({ groupId, protocolType, groupState, groupType }) => ({
          groupId,
          protocolType,
          state: version >= statesVersion ? groupState : null,
          type: version >= typesVersion ? groupType : null,
        }));
      }
      if (actionFor(response.errorCode, 'coordinator') === 'final') throw error;
      await call.backOff(error);
    } catch (error) {
      if (!isRetriableFailure(error) || call.isOver) throw error;
      await call.backOff(error as Error);
    }
  }
}

export function describeConsumerGroups(
  call: Call,
  { groups, includeAuthorizedOperations: isAsked }: Args<'describeConsumerGroups'>,
): Promise<PlainResults<string, DescribedConsumerGroup>> {
  return askForItems<string, DescribedConsumerGroup>(call, groups, {
    target: 'coordinator',
    isChange: false,
    locate: (keys) => atCoordinators(call, keys, 0),
    ask: async (to, keys) => {
      const answers = await describeNew(call, to, keys, isAsked);
      // The newer request does not know groups of the classic protocol, and older brokers do not know the request.
      const classic = keys.filter((key) => isUnknown(answers.get(key)));
      if (classic.length > 0)
        for (const [key, answer] of await describeClassic(call, to, classic, isAsked)) answers.set(key, answer);
      return answers;
    },
  });
}

type Described = Map<string, Answer<DescribedConsumerGroup>>;

function isUnknown(answer: Answer<unknown> | undefined): boolean {
  if (answer === undefined) return true;
  return (
    'errorCode' in answer &&
    (answer.errorCode === errorCodes.GROUP_ID_NOT_FOUND || answer.errorCode === errorCodes.UNSUPPORTED_VERSION)
  );
}

async function describeNew(
  call: Call,
  to: Destination,
  groupIds: readonly string[],
  isAsked: boolean,
): Promise<Described> {
  const request = { groupIds, includeAuthorizedOperations: isAsked };
  let answered: Awaited<ReturnType<typeof sendNew>>;
  try {
    answered = await sendNew(call, to, request);
  } catch (error) {
    if (error instanceof UnsupportedVersionError) return new Map();
    throw error;
  }
  const described: Described = new Map();
  for (const group of answered.response.groups) {
    const { groupId, errorCode, errorMessage, groupState, groupEpoch, assignmentEpoch, assignorName } = group;
    if (errorCode !== 0) {
      described.set(groupId, { errorCode, errorMessage });
      continue;
    }
    const members = group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberEpoch: member.memberEpoch,
      assignment: partitionsOf(member.assignment),
      targetAssignment: partitionsOf(member.targetAssignment),
    }));
    const authorizedOperations = operationsOf(group.authorizedOperations, isAsked);
    const about = { groupId, state: groupState, assignor: assignorName, groupEpoch, assignmentEpoch, members };
    described.set(groupId, { value: { ...about, authorizedOperations, type: 'consumer' } });
  }
  return described;
}

function sendNew(
  call: Call,
  to: Destination,
  request: { groupIds: readonly string[]; includeAuthorizedOperations: boolean },
) {
  return call.send(to, ConsumerGroupDescribe, request);
}

export function partitionsOf({
  topicPartitions,
}: {
  readonly topicPartitions: Iterable<{ readonly topicName: string; readonly partitions: Iterable<number> }>;
}): TopicPartitionKey[] {
  const keys: TopicPartitionKey[] = [];
  for (const { topicName, partitions } of topicPartitions) {
    for (const partition of partitions) keys.push({ topic: topicName, partition });
  }
  return keys;
}

async function describeClassic(
  call: Call,
  to: Destination,
  groups: readonly string[],
  isAsked: boolean,
): Promise<Described> {
  const described: Described = new Map();
  for (const [groupId, answer] of await askClassic(call, to, groups, isAsked)) {
    if (!('value' in answer)) {
      described.set(groupId, answer);
      continue;
    }
    described.set(groupId, consumersOf(answer.value));
  }
  return described;
}

/** An error of this group must not fail the others. */
function consumersOf(group: DescribedClassicGroup): Answer<DescribedConsumerGroup> {
  const { groupId, protocolType, state, protocol: assignor, authorizedOperations } = group;
  // A group that only has offsets has no type.
  if (protocolType !== '' && protocolType !== 'consumer') {
    const text = `group '${groupId}' has protocol type '${protocolType}', not 'consumer': use describeClassicGroups`;
    return { error: new IllegalArgumentError(text) };
  }
  const about = { groupId, state, assignor, groupEpoch: -1, assignmentEpoch: -1, authorizedOperations };
  try {
    const members = group.members.map(({ memberId, groupInstanceId, clientId, clientHost, assignment }) => ({
      memberId,
      groupInstanceId,
      clientId,
      clientHost,
      memberEpoch: -1,
      assignment: readAssignment(assignment),
      targetAssignment: null,
    }));
    return { value: { ...about, type: 'classic', members } };
  } catch (error) {
    return { error: error as Error };
  }
}

export function deleteGroups(call: Call, { groups }: Args<'deleteGroups'>): Promise<PlainResults<string, null>> {
  return askForItems<string, null>(call, groups, {
    target: 'coordinator',
    isChange: true,
    locate: (keys) => atCoordinators(call, keys, 0),
    ask: async (to, keys) => {
      const { response } = await call.send(to, DeleteGroups, { groupsNames: keys });
      return new Map(response.results.map((result) => [result.groupId, answerOf(result, () => null)]));
    },
  });
}

/** From this version on, one request may name several members (KIP-345). */
const severalMembersVersion = 3;

/** @returns an outcome for each member, by instance id; with 'all', by member id if there is no instance id */
export async function removeMembersFromConsumerGroup(
  call: Call,
  { groupId, members, reason }: Args<'removeMembersFromConsumerGroup'>,
): Promise<PlainResults<string, null>> {
  const identities = members === 'all' ? await identitiesOf(call, groupId) : members.map(identityOf);
  const byName = new Map(identities.map((identity) => [identity.groupInstanceId ?? identity.memberId, identity]));
  return askForItems<string, null>(call, [...byName.keys()], {
    target: 'coordinator',
    isChange: true,
    locate: async (keys) => atCoordinatorOf(call, groupId, keys),
    ask: async (to, keys) => {
      const list = keys.map((key) => ({ ...byName.get(key)!, reason }));
      const request = { groupId, members: list };
      const { response } = await call.send(to, LeaveGroup, request, { minVersion: severalMembersVersion });
      if (response.errorCode !== 0) return new Map(keys.map((key) => [key, { errorCode: response.errorCode }]));
      return new Map(
        response.members.map((member) => [member.groupInstanceId ?? member.memberId, answerOf(member, () => null)]),
      );
    },
  });
}

interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

function identityOf({ groupInstanceId }: { readonly groupInstanceId: string }): MemberIdentity {
  return { memberId: '', groupInstanceId };
}

async function identitiesOf(call: Call, groupId: string): Promise<MemberIdentity[]> {
  const [result] = await describeConsumerGroups(call, {
    groups: [groupId],
    includeAuthorizedOperations: false,
  });
  const outcome = result![1];
  if (!outcome.ok) throw fromPlainError(outcome.error);
  return outcome.value.members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId }));
}

/** Sends all keys to the coordinator of one group. */
export async function atCoordinatorOf<K>(call: Call, groupId: string, keys: readonly K[]) {
  const { groups, answers = [] } = await atCoordinators<never>(call, [groupId], 0);
  const refused = answers[0];
  if (refused !== undefined) return { groups: [], answers: keys.map((key) => [key, refused[1]] as const) };
  return { groups: groups.map(({ to }) => ({ to, keys })) };
}
