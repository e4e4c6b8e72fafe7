// Answers of brokers that lag behind, and what is made of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata } from '../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponse, MetadataResponsePartition } from '../../../src/protocol/flat/generated/metadata.ts';
import { LeaderEpochs } from '../../../src/worker/leader-epochs.ts';
import { responseView } from '../protocol/support/response-view.ts';

const version = 12;
const idA = 'AAAAAAAAAAAAAAAAAAAAAQ';
const idB = 'AAAAAAAAAAAAAAAAAAAAAg';
const idC = 'AAAAAAAAAAAAAAAAAAAAAw';

type Row = readonly [partition: number, leader: number, epoch: number];

function answer(rows: readonly Row[], topicId?: string, more: MetadataResponse = {}): MetadataResponse {
  const partitions: MetadataResponsePartition[] = rows.map(([partitionIndex, leaderId, leaderEpoch]) => ({
    partitionIndex,
    leaderId,
    leaderEpoch,
    replicaNodes: [leaderId],
    isrNodes: [leaderId],
  }));
  return { topics: [{ name: 'orders', partitions, ...(topicId !== undefined && { topicId }) }], ...more };
}

/** What applications get to see of the topic. */
function seen(epochs: LeaderEpochs, response: MetadataResponse, of = version): { rows: Row[]; topicId: string } {
  const view = responseView(Metadata, response);
  const mended = epochs.update(view, of);
  const [topic] = (mended === null ? view : responseView(Metadata, mended)).topics;
  const rows = topic!.partitions.map(
    ({ partitionIndex, leaderId, leaderEpoch }): Row => [partitionIndex, leaderId, leaderEpoch],
  );
  return { rows, topicId: topic!.topicId };
}

test('an answer that is not older stays as it is', () => {
  const epochs = new LeaderEpochs();
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA)), version), null);
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA)), version), null);
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 2, 6]], idA)), version), null);
});

test('an older leader epoch does not undo a newer one; other partitions of the answer count', () => {
  const epochs = new LeaderEpochs();
  seen(
    epochs,
    answer(
      [
        [0, 1, 5],
        [1, 1, 5],
      ],
      idA,
    ),
  );
  const { rows } = seen(
    epochs,
    answer(
      [
        [0, 2, 4],
        [1, 2, 6],
      ],
      idA,
    ),
  );
  assert.deepEqual(rows, [
    [0, 1, 5],
    [1, 2, 6],
  ]);
  assert.deepEqual(
    seen(
      epochs,
      answer(
        [
          [0, 3, 5],
          [1, 3, 5],
        ],
        idA,
      ),
    ).rows,
    [
      [0, 3, 5],
      [1, 2, 6],
    ],
  );
});

test('a kept partition keeps its replicas and loses the error of its older state', () => {
  const epochs = new LeaderEpochs();
  epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA)), version);
  const stale = answer([[0, -1, 4]], idA);
  const [topic] = stale.topics!;
  const [partition] = topic!.partitions!;
  const mended = epochs.update(
    responseView(Metadata, { ...stale, topics: [{ ...topic, partitions: [{ ...partition, errorCode: 5 }] }] }),
    version,
  )!;
  const [{ errorCode, leaderId, replicaNodes }] = mended.topics![0]!.partitions as [MetadataResponsePartition];
  assert.deepEqual({ errorCode, leaderId, replicaNodes }, { errorCode: 0, leaderId: 1, replicaNodes: [1] });
});

test('a topic made anew begins with lower epochs, and its former id never comes back', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 50]], idA));
  assert.deepEqual(seen(epochs, answer([[0, 2, 0]], idB)), { rows: [[0, 2, 0]], topicId: idB });
  assert.deepEqual(seen(epochs, answer([[0, 1, 51]], idA)), { rows: [[0, 2, 0]], topicId: idB });
  assert.deepEqual(seen(epochs, answer([[0, 3, 1]], idC)), { rows: [[0, 3, 1]], topicId: idC });
  for (const stale of [idA, idB]) assert.equal(seen(epochs, answer([[0, 1, 99]], stale)).topicId, idC);
});

test('a broker too old for topic ids does not make a known one unknown', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  assert.deepEqual(seen(epochs, answer([[0, 1, 6]])), { rows: [[0, 1, 6]], topicId: idA });
});

test('epochs of metadata below version 9 do not count: not as older, not as newer, and nobody sees them', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]]), 8).rows, [[0, 2, -1]]);
  assert.deepEqual(seen(epochs, answer([[0, 3, 1]], idA)).rows, [[0, 3, 1]]);
});

test('a topic with an error keeps what was known of it, one that is not in the answer is forgotten', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  assert.equal(epochs.update(responseView(Metadata, { topics: [{ name: 'orders', errorCode: 5 }] }), version), null);
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 1, 5]]);
  epochs.update(responseView(Metadata, { topics: [] }), version);
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 2, 4]]);
});

test('another cluster has epochs of its own', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], undefined, { clusterId: 'east' }));
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]])).rows, [[0, 1, 5]], 'an answer without id is of the same one');
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], undefined, { clusterId: 'west' })).rows, [[0, 2, 4]]);
});

test('a leader named by another response is kept when older metadata follows', () => {
  const hint = { topic: 'orders', topicId: '', partition: 0, leaderId: 3, leaderEpoch: 7 };
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  epochs.learn({ brokers: [], leaders: [hint] });
  assert.deepEqual(seen(epochs, answer([[0, 1, 6]], idA)).rows, [[0, 3, 7]]);
  epochs.learn({ brokers: [], leaders: [{ ...hint, topic: '', topicId: idA, leaderId: 4, leaderEpoch: 8 }] });
  assert.deepEqual(seen(epochs, answer([[0, 1, 6]], idA)).rows, [[0, 4, 8]]);
  const useless = [
    { ...hint, leaderId: 9, leaderEpoch: 8 },
    { ...hint, partition: 1, leaderEpoch: 99 },
    { ...hint, topic: 'unknown', leaderEpoch: 99 },
    { ...hint, topic: '', topicId: idB, leaderEpoch: 99 },
  ];
  epochs.learn({ brokers: [], leaders: useless });
  assert.deepEqual(seen(epochs, answer([[0, 1, 6]], idA)).rows, [[0, 4, 8]]);
});

test("unknown topic ids in an answer are nobody's topics", () => {
  const response = responseView(Metadata, { topics: [{ name: null, topicId: idA, errorCode: 100 }] });
  assert.equal(new LeaderEpochs().update(response, version), null);
});
