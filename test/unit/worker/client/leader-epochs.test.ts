// Metadata of brokers that are behind, and how it is corrected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import type {
  MetadataResponse,
  MetadataResponsePartition,
  MetadataResponseView,
} from '../../../../src/protocol/flat/generated/metadata.ts';
import { zeroUuid } from '../../../../src/protocol/flat/uuid.ts';
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

/** What applications get of an answer. */
function corrected(epochs: LeaderEpochs, response: MetadataResponse): MetadataResponseView {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  Metadata.writeResponse(writer, response);
  const read = () => Metadata.readResponse(new FlatMessage({ ...memory, byteLength: writer.finish() }));
  epochs.update(read())?.apply(writer);
  return read();
}

/** What applications get to see of the topic. */
function seen(epochs: LeaderEpochs, response: MetadataResponse): { rows: Row[]; topicId: string } {
  const [topic] = corrected(epochs, response).topics;
  const rows = topic!.partitions.map(
    ({ partitionIndex, leaderId, leaderEpoch }): Row => [partitionIndex, leaderId, leaderEpoch],
  );
  return { rows, topicId: topic!.topicId };
}

test('a response that is not older stays unchanged', () => {
  const epochs = new LeaderEpochs();
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA))), null);
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 1, 5]], idA))), null);
  assert.equal(epochs.update(responseView(Metadata, answer([[0, 2, 6]], idA))), null);
});

test('an older leader epoch does not replace a newer one, and other partitions of the response count', () => {
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
  const seenNow = corrected(epochs, {
    ...stale,
    topics: [{ ...topic, partitions: [{ ...partition, errorCode: 5 }] }],
  });
  const { errorCode, leaderId, replicaNodes } = seenNow.topics.at(0).partitions.at(0);
  const replicas = replicaNodes.toArray();
  assert.deepEqual({ errorCode, leaderId, replicas }, { errorCode: 0, leaderId: 1, replicas: [1] });
});

test('a topic that is created again begins with lower epochs, and its former id does not come back', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 50]], idA));
  assert.deepEqual(seen(epochs, answer([[0, 2, 0]], idB)), { rows: [[0, 2, 0]], topicId: idB });
  assert.deepEqual(seen(epochs, answer([[0, 1, 51]], idA)), { rows: [[0, 2, 0]], topicId: idB });
  assert.deepEqual(seen(epochs, answer([[0, 3, 1]], idC)), { rows: [[0, 3, 1]], topicId: idC });
  for (const stale of [idA, idB]) assert.equal(seen(epochs, answer([[0, 1, 99]], stale)).topicId, idC);
});

test('a broker without topic ids does not remove a known id', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  assert.deepEqual(seen(epochs, answer([[0, 1, 6]])), { rows: [[0, 1, 6]], topicId: idA });
});

test('a topic with an error keeps its known state, and a topic that is not in the response is forgotten', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  assert.equal(epochs.update(responseView(Metadata, { topics: [{ name: 'orders', errorCode: 5 }] })), null);
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 1, 5]]);
  epochs.update(responseView(Metadata, { topics: [] }));
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 2, 4]]);
});

test('another cluster has separate epochs', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], undefined, { clusterId: 'east' }));
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]])).rows, [[0, 1, 5]], 'an answer without id is of the same one');
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], undefined, { clusterId: 'west' })).rows, [[0, 2, 4]]);
});

test('a leader from another response is kept when older metadata follows', () => {
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

test('without topic ids a topic that was missing once begins again, and a topic with an id does not', () => {
  for (const [id, leader] of [
    [undefined, 2],
    [idA, 1],
  ] as const) {
    const epochs = new LeaderEpochs();
    seen(epochs, answer([[0, 1, 8]], id));
    epochs.update(responseView(Metadata, { topics: [{ name: 'orders', errorCode: 3 }] }));
    assert.equal(seen(epochs, answer([[0, 2, 0]], id)).rows[0]![1], leader, `id ${id}`);
  }
});

test('without topic ids lower epochs are accepted when several responses have them, because the topic was created again', () => {
  for (const [before, after] of [
    [undefined, undefined],
    [idA, undefined],
    [undefined, idA],
  ]) {
    const epochs = new LeaderEpochs();
    seen(
      epochs,
      answer(
        [
          [0, 1, 8],
          [1, 1, 0],
        ],
        before,
      ),
    );
    for (let doubt = 0; doubt < 3; doubt++) {
      const { rows } = seen(
        epochs,
        answer(
          [
            [0, 2, 0],
            [1, 2, 0],
          ],
          after,
        ),
      );
      assert.deepEqual(rows, [
        [0, 1, 8],
        [1, 2, 0],
      ]);
      assert.ok(epochs.isInDoubt);
    }
    const { rows, topicId } = seen(
      epochs,
      answer(
        [
          [0, 2, 0],
          [1, 2, 0],
        ],
        after,
      ),
    );
    assert.deepEqual(rows, [
      [0, 2, 0],
      [1, 2, 0],
    ]);
    assert.equal(topicId, after ?? zeroUuid, 'the id of the former topic is not that of the new one');
    assert.equal(epochs.isInDoubt, false);
  }
});

test('lower epochs of the same topic id are accepted in the end too, but cause no request', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 8]], idA));
  for (let doubt = 0; doubt < 10; doubt++) {
    assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 1, 8]]);
    assert.equal(epochs.isInDoubt, false);
  }
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)), { rows: [[0, 2, 4]], topicId: idA });
});

