// An idle member of a group has nothing to do between its heartbeats and the answers to its fetches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConsumerGroupHeartbeat, Fetch, OffsetFetch } from '../../../../src/protocol/flat/generated/apis.ts';
import { type ConsumerBench, idOf } from './support/consumer-bench.ts';
import { beat, begin } from './support/member-bench.ts';
import { answerWith, reading } from './support/reading-bench.ts';

test('an idle member has no deadline before its next heartbeat, and an empty answer brings one fetch and nothing else', () => {
  const bench = begin({ groupProtocol: 'consumer' }, 1);
  const assignment = { topicPartitions: [{ topicId: idOf('t'), partitions: [0] }] };
  bench.answer(ConsumerGroupHeartbeat, beat({ assignment }));
  bench.answer(ConsumerGroupHeartbeat, beat({}));
  bench.answer(OffsetFetch, {
    groups: [
      {
        groupId: 'g',
        errorCode: 0,
        topics: [
          {
            name: 't',
            partitions: [{ partitionIndex: 0, errorCode: 0, committedOffset: 10n, committedLeaderEpoch: -1 }],
          },
        ],
      },
    ],
  });
  // The snapshot of its state is written.
  bench.advance(100);
  const others = (): string[] => bench.waiting.map(({ api }) => api.name);
  assert.deepEqual(others(), ['Fetch']);
  const heartbeatAt = bench.now - 100 + 5000;
  assert.equal(bench.role.nextDeadline(bench.now), heartbeatAt);
  answerWith(bench, {});
  bench.advance(100);
  assert.deepEqual(others(), ['Fetch']);
  assert.equal(bench.role.nextDeadline(bench.now), heartbeatAt);
  bench.advance(5000);
  assert.deepEqual(others().sort(), [ConsumerGroupHeartbeat.name, Fetch.name]);
});

/** Counts the turns in which partitions are looked at. */
function countTurns({ application }: ConsumerBench): () => number {
  let turns = 0;
  application.see = () => {
    turns++;
    return false;
  };
  return () => turns;
}

test('with many partitions one turn serves all events of a moment, and the next turn has its time', () => {
  const bench = reading({}, 8000);
  const { role } = bench;
  const start = bench.now + 1000;
  role.poll(start);
  const turns = countTurns(bench);
  for (let event = 0; event < 100; event++) role.poll(start + event / 100);
  assert.deepEqual([turns(), role.nextDeadline(start + 1)], [0, start + 2]);
  role.poll(start + 2);
  assert.equal(turns(), 1);
});

test('what was fetched does not wait for the next turn, and with few partitions nothing does', () => {
  const many = reading({}, 8000);
  many.role.poll(many.now);
  const turnsOfMany = countTurns(many);
  answerWith(many, {});
  assert.ok(turnsOfMany() > 0);
  const few = reading({}, 100);
  const turnsOfFew = countTurns(few);
  for (let event = 0; event < 100; event++) few.role.poll(few.now);
  assert.equal(turnsOfFew(), 100);
});
