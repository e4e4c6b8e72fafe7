// What a consumer does for each error code of OffsetCommit, in both protocols. Each test is a row of the reference.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CommitFailedError,
  GroupFatalError,
  KafkaConnectionError,
  KafkaProtocolError,
  KafkaTimeoutError,
} from '../../../../src/common/errors/errors.ts';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  Heartbeat,
  JoinGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { CommitOutcome } from '../../../../src/worker/consumer/commit-job.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { assigned, beat, coordinator, fatalOf } from './support/member-bench.ts';
import { fetched, joined, member } from './support/offset-bench.ts';

for (const protocol of ['consumer', 'classic'] as const) {
  describe(`OffsetCommit, protocol ${protocol}`, () => {
    interface Commit {
      readonly bench: ConsumerBench;
      outcome: CommitOutcome | null;
    }

    /** Asks for a commit of offset 10 of t-0, which may take so long. */
    function another(bench: Commit['bench'], limitMs: number): Commit {
      const commit: Commit = { bench, outcome: null };
      bench.role.group!.offsets.commit(
        [{ topic: 't', index: 0, offset: 10n, leaderEpoch: 5, metadata: '' }],
        bench.now + limitMs,
        (outcome) => {
          commit.outcome = outcome;
        },
        bench.now,
      );
      return commit;
    }

    /** A commit of offset 9 that is under way, with a limit of 10 s. */
    const committing = (options: Record<string, unknown> = {}): Commit => {
      const bench = member(protocol, options);
      bench.answer(OffsetFetch, fetched({}));
      const commit: Commit = { bench, outcome: null };
      bench.role.group!.offsets.commit(
        [{ topic: 't', index: 0, offset: 9n, leaderEpoch: 5, metadata: 'm' }],
        bench.now + 10_000,
        (outcome) => {
          commit.outcome = outcome;
        },
        bench.now,
      );
      const [request] = bench.asked(OffsetCommit);
      assert.deepEqual(
        [request!.memberId, request!.generationIdOrMemberEpoch],
        [protocol === 'consumer' ? 'member-id' : 'm', 3],
      );
      assert.deepEqual(request!.topics![0]!.partitions, [
        { partitionIndex: 0, committedOffset: 9n, committedLeaderEpoch: 5, committedMetadata: 'm' },
      ]);
      return commit;
    };
    const answered = (errorCode: number) => ({
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode }] }],
    });
    const errorOf = ({ outcome }: Commit): Error | null => {
      assert.ok(outcome !== null, 'it has ended');
      return outcome.error;
    };

    for (const code of [15, 16, 7])
      it(`answered with ${code} finds the coordinator and is sent again`, () => {
        const commit = committing();
        commit.bench.answer(OffsetCommit, answered(code));
        assert.equal(commit.outcome, null);
        commit.bench.advance(500);
        commit.bench.answer(FindCoordinator, coordinator);
        commit.bench.advance(500);
        commit.bench.answer(OffsetCommit, answered(0));
        assert.equal(errorOf(commit), null);
        assert.deepEqual([...commit.outcome!.committed], ['t-0']);
      });

    for (const code of [14, 3, 100, 27])
      it(`answered with ${code} is sent again after a backoff`, () => {
        const commit = committing();
        commit.bench.answer(OffsetCommit, answered(code));
        assert.equal(commit.bench.asked(OffsetCommit).length, 0, 'not at once');
        commit.bench.advance(500);
        commit.bench.answer(OffsetCommit, answered(0));
        assert.equal(errorOf(commit), null);
      });

    it('whose answer does not have the partition fails with KafkaProtocolError, and is not sent again', () => {
      const commit = committing();
      commit.bench.answer(OffsetCommit, { topics: [] });
      const error = errorOf(commit);
      assert.ok(error instanceof KafkaProtocolError);
      assert.match(error.message, /does not have partition t-0/);
      assert.equal(commit.bench.asked(OffsetCommit).length, 0);
      assert.deepEqual([...commit.outcome!.committed], []);
    });

    it('that is refused again and again ends at its deadline, with the last reason', () => {
      const commit = committing();
      for (let i = 0; i < 200 && commit.outcome === null; i++) {
        if (commit.bench.asked(OffsetCommit).length > 0) commit.bench.answer(OffsetCommit, answered(14));
        commit.bench.advance(100);
      }
      const error = errorOf(commit);
      assert.ok(error instanceof KafkaTimeoutError);
      assert.equal((error.cause as { errorCode?: number }).errorCode, 14);
    });

    for (const code of [22, 25, 110])
      it(`answered with ${code} fails, and the member joins again`, () => {
        const commit = committing();
        commit.bench.answer(OffsetCommit, answered(code));
        const error = errorOf(commit);
        assert.ok(error instanceof CommitFailedError);
        assert.equal((error.cause as { errorCode?: number }).errorCode, code);
        assert.equal(commit.bench.events('lost').length, 1);
        // The coordinator would wait for the old id, if it still has it.
        if (protocol === 'classic') assert.equal(commit.bench.asked(JoinGroup)[0]!.memberId, code === 25 ? '' : 'm');
        else assert.equal(commit.bench.asked(ConsumerGroupHeartbeat)[0]!.memberEpoch, 0);
      });

    it('answered with 82 fails, and the membership ends', () => {
      const commit = committing({ groupInstanceId: 'i' });
      commit.bench.answer(OffsetCommit, answered(82));
      assert.ok(errorOf(commit) instanceof CommitFailedError);
      assert.ok(fatalOf(commit.bench) instanceof GroupFatalError);
    });

    it('answered with 82 for an epoch that is over fails, and the membership goes on', () => {
      const commit = committing({ groupInstanceId: 'i' });
      const { bench } = commit;
      bench.role.group!.membership!.onFenced(3, { api: 'Heartbeat', errorCode: 25 }, bench.now);
      bench.answer(OffsetCommit, answered(82));
      assert.ok(errorOf(commit) instanceof CommitFailedError);
      assert.equal(fatalOf(bench), null);
    });

    for (const [code, about] of [
      [12, /t-0/],
      [28, /t-0/],
      [29, /t-0/],
      [30, /group g/],
      [69, /group g/],
      [24, /t-0/],
      [12345, /t-0/],
    ] as const)
      it(`answered with ${code} fails with that error, which names what it is about`, () => {
        const commit = committing();
        commit.bench.answer(OffsetCommit, answered(code));
        const error = errorOf(commit);
        assert.equal((error as { errorCode?: number }).errorCode, code);
        assert.match(error!.message, about);
        assert.equal(commit.bench.events('lost').length, 0, 'it stays a member');
      });

    for (const [code, said] of [
      [27, /the group is rebalancing, and the partition is not this member's any more/],
      [113, /does not own the partition any more/],
    ] as const)
      it(`answered with ${code} for a partition that has gone fails`, () => {
        const commit = committing();
        commit.bench.role.partitions.lose([{ topic: 't', partition: 0 }]);
        commit.bench.answer(OffsetCommit, answered(code));
        const error = errorOf(commit);
        assert.ok(error instanceof CommitFailedError);
        assert.match(error.message, said);
      });

    /**
     * A commit whose partition is lost before it is sent again. The member joins again, and gets these partitions.
     * @param when the answer to the first try comes: before the loss, or after all this
     */
    const lostMeanwhile = (again: readonly number[], when: 'before' | 'after'): void => {
      const commit = committing();
      const { bench } = commit;
      if (when === 'before') bench.answer(OffsetCommit, answered(14));
      bench.role.group!.membership!.onFenced(3, { api: 'Heartbeat', errorCode: 25 }, bench.now);
      bench.turn();
      if (protocol === 'consumer') {
        bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: 5, assignment: assigned(...again) }));
      } else {
        bench.answer(JoinGroup, { ...joined, generationId: 5 });
        const partitions = again.map((partition) => ({ topic: 't', partition }));
        bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment(partitions) });
      }
      assert.equal(bench.role.partitions.all.length, again.length);
      assert.equal(bench.role.group!.identity.epoch, 5);
      if (when === 'after') bench.answer(OffsetCommit, answered(14));
      bench.advance(1000);
      // Its new owner may have committed more.
      assert.deepEqual(bench.asked(OffsetCommit), []);
      assert.ok(errorOf(commit) instanceof CommitFailedError);
    };

    it('of a partition that is lost before it is sent again fails, although the member has joined again', () =>
      lostMeanwhile([], 'before'));

    it('of a partition that is lost before it is sent again fails, although the member has got it again', () =>
      lostMeanwhile([0], 'before'));

    it('of a partition that is lost and got again while it is under way fails if it would be sent again', () =>
      lostMeanwhile([0], 'after'));

    it('that fails finds the coordinator and is sent again', () => {
      const commit = committing();
      commit.bench.fail(OffsetCommit, new KafkaConnectionError('reset'));
      commit.bench.advance(500);
      commit.bench.answer(FindCoordinator, coordinator);
      commit.bench.advance(500);
      commit.bench.answer(OffsetCommit, answered(0));
      assert.equal(errorOf(commit), null);
    });

    it('waits for the commit before it', () => {
      const commit = committing();
      const second = another(commit.bench, 10_000);
      assert.equal(commit.bench.asked(OffsetCommit).length, 1);
      commit.bench.answer(OffsetCommit, answered(0));
      assert.equal(commit.bench.asked(OffsetCommit).length, 1);
      commit.bench.answer(OffsetCommit, answered(0));
      assert.ok(second.outcome !== null);
    });

    it('that is under way ends at its deadline, and its connection is not closed for that', () => {
      const commit = committing();
      const { bench } = commit;
      const sent = bench.waiting.find(({ api }) => api.key === OffsetCommit.key)!;
      assert.equal(sent.timeoutMs, 30_000, 'as any other request: heartbeats use the connection, too');
      bench.advance(10_000);
      assert.ok(errorOf(commit) instanceof KafkaTimeoutError);
      const next = another(bench, 10_000);
      assert.equal(bench.asked(OffsetCommit).length, 1, 'one at a time');
      bench.answer(OffsetCommit, answered(0));
      assert.deepEqual([...commit.outcome!.committed], [], 'it was given up before');
      bench.answer(OffsetCommit, answered(0));
      assert.deepEqual([...next.outcome!.committed], ['t-0']);
    });

    it('behind another one ends at its own deadline', () => {
      const commit = committing();
      const { bench } = commit;
      const second = another(bench, 1000);
      // The first one is refused until the coordinator cannot be reached.
      bench.answer(OffsetCommit, answered(14));
      bench.isUp = () => false;
      bench.advance(1000);
      assert.ok(second.outcome?.error instanceof KafkaTimeoutError);
      assert.equal(commit.outcome, null, 'the first one has more time');
    });

    if (protocol === 'consumer') {
      it('answered with 113 is sent again with the new epoch for what is still owned', () => {
        const commit = committing();
        const { bench } = commit;
        bench.answer(OffsetCommit, answered(113));
        bench.advance(1000);
        assert.equal(bench.asked(OffsetCommit).length, 0, 'not with the same epoch');
        bench.advance(4000);
        bench.answer(ConsumerGroupHeartbeat, beat({ memberEpoch: 4 }));
        bench.turn();
        assert.equal(bench.asked(OffsetCommit)[0]!.generationIdOrMemberEpoch, 4);
        bench.answer(OffsetCommit, answered(0));
        assert.equal(errorOf(commit), null);
      });
    } else {
      /** The group rebalances while the commit is under way. The member keeps its partition. */
      const joining = (): Commit => {
        const commit = committing({ partitionAssignmentStrategy: ['cooperative-sticky'] });
        const { bench } = commit;
        bench.advance(3000);
        bench.answer(Heartbeat, { errorCode: 27 });
        assert.equal(bench.asked(JoinGroup)[0]!.memberId, 'm');
        return commit;
      };

      for (const code of [22, 25])
        it(`answered with ${code} while the member joins fails; the answer to JoinGroup decides about the membership`, () => {
          const commit = joining();
          const { bench } = commit;
          bench.answer(OffsetCommit, answered(code));
          assert.ok(errorOf(commit) instanceof CommitFailedError);
          assert.equal(bench.asked(JoinGroup).length, 1, 'there is no other join');
          assert.deepEqual(bench.events('lost'), []);
          bench.answer(JoinGroup, { ...joined, generationId: 4 });
          bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment([{ topic: 't', partition: 0 }]) });
          assert.equal(bench.role.partitions.all.length, 1);
        });

      it('answered with 22 when the next generation has begun is sent again for what is still owned', () => {
        const commit = joining();
        const { bench } = commit;
        bench.answer(JoinGroup, { ...joined, generationId: 4 });
        bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment([{ topic: 't', partition: 0 }]) });
        bench.answer(OffsetCommit, answered(22));
        assert.equal(commit.outcome, null);
        bench.advance(500);
        assert.equal(bench.asked(OffsetCommit)[0]!.generationIdOrMemberEpoch, 4);
        bench.answer(OffsetCommit, answered(0));
        assert.equal(errorOf(commit), null);
        assert.deepEqual(bench.events('lost'), []);
      });
    }
  });
}
