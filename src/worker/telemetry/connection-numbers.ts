// Owns the numbers of connections that producers and consumers push beside their own: how many were made, and how long brokers take to answer.
// Network thread. Connections are the client's, so its producers and consumers push the same ones.

import { createClientMetrics } from '../../state/api-metrics.ts';
import { MetricsReader, type MetricsRow, rowOfIndex, TOTALS_ROW } from '../../state/shared-metrics.ts';
import type { Node } from '../client/node.ts';
import type { Metrics } from '../report/metrics-recorder.ts';

export interface BrokerLatency {
  readonly brokerId: number;
  /** ms. 0 without answers. */
  readonly average: number;
  readonly greatest: number;
}

export class ConnectionNumbers {
  readonly #metrics: Metrics;
  readonly #nodes: () => Iterable<Pick<Node, 'brokerId' | 'lane' | 'metricsRow'>>;
  readonly #nodeCapacity: number;
  #reader: MetricsReader | null = null;

  /** @param nodeCapacity rows of the node table */
  constructor(
    metrics: Metrics,
    nodes: () => Iterable<Pick<Node, 'brokerId' | 'lane' | 'metricsRow'>>,
    nodeCapacity: number,
  ) {
    this.#metrics = metrics;
    this.#nodes = nodes;
    this.#nodeCapacity = nodeCapacity;
  }

  /** They are wanted: they are recorded from now on, if they were not so far. */
  measure(now: number): void {
    if (!this.#metrics.isOn) this.#metrics.begin(createClientMetrics(this.#nodeCapacity), now);
    this.#reader ??= new MetricsReader(this.#metrics.memory!.values);
  }

  /** Since when `created` is counted, ms on the monotonic clock. */
  get since(): number {
    return this.#metrics.startedAt;
  }

  /** How many connections became ready. */
  get created(): number {
    return this.#metrics.connectionsReady;
  }

  /** The same per second. */
  createdPerSecond(now: number): number {
    return this.#rows([TOTALS_ROW], now)[0]?.perSecond('connectionsCreated') ?? 0;
  }

  /** Of each broker that has such a connection. @param lanes names of connections */
  latencies(lanes: readonly string[], now: number): BrokerLatency[] {
    const nodes = [...this.#nodes()].filter(({ lane, metricsRow }) => metricsRow >= 0 && lanes.includes(lane));
    const rows = this.#rows(
      nodes.map(({ metricsRow }) => rowOfIndex(metricsRow)),
      now,
    );
    const byBroker = new Map<number, { sumMs: number; answers: number; greatest: number }>();
    for (const [i, row] of rows.entries()) {
      const { brokerId } = nodes[i]!;
      const known = byBroker.get(brokerId) ?? { sumMs: 0, answers: 0, greatest: 0 };
      known.sumMs += row.recent('latencyMs');
      known.answers += row.recent('responses');
      known.greatest = Math.max(known.greatest, row.max('latencyMsMax'));
      byBroker.set(brokerId, known);
    }
    return [...byBroker].map(([brokerId, { sumMs, answers, greatest }]) => {
      return { brokerId, average: answers > 0 ? sumMs / answers : 0, greatest };
    });
  }

  #rows(rows: readonly number[], now: number): MetricsRow[] {
    return this.#reader?.read(rows, now) ?? [];
  }
}
