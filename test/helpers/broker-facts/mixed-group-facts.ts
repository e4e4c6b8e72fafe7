// Owns the answers of brokers to groups with members of both protocols, as measured on Kafka 4.3.0. Facts only.

import { JoinGroup, SyncGroup } from '../../../src/protocol/flat/generated/apis.ts';
import { readAssignment, writeSubscription } from '../../../src/testing/groups/consumer-protocol.ts';
import { waitFor } from '../wait-for.ts';
import { type Asker, type BrokerFacts, freshId } from './asker.ts';
import { ConsumerMember, newGroup } from './consumer-member.ts';
import { ClassicMember } from './group-facts.ts';

/** Joins with the partitions that it says it owns. Returns the partitions that it gets. */
async function rejoin(member: ClassicMember, topic: string, partitions: readonly number[]) {
  const ownedPartitions = partitions.length === 0 ? [] : [{ topic, partitions }];
  member.metadata = writeSubscription({ topics: [topic], ownedPartitions });
  const joined = await member.join();
  const synced = await member.ask.send(SyncGroup, 5, {
    groupId: member.group,
    generationId: member.generationId,
    memberId: member.memberId,
    protocolType: 'consumer',
    protocolName: member.protocols[0]!,
    assignments: [],
  });
  const assigned = synced.errorCode === 0 ? (readAssignment(synced.assignment) ?? null) : null;
  return {
    joined: [joined.errorCode, joined.protocolName, joined.leader === member.memberId, joined.members.length],
    code: synced.errorCode,
    partitions: assigned?.flatMap((each) => each.partitions) ?? null,
  };
}

async function toldToJoin(member: ClassicMember): Promise<void> {
  await waitFor('the classic member to be told to join', async () => {
    const code = await member.heartbeat();
    if (code !== 0 && code !== 27) throw new Error(`heartbeat answers ${code}`);
    return code === 27;
  });
}

async function mixed(ask: Asker) {
  const member = await newGroup(ask, 2);
  const a = member();
  await a.send();
  const c = new ClassicMember(ask, a.group);
  c.metadata = writeSubscription({ topics: [a.topic] });
  return { a, c };
}

export const mixedGroupFacts: BrokerFacts = {
  'a classic consumer may join a KIP-848 group, and a member of another type may not': {
    ask: async (ask) => {
      const { c } = await mixed(ask);
      const first = await ask.send(JoinGroup, 9, c.request());
      const other = new ClassicMember(ask, c.group);
      const connect = await other.join(9, { protocolType: 'connect' });
      const second = await c.join();
      return {
        first: first.errorCode,
        connect: connect.errorCode,
        second: [second.errorCode, second.protocolName, second.leader === c.memberId, second.members.length],
        nobody: (await new ClassicMember(ask, c.group).sync())[0],
      };
    },
    expected: { first: 79, connect: 23, second: [0, 'range', false, 0], nobody: 25 },
  },

  'the coordinator gives a classic member the partitions that the other gives up': {
    ask: async (ask) => {
      const { a, c } = await mixed(ask);
      const first = await rejoin(c, a.topic, []);
      const told = await a.assigned(1);
      const beat = await c.heartbeat();
      await a.send({ owned: told });
      await toldToJoin(c);
      const second = await rejoin(c, a.topic, []);
      const dealt = [...told, ...(second.partitions ?? [])].sort();
      return { first, beat, second: [second.code, second.partitions?.length], dealt, after: await c.heartbeat() };
    },
    expected: {
      first: { joined: [0, 'range', false, 0], code: 0, partitions: [] },
      beat: 27,
      second: [0, 1],
      dealt: [0, 1],
      after: 0,
    },
  },

  'the group becomes classic again when the last KIP-848 member has left': {
    ask: async (ask) => {
      const { a, c } = await mixed(ask);
      await rejoin(c, a.topic, []);
      await a.send({ epoch: -1 });
      const beat = await c.heartbeat();
      const again = await c.join();
      const isLeader = again.leader === c.memberId;
      return [beat, again.errorCode, isLeader, again.members.length, (await c.sync({ [c.memberId]: 'mine' }))[1]];
    },
    expected: [22, 0, true, 1, 'mine'],
  },

  'a KIP-848 member converts a classic group': {
    ask: async (ask) => {
      const topic = await ask.topic({}, 2);
      const topicId = await ask.topicId(topic);
      const group = freshId('g');
      await ask.groupCoordinator(group);
      const c = new ClassicMember(ask, group);
      c.metadata = writeSubscription({ topics: [topic] });
      await c.join();
      await c.sync({});
      const a = new ConsumerMember(ask, group, topic, topicId);
      const joined = await a.send();
      await toldToJoin(c);
      const second = await rejoin(c, topic, []);
      return [joined.code, (joined.partitions?.length ?? 0) > 0, second.code, second.joined];
    },
    expected: [0, true, 0, [0, 'range', false, 0]],
  },
};
