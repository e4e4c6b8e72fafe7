// A cluster with more nodes than the node table has rows: nodes in use have a row, and a node that gets none is refused with a reason.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { NodeNotReadyError } from '../../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { DEFAULT_NODE_CAPACITY, NO_ROW } from '../../../../src/state/counters.ts';
import { watch } from '../support/control-calls.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;

afterEach(() => net.close());

/** So many brokers, 0 and up, all at one address. */
function cluster(count: number): FakeBroker {
  net = new FakeNetwork({ bootstrapServers: 'all:1', metadataMaxAgeMs: 1_000_000, connectionsMaxIdleMs: -1 });
  const broker = net.broker('all:1');
  broker.handlers.set(ListGroups.key, () => ({ groups: [] }));
  net.cluster.brokers = Array.from({ length: count }, (_, id) => ({ id, host: 'all', port: 1 }));
  net.run();
  net.advance(1000);
  return broker;
}

test('every broker of a cluster that is larger than the table can be used', () => {
  cluster(DEFAULT_NODE_CAPACITY + 500);
  const { counters } = net.app.end;
  const last = DEFAULT_NODE_CAPACITY + 499;
  assert.equal(counters.nodeRow(last), NO_ROW);
  for (const nodeId of [last, last - 1, 0, 700]) {
    net.ready(nodeId);
    const sent = net.app.send(nodeId, ListGroups, {});
    net.run();
    assert.equal(sent.state, 'succeeded');
  }
  assert.equal(counters.nodesWithoutRow(), 0);
});

test('the next node is refused with a reason while all rows are in use', async () => {
  const size = DEFAULT_NODE_CAPACITY + 10;
  cluster(size);
  const { counters } = net.app.end;
  for (let nodeId = 0; nodeId <= DEFAULT_NODE_CAPACITY; nodeId++) {
    net.app.connect(nodeId);
    net.run();
  }
  const refused = watch(net.control.awaitReady(size - 1, 1000));
  await net.settled();
  assert.ok(refused.error instanceof NodeNotReadyError);
  assert.match(refused.error.message, /1024 nodes of this client are in use/);
  assert.ok(net.logs.flatMap(({ records }) => records).some(({ event }) => event === 'node-table-full'));
  assert.ok(counters.nodesWithoutRow() > 0);
  net.app.disconnect(5);
  net.app.disconnect(size - 1);
  net.run();
  net.ready(size - 1);
  assert.equal(counters.nodeRow(5), NO_ROW);
});
