// What a consumer does for each error code of Fetch, for one partition and as a whole. Each test is a row of the reference.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import {
  AuthorizationError,
  CorruptBatchError,
  FetchFailedError,
  KafkaConnectionError,
  PositionOutsideLogError,
} from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { Fetch, ListOffsets, OffsetForLeaderEpoch } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchRequest } from '../../../../src/protocol/flat/generated/fetch.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { type ConsumerBench, idOf } from './support/consumer-bench.ts';
import { answerWith, empty, named, partitionOf, reading } from './support/reading-bench.ts';

before(prepareCodecs);

function takeAgain(bench: ConsumerBench): void {
  const { partitions } = bench.role;
  partitions.lose([{ topic: 't', partition: 0 }]);
  partitions.take([{ topic: 't', partition: 0 }], bench.now);
  partitionOf(bench, 0).startAt(10n, -1);
}

describe('Fetch answered for one partition', () => {
  for (const code of [6, 74]) {
    it(`with ${code}, without a newer leader, asks for metadata, keeps the position and tries again after a backoff`, () => {
      const bench = reading();
      answerWith(bench, { errorCode: code });
      assert.ok(bench.updatesAsked > 0);
      assert.equal(partitionOf(bench, 0).fetchPosition.offset, 10n);
      assert.equal(partitionOf(bench, 0).state, 'fetching');
      assert.ok(partitionOf(bench, 0).retryAt > bench.now);
      bench.leader('t', 0, { leaderId: 2, leaderEpoch: 6 });
      bench.advance(200);
      const toTwo = bench.waiting.find(({ api, to }) => api.key === Fetch.key && to.brokerId === 2);
      assert.deepEqual(named(toTwo?.request as FetchRequest), [0]);
    });

    it(`with ${code} and the new leader goes there at once`, () => {
      const bench = reading();
      bench.leader('t', 0, { leaderId: 2, leaderEpoch: 6 });
      answerWith(bench, { errorCode: code, currentLeader: { leaderId: 2, leaderEpoch: 6 } });
      const toTwo = bench.waiting.find(({ api, to }) => api.key === Fetch.key && to.brokerId === 2);
      assert.deepEqual(named(toTwo?.request as FetchRequest), [0]);
    });
  }

  it('with 6 and a leader that is known to be an old one does not ask as fast as it is answered', () => {
    const bench = reading();
    // Metadata still says broker 1, of a later epoch.
    answerWith(bench, { errorCode: 6, currentLeader: { leaderId: 2, leaderEpoch: 4 } });
    assert.ok(partitionOf(bench, 0).retryAt > bench.now);
    assert.ok(bench.updatesAsked > 0);
  });

  for (const code of [9, 56, 78, 3, 100, 103, 5])
    it(`with ${code} asks for metadata and tries again after a backoff`, () => {
      const bench = reading();
      answerWith(bench, { errorCode: code });
      assert.ok(bench.updatesAsked > 0);
      assert.equal(partitionOf(bench, 0).fetchPosition.offset, 10n);
      assert.ok(partitionOf(bench, 0).retryAt > bench.now);
      assert.deepEqual(named(bench.asked(Fetch)[0]), [], 'the other goes on, in the session');
      bench.advance(1000);
      assert.ok(bench.asked(Fetch).some((request) => named(request).includes(0)));
      assert.deepEqual(bench.application.raised, []);
    });

  for (const code of [75, -1])
    it(`with ${code} tries again after a backoff`, () => {
      const bench = reading();
      answerWith(bench, { errorCode: code });
      assert.ok(partitionOf(bench, 0).retryAt > bench.now);
      assert.deepEqual(named(bench.asked(Fetch)[0]), [], 'not at once');
      assert.equal(partitionOf(bench, 0).fetchPosition.offset, 10n);
      bench.advance(1000);
      assert.ok(bench.asked(Fetch).some((request) => named(request).includes(0)));
      assert.deepEqual(bench.application.raised, []);
    });

  /** Answers the oldest fetch with an error of partition 0. If logs are compared, it is found that they do not part. */
  const failPartition = (bench: ConsumerBench, errorCode: number): void => {
    bench.answer(Fetch, {
      errorCode: 0,
      sessionId: 77,
      responses: [{ topicId: idOf('t'), partitions: [empty(0, { errorCode })] }],
    });
    if (bench.asked(OffsetForLeaderEpoch).length > 0)
      bench.answer(OffsetForLeaderEpoch, {
        topics: [{ topic: 't', partitions: [{ partition: 0, errorCode: 0, leaderEpoch: 5, endOffset: 90n }] }],
      });
  };
  const oneRecord = { records: buildBatch({ baseOffset: 10n, records: [{ value: 'kept' }] }) };

  for (const code of [2, 42, 1])
    it(`with ${code} behind records that were not handed out yet is raised after them, and does not drop them`, () => {
      const bench = reading({ autoOffsetReset: 'none' }, 1);
      bench.application.roomBytes = 0;
      answerWith(bench, oneRecord);
      failPartition(bench, code);
      bench.advance(3000);
      assert.deepEqual(bench.application.raised, [], 'the records come first');
      bench.application.roomBytes = Number.POSITIVE_INFINITY;
      bench.turn();
      assert.deepEqual(
        bench.application.handed.map(({ batch }) => batch.firstOffset),
        [10n],
      );
      bench.advance(1000);
      failPartition(bench, code);
      const [error] = bench.application.raised;
      assert.equal(String((error as FetchFailedError).recordOffset), '11');
    });

  it('with 1 by the leader resets when the application has finished what it has, which it does not lose', () => {
    const bench = reading({}, 1);
    answerWith(bench, oneRecord);
    const [handed] = bench.application.handed;
    failPartition(bench, 1);
    bench.advance(1000);
    assert.equal(handed!.isLost, false);
    assert.deepEqual(bench.asked(ListOffsets), []);
    handed!.doneUpTo = 11n;
    bench.turn();
    failPartition(bench, 1);
    assert.equal(bench.asked(ListOffsets)[0]!.topics![0]!.partitions![0]!.timestamp, -2n);
    assert.equal(handed!.isLost, false);
  });

  it('with 1 by the leader resets as the policy says', () => {
    const bench = reading();
    answerWith(bench, { errorCode: 1 });
    const [request] = bench.asked(ListOffsets);
    assert.equal(request!.topics![0]!.partitions![0]!.timestamp, -2n);
    bench.answer(ListOffsets, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, offset: 40n, leaderEpoch: 5 }] }],
    });
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 40n);
  });

  it('with 1 by the leader is raised with partition and offset when the policy is none', () => {
    const bench = reading({ autoOffsetReset: 'none' });
    answerWith(bench, { errorCode: 1 });
    const [error] = bench.application.raised;
    assert.ok(error instanceof PositionOutsideLogError);
    assert.equal(String(error.recordOffset), '10');
    assert.match(error.message, /t-0: offset 10/);
    assert.equal(partitionOf(bench, 1).state, 'fetching');
  });

  it('with 1 by the leader compares logs first if the epoch of the last record is known', () => {
    const outside = (): ConsumerBench => {
      const bench = reading({}, 1);
      partitionOf(bench, 0).fetchPosition = { offset: 10n, leaderEpoch: 5 };
      answerWith(bench, { errorCode: 1 });
      assert.deepEqual(bench.asked(ListOffsets), []);
      return bench;
    };
    const ended = (leaderEpoch: number, endOffset: bigint) => ({
      topics: [{ topic: 't', partitions: [{ partition: 0, errorCode: 0, leaderEpoch, endOffset }] }],
    });
    const cut = outside();
    cut.answer(OffsetForLeaderEpoch, ended(5, 7n));
    assert.equal(cut.events('truncated')[0]!.to, '7');
    const expired = outside();
    expired.answer(OffsetForLeaderEpoch, ended(5, 90n));
    assert.equal(expired.asked(ListOffsets)[0]!.topics![0]!.partitions![0]!.timestamp, -2n);
  });

  it('with 1 by a follower forgets the follower and asks the leader', () => {
    const bench = reading({}, 1);
    answerWith(bench, { preferredReadReplica: 3 });
    assert.equal(bench.waiting.find(({ api }) => api.key === Fetch.key)!.to.brokerId, 3);
    answerWith(bench, { errorCode: 1 });
    bench.advance(1000);
    assert.equal(bench.waiting.find(({ api }) => api.key === Fetch.key)!.to.brokerId, 1);
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 10n);
  });

  it('with 1 for a position that was already left changes nothing', () => {
    const bench = reading({ autoOffsetReset: 'none' }, 1);
    bench.role.resolver.start(partitionOf(bench, 0), { offset: '20' });
    answerWith(bench, { errorCode: 1 });
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 20n);
    assert.deepEqual(bench.application.raised, []);
  });

  it('with records of a partition that is only paused keeps them, and they are handed out after resume', () => {
    const bench = reading();
    partitionOf(bench, 0).isPaused = true;
    answerWith(bench, { records: buildBatch({ baseOffset: 10n, records: [{ value: Buffer.from('kept') }] }) });
    assert.equal(partitionOf(bench, 0).hasRecords, true);
    assert.equal(bench.application.handed.length, 0);
    partitionOf(bench, 0).isPaused = false;
    bench.turn();
    assert.deepEqual(
      bench.application.handed.map(({ batch }) => batch.firstOffset),
      [10n],
    );
  });

  for (const [what, change] of [
    ['was assigned again', (bench: ConsumerBench) => takeAgain(bench)],
    ['was sought elsewhere', (bench: ConsumerBench) => partitionOf(bench, 0).startAt(3n, -1)],
  ] as const)
    it(`with records of a partition that ${what} drops them`, () => {
      const bench = reading();
      change(bench);
      const before = partitionOf(bench, 0).fetchPosition;
      answerWith(bench, { records: buildBatch({ baseOffset: 10n, records: [{ value: Buffer.from('old') }] }) });
      assert.equal(bench.application.handed.length, 0);
      assert.equal(partitionOf(bench, 0).hasRecords, false);
      assert.deepEqual(partitionOf(bench, 0).fetchPosition, before);
    });

  it('with 29 names the topic once, and other partitions go on', () => {
    const bench = reading();
    answerWith(bench, { errorCode: 29 });
    const [event, ...more] = bench.events('error');
    assert.deepEqual(more, []);
    const error = fromPlainError(event!.error);
    assert.ok(error instanceof AuthorizationError);
    assert.match(error.message, /: t \[KAFKA_\w+\]$/);
    assert.equal(event!.isFatal, false);
    bench.advance(1000);
    for (let i = 0; i < 5 && bench.asked(Fetch).length > 0; i++) answerWith(bench, { errorCode: 29 });
    assert.equal(bench.events('error').length, 1, 'told once');
    assert.equal(partitionOf(bench, 1).state, 'fetching');
  });

  it('with 2 is raised as a corrupt batch with partition and offset; the position stays and seek helps', () => {
    const bench = reading();
    answerWith(bench, { errorCode: 2 });
    const [error] = bench.application.raised;
    assert.ok(error instanceof CorruptBatchError);
    assert.equal(String(error.recordOffset), '10');
    assert.match(error.message, /t-0.*offset 10.*seek past/);
    bench.advance(5000);
    assert.ok(!bench.asked(Fetch).some((request) => named(request).includes(0)), 'not asked for again');
    bench.role.resolver.start(partitionOf(bench, 0), { offset: '11' });
    bench.turn();
    assert.ok(bench.asked(Fetch).some((request) => named(request).includes(0)));
    assert.equal(bench.application.raised.length, 1);
  });

  for (const code of [42, 87, 12345])
    it(`with ${code} is raised with partition and offset`, () => {
      const bench = reading();
      answerWith(bench, { errorCode: code });
      const [error] = bench.application.raised;
      assert.ok(error instanceof FetchFailedError);
      assert.equal(String(error.recordOffset), '10');
      assert.equal((error.cause as { errorCode?: number }).errorCode, code);
    });
});

