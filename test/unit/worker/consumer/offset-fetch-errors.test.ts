// What a consumer does for each error code of OffsetFetch, in both protocols. Each test is a row of the reference.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaConnectionError, KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import {
  ConsumerGroupHeartbeat,
  FindCoordinator,
  JoinGroup,
  OffsetFetch,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { ConsumerBench } from './support/consumer-bench.ts';
import { coordinator } from './support/member-bench.ts';
import { fetched, member } from './support/offset-bench.ts';

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

    for (const code of [15, 16, 7])
      it(`answered with ${code} finds the coordinator and asks again`, () => {
        const bench = member(protocol);
        bench.answer(OffsetFetch, atGroup(code));
        bench.advance(500);
        bench.answer(FindCoordinator, coordinator);
        bench.advance(500);
        bench.answer(OffsetFetch, fetched({}));
        assert.equal(position(bench), 7n);
      });

    for (const code of [14, 88, 113, 22])
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
}
