// Produce (key 0), versions 0 to 13, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: each partition's batches are checked (bounds, checksum, size, codec; from version 3 on exactly one batch of
// format v2; no control batches; times more than an hour ahead; keys in compacted topics) and stored as they came, with
// offset and leader epoch written into them. Topics go by id from version 13 on. acks 0 is not answered, and an error then
// ends the connection, as in real brokers; other acks than -1, 0 and 1 get code 21. acks -1 wants `min.insync.replicas`
// living replicas, but no more than there are (code 19), and with more than one replica some time (code 7 with
// `timeoutMs` 0, though the batch is stored); else it is the same as acks 1, since replicas are names only.
// Producers: epochs and sequences are checked as brokers 4.x were measured; a repeat among the last five batches is
// answered as the first time, with the batch's time. Transactional batches need the transactional id (53) and to be in the
// transaction: up to version 10 else code 48, in 11 code 120; from 12 on they are put into it, once the last one's markers are
// written. `message.timestamp.type=LogAppendTime` and `max.message.bytes` of the topic are obeyed. Compressed messages of
// the formats v0 and v1 are refused with code 43. `failure`: the code on every partition.

import {
  Produce,
  type ProduceRequestPartitionProduceDataView,
  type ProduceRequestView,
  type ProduceResponse,
  type ProduceResponsePartitionProduceResponse,
} from '../../protocol/flat/generated/apis.ts';
import { type BatchBounds, checkBatches } from '../batches.ts';
import type { Partition, Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { checkRecords } from '../record-checks.ts';
import { findLedPartition, LeaderHints, type TopicKey } from './partitions.ts';

const topicIdsFrom = 13;
const abortableFrom = 11;
const addsPartitionsFrom = 12;
const leaderHintsFrom = 10;
const empty = Buffer.alloc(0);

export const produce: ApiHandler<ProduceRequestView, ProduceResponse> = {
  api: Produce,

  handle(context, request) {
    const { transactionalId } = request;
    const isAdding = context.version >= addsPartitionsFrom && transactionalId !== null;
    const completion = isAdding ? context.cluster.transactions.completion(transactionalId) : null;
    if (completion !== null) return completion.then(() => produce.handle(context, request));
    return appendAll(context, request);
  },

  failure(_context, request, errorCode) {
    return {
      responses: request.topicData.map((topic) => ({
        name: topic.name,
        topicId: topic.topicId,
        partitionResponses: topic.partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1 })),
      })),
    };
  },
};

