// The dashboard of docs/grafana: every metric that it asks for is one that the adapter for prom-client exports, with the labels that it
// uses.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import * as prom from 'prom-client';
import { projectFolder } from '../../../../scripts/project.ts';
import { consumerMetricDefinitions } from '../../../../src/main/metrics/consumer-metrics.ts';
import type { MetricDefinition } from '../../../../src/main/metrics/definitions.ts';
import { producerMetricDefinitions } from '../../../../src/main/metrics/producer-metrics.ts';
import { exportToPrometheus } from '../../../../src/main/metrics/prometheus.ts';
import { fakeClient } from './fake-metrics.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(readFileSync(join(projectFolder, 'docs', 'grafana', 'dashboard.json'), 'utf8')) as {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
};

/** Name of each series to its labels. */
const exported = new Map<string, Set<string>>();

before(async () => {
  const registry = new prom.Registry();
  const client = fakeClient('a');
  client.node('1', {});
  client.api('Fetch', {}, [1, 1, 1]);
  const zeros = (definitions: readonly MetricDefinition[]) =>
    Object.fromEntries(definitions.map(({ name }) => [name, 0]));
  const origin = { metricsOrigin: { clientId: 'a', metrics: true } };
  const ofProducer = zeros(producerMetricDefinitions);
  const ofConsumer = zeros(consumerMetricDefinitions);
  exportToPrometheus(client, prom, { registry });
  exportToPrometheus(
    { ...origin, metricsSnapshot: () => ({ producer: ofProducer, topics: new Map([['t', ofProducer]]) }) },
    prom,
    { registry },
  );
  const consumer = {
    ...origin,
    assignment: [],
    metricsSnapshot: () => ({
      consumer: ofConsumer,
      topics: new Map([['t', ofConsumer]]),
      partitions: [{ topic: 't', partition: 0, values: ofConsumer }],
    }),
  };
  exportToPrometheus(consumer, prom, { registry });
  for (const line of (await registry.metrics()).split('\n')) {
    const series = /^(\w+)\{(.*)\} \S+$/.exec(line);
    if (series === null) continue;
    const labels = [...series[2]!.matchAll(/(\w+)="/g)].map(([, label]) => label!);
    exported.set(series[1]!, new Set(labels));
  }
});

const expressions = (): string[] => dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe('the Grafana dashboard', () => {
  test('asks for metrics that exist', () => {
    const asked = expressions().flatMap((expr) => [...expr.matchAll(/\bkafka_\w+/g)].map(([name]) => name));
    assert.ok(asked.length > 30, `${asked.length} metrics`);
    for (const name of asked) assert.ok(exported.has(name), `${name} is not exported`);
    for (const { query } of dashboard.templating.list) {
      const [, name] = /^label_values\((\w+), \w+\)$/.exec(query) ?? [];
      if (query !== 'prometheus') assert.ok(exported.has(name!), query);
    }
  });

  test('uses labels that these metrics have', () => {
    for (const { title, targets = [] } of dashboard.panels) {
      for (const { expr, legendFormat } of targets) {
        const used = [
          ...expr.matchAll(/(\w+)=~?"/g),
          ...expr.matchAll(/by \(([^)]*)\)/g),
          ...legendFormat.matchAll(/\{\{(\w+)\}\}/g),
        ].flatMap(([, labels]) => labels!.split(', '));
        for (const [name] of expr.matchAll(/\bkafka_\w+/g)) {
          for (const label of used)
            assert.ok(exported.get(name)?.has(label), `${title}: ${name} has no label ${label}`);
        }
      }
    }
  });

  test('rates are of counters, and nothing else is', () => {
    for (const expr of expressions()) {
      for (const [name] of expr.matchAll(/\bkafka_\w+/g)) {
        const isCounter = name.endsWith('_total') || name.endsWith('_bucket');
        if (name.endsWith('buffer_total_bytes')) continue;
        assert.equal(expr.includes(`rate(${name}{`), isCounter, expr);
      }
    }
  });

  test('shows every row of its layout once, without overlap', () => {
    const places = new Set<string>();
    const ids = new Set<number>();
    for (const { id, type, gridPos, datasource } of dashboard.panels) {
      assert.ok(!ids.has(id), `panel ${id} twice`);
      ids.add(id);
      if (type !== 'row') assert.equal(datasource?.uid, `$${'{datasource}'}`);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(x < 24 && !places.has(`${x} ${y}`), `panel ${id} at ${x}, ${y}`);
          places.add(`${x} ${y}`);
        }
      }
    }
  });
});
