// Owns the names and meanings of the metrics of each API, and the quantiles of its latencies. Application thread. It only reads shared
// memory: it must not write and must not send messages.

import { type ApiSlot, apiRow, bucketSlots, latencyBoundsMs } from '../../state/api-metrics.ts';
import {
  Definer,
  definitionsOf,
  type Metric,
  type MetricDefinition,
  type MetricValues,
  valuesOf,
} from '../../state/definitions/metric.ts';
import type { MetricsReader, MetricsRow } from '../../state/shared-metrics.ts';

interface Context {
  readonly row: MetricsRow<ApiSlot>;
}

/** Latencies since the start: how many there were up to each bound. The same buckets for every client and every thread. */
export interface LatencyHistogram {
  /** Upper bounds of the buckets, ms. One more bucket has what is above the last. */
  readonly boundsMs: readonly number[];
  /** Of each bucket, not cumulative; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

const of = new Definer<ApiSlot, Context>();

function quantile(name: string, share: number): Metric<Context> {
  const percent = share * 100;
  const doc = `Time from request to response that ${percent} % of the responses did not exceed, estimated from buckets`;
  return of.gauge('api', `request-latency-${name}`, 'ms', doc, ({ row }) => quantileOf(row, share));
}

const metrics: readonly Metric<Context>[] = [
  ...of.counted('api', 'request', 'requests', 'Requests of the API sent'),
  ...of.counted('api', 'outgoing-byte', 'requestBytes', 'Bytes of these requests', 'bytes'),
  ...of.counted('api', 'response', 'responses', 'Responses received'),
  ...of.counted('api', 'incoming-byte', 'responseBytes', 'Bytes of these responses', 'bytes'),
  of.total('api', 'request-failed', 'failures', 'Requests taken for a connection that ended without a response'),
  of.average('api', 'request-latency', 'ms', ['latencyMs', 'responses'], 'time from request to response'),
  quantile('p50', 0.5),
  quantile('p95', 0.95),
  quantile('p99', 0.99),
  of.greatest('api', 'request-latency', 'ms', 'latencyMsMax', 'time from request to response'),
];

export const apiDefinitions: readonly MetricDefinition[] = definitionsOf(metrics);

/** The APIs that were used. */
export function readApis(
  reader: MetricsReader<ApiSlot>,
  names: ReadonlyMap<number, string>,
  now: number,
): { readonly apis: ReadonlyMap<string, MetricValues>; readonly latencies: ReadonlyMap<string, LatencyHistogram> } {
  const used = [...names].filter(
    ([key]) => reader.peek(apiRow(key), 'requests') > 0 || reader.peek(apiRow(key), 'failures') > 0,
  );
  const rows = reader.read(
    used.map(([key]) => apiRow(key)),
    now,
  );
  return {
    apis: new Map(used.map(([, name], index) => [name, valuesOf(metrics, { row: rows[index]! })])),
    latencies: new Map(used.map(([, name], index) => [name, histogramOf(rows[index]!)])),
  };
}

function histogramOf(row: MetricsRow<ApiSlot>): LatencyHistogram {
  const counts = bucketSlots.map((slot) => row.total(slot));
  return {
    boundsMs: latencyBoundsMs,
    counts,
    count: counts.reduce((sum, count) => sum + count, 0),
    sumMs: row.total('latencyMs'),
  };
}

/** Within a bucket, latencies count as evenly spread. No estimate is above the greatest latency. */
function quantileOf(row: MetricsRow<ApiSlot>, share: number): number {
  const counts = bucketSlots.map((slot) => row.recent(slot));
  const wanted = counts.reduce((sum, count) => sum + count, 0) * share;
  if (wanted === 0) return 0;
  const max = row.max('latencyMsMax');
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = Math.min(latencyBoundsMs[index] ?? max, max);
    const lower = Math.min(index === 0 ? 0 : latencyBoundsMs[index - 1]!, upper);
    if (below + count >= wanted && count > 0) return lower + ((wanted - below) / count) * (upper - lower);
    below += count;
  }
  return max;
}
