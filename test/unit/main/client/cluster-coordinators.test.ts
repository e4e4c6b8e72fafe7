// Coordinators of groups in the cluster of an application thread.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FindCoordinator } from '../../../../src/protocol/flat/generated/apis.ts';
import { responseView } from '../../protocol/support/response-view.ts';
import { known, knownWriter, response, view } from './support/known-cluster.ts';

test('a coordinator has its own node id and the current address of its broker', () => {
  const writer = knownWriter();
  const { cluster } = writer;
  assert.equal(cluster.coordinatorForGroup('readers'), null);
  const found = responseView(FindCoordinator, { nodeId: 2, host: 'two', port: 9093 });
  const nodeId = cluster.addGroupCoordinator('readers', found);
  assert.equal(nodeId, 2147483645);
  assert.equal(cluster.coordinatorForGroup('readers'), 2147483645);
  assert.deepEqual(cluster.brokerMetadata(2147483645), { nodeId: 2147483645, host: 'two', port: 9093, rack: null });
  assert.equal(cluster.isBootstrap(2147483645), false);
  const moved = [{ nodeId: 2, host: 'elsewhere', port: 1 }];
  writer.update(view({ ...response, brokers: moved }), 2);
  assert.equal(cluster.brokerMetadata(2147483645)!.host, 'elsewhere');
  assert.equal(cluster.coordinatorForGroup('readers'), 2147483645, 'a refresh does not forget it');
});

test('a coordinator that metadata does not list has the address of the FindCoordinator response', () => {
  const cluster = known();
  const found = responseView(FindCoordinator, { nodeId: 8, host: 'eight', port: 9098 });
  const nodeId = cluster.addGroupCoordinator('readers', found)!;
  assert.deepEqual(cluster.brokerMetadata(nodeId), { nodeId, host: 'eight', port: 9098, rack: null });
  assert.equal(cluster.brokerMetadata(8), null);
});

test('the entry of the group is used from a list of coordinators', () => {
  const cluster = known();
  const coordinators = [
    { key: 'other', nodeId: 1, host: 'one', port: 9092 },
    { key: 'readers', nodeId: 2, host: 'two', port: 9093 },
  ];
  const found = responseView(FindCoordinator, { coordinators });
  assert.equal(cluster.addGroupCoordinator('readers', found), 2147483645);
  assert.equal(cluster.addGroupCoordinator('nobody', found), null);
  assert.equal(cluster.coordinatorForGroup('nobody'), -1);
});

test('a failed FindCoordinator request is remembered', () => {
  const cluster = known();
  const failed = responseView(FindCoordinator, { errorCode: 15, nodeId: -1, host: '', port: -1 });
  assert.equal(cluster.addGroupCoordinator('readers', failed), null);
  assert.equal(cluster.coordinatorForGroup('readers'), -1);
  assert.throws(() => cluster.addGroupCoordinator(7 as never, failed), /TypeError: group must be a string, not 7/);
});
