// A broker may keep a fetch for long, or for ever if it has fallen silent: nothing waits for an answer that is of no use any more.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { RequestTimedOutError } from '../../../../src/common/errors/errors.ts';
import { Fetch } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchRequest } from '../../../../src/protocol/flat/generated/fetch.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { answerWith, partitionOf, reading } from './support/reading-bench.ts';

before(prepareCodecs);

/** Where fetches are under way, and from which offsets they read. */
const underWay = (bench: ConsumerBench): (readonly [broker: number, lane: string, offsets: bigint[]])[] =>
  bench.waiting
    .filter(({ api }) => api.key === Fetch.key)
    .map(({ to, request }) => [
      to.brokerId,
      to.lane,
      (request as FetchRequest).topics!.flatMap(({ partitions }) =>
        partitions!.map(({ fetchOffset }) => fetchOffset as bigint),
      ),
    ]);

const recordsAt = (baseOffset: bigint, value: string) => ({
  records: buildBatch({ baseOffset, records: [{ value }] }),
});

/** Answers the newest fetch instead of the oldest. */
function answerNewest(bench: ConsumerBench, fields: object): void {
  bench.waiting.unshift(bench.waiting.pop()!);
  answerWith(bench, fields, 78);
}

describe('another position of a partition', () => {
  it('is read at once, beside the fetch that is under way, whose answer is passed over', () => {
    const bench = reading({}, 1);
    assert.deepEqual(underWay(bench), [[1, 'fetch', [10n]]]);
    partitionOf(bench, 0).startAt(3n, -1);
    bench.turn();
    assert.deepEqual(underWay(bench), [
      [1, 'fetch', [10n]],
      [1, 'fetch-2', [3n]],
    ]);
    answerNewest(bench, recordsAt(3n, 'sought'));
    assert.deepEqual(
      bench.application.handed.map(({ batch }) => batch.firstOffset),
      [3n],
    );
    answerWith(bench, recordsAt(10n, 'former'));
    assert.equal(bench.application.handed.length, 1);
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 4n);
  });

  it('waits when both connections to the broker have a fetch', () => {
    const bench = reading({}, 1);
    for (const offset of [3n, 4n]) {
      partitionOf(bench, 0).startAt(offset, -1);
      bench.turn();
    }
    assert.deepEqual(
      underWay(bench).map(([, , offsets]) => offsets),
      [[10n], [3n]],
    );
    answerWith(bench, {});
    assert.deepEqual(
      underWay(bench).map(([, lane, offsets]) => [lane, offsets]),
      [
        ['fetch-2', [3n]],
        ['fetch', [4n]],
      ],
    );
    // The end of a fetch that was given up does not end that of the present position.
    answerWith(bench, {});
    assert.equal(partitionOf(bench, 0).isFetchInFlight, true);
    assert.deepEqual(
      underWay(bench).map(([, lane]) => lane),
      ['fetch'],
    );
  });
});

describe('a partition whose leader is another broker now', () => {
  const moved = (): ConsumerBench => {
    const bench = reading({}, 1);
    bench.leader('t', 0, { leaderId: 2, leaderEpoch: 6 });
    return bench.turn();
  };

  it('is read there at once, since the former leader may have fallen silent', () => {
    assert.deepEqual(underWay(moved()), [
      [1, 'fetch', [10n]],
      [2, 'fetch', [10n]],
    ]);
  });

  it('does not back off when the fetch at the former leader fails', () => {
    const bench = moved();
    bench.fail(Fetch, new RequestTimedOutError('Fetch to broker 1 had no response within 30500 ms'));
    const { failures, retryAt, isFetchInFlight } = partitionOf(bench, 0);
    assert.deepEqual([failures, retryAt <= bench.now, isFetchInFlight], [0, true, true]);
    assert.deepEqual(underWay(bench), [[2, 'fetch', [10n]]]);
  });

  it('gets no record twice when both answer', () => {
    const bench = moved();
    answerWith(bench, recordsAt(10n, 'former'));
    assert.equal(bench.application.handed.length, 0);
    answerWith(bench, recordsAt(10n, 'v'));
    assert.deepEqual(
      bench.application.handed.map(({ batch }) => batch.firstOffset),
      [10n],
    );
  });

  it('stays where it is while there is no leader, or the same one in a new epoch', () => {
    for (const leader of [
      { leaderId: -1, leaderEpoch: 6 },
      { leaderId: 1, leaderEpoch: 6 },
    ]) {
      const bench = reading({}, 1);
      bench.leader('t', 0, leader);
      bench.turn();
      assert.deepEqual(underWay(bench), [[1, 'fetch', [10n]]]);
    }
  });
});

describe('a partition that is read from a follower', () => {
  it('is read from its leader at once when the follower has left the cluster', () => {
    const bench = reading({ clientRack: 'r' }, 1);
    answerWith(bench, { preferredReadReplica: 2 });
    bench.turn();
    assert.deepEqual(underWay(bench), [[2, 'fetch', [10n]]], 'it stays there while nothing has changed');
    (bench.cluster.brokers as Map<number, unknown>).delete(2);
    bench.turn();
    assert.deepEqual(underWay(bench), [
      [2, 'fetch', [10n]],
      // The session at the leader has the position already.
      [1, 'fetch', []],
    ]);
  });
});
