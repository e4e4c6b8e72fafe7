// Owns the bytes of pushed metrics: OpenTelemetry's MetricsData in protobuf, as far as counters and gauges need it. Network thread. Must not
// know Kafka. Source: opentelemetry-proto 1.x, metrics/v1/metrics.proto; protobuf.dev, encoding.

import type { Attributes } from './source.ts';

export interface PushedPoint {
  readonly value: number;
  readonly attributes: Attributes;
  /** Of a total: since when it is counted. ms since the epoch. */
  readonly startMs: number;
}

export interface PushedMetric {
  readonly name: string;
  /** A `total` only grows; a `gauge` is what is now. */
  readonly kind: 'total' | 'gauge';
  readonly points: readonly PushedPoint[];
}

export interface PushedMetrics {
  /** Attributes of whoever sends them. */
  readonly resource: Attributes;
  readonly metrics: readonly PushedMetric[];
  /** When they were read, ms since the epoch. */
  readonly atMs: number;
  /** Whether totals are those since the last push, and not since the start. */
  readonly isDelta: boolean;
}

/** Wire types of protobuf. */
const VARINT = 0;
const EIGHT_BYTES = 1;
const LENGTH = 2;

const DELTA = 1;
const CUMULATIVE = 2;
const nsPerMs = 1_000_000n;

export function encodeMetrics({ resource, metrics, atMs, isDelta }: PushedMetrics): Buffer {
  const ofResource = message(1, resource.map(keyValue));
  const ofScope = message(
    2,
    metrics.map((metric) => metricOf(metric, atMs, isDelta)),
  );
  return message(1, [ofResource, ofScope]);
}

function metricOf({ name, kind, points }: PushedMetric, atMs: number, isDelta: boolean): Buffer {
  const isTotal = kind === 'total';
  const dataPoints = points.map((point) => pointOf(point, isTotal, atMs));
  const isMonotonic = number(3, 1);
  const data = isTotal
    ? message(7, [...dataPoints, number(2, isDelta ? DELTA : CUMULATIVE), isMonotonic])
    : message(5, dataPoints);
  return message(2, [text(1, name), data]);
}

function pointOf({ value, attributes, startMs }: PushedPoint, isTotal: boolean, atMs: number): Buffer {
  const start = isTotal ? [time(2, startMs)] : [];
  const pairs = attributes.map((attribute) => message(7, pairOf(attribute)));
  return message(1, [...start, time(3, atMs), double(4, value), ...pairs]);
}

function keyValue(attribute: Attributes[number]): Buffer {
  return message(1, pairOf(attribute));
}

function pairOf([name, value]: Attributes[number]): Buffer[] {
  return [text(1, name), message(2, [text(1, value)])];
}

function message(field: number, parts: readonly Uint8Array[]): Buffer {
  return delimited(field, Buffer.concat(parts));
}

function text(field: number, value: string): Buffer {
  return delimited(field, Buffer.from(value));
}

function delimited(field: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([tag(field, LENGTH), varint(bytes.byteLength), bytes]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([tag(field, VARINT), varint(value)]);
}

function time(field: number, ms: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(Math.max(0, Math.round(ms))) * nsPerMs);
  return Buffer.concat([tag(field, EIGHT_BYTES), bytes]);
}

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([tag(field, EIGHT_BYTES), bytes]);
}

function tag(field: number, wireType: number): Buffer {
  return varint((field << 3) | wireType);
}

/** @param value from 0 to 2^31 - 1 */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