test('an epoch that is not lower ends the doubt, also if another response names it', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 8]]));
  const hint = { topic: 'orders', topicId: '', partition: 0, leaderId: 1 };
  for (let round = 0; round < 5; round++) {
    for (let doubt = 0; doubt < 3; doubt++) assert.equal(seen(epochs, answer([[0, 2, 0]])).rows[0]![1], 1);
    if (round % 2 === 0) assert.equal(seen(epochs, answer([[0, 1, 8 + round]])).rows[0]![1], 1);
    else epochs.learn({ brokers: [], leaders: [{ ...hint, leaderEpoch: 8 + round }] });
  }
});

test('a response without epochs counts, and does not remove the known epoch', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 8]], idA));
  assert.deepEqual(seen(epochs, answer([[0, 3, -1]])).rows, [[0, 3, -1]]);
  assert.deepEqual(seen(epochs, answer([[0, 2, 7]], idA)).rows, [[0, 1, 8]], 'still older than what was known');
  assert.deepEqual(seen(epochs, answer([[0, 2, 9]], idA)).rows, [[0, 2, 9]]);
});

test('a false epoch far ahead in another response is corrected like any doubt', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  epochs.learn({
    brokers: [],
    leaders: [{ topic: 'orders', topicId: '', partition: 0, leaderId: 9, leaderEpoch: 2 ** 31 - 1 }],
  });
  for (let doubt = 0; doubt < 10; doubt++) assert.equal(seen(epochs, answer([[0, 1, 5]], idA)).rows[0]![1], 9);
  assert.deepEqual(seen(epochs, answer([[0, 1, 5]], idA)).rows, [[0, 1, 5]]);
});

test('a partition that a response leaves out begins again', () => {
  const epochs = new LeaderEpochs();
  seen(
    epochs,
    answer([
      [0, 1, 5],
      [1, 1, 5],
    ]),
  );
  seen(epochs, answer([[0, 1, 5]]));
  assert.deepEqual(
    seen(
      epochs,
      answer([
        [0, 1, 5],
        [1, 2, 0],
      ]),
    ).rows,
    [
      [0, 1, 5],
      [1, 2, 0],
    ],
  );
});

test('only outdated parts of a large response are rewritten', () => {
  const epochs = new LeaderEpochs();
  const topics = (epoch: number): MetadataResponse => ({
    topics: Array.from({ length: 1000 }, (_, i) => ({
      ...answer([[0, 1, i === 500 ? epoch : 5]], idA).topics![0],
      name: `t${i}`,
      topicId: uuid(i + 1),
    })),
  });
  epochs.update(responseView(Metadata, topics(5)));
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  Metadata.writeResponse(writer, topics(4));
  const before = writer.finish();
  const corrections = epochs.update(Metadata.readResponse(new FlatMessage({ ...memory, byteLength: before })));
  corrections!.apply(writer);
  assert.ok(writer.finish() - before < 64, `${writer.finish() - before} bytes were added to ${before}`);
  const view = Metadata.readResponse(new FlatMessage({ ...memory, byteLength: writer.finish() }));
  assert.deepEqual(
    view.topics.map(({ partitions }) => partitions.at(0).leaderEpoch),
    Array.from({ length: 1000 }, () => 5),
  );
});

test('unknown topic ids in a response belong to no topic', () => {
  const response = responseView(Metadata, { topics: [{ name: null, topicId: idA, errorCode: 100 }] });
  assert.equal(new LeaderEpochs().update(response), null);
});

test('a replaced id is accepted when several responses name it', () => {
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

test('a response that agrees ends the doubt', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  seen(epochs, answer([[0, 1, 0]], idB));
  for (let round = 0; round < 5; round++) {
    for (let doubt = 0; doubt < 3; doubt++) assert.equal(seen(epochs, answer([[0, 1, 5]], idA)).topicId, idB);
    assert.equal(seen(epochs, answer([[0, 1, 0]], idB)).topicId, idB);
    assert.equal(epochs.isInDoubt, false);
  }
});

test('older responses count after everything was forgotten', () => {
  const epochs = new LeaderEpochs();
  seen(epochs, answer([[0, 1, 5]], idA));
  epochs.clear();
  assert.deepEqual(seen(epochs, answer([[0, 2, 4]], idA)).rows, [[0, 2, 4]]);
});

test('epochs of a topic never go back and are right in the end, however far brokers lag behind', () => {
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
