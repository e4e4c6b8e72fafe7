// Subscriptions by pattern, memberships that are refused, and options that a consumer does not have, with the embedded broker.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Consumer,
  ConsumerGroupHeartbeat,
  type ConsumerOptions,
  GroupFatalError,
  JoinGroup,
  KafkaConfigurationError,
} from '../../src/index.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { GroupBench, own, protocols, valuesOf } from './support/group-bench.ts';

const bench = new GroupBench();

for (const [groupProtocol, protocol] of protocols) {
  describe(`a subscription by pattern, protocol ${groupProtocol}`, () => {
    it('matches every topic that fits, also one that is created later, and no internal topic', async () => {
      await bench.begin({
        topics: { 'logs-a': 1, 'logs-b': 1, other: 1, '__logs-c': { partitions: 1, isInternal: true } },
      });
      const consumer = await bench.start({ ...protocol, metadataMaxAgeMs: 300, topics: /logs-/ });
      await waitFor('both', () => own(consumer).join() === 'logs-a-0,logs-b-0');
      await bench.broker.createTopic('logs-d', { partitions: 2 });
      await bench.broker.append('logs-d', 1, [{ value: 'later' }]);
      await waitFor('the new one', () => own(consumer).join() === 'logs-a-0,logs-b-0,logs-d-0,logs-d-1');
      const batch = await consumer.poll(120_000);
      assert.deepEqual(valuesOf(batch!), ['later']);
      batch!.done();
      // Another subscription replaces it.
      await consumer.subscribe(['other']);
      await waitFor('the other only', () => own(consumer).join() === 'other-0');
    });
  });

  describe(`a group that refuses a member, protocol ${groupProtocol}`, () => {
    it('gives an error in polls and an event, and then the consumer can only be closed', async () => {
      await bench.begin();
      await bench.broker.fail(groupProtocol === 'classic' ? JoinGroup : ConsumerGroupHeartbeat, 30);
      const consumer = await bench.start(protocol);
      const errors: [Error, boolean][] = [];
      consumer.on('error', (...event) => errors.push(event));
      await assert.rejects(consumer.poll(120_000), GroupFatalError);
      await waitFor('the event', () => errors.length > 0);
      assert.ok(errors[0]![0] instanceof GroupFatalError);
      assert.equal(errors[0]![1], true);
      assert.equal(consumer.group.state, 'FATAL');
      assert.match(consumer.group.lastError!.message, /group g/);
      await assert.rejects(Promise.resolve(consumer.subscribe(['t'])), GroupFatalError);
    });
  });
}

describe('a pattern for the broker', () => {
  it('is evaluated by the broker, and an invalid pattern is refused', async () => {
    await bench.begin({ topics: { 'logs-a': 1, other: 1 } });
    const consumer = await bench.start({ groupProtocol: 'consumer', topics: { brokerPattern: 'logs-.*' } });
    await waitFor('what fits', () => own(consumer).join() === 'logs-a-0');
    const bad = await bench.start({ groupId: 'h', groupProtocol: 'consumer', topics: { brokerPattern: '(' } });
    await assert.rejects(bad.poll(120_000), /INVALID_REGULAR_EXPRESSION|InvalidRegularExpression/);
    const classic = await bench.start({ groupId: 'i', groupProtocol: 'classic', topics: { brokerPattern: 'x' } });
    await assert.rejects(classic.poll(120_000), /groupProtocol 'consumer'/);
  });
});

describe('options that a consumer does not have', () => {
  for (const [given, said] of [
    [{ groupProtocol: 'consumer', sessionTimeoutMs: 10_000 }, /sessionTimeoutMs/],
    [{ groupProtocol: 'consumer', heartbeatIntervalMs: 1000 }, /heartbeatIntervalMs/],
    [{ groupProtocol: 'consumer', partitionAssignmentStrategy: ['range'] }, /partitionAssignmentStrategy/],
    [{ groupProtocol: 'classic', groupRemoteAssignor: 'uniform' }, /groupRemoteAssignor/],
    [{ groupProtocol: 'streams' }, /groupProtocol/],
    [{ partitionAssignmentStrategy: ['nobody'] }, /partitionAssignmentStrategy/],
    [{ autoOffsetReset: 'by_duration:x' }, /autoOffsetReset/],
    [{ 'enable.auto.commit': false }, /commit/],
    [{ fromBeginning: true }, /autoOffsetReset/],
    [{ 'session.timeout.ms': 1 }, /sessionTimeoutMs/],
    [{ maxWaitTimeInMs: 1 }, /fetchMaxWaitMs/],
    [{ rebalanceTimeout: 1 }, /maxPollIntervalMs/],
  ] as const)
    it(`${JSON.stringify(given)} is refused, and the error names what to use`, async () => {
      // Options are checked before anything is connected.
      const options = { bootstrapServers: 'localhost:1', groupId: 'g', topics: ['t'], ...(given as ConsumerOptions) };
      await assert.rejects(Consumer.start(options), (error) => {
        assert.ok(error instanceof KafkaConfigurationError);
        assert.match(error.message, said);
        return true;
      });
    });
});
