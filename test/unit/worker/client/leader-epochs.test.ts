// Answers of brokers that lag behind, and what is made of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponse, MetadataResponsePartition } from '../../../../src/protocol/flat/generated/metadata.ts';
import { LeaderEpochs } from '../../../../src/worker/client/leader-epochs.ts';
import { responseView } from '../../protocol/support/response-view.ts';
import { Random } from '../../ring/support/random.ts';

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
function seen(epochs: LeaderEpochs, response: MetadataResponse): { rows: Row[]; topicId: string } {
  const view = responseView(Metadata, response);
  const mended = epochs.update(view);
  const [topic] = (mended === null ? view : responseView(Metadata, mended)).topics;
  const rows = topic!.partitions.map(
    ({ partitionIndex, leaderId, leaderEpoch }): Row => [partitionIndex, leaderId, leaderEpoch],
  );
  return { rows, topicId: topic!.topicId };
}

test('an answer that is not older stays as it is', () => {
  const epochs = new LeaderEpochs();
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA))), null);
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA))), null);
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 2, 6]], idA))), null);
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
  epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA)));
  const stale = answer([[0, -1, 4]], idA);
  const [topic] = stale.topics!;
  const [partition] = topic!.partitions!;
  const mended = epochs.update(
    responseView(Metadata, { ...stale, topics: [{ ...topic, partitions: [{ ...partition, errorCode: 5 }] }] }),
  )!;
  const [{ errorCode, leaderId, replicaNodes }] = mended.topics![0]!.partitions as [MetadataResponsePartition];
  assert.deepEqual({ errorCode, leaderId, replicaNodes }, { errorCode: 0, leaderId: 1, replicaNodes: [1] });
});

test('a topic made anew begins with lower epochs, and its former id does not come back', () => {
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

test('a topic with an error keeps what was known of it, one that is not in the answer is forgotten', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  assert.equal(epochs.update(responseView(Metadata, { topics: [{ name: 'orders', errorCode: 5 }] })), null);
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 1, 5]]);
  epochs.update(responseView(Metadata, { topics: [] }));
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
  assert.equal(new LeaderEpochs().update(response), null);
});

test('an id that was replaced is believed when answer after answer names it', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idC));
  // A broker that is far behind: the topic had this id before it had the one known.
  seen(epochs, answer([[0, 1, 9]], idB));
  for (let doubt = 0; doubt < 3; doubt++) {
    assert.equal(seen(epochs, answer([[0, 1, 5]], idC)).topicId, idB);
    assert.ok(epochs.isInDoubt);
  }
  assert.deepEqual(seen(epochs, answer([[0, 1, 5]], idC)), { rows: [[0, 1, 5]], topicId: idC });
  assert.equal(epochs.isInDoubt, false);
});

test('an answer that agrees ends the doubt', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  seen(epochs, answer([[0, 1, 0]], idB));
  for (let round = 0; round < 5; round++) {
    for (let doubt = 0; doubt < 3; doubt++) assert.equal(seen(epochs, answer([[0, 1, 5]], idA)).topicId, idB);
    assert.equal(seen(epochs, answer([[0, 1, 0]], idB)).topicId, idB);
    assert.equal(epochs.isInDoubt, false);
  }
});

test('once everything is forgotten older answers count', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  epochs.clear();
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 2, 4]]);
});

test('whatever brokers lag behind, and by how much: epochs of a topic do not go back, and in the end all is as it is', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const epochs = new LeaderEpochs();
    const history = [{ id: 1, epoch: 0 }];
    const brokers = [0, 0, 0, 0];
    let last = { id: 1, epoch: 0 };
    const ask = (broker: number, catchesUp: boolean): typeof last => {
      const behind = history.length - 1 - brokers[broker]!;
      brokers[broker]! += catchesUp ? behind : random.below(behind + 1);
      const { id, epoch } = history[brokers[broker]!]!;
      const { rows, topicId } = seen(epochs, answer([[0, broker, epoch]], uuid(id)));
      return { id: idOf(topicId), epoch: rows[0]![2] };
    };
    for (let step = 0; step < 200; step++) {
      const { id, epoch } = history.at(-1)!;
      if (random.isOneIn(3)) history.push(random.isOneIn(20) ? { id: id + 1, epoch: 0 } : { id, epoch: epoch + 1 });
      const got = ask(random.below(brokers.length), false);
      const isOlder = got.id === last.id && got.epoch < last.epoch;
      assert.equal(isOlder, false, `seed ${seed}, step ${step}: ${JSON.stringify({ got, last })}`);
      last = got;
    }
    for (let i = 0; i < 4; i++) last = ask(random.below(brokers.length), true);
    assert.deepEqual(last, history.at(-1), `seed ${seed}`);
  }
});

function uuid(number: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeInt32BE(number, 12);
  return bytes.toString('base64url');
}

function idOf(topicId: string): number {
  return Buffer.from(topicId, 'base64url').readInt32BE(12);
}
