// OffsetForLeaderEpoch (key 23), versions 2 to 4, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: where the records of a leader epoch end; epoch and offset -1 for one that is newer than the log. Only leaders
// answer (6); wrong current epochs get 74 and 75, unknown partitions 3. `failure`: the code on every partition.

import {
  OffsetForLeaderEpoch,
  type OffsetForLeaderEpochRequestView,
  type OffsetForLeaderEpochResponse,
} from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler } from '../handler.ts';
import { findLedPartition } from './partitions.ts';

export const offsetForLeaderEpoch: ApiHandler<OffsetForLeaderEpochRequestView, OffsetForLeaderEpochResponse> = {
  api: OffsetForLeaderEpoch,

  handle(context, request) {
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
          const key = { name: topic, topicId: zeroUuid };
          const found = findLedPartition(context, key, false, partition, currentLeaderEpoch);
          if (!('topic' in found)) return { partition, errorCode: found.errorCode, leaderEpoch: -1, endOffset: -1 };
          return { partition, errorCode: errorCodes.NONE, ...found.partition.log.epochEnd(leaderEpoch) };
        }),
      })),
    };
  },

  failure(_context, request, errorCode) {
    return {
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => ({ partition, errorCode, leaderEpoch: -1, endOffset: -1 })),
      })),
    };
  },
};
