// ListOffsets (key 2), versions 0 to 11, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: timestamp -1 is the end of the log, or with read committed the last stable offset; -2 and -4 are its start, -3
// the record with the highest time, also one that retention has taken, -5 and -6 (tiered storage) nothing; any other the first
// record at or after that time, which is looked up in the decoded batch. What is not found, and what read-committed clients may
// not see yet, has offset and timestamp -1. Special timestamps that the version does not know, or nobody, get code 35.
// Version 0 answers with a list of at most one offset. Only leaders answer; wrong epochs get 74 and 75. `failure`: the
// code on every partition.

import {
  ListOffsets,
  type ListOffsetsRequestListOffsetsPartitionView,
  type ListOffsetsRequestView,
  type ListOffsetsResponse,
  type ListOffsetsResponseListOffsetsPartitionResponse,
} from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import type { Partition } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import type { IndexedBatch, PartitionLog } from '../partition-log.ts';
import { type RecordTime, recordTimes } from '../record-times.ts';
import { findLedPartition } from './partitions.ts';

const leaderEpochFrom = 4;
const isolationFrom = 2;
const readCommitted = 1;
const latest = -1;
const earliest = -2;
const maxTimestamp = -3;
const earliestLocal = -4;
const latestTiered = -5;
const earliestPendingUpload = -6;
/** From which version on a special timestamp is known. */
const knownFrom = new Map([
  [latest, 0],
  [earliest, 0],
  [maxTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
  [earliestPendingUpload, 11],
]);
const nowhere: RecordTime = { offset: -1, timestamp: -1 };

export const listOffsets: ApiHandler<ListOffsetsRequestView, ListOffsetsResponse> = {
  api: ListOffsets,

  handle(context, request) {
    return {
      topics: request.topics.map((topic) => ({
        name: topic.name,
        partitions: topic.partitions.map((partition) => lookUp(context, request, topic.name, partition)),
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
  request: ListOffsetsRequestView,
  name: string,
  wanted: ListOffsetsRequestListOffsetsPartitionView,
): ListOffsetsResponseListOffsetsPartitionResponse {
  const { partitionIndex } = wanted;
  const leaderEpoch = context.version >= leaderEpochFrom ? wanted.currentLeaderEpoch : -1;
  const found = findLedPartition(context, { name, topicId: zeroUuid }, false, partitionIndex, leaderEpoch);
  if (!('topic' in found)) return { partitionIndex, errorCode: found.errorCode };
  const timestamp = wanted.timestamp.toNumber();
  if (timestamp < 0 && (knownFrom.get(timestamp) ?? Number.POSITIVE_INFINITY) > context.version)
    return { partitionIndex, errorCode: errorCodes.UNSUPPORTED_VERSION };
  const { log } = found.partition;
  const isReadCommitted = context.version >= isolationFrom && request.isolationLevel === readCommitted;
  const end = isReadCommitted ? log.lastStableOffset : log.endOffset;
  const place = find(log, timestamp, end);
  if (context.version === 0) {
    const oldStyleOffsets = place.offset < 0 || wanted.maxNumOffsets < 1 ? [] : [place.offset];
    return { partitionIndex, errorCode: errorCodes.NONE, oldStyleOffsets };
  }
  return {
    partitionIndex,
    errorCode: errorCodes.NONE,
    timestamp: place.timestamp,
    offset: place.offset,
    ...(context.version >= leaderEpochFrom &&
      place.offset >= 0 && { leaderEpoch: epochOf(found.partition, place.offset) }),
  };
}

function epochOf({ log, leaderEpoch }: Partition, offset: number): number {
  const known = offset === log.endOffset ? leaderEpoch : log.epochAt(offset);
  return known === -1 ? leaderEpoch : known;
}

/** @param end  what the client may see ends there */
function find(log: PartitionLog, timestamp: number, end: number): RecordTime {
  switch (timestamp) {
    case latest:
      return { offset: end, timestamp: -1 };
    case earliest:
    case earliestLocal:
      return { offset: log.startOffset, timestamp: -1 };
    case latestTiered:
    case earliestPendingUpload:
      return nowhere;
    case maxTimestamp:
      return log.maxTimestampGone ?? visible(firstSince(log.batchWithMaxTimestamp(), null), end);
    default:
      return visible(firstSince(log.firstBatchSince(timestamp), timestamp), end);
  }
}

function visible(place: RecordTime, end: number): RecordTime {
  return place.offset < end ? place : nowhere;
}

/** The first record of the batch at or after `timestamp`, or with null its first record of the highest time. */
function firstSince(batch: IndexedBatch | null, timestamp: number | null): RecordTime {
  if (batch === null) return nowhere;
  const since = timestamp ?? batch.maxTimestamp;
  return recordTimes(batch.bytes).find((record) => record.timestamp >= since) ?? nowhere;
}
