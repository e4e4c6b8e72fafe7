// What a consumer notices of its application and of its partitions: an application that asks for nothing, by every policy; partitions that
// make no progress; and when it commits by itself.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { Fetch, ListOffsets, OffsetCommit } from '../../../../src/protocol/flat/generated/apis.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { answerWith, partitionOf, reading } from './support/reading-bench.ts';

before(prepareCodecs);

const maxPollIntervalMs = 1000;

/** Keeps the newest fetches in flight answered, so that the next ones are sent. */
function answerFetches(bench: ConsumerBench): void {
  for (let i = bench.asked(Fetch).length; i > 0; i--) answerWith(bench, {});
}

function blockedFor(whenBlocked: string): ConsumerBench {
  const bench = reading({ whenBlocked, maxPollIntervalMs });
  bench.application.isWaiting = false;
  bench.application.askedAt = bench.now;
  bench.advance(maxPollIntervalMs);
  return bench;
}

describe('an application that does not poll for maxPollIntervalMs', () => {
  it('gives one event each time, with the policy', () => {
    const bench = blockedFor('keep');
    assert.deepEqual(
      bench.events('blocked').map(({ policy, sinceMs }) => [policy, sinceMs >= maxPollIntervalMs]),
      [['keep', true]],
    );
    bench.advance(10 * maxPollIntervalMs);
    assert.equal(bench.events('blocked').length, 1);
    bench.application.askedAt = bench.now;
    bench.turn().advance(2 * maxPollIntervalMs);
    assert.equal(bench.events('blocked').length, 2);
  });

  it('is not blocked because the whole process was stopped: it has its time once more', () => {
    const bench = reading({ whenBlocked: 'leave', maxPollIntervalMs });
    bench.application.isWaiting = false;
    bench.application.askedAt = bench.now;
    bench.advance(maxPollIntervalMs / 2);
    bench.now += 60_000;
    bench.role.wasLate(60_000, bench.now);
    bench.turn();
    assert.equal(bench.events('blocked').length, 0);
    bench.advance(maxPollIntervalMs / 2 - 1);
    assert.equal(bench.events('blocked').length, 0);
    bench.advance(2);
    assert.equal(bench.events('blocked').length, 1);
  });

  it('keeps its fetches with keep', () => {
    const bench = blockedFor('keep');
    answerFetches(bench);
    assert.ok(bench.asked(Fetch).length > 0);
  });

  it('has no fetches with pause until it polls again, and loses nothing', () => {
    const bench = blockedFor('pause');
    answerFetches(bench);
    bench.advance(60_000);
    assert.equal(bench.asked(Fetch).length, 0);
    assert.equal(bench.role.partitions.all.length, 2);
    assert.deepEqual(bench.events('lost'), []);
    bench.application.isWaiting = true;
    bench.turn();
    assert.ok(bench.asked(Fetch).length > 0);
  });

  it('is not blocked while any of its threads waits for records', () => {
    const bench = reading({ maxPollIntervalMs });
    bench.advance(10 * maxPollIntervalMs);
    assert.deepEqual(bench.events('blocked'), []);
  });
});

describe('a partition that makes no progress for stalledMs', () => {
  const stalledMs = 5000;

  it('whose fetches fail gives one event with the cause, and another after it had gone on', () => {
    const bench = reading({ stalledMs }, 1);
    bench.isUp = () => false;
    bench.fail(Fetch, new KafkaConnectionError('reset'));
    bench.advance(stalledMs + 1000);
    const [event, ...more] = bench.events('stalled');
    assert.deepEqual(more, []);
    assert.deepEqual([event!.topic, event!.partition], ['t', 0]);
    assert.match(event!.cause, /no broker answers its fetches, 1 failures in a row/);
    assert.ok(bench.log.some((line) => line.startsWith('warn t-0 has made no progress')));
    bench.advance(60_000);
    assert.equal(bench.events('stalled').length, 1);
    bench.isUp = () => true;
    bench.turn();
    answerWith(bench, {});
    assert.equal(partitionOf(bench, 0).isStalled, false);
    bench.isUp = () => false;
    bench.fail(Fetch, new KafkaConnectionError('reset'));
    bench.advance(stalledMs + 1000);
    assert.equal(bench.events('stalled').length, 2);
  });

  it('whose position cannot be found gives an event with the cause', () => {
    const bench = reading({ stalledMs }, 1);
    bench.fail(Fetch, new KafkaConnectionError('reset'));
    bench.role.resolver.start(partitionOf(bench, 0), 'earliest');
    bench.turn();
    bench.fail(ListOffsets, new KafkaConnectionError('reset'));
    bench.isUp = () => false;
    bench.advance(stalledMs + 1000);
    assert.match(bench.events('stalled')[0]!.cause, /the offset to begin at is not known yet/);
  });

  it('gives no event while a fetch waits at the broker or while it is paused', () => {
    const bench = reading({ stalledMs }, 1);
    bench.advance(10 * stalledMs);
    assert.deepEqual(bench.events('stalled'), []);
    partitionOf(bench, 0).isPaused = true;
    bench.isUp = () => false;
    bench.fail(Fetch, new KafkaConnectionError('reset'));
    bench.advance(10 * stalledMs);
    assert.deepEqual(bench.events('stalled'), []);
  });
});

