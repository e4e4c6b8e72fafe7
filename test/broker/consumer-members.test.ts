// Memberships with the embedded broker, in both protocols: static members, patterns, errors of groups, a blocked application, groups of
// both protocols at once, options of the other protocol.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import {
  Consumer,
  type ConsumerBatch,
  ConsumerGroupHeartbeat,
  type ConsumerOptions,
  GroupFatalError,
  JoinGroup,
  KafkaConfigurationError,
  LeaveGroup,
} from '../../src/index.ts';
import { type EmbeddedBroker, type EmbeddedBrokerOptions, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

let broker: EmbeddedBroker;
const consumers: Consumer[] = [];

async function begin(options: EmbeddedBrokerOptions = {}): Promise<void> {
  broker = await startEmbeddedBroker({
    topics: { t: 4 },
    groups: { consumerHeartbeatIntervalMs: 100 },
    ...options,
  });
}

async function start(options: ConsumerOptions): Promise<Consumer> {
  const consumer = await Consumer.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    groupId: 'g',
    topics: ['t'],
    autoOffsetReset: 'earliest',
    ...options,
  });
  consumers.push(consumer);
  return consumer;
}

const valuesOf = (batch: ConsumerBatch): string[] => [...batch].map(({ value }) => String(value));
const own = (consumer: Consumer): string[] =>
  consumer.assignment.map(({ topic, partition }) => `${topic}-${partition}`).sort();
const epochOf = async (): Promise<number> => (await broker.describeGroup('g'))!.epoch;

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close({ timeoutMs: 2000 });
  await broker.close();
});

