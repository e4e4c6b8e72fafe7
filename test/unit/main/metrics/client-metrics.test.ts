// The names and values of metrics, from memory that the network thread has written.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { projectFolder } from '../../../../scripts/project.ts';
import { monotonicNowMs } from '../../../../src/common/clock.ts';
import { groupsOf, metricDefinitions, readMetrics } from '../../../../src/main/metrics/client-metrics.ts';
import { ClientMetricsReader, createClientMetrics } from '../../../../src/state/api-metrics.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';
import { FakeThread } from '../support/fake-thread.ts';

let thread: FakeThread;
let recorded: Metrics;
let reader: ClientMetricsReader;

beforeEach(() => {
  thread = new FakeThread();
  const memory = createClientMetrics(16);
  recorded = new Metrics(memory, monotonicNowMs());
  reader = new ClientMetricsReader(memory);
});

afterEach(() => thread.close());

function addNode(nodeId: number, brokerId = nodeId, lane = ''): number {
  const { counters } = thread;
  return recorded.nodeAdded(counters.addNode(nodeId, brokerId, lane), true);
}

function read() {
  return readMetrics(reader, thread.application, new Map([[1, 'Fetch']]));
}

test('groups are the same as in other clients: one for totals and one for each node', () => {
  for (const nodeId of [0, -1, -3]) addNode(nodeId);
  addNode(0x7fffffff - 4, 4, 'coordinator');
  addNode(-5000, 4, 'fetch');
  assert.deepEqual(Object.keys(groupsOf(read(), '')), [
    'metrics',
    'node-metrics.node-0',
    'node-metrics.node-bootstrap-0',
    'node-metrics.node-bootstrap-2',
    'node-metrics.node-coordinator-4',
    'node-metrics.node-4-fetch',
    'kafka-metrics-count',
  ]);
  const groups = groupsOf(read(), 'orders');
  assert.ok('orders-metrics' in groups && 'orders-node-metrics.node-0' in groups);
  const { 'kafka-metrics-count': count, ...others } = groups;
  assert.equal(
    count!.count,
    Object.values(others).reduce((sum, group) => sum + Object.keys(group).length, 0),
  );
});

test('a node that is gone has no metrics', () => {
  addNode(1);
  addNode(2);
  thread.counters.removeNode(1);
  assert.deepEqual([...read().nodes.keys()], ['2']);
});

test('the client and each node have the metrics of the reference', () => {
  addNode(1);
  const { client, nodes } = read();
  const both = [
    'request-rate request-size-avg request-size-max outgoing-byte-rate response-rate incoming-byte-rate',
    'request-latency-avg request-latency-max throttle-time-avg throttle-time-max',
  ];
  const clientOnly = [
    'connection-close-rate connection-creation-rate connection-count select-rate io-wait-time-ns-avg io-wait-ratio',
    'io-time-ns-avg io-ratio network-io-rate',
  ];
  for (const name of both.join(' ').split(' ')) {
    assert.equal(client[name], 0, name);
    assert.equal(nodes.get('1')![name], 0, name);
  }
  for (const name of clientOnly.join(' ').split(' ')) assert.equal(client[name], 0, name);
});

test('every value has a definition, and every definition a value', () => {
  addNode(1);
  const { client, nodes } = read();
  const ofScope = (...scopes: string[]) => metricDefinitions.filter(({ scope }) => scopes.includes(scope));
  assert.deepEqual(
    Object.keys(client),
    ofScope('client', 'both').map(({ name }) => name),
  );
  assert.deepEqual(
    Object.keys(nodes.get('1')!),
    ofScope('node', 'both').map(({ name }) => name),
  );
  for (const { name, doc } of metricDefinitions) {
    assert.match(name, /^[a-z]+(-[a-z0-9]+)*$/);
    assert.ok(doc.length > 10, name);
  }
});

