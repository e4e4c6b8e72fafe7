// Owns clients that have nothing but metrics, for tests of adapters. Test thread.

import type { LatencyHistogram } from '../../../../src/main/metrics/api-metrics.ts';
import { metricDefinitions } from '../../../../src/main/metrics/client-metrics.ts';
import type { MetricsSource } from '../../../../src/main/metrics/metrics-source.ts';

type Values = Record<string, number>;

export interface FakeClient extends MetricsSource {
  readonly client: Values;
  readonly nodes: Map<string, Values>;
  readonly apis: Map<string, Values>;
  readonly latencies: Map<string, LatencyHistogram>;
  /** How often it was read. */
  reads: number;
  node(name: string, values: Values): void;
  /** @param counts responses of up to 1 ms, up to 20 ms, and above */
  api(name: string, values: Values, counts: readonly [number, number, number]): void;
}

/** Everything that is not given is 0. */
export function fakeClient(clientId: string, values: Values = {}): FakeClient {
  const zeros = (): Values => Object.fromEntries(metricDefinitions.map(({ name }) => [name, 0]));
  const client = { ...zeros(), ...values };
  const nodes = new Map<string, Values>();
  const apis = new Map<string, Values>();
  const latencies = new Map<string, LatencyHistogram>();
  return {
    config: { clientId, metrics: true },
    client,
    nodes,
    apis,
    latencies,
    reads: 0,
    node(name, given) {
      nodes.set(name, { ...zeros(), ...given });
    },
    api(name, given, counts) {
      apis.set(name, { ...zeros(), ...given });
      const count = counts.reduce((sum, each) => sum + each, 0);
      latencies.set(name, { boundsMs: [1, 20], counts, count, sumMs: 500 });
    },
    metricsSnapshot() {
      this.reads++;
      return { client: { ...client }, nodes: new Map(nodes), apis: new Map(apis), latencies: new Map(latencies) };
    },
  };
}
