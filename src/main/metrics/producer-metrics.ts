// Owns the reading of a producer's metrics. Application thread. It only reads shared memory: it must not write and must not send messages.

import { monotonicNowMs } from '../../common/clock.ts';
import {
  definitionsOf,
  type MetricDefinition,
  type MetricGroups,
  type MetricValues,
  valuesOf,
} from '../../state/definitions/metric.ts';
import { producerMetrics } from '../../state/definitions/producer.ts';
import { type ProducerMetricsMemory, type ProducerSlot, producerSlotOf } from '../../state/producer-metrics.ts';
import { MetricsReader, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { readTopicNames } from '../../state/topic-rows.ts';

const ofProducer = producerMetrics.filter(({ scope }) => scope !== 'topic');
const ofTopics = producerMetrics.filter(({ scope }) => scope === 'both');

/** All metrics of a producer, in the order of docs/metrics.md. */
export const producerMetricDefinitions: readonly MetricDefinition[] = definitionsOf(producerMetrics);

/** All metrics of a producer at one moment. */
export interface ProducerMetricsSnapshot {
  readonly producer: MetricValues;
  /** The first 256 topics. */
  readonly topics: ReadonlyMap<string, MetricValues>;
}

export class ProducerMetrics {
  readonly #reader: MetricsReader<ProducerSlot>;
  readonly #topics: SharedArrayBuffer;

  constructor({ values, topics }: ProducerMetricsMemory) {
    this.#reader = new MetricsReader(values, producerSlotOf);
    this.#topics = topics;
  }

  read(): ProducerMetricsSnapshot {
    const now = monotonicNowMs();
    const names = readTopicNames(this.#topics);
    const [totals, ...rows] = this.#reader.read([TOTALS_ROW, ...names.map((_, index) => index + 1)], now);
    return {
      producer: valuesOf(ofProducer, { row: totals!, now }),
      topics: new Map(names.map((name, index) => [name, valuesOf(ofTopics, { row: rows[index]!, now })])),
    };
  }

  /** The metrics in groups, as `client.metrics()` has them. */
  groups(): MetricGroups {
    const { producer, topics } = this.read();
    const groups: MetricGroups = { 'producer-metrics': { ...producer } };
    for (const [topic, values] of topics) groups[`producer-topic-metrics.${topic}`] = { ...values };
    return groups;
  }
}
