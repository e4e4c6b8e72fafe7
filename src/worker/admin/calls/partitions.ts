// Owns administration calls to the leaders of partitions. Network thread. Source: KIP-79, KIP-107, KIP-734, KIP-1005, KIP-1023

import type Long from 'long';
import type { AdminCalls } from '../../../common/admin/calls.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { Int64Input, ListedOffset, OffsetSpec, TopicPartitionKey } from '../../../common/admin/topics.ts';
import { DeleteRecords, ListOffsets } from '../../../protocol/flat/generated/apis.ts';
import type { DeleteRecordsResponseDeleteRecordsPartitionResultView } from '../../../protocol/flat/generated/delete-records.ts';
import type { ListOffsetsResponseListOffsetsPartitionResponseView } from '../../../protocol/flat/generated/list-offsets.ts';
import type { Call } from '../call.ts';
import { type Answer, askForItems } from '../items.ts';
import { atLeaders } from '../routes.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

/** The timestamp that means this offset, and the first version that has it. */
const specs = {
  earliest: [-2, 1],
  latest: [-1, 1],
  maxTimestamp: [-3, 7],
  earliestLocal: [-4, 8],
  latestTiered: [-5, 9],
  earliestPendingUpload: [-6, 11],
} as const satisfies Record<Extract<OffsetSpec, string>, readonly [number, number]>;

export async function listOffsets(
  call: Call,
  { partitions, isReadCommitted }: Args<'listOffsets'>,
): Promise<PlainResults<TopicPartitionKey, ListedOffset>> {
  // Each kind has a request of its own, so that a broker that is too old for one kind still answers the others.
  const results = await Promise.all(
    groupsOf(partitions).map((keys) =>
      askForItems<OffsetKey, ListedOffset>(call, keys, {
        target: 'leader',
        isChange: false,
        locate: (pending) => atLeaders(call, pending, (key) => key),
        ask: async (to, group) => {
          const minVersion = minVersionOf(group[0]!.at);
          const topics = byTopic<OffsetKey, { partitionIndex: number; timestamp: Int64Input }>(
            group,
            ({ partition, at }) => ({
              partitionIndex: partition,
              timestamp: typeof at === 'string' ? specs[at][0] : at.timestampMs,
            }),
          );
          const isolationLevel = isReadCommitted ? 1 : 0;
          const request = { replicaId: -1, isolationLevel, topics, timeoutMs: call.brokerWaitMs };
          const { response } = await call.send(to, ListOffsets, request, { minVersion });
          return answersOf<OffsetKey, ListOffsetsResponseListOffsetsPartitionResponseView, ListedOffset>(
            group,
            response.topics,
            (answer) => ({
              value: {
                offset: noneIfNegative(answer.offset),
                timestampMs: noneIfNegative(answer.timestamp),
                leaderEpoch: answer.leaderEpoch,
              },
            }),
          );
        },
      }),
    ),
  );
  const byKey = new Map(results.flat());
  return partitions.map((key) => [{ topic: key.topic, partition: key.partition }, byKey.get(key)!] as const);
}

type OffsetKey = Args<'listOffsets'>['partitions'][number];

function minVersionOf(at: OffsetSpec): number {
  return typeof at === 'string' ? specs[at][1] : 1;
}

/** Groups the items that may share a request: those of one kind, with each partition at most once. */
function groupsOf(items: readonly OffsetKey[]): OffsetKey[][] {
  const groups = new Map<string, OffsetKey[]>();
  const seen = new Map<string, number>();
  for (const item of items) {
    const kind = typeof item.at === 'string' ? item.at : 'time';
    const place = `${kind} ${item.topic} ${item.partition}`;
    const occurrence = seen.get(place) ?? 0;
    seen.set(place, occurrence + 1);
    const group = groups.get(`${kind} ${occurrence}`);
    if (group === undefined) groups.set(`${kind} ${occurrence}`, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

function noneIfNegative(value: Long): Long | null {
  return value.isNegative() ? null : value;
}

type DeleteKey = Args<'deleteRecords'>['partitions'][number];

export async function deleteRecords(
  call: Call,
  { partitions }: Args<'deleteRecords'>,
): Promise<PlainResults<TopicPartitionKey, Long>> {
  const results = await askForItems<DeleteKey, Long>(call, partitions, {
    target: 'leader',
    isChange: true,
    locate: (pending) => atLeaders(call, pending, (key) => key),
    ask: async (to, group) => {
      const topics = byTopic(group, ({ partition, beforeOffset }) => ({
        partitionIndex: partition,
        offset: beforeOffset,
      }));
      const { response } = await call.send(to, DeleteRecords, { topics, timeoutMs: call.brokerWaitMs });
      return answersOf<DeleteKey, DeleteRecordsResponseDeleteRecordsPartitionResultView, Long>(
        group,
        response.topics,
        ({ lowWatermark }) => ({ value: lowWatermark }),
      );
    },
  });
  return results.map(([{ topic, partition }, outcome]) => [{ topic, partition }, outcome] as const);
}

/** Groups partitions by topic, as requests need them. */
export function byTopic<K extends TopicPartitionKey, P>(
  keys: readonly K[],
  partitionOf: (key: K) => P,
): { name: string; partitions: P[] }[] {
  const topics = new Map<string, P[]>();
  for (const key of keys) {
    const list = topics.get(key.topic);
    if (list === undefined) topics.set(key.topic, [partitionOf(key)]);
    else list.push(partitionOf(key));
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}

/** The answers by key, from a response that lists partitions by topic. */
export function answersOf<K extends TopicPartitionKey, P extends { partitionIndex: number; errorCode: number }, V>(
  keys: readonly K[],
  topics: Iterable<{ readonly name: string; readonly partitions: Iterable<P> }>,
  readValue: (partition: P) => Answer<V>,
): Map<K, Answer<V>> {
  const answers = new Map<string, Answer<V>>();
  for (const { name, partitions } of topics) {
    for (const partition of partitions) {
      const { partitionIndex, errorCode } = partition;
      answers.set(`${name} ${partitionIndex}`, errorCode === 0 ? readValue(partition) : { errorCode });
    }
  }
  const found = new Map<K, Answer<V>>();
  for (const key of keys) {
    const answer = answers.get(`${key.topic} ${key.partition}`);
    if (answer !== undefined) found.set(key, answer);
  }
  return found;
}
