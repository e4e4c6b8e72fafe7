// AddPartitionsToTxn (key 24), versions 0 to 5, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: versions 0 to 3, those of clients: all partitions are added, or none (3 for what does not exist, then 55 for
// the others). 16 another node coordinates, 49 another producer id, 90 another epoch (47 before version 2), 51 the last
// transaction is being ended. Versions 4 and newer, those of brokers, name several transactions; `verifyOnly` adds
// nothing and says 120 for what is not in the transaction. `failure`: the code on every partition.

import {
  AddPartitionsToTxn,
  type AddPartitionsToTxnRequestView,
  type AddPartitionsToTxnResponse,
  type AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult,
} from '../../protocol/flat/generated/apis.ts';
import { coordinatorKinds } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import type { ProducerIdentity } from '../transactions/transaction.ts';
import { isCoordinator } from './coordinators.ts';

const fencedFrom = 2;
const severalFrom = 4;

interface Wanted {
  readonly transactionalId: string;
  readonly producer: ProducerIdentity;
  readonly verifyOnly: boolean;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[];
}

type CodeOf = (topic: string, partition: number) => number;

export const addPartitionsToTxn: ApiHandler<AddPartitionsToTxnRequestView, AddPartitionsToTxnResponse> = {
  api: AddPartitionsToTxn,

  handle(context, request) {
    return written(context, request, (wanted) => add(context, wanted));
  },

  failure(context, request, errorCode) {
    return written(context, request, () => () => errorCode);
  },
};

function written(
  { version }: RequestContext,
  request: AddPartitionsToTxnRequestView,
  addAll: (wanted: Wanted) => CodeOf,
): AddPartitionsToTxnResponse {
  const all = wantedTransactions(version, request).map((wanted) => {
    const codeOf = addAll(wanted);
    const topicResults = wanted.topics.map(
      ({ name, partitions }): AddPartitionsToTxnResponseAddPartitionsToTxnTopicResult => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({
          partitionIndex,
          partitionErrorCode: codeOf(name, partitionIndex),
        })),
      }),
    );
    return { transactionalId: wanted.transactionalId, topicResults };
  });
  if (version >= severalFrom) return { resultsByTransaction: all };
  return { resultsByTopicV3AndBelow: all[0]!.topicResults };
}

function wantedTransactions(version: number, request: AddPartitionsToTxnRequestView): Wanted[] {
  const topicsOf = (topics: Iterable<{ name: string; partitions: Iterable<number> }>): Wanted['topics'] =>
    [...topics].map(({ name, partitions }) => ({ name, partitions: [...partitions] }));
  if (version >= severalFrom) {
    return request.transactions.map(({ transactionalId, producerId, producerEpoch, verifyOnly, topics }) => ({
      transactionalId,
      producer: { producerId: producerId.toNumber(), producerEpoch },
      verifyOnly,
      topics: topicsOf(topics),
    }));
  }
  const producer = {
    producerId: request.v3AndBelowProducerId.toNumber(),
    producerEpoch: request.v3AndBelowProducerEpoch,
  };
  const topics = topicsOf(request.v3AndBelowTopics);
  return [{ transactionalId: request.v3AndBelowTransactionalId, producer, verifyOnly: false, topics }];
}

function add(context: RequestContext, { transactionalId, producer, verifyOnly, topics }: Wanted): CodeOf {
  const { cluster, version } = context;
  const { transactions } = cluster;
  if (!isCoordinator(context, coordinatorKinds.transaction, transactionalId)) return () => errorCodes.NOT_COORDINATOR;
  const isThere = (name: string, index: number): boolean => cluster.topic(name)?.partitions[index] !== undefined;
  if (topics.some(({ name, partitions }) => partitions.some((index) => !isThere(name, index)))) {
    return (name, index) =>
      isThere(name, index) ? errorCodes.OPERATION_NOT_ATTEMPTED : errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  }
  const errorCode = transactions.checkAdd(transactionalId, producer);
  if (errorCode === errorCodes.PRODUCER_FENCED && version < fencedFrom) return () => errorCodes.INVALID_PRODUCER_EPOCH;
  if (errorCode !== errorCodes.NONE) return () => errorCode;
  if (verifyOnly) {
    return (name, index) =>
      transactions.hasPartition(transactionalId, name, index) ? errorCodes.NONE : errorCodes.TRANSACTION_ABORTABLE;
  }
  for (const { name, partitions } of topics) {
    for (const index of partitions) transactions.addPartition(transactionalId, name, index, version >= severalFrom);
  }
  return () => errorCodes.NONE;
}
