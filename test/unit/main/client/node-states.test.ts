import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { monotonicNowMs } from '../../../../src/common/clock.ts';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { toPlainError } from '../../../../src/common/errors/plain-error.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { coordinatorNodeId } from '../../../../src/common/node-ids.ts';
import { Cluster } from '../../../../src/main/client/cluster.ts';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { NodeStates } from '../../../../src/main/client/node-states.ts';
import { Future } from '../../../../src/main/link/future.ts';
import { InFlight } from '../../../../src/main/link/in-flight.ts';
import { NetworkProxy } from '../../../../src/main/link/network-proxy.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { FindCoordinator, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTED, NODE_CONNECTING, NODE_DISCONNECTED } from '../../../../src/state/counters.ts';
import { responseView } from '../../protocol/support/response-view.ts';
import { FakeThread } from '../support/fake-thread.ts';

let thread: FakeThread;
let proxy: NetworkProxy;
let inFlight: InFlight;
let clusterWriter: ClusterWriter;
let cluster: Cluster;
let nodes: NodeStates;
let nextRequestId = 1;

const limit = 3;

beforeEach(() => {
  thread = new FakeThread();
  proxy = new NetworkProxy(thread.application);
  inFlight = new InFlight();
  clusterWriter = new ClusterWriter([{ host: 'boot', port: 9092 }]);
  cluster = clusterWriter.cluster;
  nodes = new NodeStates(thread.application.counters, inFlight, proxy, cluster, limit);
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  const brokers = [1, 2, 3].map((nodeId) => ({ nodeId, host: `host-${nodeId}`, port: 9092 }));
  Metadata.writeResponse(writer, { brokers });
  const byteLength = writer.finish();
  clusterWriter.update(
    Metadata.readResponse(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength })),
    1,
  );
});

afterEach(() => thread.close());

/** What the network thread says of a node. */
function publish(
  nodeId: number,
  state: number,
  { backoffMs = 0, throttleMs = 0, internal = 0 }: { backoffMs?: number; throttleMs?: number; internal?: number } = {},
): void {
  const now = monotonicNowMs();
  const row = thread.counters.addNode(nodeId);
  thread.counters.setNodeState(row, state);
  thread.counters.setBackoffUntil(row, now + backoffMs, now);
  thread.counters.setThrottledUntil(row, now + throttleMs, now);
  thread.counters.setInternalInFlight(row, internal);
}

function send(nodeId: number, count = 1): void {
  for (let i = 0; i < count; i++) {
    const api = { readResponse: () => null };
    inFlight.add({ requestId: nextRequestId++, nodeId, api, future: new Future(), expectsResponse: true });
  }
}

interface Expected {
  connected: boolean;
  disconnected: boolean;
  ready: boolean;
  canConnect: boolean;
  delay: number | 'some';
  why: RegExp | null;
}

function check(nodeId: number, expected: Expected): void {
  assert.equal(nodes.isConnected(nodeId), expected.connected, 'connected');
  assert.equal(nodes.isDisconnected(nodeId), expected.disconnected, 'disconnected');
  assert.equal(nodes.isReady(nodeId), expected.ready, 'ready');
  assert.equal(nodes.canConnect(nodeId), expected.canConnect, 'canConnect');
  const delay = nodes.connectionDelay(nodeId);
  if (expected.delay === 'some') assert.ok(delay > 0 && Number.isFinite(delay), `delay ${delay}`);
  else assert.equal(delay, expected.delay, 'delay');
  const refusal = nodes.refusal(nodeId);
  if (expected.why === null) assert.equal(refusal, null);
  else assert.match(refusal!.message, expected.why);
}

test('an unknown node cannot be used', () => {
  check(99, {
    connected: false,
    disconnected: false,
    ready: false,
    canConnect: false,
    delay: 0,
    why: /node 99 is not part of the cluster/,
  });
});

test('a known node without a connection can be connected', () => {
  check(1, {
    connected: false,
    disconnected: false,
    ready: false,
    canConnect: true,
    delay: 0,
    why: /node 1 is not connected/,
  });
});

test('a bootstrap server is a node too', () => {
  check(-1, { connected: false, disconnected: false, ready: false, canConnect: true, delay: 0, why: /node -1/ });
  publish(-1, NODE_CONNECTED);
  assert.equal(nodes.isReady(-1), true);
});

test('a connecting node is not ready', () => {
  publish(1, NODE_CONNECTING, { backoffMs: 500_000 });
  check(1, {
    connected: false,
    disconnected: false,
    ready: false,
    canConnect: false,
    delay: 0,
    why: /node 1 is still connecting/,
  });
});

test('a connected node is ready', () => {
  publish(1, NODE_CONNECTED);
  check(1, {
    connected: true,
    disconnected: false,
    ready: true,
    canConnect: false,
    delay: Number.POSITIVE_INFINITY,
    why: null,
  });
});

test('a connected node at its limit is not ready', () => {
  publish(1, NODE_CONNECTED);
  send(1, limit - 1);
  assert.equal(nodes.isReady(1), true);
  send(1);
  check(1, {
    connected: true,
    disconnected: false,
    ready: false,
    canConnect: false,
    delay: Number.POSITIVE_INFINITY,
    why: /node 1 has 3 requests in flight, the limit/,
  });
  assert.equal(nodes.isReady(2), false);
});

test('requests of the network thread itself count against the limit', () => {
  publish(1, NODE_CONNECTED, { internal: 1 });
  send(1, limit - 1);
  assert.equal(nodes.inFlight(1), limit);
  assert.equal(nodes.isReady(1), false);
});

