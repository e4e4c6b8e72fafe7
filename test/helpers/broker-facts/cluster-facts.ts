// Owns the answers of a cluster of three brokers with ids 1 to 3, racks r1 to r3 and the rack-aware selector, as measured on Kafka
// 4.3.0. Facts only.

import {
  CreateTopics,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  OffsetFetch,
} from '../../../src/protocol/flat/generated/apis.ts';
import { waitFor } from '../wait-for.ts';
import { type Asker, freshId } from './asker.ts';

/** The brokers by id. */
export type ClusterAskers = ReadonlyMap<number, Asker>;

export interface ClusterFact {
  readonly ask: (askers: ClusterAskers) => Promise<unknown>;
  readonly expected: unknown;
}

/** On all brokers, led by 1. */
async function replicated(askers: ClusterAskers, configs: Readonly<Record<string, string>> = {}): Promise<string> {
  const ask = askers.get(1)!;
  const name = freshId('fact');
  const configList = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const assignments = [{ partitionIndex: 0, brokerIds: [1, 2, 3] }];
  const topic = { name, numPartitions: -1, replicationFactor: -1, assignments, configs: configList };
  const created = (await ask.send(CreateTopics, 7, { topics: [topic], timeoutMs: 10_000 })).topics.at(0);
  if (created.errorCode !== 0) throw new Error(`CreateTopics answers ${created.errorCode}`);
  for (const each of askers.values()) {
    await waitFor(`${name} to be served`, async () => (await each.fetchOne(name)).errorCode === 0);
  }
  return name;
}

/** [coordinator, another broker]. */
async function coordinators(askers: ClusterAskers, keyType: number, key: string): Promise<[Asker, Asker]> {
  const nodeId = await waitFor(`a coordinator of ${key}`, async () => {
    const found = await askers.get(1)!.send(FindCoordinator, 4, { keyType, coordinatorKeys: [key] });
    return found.coordinators.at(0).errorCode === 0 ? found.coordinators.at(0).nodeId : null;
  });
  return [askers.get(nodeId)!, askers.get((nodeId % 3) + 1)!];
}

export const clusterFacts: Readonly<Record<string, ClusterFact>> = {
  'a leader names the replica in the rack of the client, and that replica serves': {
    ask: async (askers) => {
      const topic = await replicated(askers);
      const [leader, follower] = [askers.get(1)!, askers.get(2)!];
      await leader.produce(topic, [{ value: 'v' }]);
      const look = async (ask: Asker, rackId: string, offset = 0, version = 12) => {
        const options = { rackId, offset, version, maxWaitMs: 2000 };
        const { errorCode, preferredReadReplica, records } = await ask.fetchOne(topic, options);
        return [errorCode, preferredReadReplica, records.length];
      };
      await waitFor('the follower to show the record', async () => (await look(follower, 'r2'))[2] === 1);
      return {
        other: await look(leader, 'r2'),
        atEnd: await look(leader, 'r3', 1),
        beyond: await look(leader, 'r2', 2),
        own: await look(leader, 'r1'),
        follower: await look(follower, 'r2'),
        foreignFollower: await look(follower, 'r3'),
        oldFollower: await look(follower, '', 0, 10),
      };
    },
    expected: {
      other: [0, 2, 0],
      atEnd: [0, 3, 0],
      beyond: [1, -1, 0],
      own: [0, -1, 1],
      follower: [0, -1, 1],
      foreignFollower: [0, -1, 1],
      oldFollower: [6, -1, 0],
    },
  },

  'acks -1 takes some time': {
    ask: async (askers) => {
      const topic = await replicated(askers, { 'min.insync.replicas': '2' });
      const ask = askers.get(1)!;
      const late = await ask.produce(topic, [{ value: 'v' }], { timeoutMs: 0 });
      const next = await ask.produce(topic, [{ value: 'v' }]);
      return [late.errorCode, late.baseOffset, next.errorCode, next.baseOffset];
    },
    expected: [7, 0, 0, 1],
  },

  'a follower accepts no records and lists no offsets': {
    ask: async (askers) => {
      const topic = await replicated(askers);
      const ask = askers.get(3)!;
      return [(await ask.produce(topic, [{ value: 'v' }])).errorCode, (await ask.listOffsets(topic, -1))[0]];
    },
    expected: [6, 6],
  },

  'a broker that is not the coordinator': {
    ask: async (askers) => {
      const [group, transactionalId] = [freshId('g'), freshId('t')];
      const [right, wrong] = await coordinators(askers, 0, group);
      await right.groupCoordinator(group);
      const beat = { groupId: group, generationId: 1, memberId: 'm' };
      const groups = [{ groupId: group, topics: [] }];
      const [, other] = await coordinators(askers, 1, transactionalId);
      return {
        heartbeat: [(await right.send(Heartbeat, 4, beat)).errorCode, (await wrong.send(Heartbeat, 4, beat)).errorCode],
        offsets: (await wrong.send(OffsetFetch, 8, { groups })).groups.at(0).errorCode,
        init: (await other.send(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 1000 })).errorCode,
      };
    },
    expected: { heartbeat: [25, 16], offsets: 16, init: 16 },
  },
};
