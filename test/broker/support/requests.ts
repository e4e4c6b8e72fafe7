// Owns plain requests that many tests send, in the form most versions share: topics by name. Runs on any thread.

import type {
  FetchRequest,
  FetchResponseView,
  ListOffsetsRequest,
  ProduceRequest,
  RecordsInput,
} from '../../../src/index.ts';
import type { Int64 } from '../../../src/protocol/flat/inputs.ts';

/** Newest version of Produce and of Fetch that names topics; later ones want their ids. */
export const byName = { version: 12 } as const;

export function produceRequest(
  topic: string,
  records: RecordsInput | null,
  { partition = 0, acks = -1, timeoutMs = 1000 }: { partition?: number; acks?: number; timeoutMs?: number } = {},
): ProduceRequest {
  return { acks, timeoutMs, topicData: [{ name: topic, partitionData: [{ index: partition, records }] }] };
}

export interface FetchOptions {
  readonly partition?: number;
  readonly offset?: Int64;
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
}

const plenty = 1 << 30;

export function fetchRequest(topic: string, options: FetchOptions = {}): FetchRequest {
  const { partition = 0, offset = 0, maxWaitMs = 500, minBytes = 1, maxBytes = plenty } = options;
  return {
    maxWaitMs,
    minBytes,
    maxBytes,
    topics: [{ topic, partitions: [{ partition, fetchOffset: offset, partitionMaxBytes: maxBytes }] }],
  };
}

export function listOffsetsRequest(topic: string, timestamp: Int64 = -1, partition = 0): ListOffsetsRequest {
  return { replicaId: -1, topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp }] }] };
}

/** The records of the only partition of a fetch. */
export function fetchedRecords(response: FetchResponseView) {
  return response.responses.at(0).partitions.at(0).records;
}