for (const groupProtocol of ['consumer', 'classic'] as const) {
  const protocol: ConsumerOptions =
    groupProtocol === 'classic' ? { groupProtocol, heartbeatIntervalMs: 100 } : { groupProtocol };

  describe(`a static member (KIP-345), protocol ${groupProtocol}`, () => {
    it('gets its partitions again after a restart, without a rebalance', async () => {
      await begin();
      const [one, two] = [
        await start({ ...protocol, groupInstanceId: 'one' }),
        await start({ ...protocol, groupInstanceId: 'two' }),
      ];
      await waitFor('two each', () => own(one).length === 2 && own(two).length === 2);
      await waitFor('a stable group', () => one.group.state === 'STABLE' && two.group.state === 'STABLE');
      const before = own(one);
      const revoked: unknown[] = [];
      two.on('revoked', (partitions) => revoked.push(partitions));
      two.on('lost', (partitions) => revoked.push(partitions));
      const epoch = await epochOf();
      await one.close();
      const again = await start({ ...protocol, groupInstanceId: 'one' });
      await waitFor('its partitions', () => own(again).length === 2);
      assert.deepEqual(own(again), before);
      assert.equal(await epochOf(), epoch, 'no rebalance');
      assert.deepEqual(revoked, []);
      assert.equal((await broker.stats()).requests[LeaveGroup.key] ?? 0, 0);
    });

    it('gives up its place when close is called with leave', async () => {
      await begin();
      const one = await start({ ...protocol, groupInstanceId: 'one' });
      const two = await start({ ...protocol, groupInstanceId: 'two' });
      await waitFor('two each', () => own(one).length === 2 && own(two).length === 2);
      await one.close({ leave: 'leave' });
      await waitFor('the other has all', () => own(two).length === 4);
    });
  });

  describe(`a subscription by pattern, protocol ${groupProtocol}`, () => {
    it('matches every topic that fits, also one that is created later, and no internal topic', async () => {
      await begin({
        topics: { 'logs-a': 1, 'logs-b': 1, other: 1, '__logs-c': { partitions: 1, isInternal: true } },
      });
      const consumer = await Consumer.start({
        ...patient,
        bootstrapServers: broker.bootstrapServers,
        metadataMaxAgeMs: 300,
        groupId: 'g',
        topics: /logs-/,
        autoOffsetReset: 'earliest',
        ...protocol,
      });
      consumers.push(consumer);
      await waitFor('both', () => own(consumer).join() === 'logs-a-0,logs-b-0');
      await broker.createTopic('logs-d', { partitions: 2 });
      await broker.append('logs-d', 1, [{ value: 'later' }]);
      await waitFor('the new one', () => own(consumer).join() === 'logs-a-0,logs-b-0,logs-d-0,logs-d-1');
      const batch = await consumer.poll(120_000);
      assert.deepEqual(valuesOf(batch!), ['later']);
      batch!.done();
      // Another subscription replaces it.
      await consumer.subscribe(['other']);
      await waitFor('the other only', () => own(consumer).join() === 'other-0');
    });
  });

  describe(`a member that its group expels, protocol ${groupProtocol}`, () => {
    it('loses its partitions, joins again, and reads on from the committed offsets', async () => {
      await begin({ topics: { t: 1 } });
      await broker.append('t', 0, [{ value: 'a' }]);
      const consumer = await start({ ...protocol, batchMaxBytes: 1 });
      const first = (await consumer.poll(120_000))!;
      first.done();
      await consumer.commit();
      await broker.append('t', 0, [{ value: 'b' }]);
      const second = (await consumer.poll(120_000))!;
      assert.deepEqual(valuesOf(second), ['b']);
      const lost: unknown[] = [];
      consumer.on('lost', (partitions) => lost.push(...partitions));
      assert.ok(await broker.expelMember('g', consumer.group.memberId));
      await waitFor('the loss', () => lost.length === 1);
      assert.equal(second.lost, true);
      assert.equal(second.done(), 'lost');
      const again = (await consumer.poll(120_000))!;
      assert.deepEqual(valuesOf(again), ['b']);
      again.done();
    });
  });

  describe(`an application that does not poll for maxPollIntervalMs, protocol ${groupProtocol}`, () => {
    for (const whenBlocked of ['keep', 'pause', 'leave'] as const)
      it(`with whenBlocked ${whenBlocked}`, async () => {
        await begin({ topics: { t: 1 } });
        await broker.append('t', 0, [{ value: 'a' }]);
        const consumer = await start({ ...protocol, whenBlocked, maxPollIntervalMs: 1500, batchMaxBytes: 1 });
        const blocked: { policy: string }[] = [];
        consumer.on('blocked', (event) => blocked.push(event));
        const first = (await consumer.poll(120_000))!;
        const { epoch } = consumer.group;
        await waitFor('the event', () => blocked.length === 1);
        assert.equal(blocked[0]!.policy, whenBlocked);
        if (whenBlocked === 'leave') {
          await waitFor('the group without it', async () => (await broker.describeGroup('g'))!.members.length === 0);
          assert.equal(first.lost, true);
          const again = (await consumer.poll(120_000))!;
          assert.deepEqual(valuesOf(again), ['a'], 'it joins again and the record comes again');
          again.done();
          return;
        }
        assert.equal(first.lost, false);
        assert.equal(first.done(), 'ok');
        await broker.append('t', 0, [{ value: 'b' }]);
        const next = (await consumer.poll(120_000))!;
        assert.deepEqual(valuesOf(next), ['b']);
        assert.equal(consumer.group.epoch, epoch, 'it has stayed the same member');
      });
  });

  describe(`a group that refuses a member, protocol ${groupProtocol}`, () => {
    it('gives an error in polls and an event, and then the consumer can only be closed', async () => {
      await begin();
      await broker.fail(groupProtocol === 'classic' ? JoinGroup : ConsumerGroupHeartbeat, 30);
      const consumer = await start(protocol);
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
    await begin({ topics: { 'logs-a': 1, other: 1 } });
    const consumer = await start({ groupProtocol: 'consumer', topics: { brokerPattern: 'logs-.*' } });
    await waitFor('what fits', () => own(consumer).join() === 'logs-a-0');
    const bad = await start({ groupId: 'h', groupProtocol: 'consumer', topics: { brokerPattern: '(' } });
    await assert.rejects(bad.poll(120_000), /INVALID_REGULAR_EXPRESSION|InvalidRegularExpression/);
    const classic = await start({ groupId: 'i', groupProtocol: 'classic', topics: { brokerPattern: 'x' } });
    await assert.rejects(classic.poll(120_000), /groupProtocol 'consumer'/);
  });
});

describe('a group with members of both protocols', () => {
  it('is converted in both directions while members are in it, and each record is read once', async () => {
    await begin();
    const classic = await start({ groupProtocol: 'classic', heartbeatIntervalMs: 100 });
    await waitFor('all', () => own(classic).length === 4);
    assert.equal((await broker.describeGroup('g'))!.kind, 'classic');
    const consumer = await start({ groupProtocol: 'consumer' });
    await waitFor('two each', () => own(classic).length === 2 && own(consumer).length === 2);
    assert.equal((await broker.describeGroup('g'))!.kind, 'consumer');
    for (const partition of [0, 1, 2, 3]) await broker.append('t', partition, [{ value: `${partition}` }]);
    const seen: string[] = [];
    for (const one of [classic, consumer])
      for (let i = 0; i < 2; i++) {
        const batch = (await one.poll(120_000))!;
        seen.push(...valuesOf(batch));
        assert.equal(batch.done(), 'ok');
      }
    assert.deepEqual(seen.sort(), ['0', '1', '2', '3']);
    // A group that is converted back may take the classic member for one of an old generation, which then cannot commit any more.
    await classic.commit();
    await consumer.close();
    await waitFor('all again', () => own(classic).length === 4);
    assert.equal((await broker.describeGroup('g'))!.kind, 'classic');
    assert.equal(await classic.poll(0), null, 'nothing comes twice');
  });
});

describe('groupProtocol auto', () => {
  it('uses KIP-848 if the brokers have it, and else the classic protocol', async () => {
    await begin();
    const here = await start({});
    await waitFor('a membership', () => here.group.protocol !== null);
    assert.equal(here.group.protocol, 'consumer');
    await broker.setApiVersions(ConsumerGroupHeartbeat.key, null);
    const there = await start({ groupId: 'h' });
    await waitFor('a membership', () => there.group.protocol !== null);
    assert.equal(there.group.protocol, 'classic');
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
      await begin();
      await assert.rejects(start(given as ConsumerOptions), (error) => {
        assert.ok(error instanceof KafkaConfigurationError);
        assert.match(error.message, said);
        return true;
      });
    });
});
