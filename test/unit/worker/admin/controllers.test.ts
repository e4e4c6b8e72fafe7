// Administration calls of a client that was started with controllers (KIP-919): they go to the active controller, as it is named now.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeAcls } from '../../../../src/worker/admin/calls/acls.ts';
import { describeCluster } from '../../../../src/worker/admin/calls/cluster.ts';
import { addRaftVoter, describeMetadataQuorum } from '../../../../src/worker/admin/calls/quorum.ts';
import { anyBroker } from '../../../../src/worker/client/broker-requests.ts';
import { type Asked, FakeHost } from './fake-host.ts';

const notController = 41;
const mismatched = 114;
const active = 7;

const quorum = { topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0, leaderId: active }] }] };
const seen = ({ asked }: FakeHost): (readonly [string, number])[] => asked.map(({ api, brokerId }) => [api, brokerId]);

/** Controllers that name the active one. The other requests are answered in turn. */
function controllers(...answers: readonly object[]): FakeHost {
  const host = new FakeHost();
  let next = 0;
  host.reply = ({ api, brokerId }: Asked) => {
    if (api === 'DescribeCluster' && brokerId === anyBroker) return { response: { controllerId: active } };
    return { response: answers[Math.min(next++, answers.length - 1)]! };
  };
  return host;
}

test('a call for any broker goes to the active controller', async () => {
  const host = controllers(quorum);
  assert.equal((await host.run(describeMetadataQuorum(host.call(10_000, true)))).leaderId, active);
  assert.deepEqual(seen(host), [
    ['DescribeCluster', anyBroker],
    ['DescribeQuorum', active],
  ]);
});

test('a call for the controller does not ask for metadata, which controllers do not have', async () => {
  const host = controllers({ errorCode: 0 });
  const voter = { clusterId: null, voterId: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ', listeners: [] };
  await host.run(addRaftVoter(host.call(10_000, true), voter));
  assert.deepEqual(seen(host), [
    ['DescribeCluster', anyBroker],
    ['AddRaftVoter', active],
  ]);
});

test('a controller that is not the active one any more: the active one is looked up again', async () => {
  const host = controllers({ errorCode: notController }, { errorCode: 0, resources: [] });
  assert.deepEqual(await host.run(describeAcls(host.call(10_000, true), { filter: {} })), []);
  assert.deepEqual(
    seen(host).map(([api]) => api),
    ['DescribeCluster', 'DescribeAcls', 'DescribeCluster', 'DescribeAcls'],
  );
});

test('the cluster is described with its controllers', async () => {
  const host = controllers({ controllerId: active, brokers: [{ brokerId: active, host: 'c', port: 9093 }] });
  const about = { includeFencedBrokers: false, includeAuthorizedOperations: false };
  const { controllerId, brokers } = await host.run(describeCluster(host.call(10_000, true), about));
  assert.deepEqual([controllerId, brokers.map(({ host: name }) => name)], [active, ['c']]);
  for (const { request } of host.asked) assert.equal((request as { endpointType: number }).endpointType, 2);
});

test('a broker that was given as a controller is told as such, once', async () => {
  const host = new FakeHost();
  host.reply = () => ({ response: { errorCode: mismatched, controllerId: -1 } });
  await assert.rejects(host.run(describeMetadataQuorum(host.call(10_000, true))), {
    code: 'KAFKA_MISMATCHED_ENDPOINT_TYPE',
  });
  assert.equal(host.asked.length, 1);
});
