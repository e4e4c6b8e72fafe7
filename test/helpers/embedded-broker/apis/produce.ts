// Produce (key 0), versions 0 to 13, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: each partition's batches are checked (bounds, checksum, size, codec; from version 3 on exactly one batch of
// format v2) and stored as they came, with offset and leader epoch written into them. Topics go by id from version 13 on.
// acks 1 and -1 are the same, since replicas are names only; acks 0 is not answered, and an error then ends the
// connection, as in real brokers; other acks get code 21. `message.timestamp.type=LogAppendTime` and `max.message.bytes`
// of the topic are obeyed. Not checked: producer ids, epochs, sequences and transactions. Compressed messages of the
// formats v0 and v1 are refused with code 43. `failure`: the code on every partition.

import {
  Produce,
  type ProduceRequestPartitionProduceDataView,
  type ProduceRequestView,
  type ProduceResponse,
  type ProduceResponsePartitionProduceResponse,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { checkBatches } from '../batches.ts';
import type { Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import { findLedPartition, LeaderHints, type TopicKey } from './partitions.ts';

const topicIdsFrom = 13;
const leaderHintsFrom = 10;
const empty = Buffer.alloc(0);

export const produce: ApiHandler<ProduceRequestView, ProduceResponse> = {
  api: Produce,

  handle(context, request) {
    const { acks } = request;
    if (acks < -1 || acks > 1) return produce.failure(context, request, errorCodes.INVALID_REQUIRED_ACKS);
    const hints = new LeaderHints(context, leaderHintsFrom, leaderHintsFrom);
    let hasFailed = false;
    const responses = request.topicData.map((topic) => ({
      name: topic.name,
      topicId: topic.topicId,
      partitionResponses: topic.partitionData.map((data) => {
        const result = append(context, topic, data, hints);
        hasFailed ||= result.errorCode !== errorCodes.NONE;
        return result;
      }),
    }));
    if (acks === 0) return hasFailed ? 'close' : null;
    return { responses, nodeEndpoints: hints.endpoints };
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

function append(
  context: RequestContext,
  key: TopicKey,
  data: ProduceRequestPartitionProduceDataView,
  hints: LeaderHints,
): ProduceResponsePartitionProduceResponse & { errorCode: number } {
  const { index } = data;
  const found = findLedPartition(context, key, context.version >= topicIdsFrom, index);
  if (!('topic' in found)) {
    const currentLeader = hints.of(found);
    return { index, errorCode: found.errorCode, baseOffset: -1, ...(currentLeader !== undefined && { currentLeader }) };
  }
  const { topic, partition } = found;
  const bytes = data.records.raw ?? empty;
  const maxBatchBytes = Number(topic.configs.get('max.message.bytes') ?? context.cluster.defaults.messageMaxBytes);
  const checked = checkBatches(bytes, { maxBatchBytes, produceVersion: context.version });
  const logStartOffset = partition.log.startOffset;
  if (!('batches' in checked)) return { index, errorCode: checked.errorCode, baseOffset: -1, logStartOffset };
  const logAppendTimeMs = usesLogAppendTime(topic) ? Date.now() : -1;
  const baseOffset = partition.log.append(bytes, checked.batches, partition.leaderEpoch, logAppendTimeMs);
  return { index, errorCode: errorCodes.NONE, baseOffset, logAppendTimeMs, logStartOffset };
}

function usesLogAppendTime(topic: Topic): boolean {
  return topic.configs.get('message.timestamp.type') === 'LogAppendTime';
}
