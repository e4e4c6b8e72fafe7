// What a consumer does about topics and partitions that the cluster does not have: it says so once, goes on looking, and fails questions
// about them with the broker's reason.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnknownTopicOrPartitionError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { ListOffsets } from '../../../../src/protocol/flat/generated/apis.ts';
import { ConsumerBench } from './support/consumer-bench.ts';

const unknown = 3;
const denied = 29;

function subscribed(): ConsumerBench {
  // The group, which never answers here, is of no interest.
  const options = { groupId: 'g', groupProtocol: 'consumer', topics: ['later'], stalledMs: 600_000 };
  const bench = new ConsumerBench(options);
  bench.role.subscribe({ names: ['later'] }, bench.now);
  bench.topicFails('later', unknown);
  return bench.turn();
}

describe('a subscribed topic that does not exist', () => {
  it('gives one error after the time that brokers need for a new topic, and is still looked for', () => {
    const bench = subscribed();
    assert.deepEqual(bench.events('error'), []);
    bench.advance(1000);
    const [event, ...others] = bench.events('error');
    assert.deepEqual(others, []);
    assert.equal(event!.isFatal, false);
    const error = fromPlainError(event!.error);
    assert.ok(error instanceof UnknownTopicOrPartitionError);
    assert.match(error.message, /later/);
    const asked = bench.updatesAsked;
    bench.advance(60_000);
    assert.equal(bench.events('error').length, 1);
    const further = bench.updatesAsked - asked;
    assert.ok(further >= 5 && further <= 30, `${further} further requests for metadata in a minute`);
  });

  it('gives no error if it is created in that time, and gives one if it is deleted later', () => {
    const bench = subscribed();
    bench.advance(500);
    bench.topicErrors.delete('later');
    bench.topic('later', 1).turn();
    bench.advance(10_000);
    assert.deepEqual(bench.events('error'), []);
    bench.topicFails('later', unknown);
    bench.turn().advance(2000);
    assert.equal(bench.events('error').length, 1);
  });

  it('gives an error at once if permission is missing', () => {
    const bench = new ConsumerBench({ groupId: 'g', groupProtocol: 'consumer', topics: ['secret'] });
    bench.role.subscribe({ names: ['secret'] }, bench.now);
    bench.topicFails('secret', denied);
    bench.turn();
    assert.match(bench.events('error')[0]!.error.message, /secret/);
  });
});

it('an assigned partition that does not exist gives one error', () => {
  const bench = new ConsumerBench({});
  bench.topic('t', 2);
  bench.role.assign([{ topic: 't', partition: 7, start: 'earliest' }], bench.now);
  bench.turn().advance(3000);
  assert.equal(bench.events('error').length, 1);
  assert.match(bench.events('error')[0]!.error.message, /t-7; t has 2 partitions/);
});

it('an assigned partition that does not exist gives one error, too, if it takes the place of one that does', () => {
  const bench = new ConsumerBench({});
  bench.topic('t', 2);
  bench.role.assign([{ topic: 't', partition: 1, start: 'earliest' }], bench.now);
  bench.turn().advance(3000);
  assert.deepEqual(bench.events('error'), []);
  bench.role.assign([{ topic: 't', partition: 7, start: 'earliest' }], bench.now);
  bench.turn().advance(3000);
  assert.match(bench.events('error')[0]!.error.message, /t-7; t has 2 partitions/);
});

describe('a question about offsets', () => {
  function asking(
    topic: string,
    index: number,
  ): { bench: ConsumerBench; outcomes: (ReadonlyMap<string, unknown> | Error)[] } {
    const bench = new ConsumerBench({});
    bench.topic('t', 2);
    const outcomes: (ReadonlyMap<string, unknown> | Error)[] = [];
    const question = { topic, index, timestamp: -1n };
    bench.role.queries.ask([question], bench.now + 60_000, (outcome) => outcomes.push(outcome), bench.now);
    return { bench, outcomes };
  }

  it('of a missing topic fails with the reason after two metadata responses without it', () => {
    const { bench, outcomes } = asking('other', 0);
    bench.topicFails('other', unknown);
    bench.turn().advance(5000);
    assert.equal(outcomes.length, 0, 'one answer may be of before its creation');
    bench.topicFails('other', unknown);
    bench.turn();
    assert.equal(outcomes.length, 1);
    assert.ok(outcomes[0] instanceof UnknownTopicOrPartitionError);
    assert.match(outcomes[0].message, /other-0/);
  });

  it('of a missing partition fails with the number of partitions', () => {
    const { bench, outcomes } = asking('t', 9);
    bench.turn().topic('t', 2);
    bench.turn().advance(1000);
    assert.match(String(outcomes[0]), /t-9; t has 2 partitions/);
  });

  it('of a topic without permission fails at once', () => {
    const { bench, outcomes } = asking('secret', 0);
    bench.topicFails('secret', denied);
    bench.turn();
    assert.match(String(outcomes[0]), /secret/);
  });

  it('of a topic that is created in that time is answered', () => {
    const { bench, outcomes } = asking('other', 0);
    bench.topicFails('other', unknown);
    bench.turn().advance(500);
    bench.topicErrors.delete('other');
    bench.topic('other', 1).turn();
    bench.advance(5000);
    assert.equal(outcomes.length, 0);
    bench.answer(ListOffsets, {
      topics: [{ name: 'other', partitions: [{ partitionIndex: 0, errorCode: 0, offset: 4n, timestamp: -1n }] }],
    });
    assert.equal(outcomes.length, 1);
    assert.ok(outcomes[0] instanceof Map);
  });
});
