// Owns the memory of a producer's metrics: what its slots are, and which row is whose topic. The network thread writes, every
// thread reads, without a message. Must not know what a metric is called outside: main/metrics/producer-metrics.ts does.

import { createMetrics, slotNumbers, slotsOfMaxima } from './shared-metrics-layout.ts';

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

/** Topics with a row of their own; what further topics do is counted in the sums only. */
export const maxMeasuredTopics = 256;

/** Plain data that crosses threads. */
export interface ProducerMetricsMemory {
  readonly values: SharedArrayBuffer;
  readonly topics: SharedArrayBuffer;
}

export function createProducerMetrics(): ProducerMetricsMemory {
  const topics = new SharedArrayBuffer(HEAD_BYTES + maxMeasuredTopics * NAME_BYTES);
  return { values: createMetrics(maxMeasuredTopics), topics };
}

/*
 * Names of topics: their number in an int32, and NAME_BYTES for each: a byte for the length, and the name. A name never
 * changes once it is counted.
 */
const HEAD_BYTES = 8;
const NAME_BYTES = 256;

export class TopicRowsWriter {
  readonly #counts: Int32Array;
  readonly #bytes: Buffer;
  readonly #rows = new Map<string, number>();

  constructor(buffer: SharedArrayBuffer) {
    this.#counts = new Int32Array(buffer, 0, 1);
    this.#bytes = Buffer.from(buffer);
  }

  /** The topic's row of the metrics, and whether it is a new one; -1 when there is none left. */
  row(name: string): { readonly row: number; readonly isNew: boolean } {
    const known = this.#rows.get(name);
    if (known !== undefined) return { row: known, isNew: false };
    const index = this.#rows.size;
    if (index >= maxMeasuredTopics) return { row: -1, isNew: false };
    const at = HEAD_BYTES + index * NAME_BYTES;
    this.#bytes[at] = this.#bytes.write(name, at + 1, NAME_BYTES - 1);
    this.#rows.set(name, index + 1);
    // Atomic: the name is there before it is counted.
    Atomics.store(this.#counts, 0, index + 1);
    return { row: index + 1, isNew: true };
  }
}

/** Names of the topics that have rows, in the order of their rows from 1 on. */
export function readTopicNames(buffer: SharedArrayBuffer): string[] {
  // Atomic: names that are counted are there.
  const count = Math.min(Math.max(Atomics.load(new Int32Array(buffer, 0, 1), 0), 0), maxMeasuredTopics);
  const bytes = Buffer.from(buffer);
  return Array.from({ length: count }, (_, index) => {
    const at = HEAD_BYTES + index * NAME_BYTES;
    return bytes.toString('utf8', at + 1, at + 1 + bytes[at]!);
  });
}
