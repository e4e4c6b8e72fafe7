// Calls and events that come while another call of the same partition is under way: each has its whole effect, and none takes the other's.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Cancelled, CommitFailedError, KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  OffsetCommit,
  OffsetFetch,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { CommitOutcome } from '../../../../src/worker/consumer/commit-job.ts';
import type { CommittedOffset } from '../../../../src/worker/consumer/group-offsets.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { handOut } from './support/handed-out.ts';
import { assigned, beat, begin, coordinator, isOwned } from './support/member-bench.ts';
import { fetched, member } from './support/offset-bench.ts';
import { partitionOf, reading } from './support/reading-bench.ts';

const farMs = 600_000;
const place = { topic: 't', partition: 0 };

const answered = (errorCode: number, partitionIndex = 0) => ({
  topics: [{ name: 't', partitions: [{ partitionIndex, errorCode }] }],
});

/** Asks for a commit of a partition of topic t, as an application with offsets of its own does. */
function commit(bench: ConsumerBench, index: number): () => CommitOutcome | null {
  let outcome: CommitOutcome | null = null;
  const offset = { topic: 't', index, offset: 12n, leaderEpoch: 5, metadata: '' };
  bench.role.group!.offsets.commit(
    [offset],
    bench.now + 60_000,
    (ended) => {
      outcome = ended;
    },
    bench.now,
  );
  return () => outcome;
}

/** A member with t-0 and t-1 that has found their committed offsets, and commits by itself only when it releases them. */
function stable(options: Record<string, unknown> = {}): ConsumerBench {
  const bench = begin({ groupProtocol: 'consumer', commit: { everyMs: farMs }, ...options });
  bench.answer(ConsumerGroupHeartbeat, beat({ assignment: assigned(0, 1) }));
  bench.answer(ConsumerGroupHeartbeat, beat({}));
  isOwned(bench, 2);
  return bench;
}

describe('a partition that is lost while it is released', () => {
  it('is not committed: its new owner may have committed more', () => {
    const bench = stable();
    handOut(bench, 1).doneUpTo = 12n;
    bench.advance(5000);
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: 4, assignment: assigned(0) }));
    assert.ok(partitionOf(bench, 1).isReleasing);
    bench.advance(5000);
    bench.answer(ConsumerGroupHeartbeat, { errorCode: 25 });
    isOwned(bench, 0);
    assert.equal(bench.events('lost').length, 1);
    assert.deepEqual(bench.asked(OffsetCommit), []);
  });
});

describe('assign while unsubscribe waits for batches', () => {
  for (const [title, options] of [
    ['without a group', {}],
    ['with the offsets of a group', { groupId: 'g', commit: 'manual' }],
  ] as const)
    it(`takes the partitions anew, and ends the wait, ${title}`, () => {
      const bench = reading(options);
      const batch = handOut(bench, 0);
      let ends = 0;
      bench.role.unsubscribe(bench.now, () => ends++);
      bench.turn();
      assert.equal(ends, 0, 'the application has a batch');
      bench.role.assign([{ ...place, start: { offset: '50' } }], bench.now);
      bench.turn();
      assert.equal(ends, 1);
      assert.ok(batch.isLost);
      bench.advance(farMs);
      assert.deepEqual(
        bench.role.partitions.all.map(({ key, isReleasing, handPosition }) => [key, isReleasing, handPosition.offset]),
        [['t-0', false, 50n]],
      );
    });
});

describe('assign of a partition whose commit is under way', () => {
  it('begins at the offset that is committed, and not at the one before it', () => {
    const bench = reading({ groupId: 'g', commit: { everyMs: farMs } }, 1);
    handOut(bench, 0).doneUpTo = 12n;
    bench.role.assign([], bench.now);
    bench.turn();
    bench.answer(FindCoordinator, coordinator);
    bench.role.assign([{ ...place, start: null }], bench.now);
    bench.turn();
    bench.answer(OffsetCommit, answered(14));
    assert.deepEqual(bench.asked(OffsetFetch), [], 'the commit is sent again before');
    bench.advance(500);
    bench.answer(OffsetCommit, answered(0));
    bench.answer(OffsetFetch, fetched({ committedOffset: 12n }));
    assert.equal(partitionOf(bench, 0).handPosition.offset, 12n);
  });
});

