// What a consumer does for each error code of Fetch, ListOffsets and OffsetForLeaderEpoch, and after changes of topics, leaders and
// sessions. Each test is a row of the reference.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AuthorizationError,
  CorruptBatchError,
  FetchFailedError,
  KafkaConnectionError,
  LogTruncationError,
  NoBrokersAvailable,
  NoOffsetForPartitionError,
  type PartitionError,
  PositionOutsideLogError,
} from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { Fetch, ListOffsets, OffsetForLeaderEpoch } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchRequest, FetchResponse } from '../../../../src/protocol/flat/generated/fetch.ts';
import type { Partition } from '../../../../src/worker/consumer/partition.ts';
import { ConsumerBench, idOf } from './support/consumer-bench.ts';

/** Partitions 0 to `count - 1` from offset 10 on, each fetch long. */
function reading(options: Record<string, unknown> = {}, count = 2): ConsumerBench {
  const bench = new ConsumerBench({ autoOffsetReset: 'earliest', ...options });
  bench.topic('t', count);
  const partitions = Array.from({ length: count }, (_, partition) => ({
    topic: 't',
    partition,
    start: { offset: '10' },
  }));
  bench.role.assign(partitions, bench.now);
  return bench.turn();
}

const partitionOf = (bench: ConsumerBench, index: number): Partition => bench.role.partitions.get('t', index)!;

/** Partitions that a request reads; of an incremental one, those that it names. */
const named = (request: FetchRequest | undefined): number[] =>
  (request?.topics ?? []).flatMap(({ partitions }) => partitions!.map(({ partition }) => partition!));

const empty = (index: number, fields: object = {}) => ({
  partitionIndex: index,
  errorCode: 0,
  highWatermark: 10n,
  lastStableOffset: 10n,
  ...fields,
});

