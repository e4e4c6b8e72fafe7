// Owns clients that have nothing but metrics, for tests of adapters. Test thread.

import { metricDefinitions } from '../../../../src/main/metrics/client-metrics.ts';
import type { MetricsSource } from '../../../../src/main/metrics/metrics-source.ts';

type Values = Record<string, number>;

export interface FakeClient extends MetricsSource {
  readonly client: Values;
  readonly nodes: Map<string, Values>;
  /** How often it was read. */
  reads: number;
  node(name: string, values: Values): void;
}

/** Everything that is not given is 0. */
export function fakeClient(clientId: string, values: Values = {}): FakeClient {
  const zeros = (): Values => Object.fromEntries(metricDefinitions.map(({ name }) => [name, 0]));
  const client = { ...zeros(), ...values };
  const nodes = new Map<string, Values>();
  return {
    config: { clientId, metrics: true },
    client,
    nodes,
    reads: 0,
    node(name, given) {
      nodes.set(name, { ...zeros(), ...given });
    },
    metricsSnapshot() {
      this.reads++;
      return { client: { ...client }, nodes: new Map(nodes) };
    },
  };
}
