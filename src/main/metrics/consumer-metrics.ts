// Owns the reading of a consumer's metrics. Application thread. It only reads shared memory: it must not write and must not send messages.

import { monotonicNowMs } from '../../common/clock.ts';
import type { ConsumerSnapshot } from '../../common/consumer-calls.ts';
import {
  type ConsumerMetricsMemory,
  type ConsumerSlot,
  ConsumerTimes,
  consumerSlotOf,
} from '../../state/consumer-metrics.ts';
import { type ConsumerContext, consumerMetrics, partitionMetrics } from '../../state/definitions/consumer.ts';
import {
  definitionsOf,
  type MetricDefinition,
  type MetricGroups,
  type MetricValues,
  valuesOf,
} from '../../state/definitions/metric.ts';
import { MetricsReader, type MetricsRow, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { readTopicNames } from '../../state/topic-rows.ts';

const ofConsumer = consumerMetrics.filter(({ scope }) => scope !== 'topic');
const ofTopics = consumerMetrics.filter(({ scope }) => scope === 'both');

/** All metrics of a consumer, in the order of docs/metrics.md. */
export const consumerMetricDefinitions: readonly MetricDefinition[] = [
  ...definitionsOf(consumerMetrics),
  ...definitionsOf(partitionMetrics),
];

export interface PartitionMetrics {
  readonly topic: string;
  readonly partition: number;
  readonly values: MetricValues;
}

/** All metrics of a consumer at one moment. */
export interface ConsumerMetricsSnapshot {
  readonly consumer: MetricValues;
  /** The first 256 topics. */
  readonly topics: ReadonlyMap<string, MetricValues>;
  /** The assigned partitions. */
  readonly partitions: readonly PartitionMetrics[];
}

export class ConsumerMetrics {
  readonly #reader: MetricsReader<ConsumerSlot>;
  readonly #topics: SharedArrayBuffer;
  readonly #times: ConsumerTimes;

  constructor({ values, topics, times }: ConsumerMetricsMemory) {
    this.#reader = new MetricsReader(values, consumerSlotOf);
    this.#topics = topics;
    this.#times = new ConsumerTimes(times);
  }

  read({ partitions }: Pick<ConsumerSnapshot, 'partitions'>): ConsumerMetricsSnapshot {
    const now = monotonicNowMs();
    const names = readTopicNames(this.#topics);
    const [totals, ...rows] = this.#reader.read([TOTALS_ROW, ...names.map((_, index) => index + 1)], now);
    const contextOf = (row: MetricsRow<ConsumerSlot>): ConsumerContext => ({
      row,
      times: this.#times,
      partitions,
      now,
    });
    return {
      consumer: valuesOf(ofConsumer, contextOf(totals!)),
      topics: new Map(names.map((name, index) => [name, valuesOf(ofTopics, contextOf(rows[index]!))])),
      partitions: partitions.map((snapshot) => ({
        topic: snapshot.topic,
        partition: snapshot.partition,
        values: valuesOf(partitionMetrics, snapshot),
      })),
    };
  }
}

/** The metrics in groups, as `client.metrics()` has them. */
export function consumerGroupsOf({ consumer, topics, partitions }: ConsumerMetricsSnapshot): MetricGroups {
  const groups: MetricGroups = { 'consumer-metrics': { ...consumer } };
  for (const [topic, values] of topics) groups[`consumer-topic-metrics.${topic}`] = { ...values };
  for (const { topic, partition, values } of partitions)
    groups[`consumer-partition-metrics.${topic}-${partition}`] = { ...values };
  return groups;
}