function appendAll(context: RequestContext, request: ProduceRequestView): ProduceResponse | null | 'close' {
  const { acks } = request;
  if (acks < -1 || acks > 1) return produce.failure(context, request, errorCodes.INVALID_REQUIRED_ACKS);
  const hints = new LeaderHints(context, leaderHintsFrom, leaderHintsFrom);
  let hasFailed = false;
  let lacksTransactionalId = false;
  const responses = request.topicData.map((topic) => ({
    name: topic.name,
    topicId: topic.topicId,
    partitionResponses: topic.partitionData.map((data) => {
      const result = append(context, request, topic, data, hints);
      hasFailed ||= result.errorCode !== errorCodes.NONE;
      lacksTransactionalId ||= result.errorCode === errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
      return result;
    }),
  }));
  if (acks === 0) return hasFailed ? 'close' : null;
  if (lacksTransactionalId) return produce.failure(context, request, errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
  return { responses, nodeEndpoints: hints.endpoints };
}

type PartitionResult = ProduceResponsePartitionProduceResponse & { readonly errorCode: number };

function append(
  context: RequestContext,
  request: ProduceRequestView,
  key: TopicKey,
  data: ProduceRequestPartitionProduceDataView,
  hints: LeaderHints,
): PartitionResult {
  const { index } = data;
  const found = findLedPartition(context, key, context.version >= topicIdsFrom, index);
  if (!('topic' in found)) {
    const currentLeader = hints.of(found);
    return { index, errorCode: found.errorCode, baseOffset: -1, ...(currentLeader !== undefined && { currentLeader }) };
  }
  const { topic, partition } = found;
  const { log } = partition;
  const logStartOffset = log.startOffset;
  const refuse = (errorCode: number): PartitionResult => ({ index, errorCode, baseOffset: -1, logStartOffset });
  const bytes = data.records.raw ?? empty;
  const maxBatchBytes = Number(topic.configs.get('max.message.bytes') ?? context.cluster.defaults.messageMaxBytes);
  const checked = checkBatches(bytes, { maxBatchBytes, produceVersion: context.version });
  if (!('batches' in checked)) return refuse(checked.errorCode);
  const { batches } = checked;
  if (batches.some((batch) => batch.isControl)) return refuse(errorCodes.INVALID_RECORD);
  if (request.acks === -1 && lacksReplicas(context, topic, partition)) return refuse(errorCodes.NOT_ENOUGH_REPLICAS);
  for (const batch of batches) {
    if (batch.producerId < 0) continue;
    const errorCode = checkTransaction(context, request.transactionalId, topic, partition, batch);
    if (errorCode !== errorCodes.NONE) return refuse(errorCode);
    const check = log.producers.check(batch);
    if ('repeats' in check) {
      const { baseOffset, maxTimestamp } = check.repeats;
      return { index, errorCode: errorCodes.NONE, baseOffset, logAppendTimeMs: maxTimestamp, logStartOffset };
    }
    if (check.errorCode !== errorCodes.NONE) return refuse(check.errorCode);
  }
  const problem = checkRecords(topic, bytes, batches, Date.now());
  if (problem !== null) return { ...refuse(problem.errorCode), recordErrors: problem.recordErrors };
  const logAppendTimeMs = usesLogAppendTime(topic) ? Date.now() : -1;
  const baseOffset = log.append(bytes, batches, partition.leaderEpoch, logAppendTimeMs);
  const isLate = request.acks === -1 && request.timeoutMs <= 0 && partition.replicas.length > 1;
  const errorCode = isLate ? errorCodes.REQUEST_TIMED_OUT : errorCodes.NONE;
  return { index, errorCode, baseOffset, logAppendTimeMs, logStartOffset };
}

/** Whether a transactional batch may be appended, and puts its partition into the transaction where the version does so. */
function checkTransaction(
  { cluster, version }: RequestContext,
  transactionalId: string | null,
  topic: Topic,
  partition: Partition,
  batch: BatchBounds,
): number {
  if (!batch.isTransactional) return errorCodes.NONE;
  if (transactionalId === null) return errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  if (partition.log.producers.hasOpenTransaction(batch.producerId, batch.producerEpoch)) return errorCodes.NONE;
  const { transactions } = cluster;
  const errorCode = transactions.checkAdd(transactionalId, batch);
  if (errorCode === errorCodes.PRODUCER_FENCED) return errorCodes.INVALID_PRODUCER_EPOCH;
  if (errorCode !== errorCodes.NONE) return errorCode;
  if (version >= addsPartitionsFrom) {
    transactions.addPartition(transactionalId, topic.name, partition.index, true);
    return errorCodes.NONE;
  }
  if (transactions.hasPartition(transactionalId, topic.name, partition.index)) return errorCodes.NONE;
  return version >= abortableFrom ? errorCodes.TRANSACTION_ABORTABLE : errorCodes.INVALID_TXN_STATE;
}

function lacksReplicas({ cluster }: RequestContext, topic: Topic, { replicas }: Partition): boolean {
  const wanted = Number(topic.configs.get('min.insync.replicas') ?? 1);
  if (wanted <= 1) return false;
  return replicas.filter((id) => cluster.hasNode(id)).length < Math.min(wanted, replicas.length);
}

function usesLogAppendTime(topic: Topic): boolean {
  return topic.configs.get('message.timestamp.type') === 'LogAppendTime';
}
