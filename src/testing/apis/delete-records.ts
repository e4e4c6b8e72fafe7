// DeleteRecords (key 21), versions 0 to 2, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: records below the offset can no longer be fetched; -1 means all. An offset below the log's start changes
// nothing, one beyond its end has code 1. Producers and their sequences stay remembered. Only leaders answer (6); 3 for
// what is unknown. `failure`: the code on every partition.

import {
  DeleteRecords,
  type DeleteRecordsRequestView,
  type DeleteRecordsResponse,
} from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { findLedPartition } from './partitions.ts';

export const deleteRecords: ApiHandler<DeleteRecordsRequestView, DeleteRecordsResponse> = {
  api: DeleteRecords,

  handle(context, request) {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset: wanted }) => {
          const found = findLedPartition(context, { name, topicId: zeroUuid }, false, partitionIndex);
          if (!('topic' in found)) return { partitionIndex, lowWatermark: -1, errorCode: found.errorCode };
          const { log } = found.partition;
          const offset = wanted.toNumber() === -1 ? log.endOffset : wanted.toNumber();
          if (offset < 0 || offset > log.endOffset)
            return { partitionIndex, lowWatermark: -1, errorCode: errorCodes.OFFSET_OUT_OF_RANGE };
          if (offset > log.startOffset) log.truncateBefore(offset);
          return { partitionIndex, lowWatermark: log.startOffset, errorCode: errorCodes.NONE };
        }),
      })),
    };
  },

  failure(_context, request, errorCode) {
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
      })),
    };
  },
};
