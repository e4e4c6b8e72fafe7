// Owns administration calls about the places of replicas and about leaders. Network thread.
// Source: KIP-113, KIP-183, KIP-455, KIP-460, KIP-827

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type {
  DescribedLogDir,
  DescribedReplicaLogDir,
  OngoingReassignment,
  ReplicaKey,
  ReplicaPlace,
} from '../../../common/admin/operations.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../../common/admin/topics.ts';
import { errorCodes } from '../../../common/errors/generated/error-codes.ts';
import {
  AlterPartitionReassignments,
  AlterReplicaLogDirs,
  DescribeLogDirs,
  ElectLeaders,
  ListPartitionReassignments,
} from '../../../protocol/flat/generated/apis.ts';
import { broker, type Call } from '../call.ts';
import { type Answer, answerOf, askForItems, type Located } from '../items.ts';
import { atController, controller } from '../routes.ts';
import { askOnce } from '../whole.ts';
import { byTopic } from './partitions.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

/** Without partitions, elects leaders of all. The answer then has only the partitions that changed or failed. */
export async function electLeaders(
  call: Call,
  { isUnclean, partitions }: Args<'electLeaders'>,
): Promise<PlainResults<TopicPartitionKey, null>> {
  const ask = async (keys: readonly TopicPartitionKey[] | null) => {
    const listed = keys === null ? null : byTopic(keys, ({ partition }) => partition);
    const topicPartitions =
      listed?.map(({ name, partitions: indexes }) => ({ topic: name, partitions: indexes })) ?? null;
    const request = { electionType: isUnclean ? 1 : 0, topicPartitions, timeoutMs: call.brokerWaitMs };
    const response = await askOnce(call, 'controller', async () => {
      const versions = isUnclean ? { minVersion: 1 } : {};
      const { response: answer } = await call.send(await controller(call), ElectLeaders, request, versions);
      return { code: answer.errorCode, answer };
    });
    const found: (readonly [TopicPartitionKey, Answer<null>])[] = [];
    for (const { topic, partitionResult } of response.replicaElectionResults) {
      for (const { partitionId, errorCode, errorMessage } of partitionResult) {
        // The leader is already the wanted one, which is a success.
        const code = errorCode === errorCodes.ELECTION_NOT_NEEDED ? 0 : errorCode;
        const answer = answerOf({ errorCode: code, errorMessage }, () => null);
        found.push([{ topic, partition: partitionId }, answer]);
      }
    }
    return found;
  };
  if (partitions !== null) {
    return askForItems<TopicPartitionKey, null>(call, partitions, {
      target: 'controller',
      isChange: true,
      locate: (keys) => atController(call, keys),
      ask: async (_to, keys) => byKey(keys, await ask(keys)),
    });
  }
  const all = await ask(null);
  const keys = all.map(([key]) => key);
  let isFirst = true;
  return askForItems<TopicPartitionKey, null>(call, keys, {
    target: 'controller',
    isChange: true,
    locate: (pending) => atController(call, pending),
    ask: async (_to, pending) => {
      // The first round uses the answers that are there already.
      const answers = isFirst ? all : await ask(pending);
      isFirst = false;
      return byKey(pending, answers);
    },
  });
}

export async function alterPartitionReassignments(
  call: Call,
  { reassignments, allowReplicationFactorChange }: Args<'alterPartitionReassignments'>,
): Promise<PlainResults<TopicPartitionKey, null>> {
  type Key = (typeof reassignments)[number];
  const results = await askForItems<Key, null>(call, reassignments, {
    target: 'controller',
    isChange: true,
    locate: (keys) => atController(call, keys),
    ask: async (to, keys) => {
      const topics = byTopic(keys, ({ partition, replicas }) => ({ partitionIndex: partition, replicas }));
      const request = { timeoutMs: call.brokerWaitMs, allowReplicationFactorChange, topics };
      const versions = allowReplicationFactorChange ? {} : { minVersion: 1 };
      const { response } = await call.send(to, AlterPartitionReassignments, request, versions);
      const { errorCode, errorMessage } = response;
      if (errorCode !== 0) return new Map(keys.map((key) => [key, { errorCode, errorMessage }]));
      const found: (readonly [TopicPartitionKey, Answer<null>])[] = [];
      for (const { name, partitions } of response.responses) {
        for (const one of partitions) {
          found.push([{ topic: name, partition: one.partitionIndex }, answerOf(one, () => null)]);
        }
      }
      return byKey(keys, found);
    },
  });
  return results.map(([{ topic, partition }, outcome]) => [{ topic, partition }, outcome] as const);
}

export async function listPartitionReassignments(
  call: Call,
  { partitions }: Args<'listPartitionReassignments'>,
): Promise<readonly (readonly [TopicPartitionKey, OngoingReassignment])[]> {
  const listed = partitions === null ? null : byTopic(partitions, ({ partition }) => partition);
  const topics = listed?.map(({ name, partitions: partitionIndexes }) => ({ name, partitionIndexes })) ?? null;
  const response = await askOnce(call, 'controller', async () => {
    const request = { timeoutMs: call.brokerWaitMs, topics };
    const { response: answer } = await call.send(await controller(call), ListPartitionReassignments, request);
    return { code: answer.errorCode, message: answer.errorMessage, answer };
  });
  const ongoing: (readonly [TopicPartitionKey, OngoingReassignment])[] = [];
  for (const { name, partitions: moves } of response.topics) {
    for (const { partitionIndex, replicas, addingReplicas, removingReplicas } of moves) {
      const value = {
        replicas: replicas.toArray(),
        addingReplicas: addingReplicas.toArray(),
        removingReplicas: removingReplicas.toArray(),
      };
      ongoing.push([{ topic: name, partition: partitionIndex }, value]);
    }
  }
  return ongoing;
}

