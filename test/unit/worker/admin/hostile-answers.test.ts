// Administration calls whose answers leave out what was asked about, or name what was not. Network thread, with brokers that answer by
// script.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { describeTopics } from '../../../../src/worker/admin/calls/describe-topics.ts';
import {
  deleteConsumerGroupOffsets,
  listConsumerGroupOffsets,
} from '../../../../src/worker/admin/calls/group-offsets.ts';
import { deleteGroups, listGroups } from '../../../../src/worker/admin/calls/groups.ts';
import { describeMetadataQuorum } from '../../../../src/worker/admin/calls/quorum.ts';
import { FakeHost } from './fake-host.ts';

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});

type Outcomes = readonly (readonly [unknown, { ok: boolean; error?: object }])[];

/** Every item has an outcome, and each is an error about an answer that lacks something. */
function assertMissing(outcomes: Outcomes, keys: readonly unknown[]): void {
  assert.deepEqual(
    outcomes.map(([key]) => key),
    keys,
  );
  for (const [, { error }] of outcomes) {
    const made = fromPlainError(error as never);
    assert.ok(made instanceof KafkaProtocolError, String(made));
    assert.match(made.message, /does not have .*, which it was asked for/);
  }
}

/** Group `g` has coordinator 3. */
const coordinator = { response: { coordinators: [{ key: 'g', nodeId: 3 }] } };

test('a coordinator that is named for nobody who was asked about is an error of the items', async () => {
  const others = ['x', '__proto__'].map((key) => ({ key, nodeId: 3 }));
  host.reply = () => ({ response: { coordinators: others } });
  assertMissing(await host.run(deleteGroups(host.call(), { groups: ['g', 'h'] })), ['g', 'h']);
  assert.deepEqual(
    host.asked.map(({ api }) => api),
    ['FindCoordinator'],
    'what nobody asked for is not deleted',
  );
});

test('a group whose coordinator is named twice is asked for once, at the first', async () => {
  host.reply = ({ api }) =>
    api === 'FindCoordinator'
      ? { response: { coordinators: [3, 4].map((nodeId) => ({ key: 'g', nodeId })) } }
      : { response: { results: [{ groupId: 'g' }] } };
  const [[, outcome]] = (await host.run(deleteGroups(host.call(), { groups: ['g'] }))) as unknown as [
    [string, { ok: boolean }],
  ];
  assert.ok(outcome.ok);
  assert.deepEqual(
    host.asked.filter(({ api }) => api === 'DeleteGroups').map(({ brokerId }) => brokerId),
    [3],
  );
});

test('no coordinator of a group is an error of each item', async () => {
  host.reply = () => ({ response: { coordinators: [] } });
  const partitions = [0, 1].map((partition) => ({ topic: 't', partition }));
  assertMissing(await host.run(deleteConsumerGroupOffsets(host.call(), { groupId: 'g', partitions })), partitions);
});

test('offsets of other groups, or of none, are an error of the group', async () => {
  for (const groups of [[], [{ groupId: 'other' }]]) {
    host.reply = ({ api }) => (api === 'FindCoordinator' ? coordinator : { response: { groups } });
    const asked = { groups: [{ groupId: 'g' }], requireStable: false };
    assertMissing(await host.run(listConsumerGroupOffsets(host.call(), asked)), ['g']);
  }
});

test('a quorum without the partition that was asked about is an error', async () => {
  const topic = (topicName: string, indexes: number[]) => ({
    topicName,
    partitions: indexes.map((partitionIndex) => ({ partitionIndex })),
  });
  for (const topics of [[], [topic('other', [0])], [topic('__cluster_metadata', [1])]]) {
    host.reply = () => ({ response: { topics } });
    await assert.rejects(host.run(describeMetadataQuorum(host.call())), KafkaProtocolError);
  }
});

test('each broker is asked for its groups once, however often metadata names it, and there is a limit of them', async () => {
  let nodeIds = [1, 2, 2, 1];
  host.reply = ({ api }) =>
    api === 'Metadata'
      ? { response: { brokers: nodeIds.map((nodeId) => ({ nodeId, host: 'h', port: 1 })) } }
      : { response: { groups: [] } };
  const all = { states: [], types: [], protocolTypes: [] };
  await host.run(listGroups(host.call(), all));
  assert.deepEqual(
    host.asked.filter(({ api }) => api === 'ListGroups').map(({ brokerId }) => brokerId),
    [1, 2],
  );
  host.asked.length = 0;
  nodeIds = Array.from({ length: 50_001 }, (_, i) => i);
  await assert.rejects(
    host.run(listGroups(host.call(), all)),
    /lists 50001 brokers; this client asks no more than 50000/,
  );
  assert.equal(host.asked.length, 1);
});

test('pages of topics keep only what was asked for, and end although each names another place', async () => {
  let page = 0;
  host.reply = () => ({
    response: {
      topics: [null, 'other', 't'].map((name) => ({ name, partitions: [{ partitionIndex: page }] })),
      nextCursor: { topicName: 't', partitionIndex: ++page },
    },
  });
  const asked = { topics: ['t'], includeAuthorizedOperations: false };
  const [[, outcome]] = (await host.run(describeTopics(host.call(), asked))) as unknown as [
    [string, { error: object }],
  ];
  const error = fromPlainError(outcome.error as never);
  assert.ok(error instanceof KafkaProtocolError, String(error));
  assert.match(error.message, /more than 1001 pages/);
  assert.equal(host.asked.length, 1001);
});