test('docs/metrics.md lists the metrics correctly', () => {
  const page = readFileSync(join(projectFolder, 'docs', 'metrics.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| `[a-z0-9-]+` \| (client|node|api|both) \|/.test(line));
  assert.deepEqual(
    rows,
    metricDefinitions.map(({ name, scope, unit, doc }) => `| \`${name}\` | ${scope} | ${unit} | ${doc} |`),
  );
});

test('metrics that are separate in the reference are separate here', () => {
  const node = addNode(1);
  for (let i = 0; i < 3; i++) recorded.connectionCreated(node);
  for (let i = 0; i < 6; i++) recorded.connectionClosed(node);
  for (let i = 0; i < 9; i++) recorded.requestSent(node, 10, 3);
  for (let i = 0; i < 12; i++) recorded.responseReceived(node, 20, i, 3);
  for (let i = 0; i < 15; i++) recorded.roundEnded(200, 100);
  recorded.throttled(node, 40);
  recorded.throttled(node, 20);
  recorded.set('connectionCount', 5);
  const { client } = read();
  const expected: Record<string, number> = {
    'connection-creation-rate': 3 / 30,
    'connection-close-rate': 6 / 30,
    'connection-count': 5,
    'request-rate': 9 / 30,
    'outgoing-byte-rate': 90 / 30,
    'response-rate': 12 / 30,
    'incoming-byte-rate': 240 / 30,
    'network-io-rate': 21 / 30,
    'request-latency-avg': 5.5,
    'request-latency-max': 11,
    'throttle-time-avg': 60 / 12,
    'throttle-time-max': 40,
    'select-rate': 15 / 30,
    'io-wait-time-ns-avg': 200e6,
    'io-wait-ratio': 3 / 30,
    'io-time-ns-avg': 100e6,
    'io-ratio': 1.5 / 30,
  };
  // Rates divide by a window and what has passed of the next, here next to nothing.
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(Math.abs(client[name]! - value) <= value / 50, `${name}: ${client[name]}, expected ${value}`);
  }
});

test('values are the recorded values', () => {
  const node = addNode(1);
  for (const size of [100, 300]) recorded.requestSent(node, size, 3);
  recorded.responseReceived(node, 5000, 20, 3);
  recorded.throttled(node, 70);
  recorded.requestAccepted();
  recorded.requestAccepted();
  recorded.requestAccepted();
  recorded.requestSucceeded();
  recorded.requestFailed();
  recorded.roundEnded(30, 10);
  recorded.set('poolTasks', 4);
  thread.counters.setInFlight(thread.counters.nodeRow(1), 2);
  const { client, nodes } = read();
  const one = nodes.get('1')!;
  for (const values of [client, one]) {
    assert.equal(values['request-total'], 2);
    assert.equal(values['request-size-avg'], 200);
    assert.equal(values['request-size-max'], 300);
    assert.equal(values['outgoing-byte-total'], 400);
    assert.equal(values['incoming-byte-total'], 5000);
    assert.equal(values['request-latency-avg'], 20);
    assert.equal(values['request-latency-max'], 20);
    assert.equal(values['throttle-time-max'], 70);
    assert.ok(Math.abs(values['request-rate']! - 2 / 30) < 0.01);
  }
  assert.equal(one['requests-in-flight'], 2);
  assert.equal(client['requests-open'], 1);
  assert.equal(client['io-wait-time-ns-avg'], 30e6);
  assert.equal(client['io-time-ns-max'], 10e6);
  assert.ok(client['io-wait-ratio']! > 0 && client['io-wait-ratio']! < 0.0011);
  assert.equal(client['codec-pool-tasks'], 4);
});

test('rings and moved bodies are measured in the shared memory', () => {
  assert.equal(read().client['request-ring-bytes'], 0);
  const { requests } = thread.application;
  assert.ok(requests.commitEmpty(1, 1, 1));
  assert.equal(read().client['request-ring-bytes'], 16);
  thread.polled(1);
  assert.equal(read().client['response-ring-bytes'], 16);
  const { responses } = thread.application;
  assert.ok(responses.next());
  responses.release();
  assert.equal(read().client['response-ring-bytes'], 0);
  const size = thread.network.responses.spillBytes + 1000;
  assert.ok(thread.network.responses.begin(size));
  assert.ok(thread.network.responses.commit(1, 1, 1, size));
  assert.ok(read().client['response-spill-bytes']! >= size);
  assert.ok(responses.next());
  responses.release();
  assert.equal(read().client['response-spill-bytes'], 0);
});