describe('a done batch', () => {
  const everyMs = 250;
  const committing = (commit: unknown): ConsumerBench => reading({ groupId: 'g', commit }, 1);

  it('is committed everyMs after it is done, and nothing is sent in between', () => {
    const bench = committing({ everyMs });
    readyToCommit(bench);
    bench.advance(everyMs - 1);
    assert.equal(bench.asked(OffsetCommit).length, 0);
    bench.advance(1);
    assert.equal(bench.asked(OffsetCommit).length, 1);
    const committed = { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0 }] }] };
    bench.answer(OffsetCommit, committed);
    bench.advance(100 * everyMs);
    assert.equal(bench.asked(OffsetCommit).length, 0, 'nothing is new');
  });

  it('is committed at its exact offset, also beyond 2^53', () => {
    const offset = 2n ** 53n + 1n;
    const bench = committing({ everyMs });
    bench.role.group!.coordinator.to = { brokerId: 2, lane: 'group' };
    bench.role.resolver.start(partitionOf(bench, 0), { offset: String(offset) });
    // That of before the seek.
    answerWith(bench, {});
    assert.equal(bench.asked(Fetch)[0]!.topics![0]!.partitions![0]!.fetchOffset, offset);
    answerWith(bench, { records: buildBatch({ baseOffset: offset, records: [{ value: 'a' }, { value: 'b' }] }) });
    const [handed] = bench.application.handed;
    assert.deepEqual([handed!.batch.firstOffset, handed!.batch.nextOffset], [offset, offset + 2n]);
    handed!.doneUpTo = offset + 1n;
    bench.turn().advance(everyMs);
    assert.equal(bench.asked(OffsetCommit)[0]!.topics![0]!.partitions![0]!.committedOffset, offset + 1n);
  });

  it('is committed when the application assigns other partitions', () => {
    const bench = committing({ everyMs: 60_000 });
    readyToCommit(bench);
    bench.topic('u', 1);
    bench.role.assign([{ topic: 'u', partition: 0, start: 'earliest' }], bench.now);
    bench.turn();
    assert.deepEqual(
      bench.role.partitions.all.map(({ key }) => key),
      ['u-0'],
    );
    assert.equal(bench.asked(OffsetCommit)[0]!.topics![0]!.partitions![0]!.committedOffset, 10n);
    bench.answer(OffsetCommit, { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0 }] }] });
    assert.deepEqual(bench.events('error'), []);
    assert.deepEqual(
      bench.events('revoked').map(({ partitions }) => partitions),
      [[{ topic: 't', partition: 0 }]],
    );
  });

  it('is not committed automatically with manual', () => {
    const bench = committing('manual');
    readyToCommit(bench);
    bench.advance(60_000);
    assert.equal(bench.asked(OffsetCommit).length, 0);
  });
});

/** The coordinator is known. The position of the partition, offset 10, is not committed. */
function readyToCommit(bench: ConsumerBench): void {
  bench.role.group!.coordinator.to = { brokerId: 2, lane: 'group' };
  assert.equal(partitionOf(bench, 0).donePosition.offset, 10n);
  assert.equal(partitionOf(bench, 0).committed, null);
}