test('a throttled node is not ready', () => {
  publish(1, NODE_CONNECTED, { throttleMs: 500_000 });
  check(1, {
    connected: true,
    disconnected: false,
    ready: false,
    canConnect: false,
    delay: Number.POSITIVE_INFINITY,
    why: /node 1 is throttled for another \d+ ms \(quota\)/,
  });
});

test('a connected node whose peer does not read is not ready', () => {
  publish(1, NODE_CONNECTED);
  thread.counters.setHeldBack(thread.counters.nodeRow(1), true);
  check(1, {
    connected: true,
    disconnected: false,
    ready: false,
    canConnect: false,
    delay: Number.POSITIVE_INFINITY,
    why: /node 1 does not read what was sent to it/,
  });
  thread.counters.setHeldBack(thread.counters.nodeRow(1), false);
  assert.equal(nodes.isReady(1), true);
});

test('a disconnected node in backoff tells the rest of the wait', () => {
  publish(1, NODE_DISCONNECTED, { backoffMs: 500_000 });
  check(1, {
    connected: false,
    disconnected: true,
    ready: false,
    canConnect: false,
    delay: 'some',
    why: /node 1 is not connected; the next attempt may begin in \d+ ms/,
  });
});

test('a disconnected node can be connected after its backoff', () => {
  publish(1, NODE_DISCONNECTED);
  check(1, {
    connected: false,
    disconnected: true,
    ready: false,
    canConnect: true,
    delay: 0,
    why: /node 1 is not connected \[KAFKA_\w+\]$/,
  });
});

test('a node that this thread has closed is like a new node, before the network thread knows of it', () => {
  publish(1, NODE_CONNECTED);
  publish(2, NODE_DISCONNECTED, { backoffMs: 500_000 });
  proxy.disconnect(1);
  proxy.disconnect(2);
  for (const nodeId of [1, 2]) {
    check(nodeId, {
      connected: false,
      disconnected: false,
      ready: false,
      canConnect: true,
      delay: 0,
      why: /is not connected \[KAFKA_\w+\]$/,
    });
  }
  thread.take();
  assert.equal(nodes.isConnected(1), true, 'what the network thread says counts again');
});

test('a node that the network thread no longer has is like an unknown node', () => {
  publish(1, NODE_CONNECTED);
  assert.equal(nodes.isConnected(1), true);
  thread.counters.removeNode(1);
  assert.equal(nodes.isConnected(1), false);
  assert.equal(nodes.inFlight(1), 0);
});

test('least loaded: an idle connected node is chosen first', () => {
  publish(1, NODE_CONNECTED);
  send(1);
  publish(2, NODE_CONNECTED);
  for (let i = 0; i < 20; i++) assert.equal(nodes.leastLoaded(), 2);
});

test('least loaded: an unconnected node is chosen before a busy one', () => {
  for (const nodeId of [1, 2]) {
    publish(nodeId, NODE_CONNECTED);
    send(nodeId);
  }
  for (let i = 0; i < 20; i++) assert.equal(nodes.leastLoaded(), 3);
});

test('least loaded: the least busy node is chosen among busy nodes, and no node in backoff or throttled', () => {
  publish(1, NODE_CONNECTED);
  send(1, 2);
  publish(2, NODE_DISCONNECTED, { backoffMs: 500_000 });
  publish(3, NODE_CONNECTED, { throttleMs: 500_000 });
  for (let i = 0; i < 20; i++) assert.equal(nodes.leastLoaded(), 1);
  publish(1, NODE_DISCONNECTED, { backoffMs: 500_000 });
  assert.equal(nodes.leastLoaded(), null);
});

test('least loaded: a full node is chosen if there is no other, and never the connection of a coordinator', () => {
  const coordinator = coordinatorNodeId(1);
  publish(coordinator, NODE_CONNECTED);
  cluster.addGroupCoordinator('g', responseView(FindCoordinator, { nodeId: 1, host: 'host-1', port: 9092 }));
  assert.equal(nodes.isReady(coordinator), true);
  publish(1, NODE_CONNECTED);
  send(1, limit);
  for (const nodeId of [2, 3]) publish(nodeId, NODE_DISCONNECTED, { backoffMs: 500_000 });
  for (let i = 0; i < 20; i++) assert.equal(nodes.leastLoaded(), 1);
});

test('least loaded: every candidate is chosen at times when nothing is connected', () => {
  const chosen = new Set(Array.from({ length: 200 }, () => nodes.leastLoaded()));
  assert.deepEqual([...chosen].sort(), [1, 2, 3]);
});

test('least loaded: a bootstrap server is chosen while no broker is known', () => {
  const fresh = new NodeStates(
    thread.application.counters,
    inFlight,
    proxy,
    new Cluster([{ host: 'b', port: 1 }]),
    limit,
  );
  assert.equal(fresh.leastLoaded(), -1);
});

test('the last error of a node is made once for each failure, and is the cause of every refusal', () => {
  publish(1, NODE_DISCONNECTED);
  const row = thread.counters.addNode(1);
  const failWith = (message: string): void =>
    thread.counters.setNodeError(row, JSON.stringify(toPlainError(new KafkaConnectionError(message))));
  failWith('first');
  const first = nodes.lastError(1);
  assert.equal(first!.message, 'first [KAFKA_CONNECTION]');
  assert.equal(nodes.refusal(1)!.cause, first);
  assert.equal(nodes.refusal(1)!.cause, first);
  failWith('second');
  assert.equal((nodes.refusal(1)!.cause as Error).message, 'second [KAFKA_CONNECTION]');
  thread.counters.setNodeError(row, '');
  assert.equal(nodes.lastError(1), undefined);
  assert.equal(nodes.refusal(1)!.cause, undefined);
});
