// Owns the requests of a transaction and the error codes of their answers. Network thread. Must not decide when a request is sent, and
// must not decide what a code means.

import Long from 'long';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import type {
  AddPartitionsToTxnRequest,
  AddPartitionsToTxnResponseView,
} from '../../protocol/flat/generated/add-partitions-to-txn.ts';
import { TxnOffsetCommit } from '../../protocol/flat/generated/apis.ts';
import type {
  TxnOffsetCommitRequest,
  TxnOffsetCommitResponseView,
} from '../../protocol/flat/generated/txn-offset-commit.ts';
import { GROUP } from './coordinators.ts';
import type { PartitionState } from './partition-state.ts';
import type { ProducerNumbers } from './producer-numbers.ts';
import type { CoordinatorCall } from './transaction-calls.ts';

/** The highest versions of the old protocol. In newer ones, brokers add partitions by themselves. */
export const maxOldVersion = { produce: 11, addPartitions: 3, offsetCommit: 4, endTxn: 4 };
/** The lowest versions of the new protocol. */
export const minNewVersion = { produce: 12, offsetCommit: 5, endTxn: 5 };
const maxOffsetsByName = 5;

/** The error code of one partition. */
export interface PartitionCode {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
}

/** The fields that identify the producer in each request. */
export function identity(
  transactionalId: string,
  { producerIdLow, producerIdHigh, producerEpoch }: ProducerNumbers,
): { readonly transactionalId: string; readonly producerId: Long; readonly producerEpoch: number } {
  return { transactionalId, producerId: new Long(producerIdLow, producerIdHigh), producerEpoch };
}

/** For versions up to 3. */
export function addPartitionsRequest(
  { transactionalId, producerId, producerEpoch }: ReturnType<typeof identity>,
  partitions: Iterable<PartitionState>,
): AddPartitionsToTxnRequest {
  const byTopic = new Map<string, number[]>();
  for (const { topic, index } of partitions) {
    const known = byTopic.get(topic.name);
    if (known === undefined) byTopic.set(topic.name, [index]);
    else known.push(index);
  }
  return {
    v3AndBelowTransactionalId: transactionalId,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [...byTopic].map(([name, indexes]) => ({ name, partitions: indexes })),
  };
}

export function addPartitionsCodes(response: AddPartitionsToTxnResponseView): PartitionCode[] {
  return [...response.resultsByTopicV3AndBelow].flatMap(({ name, resultsByPartition }) =>
    [...resultsByPartition].map(({ partitionIndex, partitionErrorCode }) => ({
      topic: name,
      partition: partitionIndex,
      errorCode: partitionErrorCode,
    })),
  );
}

/** @param topicId returns the id of a topic by its name; null if it is unknown, and version 6 must then not be used */
function offsetCommitRequest(
  who: ReturnType<typeof identity>,
  { group, offsets }: TransactionOffsets,
  topicId: (name: string) => string | null,
): TxnOffsetCommitRequest {
  const names = [...new Set(offsets.map(({ topic }) => topic))];
  return {
    ...who,
    groupId: group.groupId,
    generationIdOrMemberEpoch: group.generationIdOrMemberEpoch ?? -1,
    memberId: group.memberId ?? '',
    groupInstanceId: group.groupInstanceId ?? null,
    topics: names.map((name) => {
      const id = topicId(name);
      return {
        name,
        ...(id !== null && { topicId: id }),
        partitions: offsets
          .filter(({ topic }) => topic === name)
          .map(({ partition, offset, leaderEpoch, metadata }) => ({
            partitionIndex: partition,
            committedOffset: Long.fromString(offset),
            committedLeaderEpoch: leaderEpoch ?? -1,
            committedMetadata: metadata ?? '',
          })),
      };
    }),
  };
}

/** The call that commits offsets at the group's coordinator, without its callbacks. */
export function offsetCommitCall(
  who: ReturnType<typeof identity>,
  pending: TransactionOffsets,
  isNew: boolean,
  topicId: (name: string) => string | null,
): Omit<CoordinatorCall<TxnOffsetCommitRequest, TxnOffsetCommitResponseView>, 'onDone' | 'onRefused' | 'canBump'> {
  const hasIds = pending.offsets.every(({ topic }) => topicId(topic) !== null);
  const names = new Map(pending.offsets.map(({ topic }) => [topicId(topic), topic]));
  const nameOf = (id: string): string => names.get(id) ?? '';
  const newest = hasIds ? TxnOffsetCommit.maxVersion : maxOffsetsByName;
  return {
    call: 'TxnOffsetCommit',
    coordinator: { type: GROUP, key: pending.group.groupId },
    api: TxnOffsetCommit,
    request: offsetCommitRequest(who, pending, topicId),
    minVersion: isNew ? minNewVersion.offsetCommit : 0,
    maxVersion: isNew ? newest : maxOldVersion.offsetCommit,
    codes: (response) => offsetCommitCodes(response, nameOf),
    asked: pending.offsets.map(({ topic, partition }) => ({ topic, partition })),
  };
}

/** @param nameOf returns the name of a topic by its id: new versions have only that */
function offsetCommitCodes(response: TxnOffsetCommitResponseView, nameOf: (id: string) => string): PartitionCode[] {
  return [...response.topics].flatMap(({ name, topicId, partitions }) => {
    const topic = name === '' ? nameOf(topicId) : name;
    return [...partitions].map(({ partitionIndex, errorCode }) => ({ topic, partition: partitionIndex, errorCode }));
  });
}
