// Owns the memory of a consumer's metrics: what its slots are. The network thread writes, every thread reads, without a message. Must not
// know what a metric is called outside: main/metrics/consumer-metrics.ts does.

import { createMetrics, slotNumbers, slotsOfMaxima } from './shared-metrics-layout.ts';
import { createTopicRows, maxMeasuredTopics } from './topic-rows.ts';

/** The slots of a consumer. Those of a topic are marked; its row holds them, and row 0 holds their sums as well. */
const slots = {
  /** Of topics, too: records handed out, and their bytes as they were fetched. */
  records: [0, 'total'],
  bytes: [1, 'total'],
  // From here on of the consumer only.
  fetches: [2, 'total'],
  fetchedBytes: [3, 'total'],
  fetchedBytesMax: [4, 'max'],
  fetchMs: [5, 'total'],
  fetchMsMax: [6, 'max'],
  throttleMs: [7, 'total'],
  throttleMsMax: [8, 'max'],
  commits: [9, 'total'],
  failedCommits: [10, 'total'],
  commitMs: [11, 'total'],
  commitMsMax: [12, 'max'],
  committedMs: [13, 'total'],
  heartbeats: [14, 'total'],
  heartbeatMsMax: [15, 'max'],
  joins: [16, 'total'],
  joinMs: [17, 'total'],
  joinMsMax: [18, 'max'],
  syncs: [19, 'total'],
  syncMs: [20, 'total'],
  syncMsMax: [21, 'max'],
  rebalances: [22, 'total'],
  failedRebalances: [23, 'total'],
  rebalanceMs: [24, 'total'],
  rebalanceMsMax: [25, 'max'],
  polls: [26, 'total'],
  pollGapMs: [27, 'total'],
  pollGapMsMax: [28, 'max'],
  pollIdleMs: [29, 'total'],
  /** Fetched bytes that wait for the application. */
  bufferedBytes: [30, 'gauge'],
} as const;

export type ConsumerSlot = keyof typeof slots;

export const consumerSlotOf = slotNumbers(slots);
export const consumerMaxSlots = slotsOfMaxima(slots);

/** Times of the last events, ms of monotonicNowMs; 0: there was none. One float64 each, in this order. */
const timeNames = ['heartbeat', 'rebalance', 'poll'] as const;
export type ConsumerTime = (typeof timeNames)[number];

/** Plain data that crosses threads. */
export interface ConsumerMetricsMemory {
  readonly values: SharedArrayBuffer;
  readonly topics: SharedArrayBuffer;
  readonly times: SharedArrayBuffer;
}

export function createConsumerMetrics(): ConsumerMetricsMemory {
  const times = new SharedArrayBuffer(timeNames.length * 8);
  return { values: createMetrics(maxMeasuredTopics), topics: createTopicRows(), times };
}

/** Times of the last events. One thread writes, every thread reads: a float64 is written in one piece by a 64-bit machine. */
export class ConsumerTimes {
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#values = new Float64Array(buffer);
  }

  set(name: ConsumerTime, now: number): void {
    this.#values[timeNames.indexOf(name)] = now;
  }

  get(name: ConsumerTime): number {
    return this.#values[timeNames.indexOf(name)]!;
  }
}
