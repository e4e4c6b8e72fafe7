// What a consumer does for each error code of OffsetCommit and OffsetFetch, in both protocols. Each test is a row of the reference.

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
  JoinGroup,
  OffsetCommit,
  OffsetFetch,
  SyncGroup,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeAssignment } from '../../../../src/worker/consumer/consumer-protocol.ts';
import type { CommitOutcome } from '../../../../src/worker/consumer/group-offsets.ts';
import { type ConsumerBench, idOf } from './support/consumer-bench.ts';
import { beat, begin as beginWith, coordinator, fatalOf } from './support/member-bench.ts';

const begin = (options: Record<string, unknown>): ConsumerBench => beginWith(options, 1);

/** A member with t-0, in epoch or generation 3, that asks for the committed offset. */
function member(protocol: 'consumer' | 'classic', options: Record<string, unknown> = {}): ConsumerBench {
  const bench = begin({ groupProtocol: protocol, ...options });
  if (protocol === 'consumer') {
    bench.answer(
      ConsumerGroupHeartbeat,
      beat({ assignment: { topicPartitions: [{ topicId: idOf('t'), partitions: [0] }] } }),
    );
    bench.answer(ConsumerGroupHeartbeat, beat({}));
  } else {
    bench.answer(JoinGroup, {
      errorCode: 0,
      generationId: 3,
      protocolName: 'range',
      leader: 'other',
      memberId: 'm',
      members: [],
    });
    bench.answer(SyncGroup, { errorCode: 0, assignment: encodeAssignment([{ topic: 't', partition: 0 }]) });
  }
  assert.equal(bench.asked(OffsetFetch).length, 1);
  return bench;
}

const fetched = (partition: object, group: object = {}) => ({
  groups: [
    {
      groupId: 'g',
      errorCode: 0,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0, committedOffset: 7n, ...partition }] }],
      ...group,
    },
  ],
});
const atGroup = (errorCode: number) => fetched({}, { errorCode, topics: [] });

