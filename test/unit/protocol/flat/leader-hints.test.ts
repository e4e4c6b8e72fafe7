// Leaders and addresses that responses name beside their own content.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Fetch,
  FindCoordinator,
  ListGroups,
  Produce,
  ShareAcknowledge,
  ShareFetch,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { apisWithHints, clusterHintsOf } from '../../../../src/protocol/flat/leader-hints.ts';
import { zeroUuid } from '../../../../src/protocol/flat/uuid.ts';
import { responseView } from '../support/response-view.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const nodeEndpoints = [{ nodeId: 2, host: 'two', port: 9092, rack: 'r' }];
const currentLeader = { leaderId: 2, leaderEpoch: 7 };
const hints = {
  brokers: nodeEndpoints,
  leaders: [{ topic: '', topicId, partition: 3, leaderId: 2, leaderEpoch: 7 }],
};

test('a Produce, Fetch or share response names the leader with its address', () => {
  const partitions = [{ partitionIndex: 3, errorCode: 6, currentLeader }];
  const byFetch = responseView(Fetch, { responses: [{ topicId, partitions }], nodeEndpoints });
  assert.deepEqual(clusterHintsOf(Fetch, byFetch), hints);
  const partitionResponses = [{ index: 3, errorCode: 6, currentLeader }];
  const byProduce = responseView(Produce, { responses: [{ topicId, partitionResponses }], nodeEndpoints });
  assert.deepEqual(clusterHintsOf(Produce, byProduce), hints);
  const byShare = responseView(ShareFetch, { responses: [{ topicId, partitions }], nodeEndpoints });
  assert.deepEqual(clusterHintsOf(ShareFetch, byShare), hints);
  const byAcknowledge = responseView(ShareAcknowledge, { responses: [{ topicId, partitions }], nodeEndpoints });
  assert.deepEqual(clusterHintsOf(ShareAcknowledge, byAcknowledge), hints);
});

test('topics can be named by name', () => {
  const leaders = [{ topic: 'orders', topicId: zeroUuid, partition: 3, leaderId: 2, leaderEpoch: 7 }];
  const partitions = [{ partitionIndex: 3, errorCode: 6, currentLeader }];
  const byFetch = responseView(Fetch, { responses: [{ topic: 'orders', partitions }], nodeEndpoints });
  assert.deepEqual(clusterHintsOf(Fetch, byFetch)!.leaders, leaders);
  const partitionResponses = [{ index: 3, errorCode: 6, currentLeader }];
  const byProduce = responseView(Produce, { responses: [{ name: 'orders', partitionResponses }], nodeEndpoints });
  assert.deepEqual(clusterHintsOf(Produce, byProduce)!.leaders, leaders);
});

test('a response without addresses names no leader', () => {
  const partitions = [{ partitionIndex: 3, currentLeader }];
  assert.equal(clusterHintsOf(Fetch, responseView(Fetch, { responses: [{ topicId, partitions }] })), null);
  assert.equal(clusterHintsOf(Produce, responseView(Produce, { responses: [] })), null);
});

test('partitions without a leader, and topics without a name, are left out', () => {
  const none = { leaderId: -1, leaderEpoch: -1 };
  const partitions = [
    { partitionIndex: 1, currentLeader: none },
    { partitionIndex: 2, currentLeader: { leaderId: 2, leaderEpoch: -1 } },
    { partitionIndex: 3, currentLeader },
  ];
  const responses = [{ partitions }, { topicId, partitions }];
  assert.deepEqual(clusterHintsOf(Fetch, responseView(Fetch, { responses, nodeEndpoints })), hints);
});

test('a FindCoordinator response names a coordinator, in the old form and in lists', () => {
  const one = { nodeId: 4, host: 'four', port: 9094 };
  const broker = { ...one, rack: null };
  assert.deepEqual(clusterHintsOf(FindCoordinator, responseView(FindCoordinator, one)), {
    brokers: [broker],
    leaders: [],
  });
  const coordinators = [
    { key: 'a', ...one },
    { key: 'b', errorCode: 15, nodeId: -1, host: '', port: -1 },
  ];
  assert.deepEqual(clusterHintsOf(FindCoordinator, responseView(FindCoordinator, { coordinators })), {
    brokers: [broker],
    leaders: [],
  });
  assert.equal(clusterHintsOf(FindCoordinator, responseView(FindCoordinator, { errorCode: 15, nodeId: -1 })), null);
});

test("other APIs, and an application's API with the same key, name nothing", () => {
  assert.equal(apisWithHints.has(ListGroups.key), false);
  assert.equal(clusterHintsOf(ListGroups, responseView(ListGroups, {})), null);
  assert.equal(clusterHintsOf({ ...Fetch }, { nothing: 'of the kind' }), null);
});
