// ListOffsets (key 2), versions 0 to 11, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: timestamp -1 is the end of the log, -2 and -4 its start, -3 the record with the highest time, -5 (tiered
// storage) nothing; any other the first record at or after that time, which is looked up in the decoded batch. What is
// not found has offset and timestamp -1. Version 0 answers with a list of at most one offset. Only leaders answer; wrong
// epochs get 74 and 75. `failure`: the code on every partition.

import {
  ListOffsets,
  type ListOffsetsRequestListOffsetsPartitionView,
  type ListOffsetsRequestView,
  type ListOffsetsResponse,
  type ListOffsetsResponseListOffsetsPartitionResponse,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../../../src/protocol/flat/uuid.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import type { IndexedBatch, PartitionLog } from '../partition-log.ts';
import { type RecordTime, recordTimes } from '../record-times.ts';
import { findLedPartition } from './partitions.ts';

const leaderEpochFrom = 4;
const latest = -1;
const earliest = -2;
const maxTimestamp = -3;
const earliestLocal = -4;
const latestTiered = -5;
const nowhere: RecordTime = { offset: -1, timestamp: -1 };

export const listOffsets: ApiHandler<ListOffsetsRequestView, ListOffsetsResponse> = {
  api: ListOffsets,

  handle(context, request) {
    return {
      topics: request.topics.map((topic) => ({
        name: topic.name,
        partitions: topic.partitions.map((partition) => lookUp(context, topic.name, partition)),
      })),
    };
  },

  failure(_context, request, errorCode) {
    return {
      topics: request.topics.map((topic) => ({
        name: topic.name,
        partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    };
  },
};

function lookUp(
  context: RequestContext,
  name: string,
  wanted: ListOffsetsRequestListOffsetsPartitionView,
): ListOffsetsResponseListOffsetsPartitionResponse {
  const { partitionIndex } = wanted;
  const leaderEpoch = context.version >= leaderEpochFrom ? wanted.currentLeaderEpoch : -1;
  const found = findLedPartition(context, { name, topicId: zeroUuid }, false, partitionIndex, leaderEpoch);
  if (!('topic' in found)) return { partitionIndex, errorCode: found.errorCode };
  const place = find(found.partition.log, wanted.timestamp.toNumber());
  if (context.version === 0) {
    const oldStyleOffsets = place.offset < 0 || wanted.maxNumOffsets < 1 ? [] : [place.offset];
    return { partitionIndex, errorCode: errorCodes.NONE, oldStyleOffsets };
  }
  return {
    partitionIndex,
    errorCode: errorCodes.NONE,
    timestamp: place.timestamp,
    offset: place.offset,
    ...(context.version >= leaderEpochFrom && place.offset >= 0 && { leaderEpoch: found.partition.leaderEpoch }),
  };
}

function find(log: PartitionLog, timestamp: number): RecordTime {
  switch (timestamp) {
    case latest:
      return { offset: log.endOffset, timestamp: -1 };
    case earliest:
    case earliestLocal:
      return { offset: log.startOffset, timestamp: -1 };
    case latestTiered:
      return nowhere;
    case maxTimestamp:
      return firstSince(log.batchWithMaxTimestamp(), null);
    default:
      return firstSince(log.firstBatchSince(timestamp), timestamp);
  }
}

/** The first record of the batch at or after `timestamp`, or with null its first record of the highest time. */
function firstSince(batch: IndexedBatch | null, timestamp: number | null): RecordTime {
  if (batch === null) return nowhere;
  const since = timestamp ?? batch.maxTimestamp;
  return recordTimes(batch.bytes).find((record) => record.timestamp >= since) ?? nowhere;
}
