// Consumers that want what there is not, or what they may not have, with the embedded broker: each gets an error that says what it is, and
// what still can go on goes on.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Consumer, ConsumerGroupHeartbeat, Fetch, FindCoordinator, GroupFatalError } from '../../src/index.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { GroupBench, own, protocols, valuesOf } from './support/group-bench.ts';

const bench = new GroupBench();

/** The code and the message of the last error. A listener may come too late for the event. */
const lastError = (consumer: Consumer): string => {
  const { lastError: error } = consumer.group;
  return error === null ? '' : `${error.code} ${error.message}`;
};

async function readsOn(consumer: Consumer, expected: string): Promise<void> {
  const batch = (await consumer.poll(120_000))!;
  assert.deepEqual(valuesOf(batch), [expected]);
  assert.equal(batch.done(), 'ok');
}

for (const [groupProtocol, protocol] of protocols) {
  describe(`a member of a group, protocol ${groupProtocol}`, () => {
    it('whose topic does not exist says so once, and reads the topic when it is there', async () => {
      await bench.begin({ topics: {} });
      const consumer = await bench.start({ ...protocol, topics: ['later'], allowAutoCreateTopics: false });
      const events: [Error, boolean][] = [];
      consumer.on('error', (...event) => events.push(event));
      await waitFor('the error', () => /^KAFKA_UNKNOWN_TOPIC_OR_PARTITION .*later/.test(lastError(consumer)));
      assert.notEqual(consumer.group.state, 'FATAL');
      await bench.broker.createTopic('later', { partitions: 1 });
      await bench.broker.append('later', 0, [{ value: 'here' }]);
      await readsOn(consumer, 'here');
      assert.ok(events.length <= 1 && events.every(([, isFatal]) => !isFatal), 'at most one event, which is not fatal');
    });

    it('whose coordinator is not available says so, and reads when it is', async () => {
      await bench.begin({ topics: { t: 1 } });
      await bench.broker.append('t', 0, [{ value: 'a' }]);
      const rule = await bench.broker.addRule(FindCoordinator.key, { errorCode: 15 });
      const consumer = await bench.start({ ...protocol, stalledMs: 300 });
      await waitFor('the error', () => /^KAFKA_TIMEOUT .*group g .*no assignment.* 15\]/.test(lastError(consumer)));
      await bench.broker.removeRule(rule);
      await readsOn(consumer, 'a');
    });

    it('that may not read its topic says so, and reads it when it may', async () => {
      await bench.begin({ topics: { t: 1 } });
      await bench.broker.append('t', 0, [{ value: 'a' }]);
      const rule = await bench.broker.addRule(Fetch.key, { errorCode: 29 });
      const consumer = await bench.start(protocol);
      await waitFor('the error', () => /^KAFKA_TOPIC_AUTHORIZATION_FAILED .*: t\b/.test(lastError(consumer)));
      await bench.broker.removeRule(rule);
      await readsOn(consumer, 'a');
    });
  });
}

describe('a member of a group, protocol consumer', () => {
  it('whose join is refused for a topic says so, and joins when it may', async () => {
    await bench.begin({ topics: { t: 1 } });
    await bench.broker.append('t', 0, [{ value: 'a' }]);
    const rule = await bench.broker.addRule(ConsumerGroupHeartbeat.key, { errorCode: 29 });
    const consumer = await bench.start({ groupProtocol: 'consumer' });
    await waitFor('the error', () => /^KAFKA_TOPIC_AUTHORIZATION_FAILED /.test(lastError(consumer)));
    assert.equal(consumer.group.state, 'JOINING');
    await bench.broker.removeRule(rule);
    await readsOn(consumer, 'a');
  });

  it('fails with what to use instead if the brokers do not have that protocol', async () => {
    await bench.begin();
    await bench.broker.setApiVersions(ConsumerGroupHeartbeat.key, null);
    const consumer = await bench.start({ groupProtocol: 'consumer' });
    await assert.rejects(consumer.poll(120_000), (error) => {
      assert.ok(error instanceof GroupFatalError);
      assert.match(error.message, /use groupProtocol 'classic' or 'auto'/);
      return true;
    });
  });

  it('fails if the brokers do not have its assignor', async () => {
    await bench.begin();
    const consumer = await bench.start({ groupProtocol: 'consumer', groupRemoteAssignor: 'nobody' });
    await assert.rejects(consumer.poll(120_000), /UnsupportedAssignorError/);
  });
});

describe('a member of a group, protocol classic', () => {
  it('fails if no other member has one of its assignors; the others go on', async () => {
    await bench.begin({ topics: { t: 1 } });
    const classic = { groupProtocol: 'classic', heartbeatIntervalMs: 100 } as const;
    const one = await bench.start({ ...classic, partitionAssignmentStrategy: ['range'] });
    await waitFor('the partition', () => own(one).length === 1);
    const other = await bench.start({ ...classic, partitionAssignmentStrategy: ['sticky'] });
    await assert.rejects(other.poll(120_000), (error) => {
      assert.ok(error instanceof GroupFatalError);
      assert.match(error.message, /InconsistentGroupProtocolError/);
      return true;
    });
    await bench.broker.append('t', 0, [{ value: 'a' }]);
    await readsOn(one, 'a');
  });
});