for (const protocol of ['consumer', 'classic'] as const) {
  describe(`OffsetFetch, protocol ${protocol}`, () => {
    const position = (bench: ConsumerBench): bigint => bench.role.partitions.get('t', 0)!.fetchPosition.offset;

    it('begins at the committed offset, and asks only for stable offsets', () => {
      const bench = member(protocol);
      const request = bench.answer(OffsetFetch, fetched({}));
      assert.equal(request.requireStable, true);
      assert.deepEqual(
        request.groups!.map(({ memberId, memberEpoch }) => [memberId, memberEpoch]),
        [[protocol === 'consumer' ? 'member-id' : 'm', 3]],
      );
      assert.equal(position(bench), 7n);
    });

    it('is asked once, however often the thread wakes before the answer', () => {
      const bench = member(protocol);
      bench.turn();
      bench.turn();
      bench.answer(OffsetFetch, fetched({}));
      bench.turn();
      assert.equal(bench.asked(OffsetFetch).length, 0);
      assert.equal(bench.role.partitions.all[0]!.state, 'fetching');
    });

    for (const code of [15, 16])
      it(`answered with ${code} finds the coordinator and asks again`, () => {
        const bench = member(protocol);
        bench.answer(OffsetFetch, atGroup(code));
        bench.advance(500);
        bench.answer(FindCoordinator, coordinator);
        bench.advance(500);
        bench.answer(OffsetFetch, fetched({}));
        assert.equal(position(bench), 7n);
      });

    for (const code of [14, 88, 7, 113, 22])
      it(`answered with ${code} asks again after a backoff`, () => {
        const bench = member(protocol);
        bench.answer(OffsetFetch, atGroup(code));
        assert.equal(bench.asked(OffsetFetch).length, 0, 'not at once');
        bench.advance(1000);
        bench.answer(OffsetFetch, fetched({}));
        assert.equal(position(bench), 7n);
        assert.deepEqual(bench.application.raised, []);
      });

    for (const code of [88, 3, 100])
      it(`answered with ${code} for a partition asks again for it`, () => {
        const bench = member(protocol);
        bench.answer(OffsetFetch, fetched({ errorCode: code, committedOffset: -1n }));
        bench.advance(1000);
        bench.answer(OffsetFetch, fetched({}));
        assert.equal(position(bench), 7n);
        assert.deepEqual(bench.application.raised, []);
      });

    it('answered with 25 joins again', () => {
      const bench = member(protocol);
      bench.answer(OffsetFetch, atGroup(25));
      bench.advance(1000);
      assert.equal(bench.events('lost').length, 1);
      if (protocol === 'consumer') assert.equal(bench.asked(ConsumerGroupHeartbeat)[0]!.memberEpoch, 0);
      else assert.equal(bench.asked(JoinGroup).length, 1);
    });

    it('answered with 30 gives one error with the group and is sent again', () => {
      const bench = member(protocol);
      for (let i = 0; i < 3; i++) {
        bench.answer(OffsetFetch, atGroup(30));
        bench.advance(2000);
      }
      assert.equal(bench.events('error').length, 1);
      assert.match(bench.events('error')[0]!.error.message, /group g/);
    });

    it('answered with 29 for a partition gives one error with its topic', () => {
      const bench = member(protocol);
      bench.answer(OffsetFetch, fetched({ errorCode: 29, committedOffset: -1n }));
      assert.match(bench.events('error')[0]!.error.message, /t-0/);
    });

    for (const code of [24, 42, 12345])
      it(`answered with ${code} is raised`, () => {
        const bench = member(protocol);
        bench.answer(OffsetFetch, atGroup(code));
        assert.equal(bench.application.raised.length, 1);
        assert.equal((bench.application.raised[0] as { errorCode?: number }).errorCode, code);
      });

    for (const [what, answer] of [
      ['partition', fetched({}, { topics: [] })],
      ['group', { groups: [] }],
    ] as const)
      it(`whose answer does not have the ${what} raises KafkaProtocolError`, () => {
        const bench = member(protocol);
        bench.answer(OffsetFetch, answer);
        const [error] = bench.application.raised;
        assert.ok(error instanceof KafkaProtocolError);
        assert.match(error.message, what === 'group' ? /does not have group g/ : /does not have partition t-0/);
      });

    it('that fails finds the coordinator and is sent again', () => {
      const bench = member(protocol);
      bench.fail(OffsetFetch, new KafkaConnectionError('reset'));
      bench.advance(1000);
      bench.answer(FindCoordinator, coordinator);
      bench.advance(1000);
      assert.equal(bench.asked(OffsetFetch).length, 1);
    });
  });

  describe(`OffsetCommit, protocol ${protocol}`, () => {
    interface Commit {
      readonly bench: ConsumerBench;
      outcome: CommitOutcome | null;
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
        if (protocol === 'classic') assert.equal(commit.bench.asked(JoinGroup).length, 1);
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
      bench.role.group!.membership!.onFenced(3, bench.now);
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
      let second = false;
      commit.bench.role.group!.offsets.commit(
        [{ topic: 't', index: 0, offset: 10n, leaderEpoch: 5, metadata: '' }],
        commit.bench.now + 10_000,
        () => {
          second = true;
        },
        commit.bench.now,
      );
      assert.equal(commit.bench.asked(OffsetCommit).length, 1);
      commit.bench.answer(OffsetCommit, answered(0));
      assert.equal(commit.bench.asked(OffsetCommit).length, 1);
      commit.bench.answer(OffsetCommit, answered(0));
      assert.ok(second);
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

      it('answered with 113 for a partition that has gone fails', () => {
        const commit = committing();
        commit.bench.role.partitions.lose([{ topic: 't', partition: 0 }]);
        commit.bench.answer(OffsetCommit, answered(113));
        assert.ok(errorOf(commit) instanceof CommitFailedError);
      });
    }
  });
}
