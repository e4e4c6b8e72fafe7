// Leaders and coordinators that responses name (KIP-951), through a whole network thread.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { Fetch, FindCoordinator, ListGroups, Metadata, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const fetch = { maxWaitMs: 0, minBytes: 0, topics: [] };
const nodeEndpoints = [{ nodeId: 2, host: 'two', port: 9092 }];
const currentLeader = { leaderId: 2, leaderEpoch: 6 };
const responses = [{ topicId, partitions: [{ partitionIndex: 0, errorCode: 6, currentLeader }] }];
const orders = (leaderId: number, leaderEpoch: number) => [
  { name: 'orders', topicId, partitions: [{ partitionIndex: 0, leaderId, leaderEpoch }] },
];

let net: FakeNetwork;
let one: FakeBroker;
let two: FakeBroker;

beforeEach(() => {
  net = new FakeNetwork({ metadataMaxAgeMs: 1_000_000, retryBackoffMs: 0 });
  one = net.broker('one:9092', 1);
  two = net.broker('two:9092');
  net.cluster.topics = orders(1, 5);
  net.ready(1);
});

afterEach(() => net.close());

/** Sends to node 1 and has it answered. */
function answered<Request>(api: Api<Request, unknown>, request: Request, response: object): void {
  const sent = net.app.send(1, api, request);
  net.run();
  one.reply(response);
  net.run();
  assert.equal(sent.state, 'succeeded');
}

function refresh(): void {
  void net.control.refreshMetadata(null, false);
  net.run();
}

test('requests can be sent to a leader that a response names, without a metadata request', () => {
  const asked = one.requestsOf(Metadata).length;
  answered(Fetch, fetch, { responses, nodeEndpoints });
  net.ready(2);
  net.app.send(2, ListGroups, {});
  net.run();
  assert.equal(two.requestsOf(ListGroups).length, 1);
  assert.equal(one.requestsOf(Metadata).length + two.requestsOf(Metadata).length, asked);
});

test('older metadata does not bring back the former leader after a response named a newer one', () => {
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  refresh();
  answered(
    Produce,
    { acks: 1, timeoutMs: 1, topicData: [] },
    {
      responses: [{ topicId, partitionResponses: [{ index: 0, errorCode: 6, currentLeader }] }],
      nodeEndpoints,
    },
  );
  refresh();
  const { leaderId, leaderEpoch } = net.app.metadata.at(-1)!.view.topics.at(0).partitions.at(0);
  assert.deepEqual([leaderId, leaderEpoch], [2, 6]);
  net.cluster.topics = orders(1, 7);
  refresh();
  assert.equal(net.app.metadata.at(-1)!.view.topics.at(0).partitions.at(0).leaderId, 1);
});

test('a known broker keeps its address from metadata', () => {
  answered(Fetch, fetch, { responses, nodeEndpoints: [{ nodeId: 1, host: 'two', port: 9092 }] });
  assert.ok(net.app.isConnected(1));
  net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(one.requestsOf(ListGroups).length, 1);
});

test('a coordinator that metadata does not know yet can be connected', () => {
  answered(FindCoordinator, {}, { coordinators: [{ key: 'readers', nodeId: 2, host: 'two', port: 9092 }] });
  net.ready(2);
  assert.equal(two.transports.length, 1);
});

test('a broker that is named before the first metadata does not replace the bootstrap servers', async () => {
  await net.close();
  net = new FakeNetwork();
  one = net.broker('one:9092');
  one.handlers.delete(Metadata.key);
  net.ready(-1);
  const sent = net.app.send(-1, FindCoordinator, {});
  net.run();
  one.reply({ brokers: [] }, one.waiting.find(({ apiKey }) => apiKey === Metadata.key)!);
  one.reply({ coordinators: [{ key: 'a', nodeId: 2, host: 'two', port: 9092 }] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  net.advance(500);
  assert.deepEqual(
    net.attempts.map(({ address }) => address),
    ['one:9092'],
  );
});