export function describeLogDirs(
  call: Call,
  { brokerIds }: Args<'describeLogDirs'>,
): Promise<PlainResults<number, readonly DescribedLogDir[]>> {
  return askForItems<number, readonly DescribedLogDir[]>(call, brokerIds, {
    target: 'any',
    isChange: false,
    locate: async (keys) => ({ groups: keys.map((key) => ({ to: broker(key), keys: [key] })) }),
    ask: async (to, [key]) => {
      const { response } = await call.send(to, DescribeLogDirs, { topics: null });
      if (response.errorCode !== 0) return new Map([[key!, { errorCode: response.errorCode }]]);
      const dirs: DescribedLogDir[] = [];
      for (const { errorCode, logDir, topics, totalBytes, usableBytes } of response.results) {
        if (errorCode !== 0) return new Map([[key!, { errorCode, errorMessage: `log directory ${logDir}` }]]);
        const replicas: DescribedLogDir['replicas'][number][] = [];
        for (const { name, partitions } of topics) {
          for (const { partitionIndex, partitionSize, offsetLag, isFutureKey } of partitions) {
            const about = { topic: name, partition: partitionIndex, sizeBytes: partitionSize };
            replicas.push({ ...about, offsetLag, isFuture: isFutureKey });
          }
        }
        dirs.push({ path: logDir, totalBytes, usableBytes, replicas });
      }
      return new Map([[key!, { value: dirs }]]);
    },
  });
}

/** Where replicas are, from the log directories of their brokers. */
export function describeReplicaLogDirs(
  call: Call,
  { replicas }: Args<'describeReplicaLogDirs'>,
): Promise<PlainResults<ReplicaKey, DescribedReplicaLogDir>> {
  return askForItems<ReplicaKey, DescribedReplicaLogDir>(call, replicas, {
    target: 'any',
    isChange: false,
    locate: async (keys) => atBrokers(keys),
    ask: async (to, keys) => {
      const topics = byTopic(keys, ({ partition }) => partition);
      const request = { topics: topics.map(({ name, partitions }) => ({ topic: name, partitions })) };
      const { response } = await call.send(to, DescribeLogDirs, request);
      const { errorCode } = response;
      if (errorCode !== 0) return new Map(keys.map((key) => [key, { errorCode }]));
      const found = new Map<string, { current: ReplicaPlace | null; future: ReplicaPlace | null }>();
      for (const { errorCode: dirError, logDir, topics: held } of response.results) {
        // A directory that is offline shows no replicas. Those of the others are right.
        if (dirError !== 0) continue;
        for (const { name, partitions } of held) {
          for (const { partitionIndex, offsetLag, isFutureKey } of partitions) {
            const places = found.get(`${name} ${partitionIndex}`) ?? { current: null, future: null };
            found.set(`${name} ${partitionIndex}`, places);
            places[isFutureKey ? 'future' : 'current'] = { path: logDir, offsetLag };
          }
        }
      }
      const none = { current: null, future: null };
      return new Map(keys.map((key) => [key, { value: found.get(`${key.topic} ${key.partition}`) ?? none }]));
    },
  });
}

/** Sends each replica to its broker. */
function atBrokers<K extends ReplicaKey>(keys: readonly K[]): Located<K, never> {
  return {
    groups: [...new Set(keys.map(({ brokerId }) => brokerId))].map((brokerId) => ({
      to: broker(brokerId),
      keys: keys.filter((key) => key.brokerId === brokerId),
    })),
  };
}

/** If the broker does not have the replica yet, it notes the log directory for later and answers REPLICA_NOT_AVAILABLE. */
export async function alterReplicaLogDirs(
  call: Call,
  { moves }: Args<'alterReplicaLogDirs'>,
): Promise<PlainResults<ReplicaKey, null>> {
  type Key = (typeof moves)[number];
  const results = await askForItems<Key, null>(call, moves, {
    target: 'any',
    isChange: true,
    locate: async (keys) => atBrokers(keys),
    ask: async (to, keys) => {
      const dirs = [...new Set(keys.map(({ path }) => path))].map((path) => ({
        path,
        topics: byTopic(
          keys.filter((key) => key.path === path),
          ({ partition }) => partition,
        ),
      }));
      const { response } = await call.send(to, AlterReplicaLogDirs, { dirs });
      const found: (readonly [TopicPartitionKey, Answer<null>])[] = [];
      for (const { topicName, partitions } of response.results) {
        for (const one of partitions) {
          found.push([{ topic: topicName, partition: one.partitionIndex }, answerOf(one, () => null)]);
        }
      }
      return byKey(keys, found);
    },
  });
  return results.map(([{ topic, partition, brokerId }, outcome]) => [{ topic, partition, brokerId }, outcome] as const);
}

/** The answers for these keys, from all answers of a broker. */
function byKey<K extends TopicPartitionKey, V>(
  keys: readonly K[],
  found: Iterable<readonly [TopicPartitionKey, Answer<V>]>,
): Map<K, Answer<V>> {
  const answers = new Map<string, Answer<V>>();
  for (const [{ topic, partition }, answer] of found) answers.set(`${topic} ${partition}`, answer);
  const wanted = new Map<K, Answer<V>>();
  for (const key of keys) {
    const answer = answers.get(`${key.topic} ${key.partition}`);
    if (answer !== undefined) wanted.set(key, answer);
  }
  return wanted;
}
