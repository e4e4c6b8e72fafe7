// Coordinators: second connections to brokers, with node ids of their own.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { coordinatorNodeId } from '../../../../src/common/node-ids.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;
let one: FakeBroker;
const coordinator = coordinatorNodeId(1);

beforeEach(() => {
  net = new FakeNetwork({ metadataMaxAgeMs: 1_000_000, retryBackoffMs: 0 });
  one = net.broker('one:9092', 1);
  net.ready(1);
});

afterEach(() => net.close());

function refresh(): void {
  void net.control.refreshMetadata(null, false);
  net.run();
}

test('a coordinator has its own connection beside that of its broker', () => {
  net.ready(coordinator);
  const transports = one.transports.length;
  net.app.send(1, ListGroups, {});
  const sent = net.app.send(coordinator, ListGroups, {});
  net.run();
  const [toBroker, toCoordinator] = one.waiting;
  assert.notEqual(toBroker!.transport, toCoordinator!.transport);
  one.reply({ groups: [] }, toCoordinator);
  net.run();
  assert.equal(sent.state, 'succeeded', 'it does not wait for the other connection');
  assert.equal(one.transports.length, transports);
});

test('an unknown broker has no coordinator', () => {
  const sent = net.app.send(coordinatorNodeId(2), ListGroups, {});
  net.run();
  assert.match(sent.error.message, /node 2147483645 is not part of the cluster/);
});

test('metadata is never asked of a coordinator', () => {
  net.ready(coordinator);
  const own = one.transport;
  net.app.send(1, ListGroups, {});
  for (let i = 0; i < 20; i++) refresh();
  const asked = one.requestsOf(Metadata).filter(({ transport }) => transport === own);
  assert.equal(asked.length, 0);
});

test('a coordinator follows its broker to another address', () => {
  net.ready(coordinator);
  const sent = net.app.send(coordinator, ListGroups, {});
  const elsewhere = net.broker('elsewhere:9092');
  net.cluster.brokers[0]!.host = 'elsewhere';
  refresh();
  assert.ok(net.app.isConnected(coordinator));
  assert.equal(elsewhere.transports.length, 2, 'one as a broker, one as a coordinator');
  one.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('a coordinator is removed with its broker', () => {
  net.ready(coordinator);
  const sent = net.app.send(coordinator, ListGroups, {});
  net.broker('two:9092', 2);
  net.cluster.brokers.shift();
  refresh();
  one.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  assert.equal(net.app.end.counters.nodeRow(coordinator), -1);
});
