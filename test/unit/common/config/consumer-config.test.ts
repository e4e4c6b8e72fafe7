// Options of consumers: defaults, what is refused and with which words, options of other clients.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseConsumerConfig } from '../../../../src/common/config/consumer-config-parser.ts';
import { parseDuration } from '../../../../src/common/config/duration.ts';
import { KafkaConfigurationError } from '../../../../src/common/errors/errors.ts';

function problemsOf(options: object): readonly string[] {
  try {
    parseConsumerConfig(options);
  } catch (error) {
    assert.ok(error instanceof KafkaConfigurationError);
    return error.problems;
  }
  return [];
}

describe('options of a consumer', () => {
  it('have the same defaults as in Java', () => {
    const config = parseConsumerConfig({ groupId: 'g', topics: ['b', 'a', 'b'] });
    assert.deepEqual(config.subscription, { names: ['a', 'b'] });
    assert.ok(Object.isFrozen(config));
    // Those of the classic protocol are null, because they may not be set with the other one; the member knows them.
    const ofJava = {
      groupInstanceId: null,
      groupRemoteAssignor: null,
      sessionTimeoutMs: null,
      heartbeatIntervalMs: null,
      maxPollIntervalMs: 300_000,
      autoOffsetReset: 'latest',
      commit: 'processed',
      commitEveryMs: 5000,
      fetchMinBytes: 1,
      fetchMaxWaitMs: 500,
      fetchMaxBytes: 52_428_800,
      maxPartitionFetchBytes: 1_048_576,
      partitionAssignmentStrategy: ['range', 'cooperative-sticky'],
      isolationLevel: 'read_uncommitted',
      allowAutoCreateTopics: true,
      excludeInternalTopics: true,
      clientRack: '',
      defaultApiTimeoutMs: 60_000,
    };
    assert.deepEqual(
      Object.fromEntries(Object.keys(ofJava).map((key) => [key, config[key as keyof typeof config]])),
      ofJava,
    );
    assert.equal(parseConsumerConfig({}).groupId, null);
    // Ours: KIP-848 where there is.
    assert.equal(config.groupProtocol, 'auto');
  });

  it('accept every form of a start position', () => {
    const config = parseConsumerConfig({
      assign: [
        { topic: 't', partition: 0, offset: 2n ** 62n },
        { topic: 't', partition: 1, offset: 'earliest' },
        { topic: 't', partition: 2, offset: { timestampMs: 5 } },
        { topic: 't', partition: 3 },
      ],
    });
    assert.deepEqual(
      config.assign!.map(({ start }) => start),
      [{ offset: String(2n ** 62n) }, 'earliest', { timestampMs: 5 }, null],
    );
    assert.equal(config.commit, 'manual');
  });

  it('accept a reset by duration', () => {
    const { autoOffsetReset } = parseConsumerConfig({ autoOffsetReset: 'by_duration:PT24H' });
    assert.deepEqual(autoOffsetReset, { agoMs: 86_400_000 });
    assert.equal(parseDuration('P1DT1H1M1.5S'), 90_061_500);
    for (const wrong of ['P', 'PT', 'P1Y', 'P1W', '24H', 'PT1', 'P1DT'])
      assert.equal(parseDuration(wrong), null, wrong);
  });

  for (const [what, options, words] of [
    ['topics without a group', { topics: ['t'] }, /topics is set without groupId/],
    ['topics beside partitions', { groupId: 'g', topics: ['t'], assign: [] }, /topics and assign/],
    ['an impossible topic', { groupId: 'g', topics: ['a b'] }, /not a topic name/],
    [
      'a partition twice',
      {
        assign: [
          { topic: 't', partition: 0 },
          { topic: 't', partition: 0 },
        ],
      },
      /t-0 twice/,
    ],
    ['a negative offset', { assign: [{ topic: 't', partition: 0, offset: -1 }] }, /assign\[0\].offset/],
    ['an inexact offset', { assign: [{ topic: 't', partition: 0, offset: 2 ** 60 }] }, /assign\[0\].offset/],
    [
      'an option of the classic protocol',
      { groupId: 'g', groupProtocol: 'consumer', sessionTimeoutMs: 10000 },
      /sessionTimeoutMs is only for groupProtocol 'classic'/,
    ],
    [
      'an option of KIP-848',
      { groupId: 'g', groupProtocol: 'classic', groupRemoteAssignor: 'range' },
      /groupRemoteAssignor is only for groupProtocol 'consumer'/,
    ],
    [
      'assignors of the classic protocol',
      { groupId: 'g', groupProtocol: 'consumer', partitionAssignmentStrategy: ['range'] },
      /partitionAssignmentStrategy is only for groupProtocol 'classic'/,
    ],
    [
      'heartbeats of the classic protocol',
      { groupId: 'g', groupProtocol: 'consumer', heartbeatIntervalMs: 1000 },
      /heartbeatIntervalMs is only for groupProtocol 'classic'/,
    ],
    [
      'an option of share groups',
      { groupId: 'g', shareAcquireMode: 'batch_optimized' },
      /unknown option 'shareAcquireMode'/,
    ],
    ['an empty group', { groupId: '' }, /groupId is empty/],
    ['an empty instance', { groupId: 'g', groupInstanceId: '' }, /groupInstanceId is empty/],
    ['an empty pattern', { groupId: 'g', topics: { brokerPattern: '' } }, /brokerPattern is empty/],
    [
      'a heartbeat slower than the session',
      { groupId: 'g', heartbeatIntervalMs: 9000, sessionTimeoutMs: 8000 },
      /heartbeatIntervalMs is 9000/,
    ],
    [
      'an assignor that nobody knows',
      { groupId: 'g', partitionAssignmentStrategy: ['best'] },
      /partitionAssignmentStrategy must be/,
    ],
    ['commits without a group', { commit: 'processed' }, /commit is set without groupId/],
    ["Java's auto-commit", { 'enable.auto.commit': true }, /use commit/],
    ["kafkajs's fromBeginning", { fromBeginning: true }, /autoOffsetReset: 'earliest'/],
    ["librdkafka's queue", { 'queued.max.messages.kbytes': 1 }, /use prefetchBytes/],
    ['a misspelt option', { gruopId: 'g' }, /did you mean 'groupId'/],
  ] as const) {
    it(`refuse ${what}`, () => {
      const problems = problemsOf(options);
      assert.ok(
        problems.some((problem) => words.test(problem)),
        JSON.stringify(problems),
      );
    });
  }

  it('report all problems at once', () => {
    assert.equal(problemsOf({ groupId: '', prefetchBytes: 1, whenBlocked: 'x' }).length, 3);
  });
});