/** Answers a fetch: what is given of partition 0, nothing new of the others that it names. */
function answerWith(bench: ConsumerBench, fields: object, sessionId = 77): FetchRequest {
  return bench.answer(Fetch, (request: FetchRequest): FetchResponse => {
    const { topics, sessionId: known } = request;
    return {
      errorCode: 0,
      sessionId: known === 0 ? sessionId : known!,
      responses: topics!.map(({ partitions }) => ({
        topicId: idOf('t'),
        partitions: partitions!.map(({ partition }) => empty(partition!, partition === 0 ? fields : {})),
      })),
    };
  });
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
      assert.deepEqual(bench.application.raised, []);
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

  it('with 1 by the leader compares logs first when it is known in which epoch was read', () => {
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

  it('with 1 for a position that was left meanwhile changes nothing', () => {
    const bench = reading({ autoOffsetReset: 'none' }, 1);
    bench.role.resolver.start(partitionOf(bench, 0), { offset: '20' });
    answerWith(bench, { errorCode: 1 });
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 20n);
    assert.deepEqual(bench.application.raised, []);
  });

  it('with 29 tells which topic, once, and other partitions go on', () => {
    const bench = reading();
    answerWith(bench, { errorCode: 29 });
    const [event, ...more] = bench.events('error');
    assert.deepEqual(more, []);
    const error = fromPlainError(event!.error);
    assert.ok(error instanceof AuthorizationError);
    assert.match(error.message, /: t$/);
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

  it('with 70 though it began a session is asked again after a backoff only', () => {
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

  it('by nobody, since the connection was lost, begins a new session after a backoff', () => {
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

describe('a topic that was deleted and made anew', () => {
  it('is not read at the old position', () => {
    const bench = reading({}, 1);
    bench.topic('t', 1, 1);
    bench.turn();
    assert.equal(partitionOf(bench, 0).state, 'reset');
    assert.equal(bench.asked(ListOffsets)[0]!.topics![0]!.partitions![0]!.timestamp, -2n);
  });

  it('is raised when the policy is none', () => {
    const bench = reading({ autoOffsetReset: 'none' }, 1);
    bench.topic('t', 1, 1);
    bench.turn();
    const [error] = bench.application.raised;
    assert.ok(error instanceof PositionOutsideLogError);
    assert.match(error.message, /made anew/);
  });
});

describe('a position that is to be found', () => {
  const resetting = (options: Record<string, unknown> = {}): ConsumerBench => {
    const bench = new ConsumerBench({ autoOffsetReset: 'earliest', ...options });
    bench.topic('t', 1);
    bench.role.assign([{ topic: 't', partition: 0, start: null }], bench.now);
    return bench.turn();
  };
  const listed = (fields: object) => ({
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, ...fields }] }],
  });

  for (const [policy, timestamp] of [
    ['earliest', -2n],
    ['latest', -1n],
    [{ timestampMs: 5 }, 5n],
    [{ agoMs: 1000 }, 1_700_000_000_000n],
    ['by_duration:PT1S', 1_700_000_000_000n],
  ] as const)
    it(`by ${JSON.stringify(policy)} asks for timestamp ${timestamp}`, () => {
      const bench = resetting({ autoOffsetReset: policy });
      assert.equal(bench.asked(ListOffsets)[0]!.topics![0]!.partitions![0]!.timestamp, timestamp);
    });

  it('by a duration in which nothing was written is the end', () => {
    const bench = resetting({ autoOffsetReset: 'by_duration:PT1S' });
    bench.answer(ListOffsets, listed({ offset: -1n, leaderEpoch: -1 }));
    assert.equal(bench.asked(ListOffsets)[0]!.topics![0]!.partitions![0]!.timestamp, -1n);
    bench.answer(ListOffsets, listed({ offset: 9n, leaderEpoch: 5 }));
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 9n);
  });

  for (const code of [3, 5, 6, 9, 74, 75, 78, 56, -1, 7])
    it(`answered with ${code} is looked for again after a backoff, and nothing is raised`, () => {
      const bench = resetting();
      bench.answer(ListOffsets, listed({ errorCode: code, offset: -1n }));
      assert.equal(bench.asked(ListOffsets).length, 0);
      bench.advance(1000);
      assert.equal(bench.asked(ListOffsets).length, 1);
      assert.deepEqual(bench.application.raised, []);
      assert.deepEqual(bench.events('error'), []);
    });

  it('answered with 29 is told once and looked for again', () => {
    const bench = resetting();
    for (let i = 0; i < 3; i++) {
      bench.answer(ListOffsets, listed({ errorCode: 29, offset: -1n }));
      bench.advance(2000);
    }
    assert.equal(bench.events('error').length, 1);
    assert.match(bench.events('error')[0]!.error.message, /t/);
  });

  it('by none is raised, with the partition', () => {
    const bench = resetting({ autoOffsetReset: 'none' });
    const [error] = bench.application.raised;
    assert.ok(error instanceof NoOffsetForPartitionError);
    assert.match(error.message, /t-0/);
  });
});

describe('a position after the leader changed (KIP-320)', () => {
  /** Read up to 10 in epoch 5; now broker 2 leads with epoch 6. */
  const moved = (options: Record<string, unknown> = {}): ConsumerBench => {
    const bench = reading(options, 1);
    partitionOf(bench, 0).startAt(10n, 5);
    bench.turn();
    bench.waiting.length = 0;
    partitionOf(bench, 0).isFetchInFlight = false;
    bench.leader('t', 0, { leaderId: 2, leaderEpoch: 6 });
    bench.turn();
    assert.equal(partitionOf(bench, 0).state, 'validating');
    assert.equal(bench.asked(Fetch).length, 0, 'nothing is read meanwhile');
    const [request] = bench.asked(OffsetForLeaderEpoch);
    assert.deepEqual(
      request!.topics![0]!.partitions!.map(({ leaderEpoch, currentLeaderEpoch }) => [leaderEpoch, currentLeaderEpoch]),
      [[5, 6]],
    );
    return bench;
  };
  const ended = (leaderEpoch: number, endOffset: bigint, errorCode = 0) => ({
    topics: [{ topic: 't', partitions: [{ partition: 0, errorCode, leaderEpoch, endOffset }] }],
  });

  it('stays when its log has it', () => {
    const bench = moved();
    bench.answer(OffsetForLeaderEpoch, ended(5, 10n));
    assert.equal(partitionOf(bench, 0).state, 'fetching');
    assert.deepEqual(named(bench.asked(Fetch)[0]), [0]);
    assert.deepEqual(bench.events('truncated'), []);
  });

  it('goes back to where the logs part, and says so', () => {
    const bench = moved();
    bench.answer(OffsetForLeaderEpoch, ended(4, 7n));
    const [event] = bench.events('truncated');
    assert.deepEqual([event!.topic, event!.partition, event!.from, event!.to], ['t', 0, '10', '7']);
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 7n);
    assert.equal(partitionOf(bench, 0).fetchPosition.leaderEpoch, 4);
  });

  it('is raised with the offset where the logs part when the policy is none', () => {
    const bench = moved({ autoOffsetReset: 'none' });
    bench.answer(OffsetForLeaderEpoch, ended(4, 7n));
    const [error] = bench.application.raised;
    assert.ok(error instanceof LogTruncationError);
    assert.equal(String(error.recordOffset), '7');
  });

  it('is reset by the policy, or raised, when nobody knows where the logs part', () => {
    const bench = moved();
    bench.answer(OffsetForLeaderEpoch, ended(-1, -1n));
    assert.equal(bench.asked(ListOffsets)[0]!.topics![0]!.partitions![0]!.timestamp, -2n);
    const none = moved({ autoOffsetReset: 'none' });
    none.answer(OffsetForLeaderEpoch, ended(-1, -1n));
    assert.ok(none.application.raised[0] instanceof LogTruncationError);
    assert.equal((none.application.raised[0] as PartitionError).recordOffset, null);
  });

  for (const code of [3, 6, 74, 75, 78, 56, -1])
    it(`answered with ${code} is compared again after a backoff`, () => {
      const bench = moved();
      bench.answer(OffsetForLeaderEpoch, ended(-1, -1n, code));
      assert.equal(partitionOf(bench, 0).state, 'validating');
      bench.advance(1000);
      assert.equal(bench.asked(OffsetForLeaderEpoch).length, 1);
      assert.deepEqual(bench.application.raised, []);
    });

  it('needs no comparison when it was sought without an epoch', () => {
    const bench = reading({}, 1);
    bench.leader('t', 0, { leaderId: 2, leaderEpoch: 6 });
    bench.turn();
    assert.equal(bench.asked(OffsetForLeaderEpoch).length, 0);
  });
});

describe('the nearest replica (KIP-392)', () => {
  const following = (): ConsumerBench => {
    const bench = reading({ clientRack: 'r' }, 1);
    assert.equal(bench.asked(Fetch)[0]!.rackId, 'r');
    answerWith(bench, { preferredReadReplica: 3 });
    assert.equal(bench.waiting.find(({ api }) => api.key === Fetch.key)!.to.brokerId, 3);
    return bench;
  };
  const next = (bench: ConsumerBench): number =>
    bench.waiting.filter(({ api }) => api.key === Fetch.key).at(-1)!.to.brokerId;

  it('is read from as long as metadata lives, then the leader is asked again', () => {
    const bench = following();
    bench.advance(299_000);
    answerWith(bench, {});
    assert.equal(next(bench), 3);
    bench.advance(2000);
    answerWith(bench, {});
    assert.equal(next(bench), 1);
  });

  for (const code of [6, 74, 9, 56, 3])
    it(`is forgotten when it answers ${code}`, () => {
      const bench = following();
      answerWith(bench, { errorCode: code });
      bench.advance(1000);
      assert.equal(next(bench), 1);
    });

  it('is forgotten when its connection is lost', () => {
    const bench = following();
    bench.fail(Fetch, new KafkaConnectionError('reset'));
    bench.advance(1000);
    assert.equal(next(bench), 1);
  });
});

describe('while every broker refuses the login', () => {
  const refusal = (at: number) => ({ at, error: () => new NoBrokersAvailable('refused') });

  it('an application that waits for records gets the error once for each time that all were tried; a listener once', () => {
    const bench = reading();
    const { raised } = bench.application;
    bench.refusal = refusal(bench.now);
    bench.turn();
    bench.advance(100);
    assert.equal(raised.length, 1);
    bench.refusal = refusal(bench.now);
    bench.turn();
    assert.equal(raised.length, 2);
    assert.equal(bench.events('error').length, 1);
    assert.equal(bench.events('error')[0]!.isFatal, false);
    bench.refusal = null;
    bench.turn();
    bench.refusal = refusal(bench.now + 1);
    bench.advance(1);
    assert.equal(bench.events('error').length, 2, 'it is news again');
  });

  it('an application that does not ask is not told until it does', () => {
    const bench = reading();
    const { application } = bench;
    application.isWaiting = false;
    application.askedAt = null;
    bench.refusal = refusal(bench.now);
    bench.turn();
    assert.equal(application.raised.length, 0);
    application.askedAt = bench.now;
    bench.turn();
    assert.equal(application.raised.length, 1);
    bench.refusal = refusal(bench.now + 100);
    bench.advance(100);
    assert.equal(application.raised.length, 1, 'it has not asked again');
  });
});