describe('the release of a partition that the application commits by itself', () => {
  it('waits for its commit that is under way', () => {
    const bench = stable({ commit: 'manual' });
    const outcome = commit(bench, 0);
    bench.answer(OffsetCommit, answered(14));
    bench.advance(50);
    bench.role.partitions.release([place], bench.now + 60_000, () => {}, bench.now);
    bench.turn();
    isOwned(bench, 2);
    bench.advance(1000);
    bench.answer(OffsetCommit, answered(0));
    assert.deepEqual([outcome()?.error, outcome()?.committed.size], [null, 1]);
    isOwned(bench, 1);
  });

  it('does not wait for commits of others, nor for ever', () => {
    const bench = stable({ commit: 'manual' });
    const outcome = commit(bench, 0);
    bench.role.partitions.release([{ topic: 't', partition: 1 }], bench.now + 60_000, () => {}, bench.now);
    bench.turn();
    isOwned(bench, 1);
    bench.role.partitions.release([place], bench.now + 3000, () => {}, bench.now);
    bench.advance(3000);
    isOwned(bench, 0);
    assert.equal(outcome(), null, 'it is under way still');
    bench.answer(OffsetCommit, answered(14));
    assert.ok(outcome()?.error instanceof CommitFailedError);
  });
});

describe('a member that is closed while a commit is under way', () => {
  it('leaves after the commit has ended', () => {
    const bench = stable({ commit: 'manual' });
    const outcome = commit(bench, 5);
    bench.answer(OffsetCommit, answered(14, 5));
    let ends = 0;
    bench.role.close(60_000, 'default', bench.now, () => ends++);
    bench.turn();
    const leaves = (): number =>
      bench.asked(ConsumerGroupHeartbeat).filter(({ memberEpoch }) => memberEpoch === -1).length;
    assert.equal(leaves(), 0);
    bench.advance(1000);
    assert.equal(bench.answer(OffsetCommit, answered(0, 5)).generationIdOrMemberEpoch, 3);
    assert.deepEqual([outcome()?.error, leaves(), ends], [null, 1, 0]);
    bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: -1 }));
    assert.equal(ends, 1);
  });
});

describe('a look-up of committed offsets', () => {
  for (const who of ['a partition', 'the application'] as const)
    it(`that cannot be sent, for ${who}, is sent again`, () => {
      const bench = member('consumer');
      const found: unknown[] = [];
      if (who === 'the application') {
        bench.answer(OffsetFetch, fetched({}));
      } else {
        bench.fail(OffsetFetch, new KafkaConnectionError('reset'));
        bench.advance(100);
      }
      const { send } = bench.requests;
      let refusals = 0;
      bench.requests.send = (request, now) => {
        if (request.api.key !== OffsetFetch.key) return send(request, now);
        refusals++;
        request.onFailure(new KafkaConnectionError('not connected'), now);
      };
      if (who === 'the application') {
        const done = (outcome: unknown): void => void found.push(outcome);
        bench.role.group!.committed([{ topic: 't', index: 0 }], bench.now + 60_000, done, bench.now);
      } else {
        bench.answer(FindCoordinator, coordinator);
        bench.advance(200);
      }
      assert.equal(refusals, 1);
      bench.requests.send = send;
      bench.advance(200);
      bench.answer(FindCoordinator, coordinator);
      bench.advance(1000);
      bench.answer(OffsetFetch, fetched({}));
      if (who === 'the application') assert.ok(found[0] instanceof Map);
      else assert.equal(partitionOf(bench, 0).handPosition.offset, 7n);
    });

  it('that names a partition twice is answered', () => {
    const bench = member('consumer');
    bench.answer(OffsetFetch, fetched({}));
    const found: unknown[] = [];
    const one = { topic: 't', index: 0 };
    bench.role.group!.committed([one, one], bench.now + 60_000, (outcome) => found.push(outcome), bench.now);
    bench.answer(OffsetFetch, fetched({}));
    assert.equal((found[0] as ReadonlyMap<string, CommittedOffset>).get('t-0')?.offset, 7n);
  });
});

describe('a question about the log', () => {
  it('that comes when the consumer is being closed fails at once, and its topic is not looked for any more', () => {
    const bench = reading();
    bench.role.close(1000, 'default', bench.now, () => {});
    const outcomes: unknown[] = [];
    const question = { topic: 't', index: 0, timestamp: -1n };
    bench.role.queries.ask([question], bench.now + 60_000, (outcome) => outcomes.push(outcome), bench.now);
    assert.ok(outcomes[0] instanceof Cancelled);
  });
});
