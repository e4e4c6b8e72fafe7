// Owns the checks of the version matrix that concern consumer groups, as raw requests: a member comes, is given its part,
// commits and goes. Runs in the thread that checks.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../src/index.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { assertSuccess, node, Session, untilCoordinated } from './session.ts';

const rebalanceInProgress = 27;
const memberIdRequired = 79;
const assignment = Buffer.from('whatever the leader says');

interface Member {
  readonly memberId: string;
  readonly generationId: number;
}

/** From 0.9 with members, before that offsets only. Returns what was done. */
export async function checkGroup(session: Session): Promise<string> {
  const groupId = `group-${randomUUID()}`;
  await untilCoordinated('FindCoordinator', () => findCoordinator(session, groupId, 0));
  if (!session.isSince('0.9')) {
    await commitAndFetch(session, groupId, { memberId: '', generationId: -1 });
    return 'offsets';
  }
  const member = await join(session, groupId);
  await sync(session, groupId, member);
  assertSuccess((await session.send(Heartbeat, { groupId, ...member })).errorCode, 'Heartbeat');
  await commitAndFetch(session, groupId, member);
  await leave(session, groupId, member);
  await joinAgain(session);
  return 'members, offsets';
}

/**
 * A leader whose join waits for the other member loses its connection, and joins again by another one. The second join takes the place
 * of the first, and is answered when the other member has gone.
 */
async function joinAgain(session: Session): Promise<void> {
  const groupId = `again-${randomUUID()}`;
  const sessions = [await Session.open(session.kafka, session.release)];
  try {
    const [beside] = sessions as [Session];
    const alone = await join(session, groupId);
    await sync(session, groupId, alone);
    const joining = join(beside, groupId);
    await untilRebalance(session, groupId, alone);
    const [leader, other] = await Promise.all([join(session, groupId, alone.memberId), joining]);
    await Promise.all([sync(session, groupId, leader), syncNothing(beside, groupId, other)]);
    const lost = await Session.open(session.kafka, session.release);
    sessions.push(lost);
    const first = assert.rejects(join(lost, groupId, leader.memberId), /closed/);
    await untilRebalance(beside, groupId, other);
    await lost.close();
    await first;
    const second = join(session, groupId, leader.memberId);
    await leave(beside, groupId, other);
    const again = await second;
    assert.equal(again.memberId, leader.memberId);
    await sync(session, groupId, again);
    await leave(session, groupId, again);
  } finally {
    for (const opened of sessions) await opened.close();
  }
}

async function untilRebalance(session: Session, groupId: string, member: Member): Promise<void> {
  await waitFor(
    'a rebalance',
    async () => (await session.send(Heartbeat, { groupId, ...member })).errorCode === rebalanceInProgress,
  );
}

/** @param keyType 0 for a group, 1 for a transactional id */
export async function findCoordinator(session: Session, key: string, keyType: number): Promise<number> {
  const version = session.versionOf(FindCoordinator);
  const typed = version >= 1 ? { keyType } : {};
  const request = version >= 4 ? { coordinatorKeys: [key], ...typed } : { key, ...typed };
  const response = await session.send(FindCoordinator, request);
  const found = version >= 4 ? response.coordinators.at(0) : response;
  if (found.errorCode === 0) assert.equal(found.nodeId, node);
  return found.errorCode;
}

/** @param knownId of a member that joins again */
async function join(session: Session, groupId: string, knownId = ''): Promise<Member> {
  const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }];
  const timeouts = {
    sessionTimeoutMs: 10_000,
    ...(session.versionOf(JoinGroup) >= 1 && { rebalanceTimeoutMs: 10_000 }),
  };
  const request = { groupId, ...timeouts, protocolType: 'consumer', protocols };
  let memberId = knownId;
  let generationId = -1;
  await untilCoordinated('JoinGroup', async () => {
    let response = await session.send(JoinGroup, { ...request, memberId });
    if (response.errorCode === memberIdRequired) {
      response = await session.send(JoinGroup, { ...request, memberId: response.memberId });
    }
    ({ memberId, generationId } = response);
    return response.errorCode;
  });
  assert.notEqual(memberId, '');
  return { memberId, generationId };
}

/** As the leader. */
async function sync(session: Session, groupId: string, member: Member): Promise<void> {
  const given = await synced(session, groupId, member, [{ memberId: member.memberId, assignment }]);
  assert.deepEqual(given, assignment);
}

async function syncNothing(session: Session, groupId: string, member: Member): Promise<void> {
  assert.deepEqual(await synced(session, groupId, member, []), Buffer.alloc(0));
}

async function synced(
  session: Session,
  groupId: string,
  member: Member,
  assignments: { memberId: string; assignment: Buffer }[],
): Promise<Buffer> {
  const names = session.versionOf(SyncGroup) >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {};
  const response = await session.send(SyncGroup, { groupId, ...member, ...names, assignments });
  assertSuccess(response.errorCode, 'SyncGroup');
  return Buffer.from(response.assignment);
}

async function commitAndFetch(session: Session, groupId: string, member: Member): Promise<void> {
  const { topic: name, topicId } = session;
  const partitions = [{ partitionIndex: 0, committedOffset: 42, committedMetadata: 'note' }];
  const { memberId, generationId } = member;
  const request = {
    groupId,
    ...(session.versionOf(OffsetCommit) >= 1 && { memberId, generationIdOrMemberEpoch: generationId }),
    topics: [{ name, topicId, partitions }],
  };
  await untilCoordinated('OffsetCommit', async () => {
    const response = await session.send(OffsetCommit, request);
    return response.topics.at(0).partitions.at(0).errorCode;
  });
  const version = session.versionOf(OffsetFetch);
  const topics = [{ name, partitionIndexes: [0], ...(version >= 10 && { topicId }) }];
  const response = await session.send(
    OffsetFetch,
    version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics },
  );
  const found = version >= 8 ? response.groups.at(0).topics.at(0) : response.topics.at(0);
  const { errorCode, committedOffset, metadata } = found.partitions.at(0);
  assertSuccess(errorCode, 'OffsetFetch');
  assert.deepEqual([committedOffset.toNumber(), metadata], [42, 'note']);
}

async function leave(session: Session, groupId: string, { memberId }: Member): Promise<void> {
  const who = session.versionOf(LeaveGroup) >= 3 ? { members: [{ memberId }] } : { memberId };
  const response = await session.send(LeaveGroup, { groupId, ...who });
  assertSuccess(response.errorCode, 'LeaveGroup');
  for (const { errorCode } of response.members) assertSuccess(errorCode, 'LeaveGroup');
}
