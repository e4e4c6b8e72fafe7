// Owns how a producer's metrics are read. Application thread.

import type { ProducerMetricsMemory } from '../../state/producer-metrics.ts';
import type { MetricsOrigin } from '../link/client-host.ts';
import type { MetricGroups } from '../metrics/definitions.ts';
import { ProducerMetrics, type ProducerMetricsSnapshot } from '../metrics/producer-metrics.ts';

export class Measured {
  /** The client's id, and whether it records metrics: for adapters to other systems. */
  readonly metricsOrigin: MetricsOrigin;
  readonly #metrics: ProducerMetrics | null;

  constructor(origin: MetricsOrigin, memory: ProducerMetricsMemory | null) {
    this.metricsOrigin = origin;
    this.#metrics = memory === null ? null : new ProducerMetrics(memory);
  }

  /**
   * What was recorded of all threads of this producer, read from shared memory: groups `producer-metrics` and
   * `producer-topic-metrics.TOPIC`, see docs/metrics.md. Empty unless the client's `metrics` is configured.
   */
  metrics(): MetricGroups {
    return this.#metrics?.groups() ?? {};
  }

  /** The same by topic, for adapters to other systems. Null unless the client's `metrics` is configured. */
  metricsSnapshot(): ProducerMetricsSnapshot | null {
    return this.#metrics?.read() ?? null;
  }
}
