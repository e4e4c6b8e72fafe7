// Owns the answers of brokers to members of KIP-848 groups, as measured on Kafka 4.3.0. Facts only.

import { ConsumerGroupDescribe, TxnOffsetCommit } from '../../../src/protocol/flat/generated/apis.ts';
import { waitFor } from '../wait-for.ts';
import { type Asker, type BrokerFacts, freshId } from './asker.ts';
import { type HeartbeatChanges, newGroup } from './consumer-member.ts';
import { commit, committed } from './group-facts.ts';

/** A had both partitions, B has joined, and A has given up the revoked partition. */
async function shared(ask: Asker) {
  const member = await newGroup(ask, 2);
  const [a, b] = [member(), member()];
  const first = await a.send();
  const joined = await b.send();
  const told = await a.assigned(1);
  const before = a.epoch;
  const given = await a.send({ owned: told });
  const received = await b.assigned(1);
  return { a, b, first, joined, told, before, given, received };
}

export const consumerGroupFacts: BrokerFacts = {
  'the first member gets its partition at once': {
    ask: async (ask) => {
      const member = await newGroup(ask);
      const a = member();
      return [await a.send(), await a.send(), await a.send({ owned: [0] }), await a.send({ epoch: -1 })];
    },
    expected: [
      { code: 0, epoch: 2, partitions: [0] },
      { code: 0, epoch: 2, partitions: null },
      { code: 0, epoch: 2, partitions: null },
      { code: 0, epoch: -1, partitions: null },
    ],
  },

  'refused joins': {
    ask: async (ask) => {
      const member = await newGroup(ask);
      const a = member();
      const codes: number[] = [];
      const changes: HeartbeatChanges[] = [
        { memberId: '' },
        { groupId: '' },
        { owned: null },
        { owned: [0] },
        { names: null },
        { rebalanceTimeoutMs: -1 },
        { instanceId: '' },
        { serverAssignor: 'nobody' },
        { regex: '(' },
        { epoch: -3 },
        { epoch: -2 },
        { epoch: 5 },
      ];
      for (const change of changes) codes.push((await a.send(change)).code);
      return codes;
    },
    expected: [42, 42, 42, 42, 42, 42, 42, 112, 128, 42, 42, 69],
  },

  'empty subscriptions': {
    ask: async (ask) => {
      const member = await newGroup(ask);
      return [await member().send({ names: [] })];
    },
    expected: [{ code: 0, epoch: 1, partitions: [] }],
  },

  'assignments are a second apart': {
    // Only answers within that second show it. A slower machine shows nothing.
    ask: (ask) =>
      waitFor('the answers within a second', async () => {
        const member = await newGroup(ask, 2);
        const [a, b] = [member(), member()];
        const began = performance.now();
        const seen: unknown[] = [await a.send({ names: [] }), await b.send({ names: [] })];
        const [c, d] = [member(), member()];
        seen.push(await a.send({ names: [a.topic] }));
        // A member that joins at once gets the epoch of the last assignment and no partitions.
        seen.push(await c.send(), await d.send());
        const groupIds = [a.group];
        const answer = await ask.send(ConsumerGroupDescribe, 1, { groupIds, includeAuthorizedOperations: false });
        const { groupState, groupEpoch, assignmentEpoch } = answer.groups.at(0);
        seen.push([groupState, groupEpoch, assignmentEpoch]);
        return performance.now() - began < 900 ? seen : null;
      }),
    expected: [
      { code: 0, epoch: 1, partitions: [] },
      { code: 0, epoch: 1, partitions: [] },
      { code: 0, epoch: 2, partitions: [0, 1] },
      { code: 0, epoch: 2, partitions: [] },
      { code: 0, epoch: 2, partitions: [] },
      ['Assigning', 4, 2],
    ],
  },

  'version 0 makes member ids': {
    ask: async (ask) => {
      const member = await newGroup(ask);
      const { code, partitions } = await member().send({ memberId: '', version: 0 });
      return [code, partitions];
    },
    expected: [0, [0]],
  },

  'wrong epochs': {
    ask: async (ask) => {
      const member = await newGroup(ask);
      const a = member();
      await a.send();
      return [
        (await a.send({ epoch: a.epoch + 1 })).code,
        (await a.send({ epoch: a.epoch + 1, memberId: 'nobody' })).code,
        (await a.send({ epoch: -1, memberId: 'nobody' })).code,
      ];
    },
    expected: [110, 25, 25],
  },

  'a second member gets the partitions that the first gives up': {
    ask: async (ask) => {
      const { a, b, first, joined, told, before, given, received } = await shared(ask);
      return {
        first: first.partitions,
        joined: joined.partitions,
        told: told.length,
        stays: before === first.epoch,
        moves: given.epoch > first.epoch && given.epoch === b.epoch,
        dealt: [...told, ...received].sort(),
        previous: [
          (await a.send({ epoch: before, owned: told })).code,
          (await a.send({ epoch: before, owned: [] })).code,
          (await a.send({ epoch: before, owned: null })).code,
          (await a.send({ epoch: before, owned: received })).code,
        ],
      };
    },
    expected: {
      first: [0, 1],
      joined: [],
      told: 1,
      stays: true,
      moves: true,
      dealt: [0, 1],
      previous: [0, 0, 110, 110],
    },
  },

  'commits and epochs': {
    ask: async (ask) => {
      const { a, told, before, received } = await shared(ask);
      const { group, topic, memberId } = a;
      const as = (epoch: number, partition: number, version = 9) =>
        commit(ask, group, topic, { memberId, epoch, partition, version });
      return {
        kept: await as(before, told[0]!),
        lost: await as(before, received[0]!),
        lostNow: await as(a.epoch, received[0]!),
        newer: await as(a.epoch + 1, told[0]!),
        old: await as(a.epoch, told[0]!, 8),
        nobody: await commit(ask, group, topic),
        unknown: await commit(ask, group, topic, { memberId: 'nobody', epoch: 1 }),
        fetched: (await committed(ask, group, topic, { memberId, epoch: a.epoch }))[0],
        fetchedBefore: (await committed(ask, group, topic, { memberId, epoch: before }))[0],
        fetchedByNobody: (await committed(ask, group, topic))[0],
      };
    },
    expected: {
      kept: 0,
      lost: 113,
      lostNow: 0,
      newer: 113,
      old: 35,
      nobody: 25,
      unknown: 25,
      fetched: 0,
      fetchedBefore: 113,
      fetchedByNobody: 0,
    },
  },

  'offsets of a transaction and epochs': {
    ask: async (ask) => {
      const { a, told, before } = await shared(ask);
      const transactionalId = freshId('t');
      const producer = await ask.producer(transactionalId);
      const as = async (memberId: string, generationIdOrMemberEpoch: number) => {
        const partitions = [{ partitionIndex: told[0]!, committedOffset: 3, committedMetadata: '' }];
        const request = { transactionalId, groupId: a.group, ...producer, memberId, generationIdOrMemberEpoch };
        const answer = await ask.send(TxnOffsetCommit, 5, { ...request, topics: [{ name: a.topic, partitions }] });
        return answer.topics.at(0).partitions.at(0).errorCode;
      };
      return [
        await as(a.memberId, a.epoch),
        await as(a.memberId, before),
        await as(a.memberId, a.epoch + 1),
        await as('nobody', a.epoch),
        await as('', -1),
      ];
    },
    expected: [0, 0, 22, 25, 0],
  },

  'offsets of a transaction by topic id': {
    since: '4.4.0',
    ask: async (ask) => {
      const { a, told, before, received } = await shared(ask);
      const transactionalId = freshId('t');
      const producer = await ask.producer(transactionalId);
      const as = async (changes: object, partition = told[0]!, topicId = a.topicId) => {
        const partitions = [{ partitionIndex: partition, committedOffset: 3, committedMetadata: '' }];
        const member = { groupId: a.group, memberId: a.memberId, generationIdOrMemberEpoch: a.epoch, ...changes };
        const request = { transactionalId, ...producer, ...member, topics: [{ topicId, partitions }] };
        const answer = (await ask.send(TxnOffsetCommit, 6, request)).topics.at(0);
        return [answer.topicId === topicId, answer.partitions.at(0).errorCode];
      };
      const group = freshId('g');
      await ask.groupCoordinator(group);
      return {
        good: await as({}),
        before: await as({ generationIdOrMemberEpoch: before }),
        lost: await as({ generationIdOrMemberEpoch: before }, received[0]!),
        newer: await as({ generationIdOrMemberEpoch: a.epoch + 1 }),
        member: await as({ memberId: 'nobody' }),
        group: await as({ groupId: group }),
        topic: await as({}, 0, 'Zm9yZWlnbi10b3BpYy1pZA'),
      };
    },
    expected: {
      good: [true, 0],
      before: [true, 0],
      lost: [true, 113],
      newer: [true, 113],
      member: [true, 25],
      group: [true, 69],
      topic: [true, 100],
    },
  },

  'a static member hands over its place': {
    ask: async (ask) => {
      const member = await newGroup(ask);
      const [a, b] = [member('i'), member('i')];
      const first = await a.send();
      const refused = await b.send();
      const left = await a.send({ epoch: -2 });
      const joined = await b.send();
      const old = await a.send({ epoch: first.epoch });
      return [first, refused.code, left.epoch, joined, old.code];
    },
    expected: [{ code: 0, epoch: 2, partitions: [0] }, 111, -2, { code: 0, epoch: 2, partitions: [0] }, 82],
  },

  'regular expressions': {
    ask: async (ask) => {
      const member = await newGroup(ask, 2);
      const a = member();
      const regex = `${a.topic.slice(0, -3)}.*`;
      await a.send({ names: [], regex });
      await waitFor('the topics', async () => {
        const { partitions } = await a.send({ rebalanceTimeoutMs: 12_000, names: [], regex, owned: [] });
        return partitions?.length === 2;
      });
      return 'matched';
    },
    expected: 'matched',
  },

  'range assigns consecutive partitions by member id': {
    ask: async (ask) => {
      const member = await newGroup(ask, 5);
      const [a, b] = [member(), member()].sort((x, y) => (x.memberId < y.memberId ? -1 : 1));
      await a!.send({ serverAssignor: 'range' });
      await b!.send({ serverAssignor: 'range' });
      const told = await a!.assigned(3);
      await a!.send({ owned: told });
      return [told, await b!.assigned(2)];
    },
    expected: [
      [0, 1, 2],
      [3, 4],
    ],
  },

  'a described group': {
    ask: async (ask) => {
      const member = await newGroup(ask);
      const a = member();
      await a.send();
      const groupIds = [a.group, freshId('missing')];
      const answer = await ask.send(ConsumerGroupDescribe, 1, { groupIds, includeAuthorizedOperations: false });
      const known = answer.groups.find(({ groupId }) => groupId === a.group);
      const missing = answer.groups.find(({ groupId }) => groupId !== a.group);
      const only = known!.members.at(0);
      return {
        known: [known!.errorCode, known!.groupState, known!.groupEpoch, known!.assignmentEpoch, known!.assignorName],
        member: [only.memberId === a.memberId, only.memberEpoch, only.memberType, only.subscribedTopicNames.length],
        assigned: only.assignment.topicPartitions.map((t) => [t.topicName === a.topic, [...t.partitions]]),
        target: only.targetAssignment.topicPartitions.map((t) => [t.topicId === a.topicId, [...t.partitions]]),
        missing: missing!.errorCode,
      };
    },
    expected: {
      known: [0, 'Stable', 2, 2, 'uniform'],
      member: [true, 2, 1, 1],
      assigned: [[true, [0]]],
      target: [[true, [0]]],
      missing: 69,
    },
  },
};
