// Owns administration calls about transactions, mainly about hanging ones. Network thread. Source: KIP-664, KIP-939, KIP-1152

import type { AdminCalls } from '../../../common/admin/calls.ts';
import type {
  ActiveProducer,
  DescribedTransaction,
  FencedProducer,
  ListedTransaction,
} from '../../../common/admin/operations.ts';
import type { PlainResults } from '../../../common/admin/outcome.ts';
import type { TopicPartitionKey } from '../../../common/admin/topics.ts';
import { type PlainError, toPlainError } from '../../../common/errors/plain-error.ts';
import {
  DescribeProducers,
  DescribeTransactions,
  InitProducerId,
  ListTransactions,
  WriteTxnMarkers,
} from '../../../protocol/flat/generated/apis.ts';
import { broker, type Call } from '../call.ts';
import { type Answer, answerOf, askForItems } from '../items.ts';
import { allBrokers, atCoordinators, atLeaders } from '../routes.ts';
import { askOnce } from '../whole.ts';
import { byTopic } from './partitions.ts';

type Args<Name extends keyof AdminCalls> = AdminCalls[Name]['args'];

const transactionalIdKey = 1;
const durationVersion = 1;
const patternVersion = 2;

export async function listTransactions(
  call: Call,
  args: Args<'listTransactions'>,
): Promise<{
  readonly transactions: readonly ListedTransaction[];
  readonly errors: readonly { readonly brokerId: number; readonly error: PlainError }[];
}> {
  const { states, producerIds, minDurationMs, transactionalIdPattern } = args;
  const request = {
    stateFilters: states,
    producerIdFilters: producerIds,
    durationFilter: minDurationMs ?? -1,
    transactionalIdPattern,
  };
  const hasDuration = minDurationMs !== null;
  const minVersion = transactionalIdPattern !== null ? patternVersion : hasDuration ? durationVersion : 0;
  const transactions: ListedTransaction[] = [];
  const errors: { brokerId: number; error: PlainError }[] = [];
  await Promise.all(
    (await allBrokers(call)).map(async (brokerId) => {
      try {
        const response = await askOnce(call, 'coordinator', async () => {
          const { response: answer } = await call.send(broker(brokerId), ListTransactions, request, { minVersion });
          return { code: answer.errorCode, answer };
        });
        for (const { transactionalId, producerId, transactionState } of response.transactionStates) {
          transactions.push({ transactionalId, producerId, state: transactionState });
        }
      } catch (error) {
        errors.push({ brokerId, error: toPlainError(error) });
      }
    }),
  );
  transactions.sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1));
  return { transactions, errors: errors.sort((a, b) => a.brokerId - b.brokerId) };
}

export function describeTransactions(
  call: Call,
  { transactionalIds }: Args<'describeTransactions'>,
): Promise<PlainResults<string, DescribedTransaction>> {
  return askForItems<string, DescribedTransaction>(call, transactionalIds, {
    target: 'coordinator',
    isChange: false,
    locate: (keys) => atCoordinators(call, keys, transactionalIdKey),
    ask: async (to, keys) => {
      const { response } = await call.send(to, DescribeTransactions, { transactionalIds: keys });
      return new Map(
        response.transactionStates.map((state) => {
          const readState = (): DescribedTransaction => {
            const startTimeMs = state.transactionStartTimeMs;
            const partitions = state.topics.map(({ topic, partitions: indexes }) =>
              indexes.map((partition) => ({ topic, partition })),
            );
            return {
              state: state.transactionState,
              timeoutMs: state.transactionTimeoutMs,
              startTimeMs: startTimeMs.isNegative() ? null : startTimeMs,
              producerId: state.producerId,
              producerEpoch: state.producerEpoch,
              partitions: partitions.flat(),
            };
          };
          return [state.transactionalId, answerOf(state, readState)];
        }),
      );
    },
  });
}

/** Sends InitProducerId, which aborts the open transaction of the id and fences its producer. The timeout is the shortest, because nobody will use the new id. */
export function fenceProducers(
  call: Call,
  { transactionalIds }: Args<'fenceProducers'>,
): Promise<PlainResults<string, FencedProducer>> {
  return askForItems<string, FencedProducer>(call, transactionalIds, {
    target: 'coordinator',
    isChange: true,
    locate: (keys) => atCoordinators(call, keys, transactionalIdKey),
    ask: async (to, keys) => {
      const answers = new Map<string, Answer<FencedProducer>>();
      for (const transactionalId of keys) {
        const { response } = await call.send(to, InitProducerId, { transactionalId, transactionTimeoutMs: 1 });
        const { producerId, producerEpoch } = response;
        answers.set(
          transactionalId,
          answerOf(response, () => ({ producerId, producerEpoch })),
        );
      }
      return answers;
    },
  });
}

export function describeProducers(
  call: Call,
  { partitions, brokerId }: Args<'describeProducers'>,
): Promise<PlainResults<TopicPartitionKey, readonly ActiveProducer[]>> {
  return askForItems<TopicPartitionKey, readonly ActiveProducer[]>(call, partitions, {
    // A replica that is no leader is not looked up again: its answer is final.
    target: brokerId === null ? 'leader' : 'any',
    isChange: false,
    locate: async (keys) =>
      brokerId === null ? atLeaders(call, keys, (key) => key) : { groups: [{ to: broker(brokerId), keys }] },
    ask: async (to, keys) => {
      const topics = byTopic(keys, ({ partition }) => partition).map(({ name, partitions: partitionIndexes }) => ({
        name,
        partitionIndexes,
      }));
      const { response } = await call.send(to, DescribeProducers, { topics });
      const byName = new Map(keys.map((key) => [`${key.topic} ${key.partition}`, key]));
      const answers = new Map<TopicPartitionKey, Answer<readonly ActiveProducer[]>>();
      for (const { name, partitions: answered } of response.topics) {
        for (const partition of answered) {
          const key = byName.get(`${name} ${partition.partitionIndex}`);
          const readProducers = (): ActiveProducer[] =>
            partition.activeProducers.map((producer) => ({
              producerId: producer.producerId,
              producerEpoch: producer.producerEpoch,
              lastSequence: producer.lastSequence,
              lastTimestampMs: producer.lastTimestamp,
              coordinatorEpoch: producer.coordinatorEpoch,
              transactionStartOffset: producer.currentTxnStartOffset.isNegative()
                ? null
                : producer.currentTxnStartOffset,
            }));
          if (key !== undefined) answers.set(key, answerOf(partition, readProducers));
        }
      }
      return answers;
    },
  });
}

/** Writes the abort marker of a transaction that its coordinator does not know any more, for one partition. */
export async function abortTransaction(
  call: Call,
  { transaction }: Args<'abortTransaction'>,
): Promise<PlainResults<TopicPartitionKey, null>> {
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction;
  const key: TopicPartitionKey = { topic, partition };
  return askForItems<TopicPartitionKey, null>(call, [key], {
    target: 'leader',
    isChange: true,
    locate: (keys) => atLeaders(call, keys, (one) => one),
    ask: async (to, keys) => {
      const topics = [{ name: topic, partitionIndexes: [partition] }];
      const marker = { producerId, producerEpoch, transactionResult: false, topics, coordinatorEpoch };
      const { response } = await call.send(to, WriteTxnMarkers, { markers: [marker] });
      for (const { topics: answered } of response.markers)
        for (const { partitions } of answered)
          for (const one of partitions) return new Map([[keys[0]!, answerOf(one, () => null)]]);
      return new Map();
    },
  });
}
