// Owns the memory of a client's metrics: that of the client and its nodes, and that of each API, with the bounds of the latency
// histogram. The network thread writes, every thread reads, without a message. Must not know what a metric is called outside.

import { MetricsReader } from './shared-metrics.ts';
import { createMetrics, DEFAULT_WINDOW_MS, slotNumbers, slotsOfMaxima } from './shared-metrics-layout.ts';

/** Rows for API keys from 0; Kafka 4.4 has keys up to 93. Requests of higher keys are counted in the totals of the client only. */
export const measuredApis = 128;

/** Upper bounds of the buckets of a latency, both ends of the range included, ms. One more bucket has what is above the last. */
export const latencyBoundsMs = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000] as const;

/** The slots of an API. The buckets are those of `latencyBoundsMs`, and one more. */
const slots = {
  requests: [0, 'total'],
  requestBytes: [1, 'total'],
  responses: [2, 'total'],
  responseBytes: [3, 'total'],
  failures: [4, 'total'],
  latencyMs: [5, 'total'],
  latencyMsMax: [6, 'max'],
  bucket0: [7, 'total'],
  bucket1: [8, 'total'],
  bucket2: [9, 'total'],
  bucket3: [10, 'total'],
  bucket4: [11, 'total'],
  bucket5: [12, 'total'],
  bucket6: [13, 'total'],
  bucket7: [14, 'total'],
  bucket8: [15, 'total'],
  bucket9: [16, 'total'],
  bucket10: [17, 'total'],
  bucket11: [18, 'total'],
  bucket12: [19, 'total'],
  bucket13: [20, 'total'],
  bucket14: [21, 'total'],
  bucket15: [22, 'total'],
} as const;

export type ApiSlot = keyof typeof slots;

export const apiSlotOf = slotNumbers(slots);
export const apiMaxSlots = slotsOfMaxima(slots);

/** The slots of the buckets, in the order of their bounds. */
export const bucketSlots: readonly ApiSlot[] = Array.from(
  { length: latencyBoundsMs.length + 1 },
  (_, index) => `bucket${index}` as ApiSlot,
);

/** Plain data that crosses threads. */
export interface ClientMetricsMemory {
  /** Of the client and its nodes. */
  readonly values: SharedArrayBuffer;
  readonly apis: SharedArrayBuffer;
}

/** Makes the memory, all zero. @param nodeCapacity as many rows as the node table has */
export function createClientMetrics(nodeCapacity: number, windowMs = DEFAULT_WINDOW_MS): ClientMetricsMemory {
  return { values: createMetrics(nodeCapacity, windowMs), apis: createMetrics(measuredApis, windowMs) };
}

/** The row of an API. */
export function apiRow(apiKey: number): number {
  return apiKey + 1;
}

/** Both parts, for a thread that reads. */
export class ClientMetricsReader {
  readonly memory: ClientMetricsMemory;
  readonly values: MetricsReader;
  readonly apis: MetricsReader<ApiSlot>;

  constructor(memory: ClientMetricsMemory) {
    this.memory = memory;
    this.values = new MetricsReader(memory.values);
    this.apis = new MetricsReader(memory.apis, apiSlotOf);
  }
}
