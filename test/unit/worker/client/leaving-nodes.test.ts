// Connections to former places of nodes: requests under way, and later ones.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { KafkaConnectionError, RequestTimedOutError } from '../../../../src/common/errors/errors.ts';
import { ListGroups, Metadata, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { NO_ROW } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;
let former: FakeBroker;
let helper: FakeBroker;

beforeEach(() => {
  net = new FakeNetwork({ bootstrapServers: 'helper:1', metadataMaxAgeMs: 1_000_000, connectionsMaxIdleMs: -1 });
  helper = net.broker('helper:1', 7);
  former = net.broker('former:1', 1);
  net.ready(7);
  net.ready(1);
  net.advance(1000);
});

afterEach(() => net.close());

/** Metadata says that node 1 is there; asked of the idle node. */
function move(host: string): FakeBroker {
  const broker = net.broker(`${host}:1`);
  net.cluster.brokers = [{ id: 1, host, port: 1 }, ...net.cluster.brokers.filter(({ id }) => id !== 1)];
  refresh();
  return broker;
}

function leave(): void {
  net.cluster.brokers = net.cluster.brokers.filter(({ id }) => id !== 1);
  refresh();
}

function refresh(): void {
  net.advance(1000);
  void net.control.refreshMetadata(null, false);
  net.run();
}

test('requests to a node that moves are answered at the old address, and new requests go to the new address at once', () => {
  const before = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})];
  net.run();
  const old = former.transport;
  const now = move('new');
  assert.ok(net.app.isConnected(1), 'nobody had to ask for the new connection');
  const after = net.app.send(1, ListGroups, {});
  net.run();
  now.reply({ groups: [] });
  net.run();
  assert.equal(after.state, 'succeeded');
  assert.equal(former.requestsOf(ListGroups).length, 2);
  former.reply({ groups: [] });
  net.run();
  assert.equal(old.isDestroyed, false, 'one is not answered yet');
  former.reply({ groups: [] });
  net.run();
  assert.deepEqual(
    before.map(({ state }) => state),
    ['succeeded', 'succeeded'],
  );
  assert.ok(old.isDestroyed);
  assert.equal(former.transports.length, 1);
});

test('requests in flight to both addresses count for the node', () => {
  net.app.send(1, ListGroups, {});
  net.run();
  const now = move('new');
  net.app.send(1, ListGroups, {});
  net.run();
  const { counters } = net.app.end;
  assert.equal(counters.inFlight(counters.nodeRow(1)), 2);
  now.reply({ groups: [] });
  former.reply({ groups: [] });
  net.run();
  assert.equal(counters.inFlight(counters.nodeRow(1)), 0);
});

test('the timeout of a request without an answer ends only the former connection', () => {
  const lost = net.app.send(1, ListGroups, {}, { timeoutMs: 3000 });
  net.run();
  const now = move('new');
  net.advance(3000);
  assert.ok(lost.error instanceof RequestTimedOutError);
  assert.ok(former.transport.isDestroyed);
  assert.equal(now.transport.isDestroyed, false);
  assert.ok(net.app.isConnected(1));
});

test('a former connection that breaks fails what was on it, and is not opened again', () => {
  const lost = net.app.send(1, ListGroups, {});
  net.run();
  const now = move('new');
  former.transport.end();
  net.advance(5000);
  assert.ok(lost.error instanceof KafkaConnectionError);
  assert.equal(former.transports.length, 1);
  assert.equal(now.transports.length, 1);
  assert.ok(net.app.isConnected(1));
});

test('close(nodeId) closes both connections', () => {
  const open = net.app.send(1, ListGroups, {});
  net.run();
  const now = move('new');
  net.app.disconnect(1);
  net.run();
  assert.match(open.error.message, /closed by close\(nodeId\)/);
  assert.ok(former.transport.isDestroyed && now.transport.isDestroyed);
});

test('requests are answered where they were sent when a node moves again and again', () => {
  const places = [former];
  const sent = [net.app.send(1, ListGroups, {})];
  net.run();
  for (const host of ['second', 'third', 'fourth']) {
    places.push(move(host));
    sent.push(net.app.send(1, ListGroups, {}));
    net.run();
  }
  for (const i of [1, 0, 3, 2]) {
    places[i]!.reply({ groups: [] });
    net.run();
    assert.equal(sent[i]!.state, 'succeeded');
  }
  assert.deepEqual(
    places.map(({ transport }) => transport.isDestroyed),
    [true, true, false, true].map((_, i) => i !== 3),
  );
});

test('a node can leave and come back while a request is in flight', () => {
  const { counters } = net.app.end;
  for (const host of ['former', 'elsewhere']) {
    const before = net.app.send(1, ListGroups, {});
    net.run();
    const place = host === 'former' ? former : net.broker('elsewhere:1');
    leave();
    const refused = net.app.send(1, ListGroups, {});
    net.run();
    assert.match(refused.error.message, /node 1 is not part of the cluster/);
    net.cluster.brokers.push({ id: 1, host, port: 1 });
    refresh();
    net.ready(1);
    former.reply({ groups: [] }, former.waiting[0]);
    net.run();
    assert.equal(before.state, 'succeeded');
    assert.ok(net.app.isConnected(1));
    assert.equal(place.transport.isDestroyed, false);
    assert.equal(counters.inFlight(counters.nodeRow(1)), 0);
  }
});

test('an idle connection and an attempt to a former address end at once', () => {
  const old = former.transport;
  const now = move('new');
  assert.ok(old.isDestroyed);
  assert.ok(net.app.isConnected(1));
  leave();
  assert.ok(now.transport.isDestroyed);
  assert.equal(net.app.end.counters.nodeRow(1), NO_ROW);
});

test('a node without a connection is not connected because it moved', () => {
  net.app.disconnect(1);
  net.run();
  assert.equal(move('new').transports.length, 0);
});

test('requests without response that the peer has not read count as in flight', () => {
  former.transport.isBlocked = true;
  const request = { acks: 0, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records: null }] }] };
  net.app.send(1, Produce, request, { version: 9 });
  net.run();
  // By chance alone the one that is blocked would be asked.
  assert.equal(net.random(), 0.5);
  move('new');
  assert.equal(former.transport.isDestroyed, false);
  former.transport.drain();
  net.run();
  assert.equal(former.requestsOf(Produce).length, 1);
  assert.ok(former.transport.isDestroyed);
});

test('a throttle time moves with its broker', () => {
  former.handlers.set(ListGroups.key, () => ({ groups: [], throttleTimeMs: 5000 }));
  net.app.send(1, ListGroups, {});
  net.run();
  move('new');
  const refused = net.app.send(1, ListGroups, {});
  net.run();
  assert.match(refused.error.message, /is throttled for another/);
});

test('a metadata request in flight is answered too, wherever it was sent', async () => {
  former.handlers.delete(Metadata.key);
  helper.transport.end();
  net.serve('helper:1', 'refuses');
  const behind = net.app.send(1, ListGroups, {});
  net.advance(2000);
  net.run();
  assert.ok(former.requestsOf(Metadata).length > 0);
  net.cluster.brokers = [{ id: 1, host: 'new', port: 1 }];
  net.broker('new:1');
  former.reply({ groups: [] }, former.requestsOf(ListGroups)[0]);
  former.reply({ brokers: [{ nodeId: 1, host: 'new', port: 1 }] }, former.requestsOf(Metadata)[0]);
  net.run();
  assert.equal(behind.state, 'succeeded');
  assert.ok(net.app.isConnected(1));
  assert.ok(former.transport.isDestroyed);
});
