// Owns the answers of brokers to members of classic groups, and about committed offsets, as measured on Kafka 4.3.0. Facts only.

import {
  Heartbeat,
  JoinGroup,
  type JoinGroupRequest,
  LeaveGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../src/protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../../src/protocol/flat/uuid.ts';
import { Asker, type BrokerFacts, freshId } from './asker.ts';

export const subscription = Buffer.from('0000000000000000000000', 'hex');

/** What a member is asked with; it keeps its own id and generation. */
export class ClassicMember {
  readonly ask: Asker;
  readonly group: string;
  readonly instanceId: string | null;
  readonly protocols: readonly string[];
  metadata: Buffer = subscription;
  memberId = '';
  generationId = -1;

  constructor(ask: Asker, group: string, options: { instanceId?: string; protocols?: readonly string[] } = {}) {
    this.ask = ask;
    this.group = group;
    this.instanceId = options.instanceId ?? null;
    this.protocols = options.protocols ?? ['range'];
  }

  request(changes: Partial<JoinGroupRequest> = {}): JoinGroupRequest {
    return {
      groupId: this.group,
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 10_000,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocolType: 'consumer',
      protocols: this.protocols.map((name) => ({ name, metadata: this.metadata })),
      ...changes,
    };
  }

  /** Joins once, or twice if the member gets its id first. */
  async join(version = 9, changes: Partial<JoinGroupRequest> = {}) {
    let answer = await this.ask.send(JoinGroup, version, this.request(changes));
    if (answer.errorCode === 79) {
      this.memberId = answer.memberId;
      answer = await this.ask.send(JoinGroup, version, this.request(changes));
    }
    if (answer.errorCode === 0) {
      this.memberId = answer.memberId;
      this.generationId = answer.generationId;
    }
    return answer;
  }

  async sync(assignments: Readonly<Record<string, string>> = {}) {
    const answer = await this.ask.send(SyncGroup, 5, {
      groupId: this.group,
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.instanceId,
      protocolType: 'consumer',
      protocolName: this.protocols[0]!,
      assignments: Object.entries(assignments).map(([memberId, text]) => ({ memberId, assignment: Buffer.from(text) })),
    });
    return [answer.errorCode, answer.assignment.toString()];
  }

  async heartbeat(changes: { memberId?: string; generationId?: number; groupInstanceId?: string | null } = {}) {
    const request = { groupId: this.group, generationId: this.generationId, memberId: this.memberId, ...changes };
    const groupInstanceId = changes.groupInstanceId === undefined ? this.instanceId : changes.groupInstanceId;
    return (await this.ask.send(Heartbeat, 4, { ...request, groupInstanceId })).errorCode;
  }

  async leave() {
    const members = [{ memberId: this.memberId, groupInstanceId: this.instanceId }];
    const answer = await this.ask.send(LeaveGroup, 5, { groupId: this.group, members });
    return [answer.errorCode, answer.members.at(0).errorCode];
  }
}

/** A group with one stable member, its leader. */
async function stable(ask: Asker, options: { instanceId?: string; protocols?: readonly string[] } = {}) {
  const group = freshId('g');
  await ask.groupCoordinator(group);
  const member = new ClassicMember(ask, group, options);
  await member.join();
  await member.sync({ [member.memberId]: 'first' });
  return member;
}

export async function commit(
  ask: Asker,
  group: string,
  topic: string,
  options: {
    version?: number;
    memberId?: string;
    epoch?: number;
    offset?: number;
    partition?: number;
    metadata?: string;
    topicId?: string;
  } = {},
): Promise<number> {
  const { version = 9, memberId = '', epoch = -1, offset = 5, partition = 0, metadata = 'm', topicId } = options;
  const partitions = [
    { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: 3, committedMetadata: metadata },
  ];
  const answer = await ask.send(OffsetCommit, version, {
    groupId: group,
    generationIdOrMemberEpoch: epoch,
    memberId,
    topics: [{ name: topic, topicId: topicId ?? zeroUuid, partitions }],
  });
  return answer.topics.at(0).partitions.at(0).errorCode;
}

export async function committed(
  ask: Asker,
  group: string,
  topic: string,
  options: { version?: number; memberId?: string | null; epoch?: number; all?: boolean } = {},
) {
  const { version = 9, memberId = null, epoch = -1, all = false } = options;
  if (version < 8) {
    const topics = all ? null : [{ name: topic, partitionIndexes: [0] }];
    const answer = await ask.send(OffsetFetch, version, { groupId: group, topics });
    return [answer.errorCode, ...read(answer.topics.at(0)?.partitions.at(0))];
  }
  const topicId = version >= 10 ? await ask.topicId(topic) : zeroUuid;
  const topics = all ? null : [{ name: topic, topicId, partitionIndexes: [0] }];
  const groups = [{ groupId: group, memberId, memberEpoch: epoch, topics }];
  const answer = (await ask.send(OffsetFetch, version, { groups, requireStable: true })).groups.at(0);
  return [answer.errorCode, ...(answer.topics.length === 0 ? [] : read(answer.topics.at(0).partitions.at(0)))];
}

function read(partition: {
  errorCode: number;
  committedOffset: { toNumber(): number };
  committedLeaderEpoch: number;
  metadata: string | null;
}): unknown[] {
  return [
    partition.errorCode,
    partition.committedOffset.toNumber(),
    partition.committedLeaderEpoch,
    partition.metadata,
  ];
}

export const groupFacts: BrokerFacts = {
  'refusals of JoinGroup': {
    ask: async (ask) => {
      const group = freshId('g');
      await ask.groupCoordinator(group);
      const member = new ClassicMember(ask, group);
      const codes: number[] = [];
      for (const changes of [
        { groupId: '' },
        { sessionTimeoutMs: 5999 },
        { sessionTimeoutMs: 1_800_001 },
        { protocols: [] },
        { memberId: 'nobody' },
      ]) {
        codes.push((await ask.send(JoinGroup, 9, member.request(changes))).errorCode);
      }
      return codes;
    },
    expected: [24, 26, 26, 23, 25],
  },

  'new members get their id first from JoinGroup 4 on': {
    ask: async (ask) => {
      const seen: unknown[] = [];
      for (const version of [3, 4, 9]) {
        const group = freshId('g');
        await ask.groupCoordinator(group);
        const request = new ClassicMember(ask, group).request({ groupInstanceId: null });
        const answer = await ask.send(JoinGroup, version, request);
        seen.push([answer.errorCode, answer.generationId, answer.memberId !== '']);
      }
      return seen;
    },
    expected: [
      [0, 1, true],
      [79, -1, true],
      [79, -1, true],
    ],
  },

  'one member joins, syncs, and leaves': {
    ask: async (ask) => {
      const group = freshId('g');
      await ask.groupCoordinator(group);
      const member = new ClassicMember(ask, group);
      const joined = await member.join();
      const seen: unknown[] = [
        [joined.generationId, joined.protocolName, joined.leader === member.memberId, joined.members.length],
      ];
      seen.push(await member.sync({ [member.memberId]: 'mine' }), await member.sync(), await member.heartbeat());
      seen.push(await member.heartbeat({ generationId: 7 }), await member.heartbeat({ memberId: 'nobody' }));
      seen.push(await member.leave(), await member.leave(), await member.heartbeat());
      return seen;
    },
    expected: [[1, 'range', true, 1], [0, 'mine'], [0, 'mine'], 0, 22, 25, [0, 0], [0, 25], 25],
  },

  'a second member makes the group rebalance': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const first = await stable(ask);
      const other = await Asker.connect(ask.client.socket.remotePort!, ask.client.socket.remoteAddress);
      try {
        const second = new ClassicMember(other, first.group);
        const joining = second.join();
        let code = 0;
        while (code === 0) code = await first.heartbeat();
        const seen: unknown[] = [code, (await first.sync())[0]];
        const [again, answer] = [await first.join(), await joining];
        seen.push([again.generationId, again.members.length, answer.generationId, answer.members.length]);
        const waiting = second.sync();
        seen.push(await first.sync({ [first.memberId]: 'a', [second.memberId]: 'b' }), await waiting);
        // A member that is not the leader may join again. If the leader does, all members have to join again.
        seen.push((await second.join()).generationId, await first.heartbeat());
        const rejoining = first.join();
        code = 0;
        while (code === 0) code = await second.heartbeat();
        await second.join();
        seen.push(
          code,
          (await rejoining).generationId,
          await commit(ask, first.group, topic, {
            memberId: first.memberId,
            epoch: first.generationId,
          }),
        );
        return seen;
      } finally {
        other.close();
      }
    },
    expected: [27, 27, [2, 2, 2, 0], [0, 'a'], [0, 'b'], 2, 0, 27, 3, 27],
  },

  'a static member comes back without a rebalance': {
    ask: async (ask) => {
      const first = await stable(ask, { instanceId: 'i' });
      const second = new ClassicMember(ask, first.group, { instanceId: 'i' });
      const joined = await second.join();
      return [
        [joined.errorCode, joined.generationId, joined.memberId !== first.memberId, joined.skipAssignment],
        await second.sync(),
        await first.heartbeat(),
        await first.heartbeat({ groupInstanceId: null }),
        await second.heartbeat(),
        await second.leave(),
      ];
    },
    expected: [[0, 1, true, true], [0, 'first'], 82, 25, 0, [0, 0]],
  },

  'members without a common protocol': {
    ask: async (ask) => {
      const first = await stable(ask);
      const second = new ClassicMember(ask, first.group, { protocols: ['roundrobin'] });
      const other = new ClassicMember(ask, first.group);
      return [(await second.join()).errorCode, (await other.join(9, { protocolType: 'connect' })).errorCode];
    },
    expected: [23, 23],
  },

  'leaving an unknown group': {
    ask: async (ask) => {
      const group = freshId('g');
      await ask.groupCoordinator(group);
      const old = await ask.send(LeaveGroup, 2, { groupId: group, memberId: 'nobody' });
      const member = new ClassicMember(ask, group);
      member.memberId = 'nobody';
      return [old.errorCode, await member.leave(), await member.heartbeat()];
    },
    expected: [25, [0, 25], 25],
  },

  'offsets of a client without a group': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const group = freshId('g');
      await ask.groupCoordinator(group);
      await ask.groupCoordinator('');
      const seen: unknown[] = [await committed(ask, group, topic)];
      seen.push(await commit(ask, group, topic), await committed(ask, group, topic));
      seen.push(await commit(ask, group, topic, { offset: -5 }), await commit(ask, group, topic, { partition: 99 }));
      seen.push(await commit(ask, group, freshId('missing')));
      const topicId = 'Zm9yZWlnbi10b3BpYy1pZA';
      seen.push(await commit(ask, group, topic, { version: 10, topicId }));
      seen.push(await commit(ask, group, topic, { metadata: 'x'.repeat(4096) }));
      seen.push(await commit(ask, group, topic, { metadata: 'x'.repeat(4097) }));
      seen.push(await commit(ask, '', topic));
      seen.push(await commit(ask, group, topic, { memberId: 'nobody', epoch: 3, version: 8 }));
      return seen;
    },
    expected: [[0, 0, -1, -1, ''], 0, [0, 0, 5, 3, 'm'], 0, 3, 3, 100, 0, 12, 0, 25],
  },

  'offsets in every version': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const topicId = await ask.topicId(topic);
      const group = freshId('g');
      await ask.groupCoordinator(group);
      const codes: number[] = [];
      for (let version = 2; version <= 10; version++) {
        codes.push(await commit(ask, group, topic, { version, topicId, offset: version }));
      }
      const read: unknown[] = [];
      for (let version = 1; version <= 10; version++) {
        read.push(await committed(ask, group, topic, { version }));
      }
      return { codes, read, all: await committed(ask, group, topic, { all: true }) };
    },
    expected: {
      codes: Array.from({ length: 9 }, () => 0),
      read: Array.from({ length: 10 }, (_, i) => [0, 0, 10, i + 1 >= 5 ? 3 : -1, 'm']),
      all: [0, 0, 10, 3, 'm'],
    },
  },

  'offsets of a group with members': {
    ask: async (ask) => {
      const topic = await ask.topic();
      const member = await stable(ask);
      const { group, memberId, generationId: epoch } = member;
      return [
        await commit(ask, group, topic),
        await commit(ask, group, topic, { memberId, epoch: epoch + 1 }),
        await commit(ask, group, topic, { memberId: 'nobody', epoch }),
        await commit(ask, group, topic, { memberId, epoch }),
        await committed(ask, group, topic),
        await commit(ask, freshId('g'), topic, { memberId, epoch, version: 8 }),
        await commit(ask, freshId('g'), topic, { memberId, epoch, version: 9 }),
      ];
    },
    expected: [25, 22, 25, 0, [0, 0, 5, 3, 'm'], 22, 69],
  },
};
