// Owns which totals brokers have, for those that want to be told only what came since (delta temporality). Network thread.

import type { PushedMetric, PushedPoint } from './otlp.ts';

interface Sent {
  readonly value: number;
  /** ms since the epoch. */
  readonly atMs: number;
}

export interface Differences {
  readonly metrics: readonly PushedMetric[];
  /** The broker has the first `count` of them. */
  confirm(count: number): void;
}

export class SentTotals {
  #sent: ReadonlyMap<string, Sent> = new Map();

  /** Forgets what was sent. */
  clear(): void {
    this.#sent = new Map();
  }

  /** What the totals have grown since they were confirmed last. Gauges stay. @param atMs ms since the epoch */
  differences(metrics: readonly PushedMetric[], atMs: number): Differences {
    const sent = this.#sent;
    return {
      metrics: metrics.map((metric) => {
        if (metric.kind === 'gauge') return metric;
        return { ...metric, points: metric.points.map((point) => since(point, sent.get(keyOf(metric, point)))) };
      }),
      // Only what there is now: a topic or broker that has gone is forgotten.
      confirm: (count) => {
        const next = new Map<string, Sent>();
        for (const [i, metric] of metrics.entries()) {
          if (metric.kind === 'gauge') continue;
          for (const point of metric.points) {
            const key = keyOf(metric, point);
            const known = i < count ? { value: point.value, atMs } : sent.get(key);
            if (known !== undefined) next.set(key, known);
          }
        }
        this.#sent = next;
      },
    };
  }
}

function since(point: PushedPoint, before: Sent | undefined): PushedPoint {
  if (before === undefined) return point;
  return { ...point, value: Math.max(0, point.value - before.value), startMs: before.atMs };
}

function keyOf({ name }: PushedMetric, { attributes }: PushedPoint): string {
  return JSON.stringify([name, attributes]);
}
