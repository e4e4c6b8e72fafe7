// Owns what a broker wants of a client's metrics: the answer to GetTelemetrySubscriptions, checked and bounded. Network thread. Must not send
// anything. Source: KIP-714.

import type { GetTelemetrySubscriptionsResponseView } from '../../protocol/flat/generated/get-telemetry-subscriptions.ts';

/** Used where a broker names no interval. */
export const defaultIntervalMs = 300_000;
/** Brokers accept no shorter interval in their configuration. */
const minIntervalMs = 100;
/** A broker may name more prefixes than there are metrics. */
const maxPrefixes = 1000;
const maxCompressionTypes = 16;

export interface Subscription {
  readonly id: number;
  readonly intervalMs: number;
  readonly maxBytes: number;
  readonly isDelta: boolean;
  /** Codecs in the broker's order. */
  readonly compressionTypes: readonly number[];
  /** Whether no metric is wanted. */
  readonly isEmpty: boolean;
  /** Whether the metric of this name is wanted. */
  wants(name: string): boolean;
}

export function readSubscription(response: GetTelemetrySubscriptionsResponseView): Subscription {
  const { subscriptionId, pushIntervalMs, telemetryMaxBytes, deltaTemporality } = response;
  const prefixes = response.requestedMetrics.toArray().slice(0, maxPrefixes);
  // `*` alone stands for the empty prefix, which all names have.
  const wantsAll = prefixes.includes('') || (prefixes.length === 1 && prefixes[0] === '*');
  return {
    id: subscriptionId,
    intervalMs: pushIntervalMs > 0 ? Math.max(pushIntervalMs, minIntervalMs) : defaultIntervalMs,
    maxBytes: telemetryMaxBytes,
    isDelta: deltaTemporality,
    compressionTypes: response.acceptedCompressionTypes.toArray().slice(0, maxCompressionTypes),
    isEmpty: prefixes.length === 0,
    wants: (name) => wantsAll || prefixes.some((prefix) => name.startsWith(prefix)),
  };
}