describe('Fetch answered as a whole', () => {
  const inSession = (): ConsumerBench => {
    const bench = reading();
    const first = answerWith(bench, {});
    assert.deepEqual([first.sessionId, first.sessionEpoch], [0, 0]);
    const [second] = bench.asked(Fetch);
    assert.deepEqual([second!.sessionId, second!.sessionEpoch, named(second)], [77, 1, []]);
    return bench;
  };

  it('with 70 begins a new session with everything in it, at once', () => {
    const bench = inSession();
    bench.answer(Fetch, { errorCode: 70, sessionId: 0, responses: [] });
    const [request] = bench.asked(Fetch);
    assert.deepEqual([request!.sessionId, request!.sessionEpoch, named(request)], [0, 0, [0, 1]]);
  });

  it('with 71 replaces the old session, which it names', () => {
    const bench = inSession();
    bench.answer(Fetch, { errorCode: 71, sessionId: 0, responses: [] });
    const [request] = bench.asked(Fetch);
    assert.deepEqual([request!.sessionId, request!.sessionEpoch, named(request)], [77, 0, [0, 1]]);
  });

  it('with 70 for the first request of a session is sent again after a backoff', () => {
    const bench = reading();
    bench.answer(Fetch, { errorCode: 70, sessionId: 0, responses: [] });
    assert.equal(bench.asked(Fetch).length, 0);
    bench.advance(1000);
    assert.equal(bench.asked(Fetch).length, 1);
  });

  for (const code of [106, -1, 29, 42])
    it(`with ${code} begins a new session after a backoff`, () => {
      const bench = inSession();
      const before = bench.updatesAsked;
      bench.answer(Fetch, { errorCode: code, sessionId: 0, responses: [] });
      if (code === 106) assert.ok(bench.updatesAsked > before, 'metadata is asked for');
      assert.equal(bench.asked(Fetch).length, 0);
      bench.advance(1000);
      const [request] = bench.asked(Fetch);
      assert.deepEqual([request!.sessionEpoch, named(request)], [0, [0, 1]]);
    });

  it('by a lost connection begins a new session after a backoff', () => {
    const bench = inSession();
    bench.fail(Fetch, new KafkaConnectionError('reset'));
    assert.ok(bench.updatesAsked > 0);
    bench.advance(1000);
    const [request] = bench.asked(Fetch);
    assert.deepEqual([request!.sessionEpoch, named(request)], [0, [0, 1]]);
  });

  for (const [what, partitions] of [
    ['lacking a partition', [0]],
    ['with a partition nobody asked for', [0, 1, 9]],
  ] as const)
    it(`${what} is not used, and a new session begins`, () => {
      const bench = reading();
      bench.answer(Fetch, {
        errorCode: 0,
        sessionId: 5,
        responses: [
          { topicId: idOf('t'), partitions: partitions.map((index) => empty(index, { highWatermark: 99n })) },
        ],
      });
      assert.equal(partitionOf(bench, 0).highWatermark, -1n);
      bench.advance(1000);
      assert.equal(bench.asked(Fetch)[0]!.sessionEpoch, 0);
    });
});

it('an answer in a session with a partition that is not part of it is not used, and a new session begins', () => {
  const bench = reading();
  answerWith(bench, {});
  bench.answer(Fetch, {
    errorCode: 0,
    sessionId: 77,
    responses: [{ topicId: idOf('t'), partitions: [empty(0, { highWatermark: 99n }), empty(9)] }],
  });
  assert.equal(partitionOf(bench, 0).highWatermark, 10n);
  assert.deepEqual(bench.asked(Fetch), [], 'not at once');
  bench.advance(1000);
  assert.deepEqual([bench.asked(Fetch)[0]!.sessionEpoch, named(bench.asked(Fetch)[0])], [0, [0, 1]]);
});
