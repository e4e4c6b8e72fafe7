// What a consumer does for each error code of ListOffsets and OffsetForLeaderEpoch, and after changes of topics, leaders and logins.
// Each test is a row of the reference.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  KafkaConnectionError,
  LogTruncationError,
  NoBrokersAvailable,
  NoOffsetForPartitionError,
  type PartitionError,
  PositionOutsideLogError,
} from '../../../../src/common/errors/errors.ts';
import { Fetch, ListOffsets, OffsetForLeaderEpoch } from '../../../../src/protocol/flat/generated/apis.ts';
import { ConsumerBench } from './support/consumer-bench.ts';
import { answerWith, named, partitionOf, reading } from './support/reading-bench.ts';

describe('a topic that was deleted and created again', () => {
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

describe('a position that must be found', () => {
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

  it('is not compared with the log of the leader that has named it', () => {
    const bench = reading({}, 1);
    bench.role.partitions.get('t', 0)!.resetAt('earliest');
    bench.turn();
    bench.answer(ListOffsets, {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, offset: 40n, leaderEpoch: 2 }] }],
    });
    assert.equal(bench.asked(OffsetForLeaderEpoch).length, 0);
    assert.equal(bench.role.partitions.get('t', 0)!.state, 'fetching');
  });

  it('tells the broker to wait less for remote storage than the request may take, so that it still answers', () => {
    const bench = resetting();
    const { request, timeoutMs } = bench.waiting.find(({ api }) => api.key === ListOffsets.key)!;
    const waitMs = (request as { readonly timeoutMs: number }).timeoutMs;
    assert.ok(waitMs > 0 && waitMs < timeoutMs, `${waitMs} of ${timeoutMs} ms`);
  });

  it('by a duration without records is the end', () => {
    const bench = resetting({ autoOffsetReset: 'by_duration:PT1S' });
    bench.answer(ListOffsets, listed({ offset: -1n, leaderEpoch: -1 }));
    assert.equal(bench.asked(ListOffsets)[0]!.topics![0]!.partitions![0]!.timestamp, -1n);
    bench.answer(ListOffsets, listed({ offset: 9n, leaderEpoch: 5 }));
    assert.equal(partitionOf(bench, 0).fetchPosition.offset, 9n);
  });

  for (const code of [3, 5, 6, 9, 74, 75, 78, 56, -1, 7])
    it(`answered with ${code} is requested again after a backoff, and nothing is raised`, () => {
      const bench = resetting();
      bench.answer(ListOffsets, listed({ errorCode: code, offset: -1n }));
      assert.equal(bench.asked(ListOffsets).length, 0);
      bench.advance(1000);
      assert.equal(bench.asked(ListOffsets).length, 1);
      assert.deepEqual(bench.application.raised, []);
      assert.deepEqual(bench.events('error'), []);
    });

  it('answered with 29 gives one error and is requested again', () => {
    const bench = resetting();
    for (let i = 0; i < 3; i++) {
      bench.answer(ListOffsets, listed({ errorCode: 29, offset: -1n }));
      bench.advance(2000);
    }
    assert.equal(bench.events('error').length, 1);
    assert.match(bench.events('error')[0]!.error.message, /t/);
  });

  it('by none is an error with the partition', () => {
    const bench = resetting({ autoOffsetReset: 'none' });
    const [error] = bench.application.raised;
    assert.ok(error instanceof NoOffsetForPartitionError);
    assert.match(error.message, /t-0/);
  });
});

describe('a position after the leader changed (KIP-320)', () => {
  const ended = (leaderEpoch: number, endOffset: bigint, errorCode = 0) => ({
    topics: [{ topic: 't', partitions: [{ partition: 0, errorCode, leaderEpoch, endOffset }] }],
  });
  /** Read up to 10 in epoch 5; now broker 2 leads with epoch 6. */
  const moved = (options: Record<string, unknown> = {}): ConsumerBench => {
    const bench = reading(options, 1);
    partitionOf(bench, 0).startAt(10n, 5);
    bench.turn();
    bench.answer(OffsetForLeaderEpoch, ended(5, 90n));
    assert.equal(partitionOf(bench, 0).isFetchInFlight, true);
    bench.waiting.length = 0;
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

  it('stays when its log has it', () => {
    const bench = moved();
    bench.answer(OffsetForLeaderEpoch, ended(5, 10n));
    assert.equal(partitionOf(bench, 0).state, 'fetching');
    assert.deepEqual(named(bench.asked(Fetch)[0]), [0]);
    assert.deepEqual(bench.events('truncated'), []);
  });

  it('goes back to where the logs part, and gives an event', () => {
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

  it('is reset by the policy or raised if the offset where the logs part is unknown', () => {
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

  it('answered with 29 gives one error and is compared again', () => {
    const bench = moved();
    for (let i = 0; i < 3; i++) {
      bench.answer(OffsetForLeaderEpoch, ended(-1, -1n, 29));
      assert.equal(partitionOf(bench, 0).state, 'validating');
      bench.advance(2000);
    }
    assert.equal(bench.events('error').length, 1);
    assert.match(bench.events('error')[0]!.error.message, /: t\b/);
    bench.answer(OffsetForLeaderEpoch, ended(5, 10n));
    assert.equal(partitionOf(bench, 0).state, 'fetching');
  });

  it('needs no comparison if seek gave no epoch', () => {
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

  it('is read from until metadata expires, and then the leader is asked again', () => {
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

  it('is forgotten when the leader changes', () => {
    const bench = following();
    bench.leader('t', 0, { leaderId: 2, leaderEpoch: 6 });
    bench.turn();
    answerWith(bench, {});
    assert.equal(next(bench), 2);
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

  it('gives an application that waits for records one error for each round of attempts, and a listener one error', () => {
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

  it('gives an application no error until it polls', () => {
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
