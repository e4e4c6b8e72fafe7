// Owns the memory of a producer's metrics: what its slots are, and which row is whose topic. The network thread writes, every
// thread reads, without a message. Must not know what a metric is called outside: main/metrics/producer-metrics.ts does.

import { createMetrics, slotNumbers, slotsOfMaxima } from './shared-metrics-layout.ts';
import { createTopicRows, maxMeasuredTopics } from './topic-rows.ts';

/** The slots of a producer. Those of a topic are marked; its row holds them, and row 0 holds their sums as well. */
const slots = {
  /** Of topics, too: records in the log, their bytes in batches, records that failed, records sent again. */
  records: [0, 'total'],
  bytes: [1, 'total'],
  failedRecords: [2, 'total'],
  retriedRecords: [3, 'total'],
  /** Of topics, too: bytes of batches before and after compression. */
  uncompressedBytes: [4, 'total'],
  compressedBytes: [5, 'total'],
  // From here on of the producer only.
  batches: [6, 'total'],
  batchBytesMax: [7, 'max'],
  recordBytesMax: [8, 'max'],
  sentBatches: [9, 'total'],
  queueMs: [10, 'total'],
  queueMsMax: [11, 'max'],
  splits: [12, 'total'],
  requests: [13, 'total'],
  answeredRequests: [14, 'total'],
  latencyMs: [15, 'total'],
  latencyMsMax: [16, 'max'],
  throttleMs: [17, 'total'],
  throttleMsMax: [18, 'max'],
  requestsInFlight: [19, 'gauge'],
  bufferBytes: [20, 'gauge'],
  bufferFreeBytes: [21, 'gauge'],
  waitingThreads: [22, 'gauge'],
  bufferExhausted: [23, 'total'],
  flushMs: [24, 'total'],
  initMs: [25, 'total'],
  beginMs: [26, 'total'],
  sendOffsetsMs: [27, 'total'],
  commitMs: [28, 'total'],
  abortMs: [29, 'total'],
  /** When metadata came last, ms of monotonicNowMs. */
  metadataAt: [30, 'gauge'],
} as const;

export type ProducerSlot = keyof typeof slots;

export const producerSlotOf = slotNumbers(slots);
export const producerMaxSlots = slotsOfMaxima(slots);

/** Plain data that crosses threads. */
export interface ProducerMetricsMemory {
  readonly values: SharedArrayBuffer;
  readonly topics: SharedArrayBuffer;
}

export function createProducerMetrics(): ProducerMetricsMemory {
  return { values: createMetrics(maxMeasuredTopics), topics: createTopicRows() };
}
