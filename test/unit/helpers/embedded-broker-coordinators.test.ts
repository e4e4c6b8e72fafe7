// What the embedded broker does when time passes, coordinators move and nodes die: measured on real brokers where it can be
// waited for, here on the broker's own clock.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  ApiVersions,
  Fetch,
  FindCoordinator,
  InitProducerId,
  OffsetForLeaderEpoch,
  Produce,
} from '../../../src/protocol/flat/generated/apis.ts';
import { Asker, batchOf } from '../../helpers/broker-facts/asker.ts';
import { ConsumerMember } from '../../helpers/broker-facts/consumer-member.ts';
import { ClassicMember, commit } from '../../helpers/broker-facts/group-facts.ts';
import { end, init, transactional } from '../../helpers/broker-facts/transaction-facts.ts';
import { type EmbeddedBroker, startEmbeddedBrokerInProcess } from '../../helpers/embedded-broker.ts';
import { ConnectionEnded } from '../../helpers/raw-client.ts';

describe('time, coordinators and nodes of the embedded broker', () => {
  let broker: EmbeddedBroker;
  const opened: Asker[] = [];

  beforeEach(async () => {
    broker = await startEmbeddedBrokerInProcess({
      nodes: [
        { id: 0, rack: 'a' },
        { id: 1, rack: 'b' },
      ],
      isRackAware: true,
      topics: { t: { assignments: [[0, 1]] } },
    });
    for (const id of ['g', 'static', 'x']) await broker.moveCoordinator('group', id, 0);
    await broker.moveCoordinator('transaction', 'x', 0);
  });

  afterEach(async () => {
    for (const asker of opened.splice(0)) asker.close();
    await broker.close();
  });

  async function open(nodeId = 0): Promise<Asker> {
    const asker = await Asker.connect(broker.nodes[nodeId]!.port);
    opened.push(asker);
    return asker;
  }

  async function member(instanceId?: string): Promise<ConsumerMember> {
    return new ConsumerMember(await open(), 'g', 't', await broker.topicId('t'), instanceId);
  }

  describe('classic groups', () => {
    test('a member is removed when its session is over, and the others join again', async () => {
      const first = new ClassicMember(await open(), 'g');
      await first.join();
      await first.sync({});
      const second = new ClassicMember(await open(), 'g');
      const joining = second.join();
      await broker.waitForRequests(11, 4);
      await first.join();
      await joining;
      await Promise.all([second.sync(), first.sync({})]);
      await broker.advanceTime(6000);
      assert.equal(await first.heartbeat(), 0);
      await broker.advanceTime(6000);
      assert.equal(await second.heartbeat(), 25);
      assert.equal(await first.heartbeat(), 27);
      assert.equal((await first.join()).members.length, 1);
    });

    test('a member that does not join again within the rebalance timeout is removed', async () => {
      const first = new ClassicMember(await open(), 'g');
      await first.join();
      await first.sync({});
      const second = new ClassicMember(await open(), 'g');
      const joining = second.join();
      await broker.waitForRequests(11, 4);
      assert.equal(await first.heartbeat(), 27);
      await broker.advanceTime(9000);
      assert.equal(await first.heartbeat(), 27);
      await broker.advanceTime(2000);
      const joined = await joining;
      assert.deepEqual([joined.errorCode, joined.generationId, joined.members.length], [0, 2, 1]);
      assert.equal(await first.heartbeat(), 25);
    });

    test('a leader that does not sync is removed', async () => {
      const first = new ClassicMember(await open(), 'g');
      await first.join(9, { sessionTimeoutMs: 60_000 });
      await broker.advanceTime(11_000);
      assert.equal((await first.sync({}))[0], 25);
    });

    test('a static member that has gone keeps its place until its session is over', async () => {
      const first = new ClassicMember(await open(), 'static', { instanceId: 'i' });
      await first.join();
      await first.sync({});
      await broker.advanceTime(9000);
      assert.equal((await broker.describeGroup('static'))!.members.length, 1);
      await broker.advanceTime(2000);
      assert.deepEqual((await broker.describeGroup('static'))!.state, 'Empty');
    });

    test('a member that joins while the coordinator moves is told to find the coordinator', async () => {
      const first = new ClassicMember(await open(), 'g');
      await first.join();
      await first.sync({});
      const second = new ClassicMember(await open(), 'g');
      const joining = second.join();
      await broker.waitForRequests(11, 4);
      await broker.moveCoordinator('group', 'g', 1);
      assert.equal((await joining).errorCode, 16);
      assert.equal(await first.heartbeat(), 16);
      const found = await first.ask.send(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] });
      assert.equal(found.coordinators.at(0).nodeId, 1);
    });

    test('a test can remove a member', async () => {
      const first = new ClassicMember(await open(), 'g');
      await first.join();
      await first.sync({});
      assert.equal(await broker.expelMember('g', 'nobody'), false);
      assert.equal(await broker.expelMember('g', first.memberId), true);
      assert.equal(await first.heartbeat(), 25);
    });
  });

  describe('KIP-848 groups', () => {
    test('a member that is silent for 45 seconds is removed', async () => {
      const a = await member();
      await a.send();
      await broker.advanceTime(44_000);
      assert.equal((await a.send()).code, 0);
      await broker.advanceTime(44_000);
      assert.equal((await a.send()).code, 0);
      await broker.advanceTime(46_000);
      assert.equal((await a.send()).code, 25);
    });

    test('a member that does not give up a partition within the rebalance timeout is removed', async () => {
      await broker.createTopic('two', { partitions: 2, assignments: [[0], [0]] });
      const topicId = await broker.topicId('two');
      const a = new ConsumerMember(await open(), 'g', 'two', topicId);
      const b = new ConsumerMember(await open(), 'g', 'two', topicId);
      const { epoch } = await a.send();
      await b.send();
      await broker.advanceTime(1000);
      const told = await a.send();
      assert.deepEqual([told.epoch, told.partitions?.length], [epoch, 1]);
      await broker.advanceTime(8000);
      assert.deepEqual(await a.send(), { code: 0, epoch, partitions: null });
      assert.equal((await b.send()).partitions, null);
      await broker.advanceTime(5000);
      assert.equal((await a.send()).code, 25);
      await broker.advanceTime(1000);
      assert.deepEqual((await b.send()).partitions, [0, 1]);
    });

    test('a new topic that the regular expression matches is assigned without another request', async () => {
      const a = await member();
      await a.send({ names: [], regex: 'r.*' });
      await broker.createTopic('rest', { assignments: [[1]] });
      assert.deepEqual((await a.send()).partitions, [0]);
      assert.deepEqual((await broker.describeGroup('g'))!.members[0]!.partitions, ['rest/0']);
    });

    test('a committed offset is returned to a member that asks for it', async () => {
      const asker = await open();
      assert.equal(await broker.committedOffset('g', 't', 0), null);
      assert.equal(await commit(asker, 'g', 't', { offset: 12 }), 0);
      assert.equal(await broker.committedOffset('g', 't', 0), 12);
      await broker.deleteTopic('t');
      assert.equal(await broker.committedOffset('g', 't', 0), null);
    });
  });

  describe('transactions', () => {
    test('a transaction that is open for too long is aborted, and its producer goes on with the next epoch', async () => {
      const ask = await open();
      const producer = await ask.producer('x');
      assert.equal(await transactional(ask, 't', 'x', producer), 0);
      await broker.advanceTime(59_000);
      assert.equal((await broker.describeTransaction('x'))!.state, 'Ongoing');
      await broker.advanceTime(2000);
      assert.equal((await broker.describeTransaction('x'))!.state, 'CompleteAbort');
      assert.equal(await transactional(ask, 't', 'x', producer, 1), 47);
      assert.deepEqual(await end(ask, 'x', producer, true), [48, -1]);
      assert.deepEqual(await end(ask, 'x', producer, false), [0, 1]);
      assert.deepEqual(await init(ask, 'x', producer), [0, 1]);
      assert.deepEqual(await init(ask, 'x', producer), [0, 1]);
      assert.equal(await transactional(ask, 't', 'x', { ...producer, producerEpoch: 1 }), 0);
    });

    test('a producer id has epochs up to 32766', async () => {
      const ask = await open();
      const { producerId } = await ask.producer('x');
      while ((await broker.describeTransaction('x'))!.producerEpoch < 32_766) await broker.fenceProducer('x');
      const last = { producerId, producerEpoch: 32_766 };
      assert.equal(await transactional(ask, 't', 'x', last), 0);
      assert.deepEqual(await end(ask, 'x', last, true), [0, 0]);
      assert.deepEqual(await end(ask, 'x', last, true), [0, 0]);
      const next = (await broker.describeTransaction('x'))!;
      assert.notEqual(next.producerId, producerId);
      assert.equal(await transactional(ask, 't', 'x', { ...next }), 0);
    });

    test('a test can fence a producer', async () => {
      const ask = await open();
      const producer = await ask.producer('x');
      assert.equal(await broker.fenceProducer('x'), 0);
      assert.equal(await transactional(ask, 't', 'x', producer), 47);
      assert.equal((await end(ask, 'x', producer, true))[0], 90);
    });

    test('another node does not coordinate', async () => {
      const ask = await open(1);
      const request = { transactionalId: 'x', transactionTimeoutMs: 1000 };
      assert.equal((await ask.send(InitProducerId, 4, request)).errorCode, 16);
    });

    test('the finalized transaction.version can be lowered', async () => {
      const ask = await open();
      const level = async () => {
        const answer = await ask.send(ApiVersions, 3, { clientSoftwareName: 'a', clientSoftwareVersion: '1' });
        const feature = answer.finalizedFeatures.find(({ name }) => name === 'transaction.version');
        return [feature?.maxVersionLevel, answer.finalizedFeaturesEpoch.toNumber()];
      };
      const [before, epoch] = await level();
      await broker.setFeature('transaction.version', 1);
      assert.deepEqual([before, await level()], [2, [1, epoch! + 1]]);
    });
  });

  describe('nodes', () => {
    test('the first InitProducerId after a start finds no ids yet', async () => {
      const request = { transactionalId: null, transactionTimeoutMs: 1000 };
      let ask = await open();
      assert.equal((await ask.send(InitProducerId, 4, request)).errorCode, 14);
      const first = await ask.producer();
      await broker.killNode(0);
      await broker.restartNode(0);
      ask = await open();
      assert.equal((await ask.send(InitProducerId, 4, request)).errorCode, 14);
      assert.ok((await ask.producer()).producerId > first.producerId);
    });

    test('a node that was killed comes back with its log, and leads in a new epoch', async () => {
      await broker.createTopic('alone', { assignments: [[0]] });
      const [asker, other] = [await open(), await open(1)];
      const producer = await asker.producer();
      assert.equal(await asker.sequence('alone', producer, 0, 3), 0);
      await broker.killNode(0);
      await assert.rejects(asker.fetchOne('alone'), ConnectionEnded);
      assert.equal((await broker.log('alone', 0)).leaderId, -1);
      assert.equal((await broker.log('t', 0)).leaderId, 1);
      assert.equal(await other.sequence('t', producer, 0), 0);
      await broker.restartNode(0);
      const again = await open();
      const { endOffset, leaderId, leaderEpoch } = await broker.log('alone', 0);
      assert.deepEqual([endOffset, leaderId, leaderEpoch], [3, 0, 2]);
      assert.equal(await again.sequence('alone', producer, 5), 45);
      assert.equal(await again.sequence('alone', producer, 3), 0);
      assert.equal((await again.fetchOne('t', { version: 4 })).errorCode, 6);
    });

    test('a log that lost its end tells clients where both logs part', async () => {
      const ask = await open();
      const producer = await ask.producer();
      for (const sequence of [0, 1, 2, 3]) await ask.produce('t', batchOf(producer, sequence));
      await broker.truncateLog('t', 0, 2);
      // Sequences are known from what is left.
      assert.equal(await ask.sequence('t', producer, 4), 45);
      assert.equal(await ask.sequence('t', producer, 2), 0);
      const partition = await ask.fetchOne('t', { offset: 4, lastFetchedEpoch: 0 });
      assert.deepEqual(
        [partition.errorCode, partition.divergingEpoch.epoch, partition.divergingEpoch.endOffset.toNumber()],
        [0, 0, 2],
      );
      const topics = [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 0 }] }];
      const ends = (await ask.send(OffsetForLeaderEpoch, 4, { replicaId: -1, topics })).topics.at(0).partitions.at(0);
      assert.deepEqual([ends.errorCode, ends.leaderEpoch, ends.endOffset.toNumber()], [0, 0, 2]);
    });

    test('a leader names the replica in the rack of the client, and that replica serves', async () => {
      const [leader, follower] = [await open(), await open(1)];
      await leader.produce('t', [{ value: 'v' }]);
      const look = async (ask: Asker, rackId: string, offset = 0) => {
        const { errorCode, preferredReadReplica, records } = await ask.fetchOne('t', {
          rackId,
          offset,
          maxWaitMs: 600_000,
        });
        return [errorCode, preferredReadReplica, records.length];
      };
      assert.deepEqual(await look(leader, 'b'), [0, 1, 0]);
      assert.deepEqual(await look(leader, 'b', 1), [0, 1, 0]);
      assert.deepEqual(await look(leader, 'b', 2), [1, -1, 0]);
      assert.deepEqual(await look(leader, 'a'), [0, -1, 1]);
      assert.deepEqual(await look(leader, 'nowhere'), [0, -1, 1]);
      assert.deepEqual(await look(follower, 'b'), [0, -1, 1]);
    });

    test('a node keeps a thousand fetch sessions', async () => {
      const ask = await open();
      const openSession = async () => (await ask.fetch('t', { sessionEpoch: 0 })).sessionId;
      for (let i = 0; i < 1000; i++) assert.notEqual(await openSession(), 0);
      assert.equal(await openSession(), 0);
      await broker.advanceTime(121_000);
      assert.notEqual(await openSession(), 0);
    });

    test('acks -1 with more than one replica takes some time', async () => {
      const ask = await open();
      const late = await ask.produce('t', [{ value: 'v' }], { timeoutMs: 0 });
      assert.deepEqual([late.errorCode, late.baseOffset], [7, 0]);
      assert.equal((await broker.log('t', 0)).endOffset, 1);
      await broker.createTopic('safe', { assignments: [[0, 1]], configs: { 'min.insync.replicas': '2' } });
      assert.equal((await ask.produce('safe', [{ value: 'v' }])).errorCode, 0);
      await broker.killNode(1);
      assert.equal((await ask.produce('safe', [{ value: 'v' }])).errorCode, 19);
      assert.equal((await ask.produce('safe', [{ value: 'v' }], { acks: 1 })).errorCode, 0);
    });
  });

  describe('faults', () => {
    test('requests fail with a code as often as asked', async () => {
      const ask = await open();
      await broker.fail(Produce, 19, 2);
      const codes: number[] = [];
      for (let i = 0; i < 3; i++) codes.push((await ask.produce('t', [{ value: 'v' }])).errorCode);
      assert.deepEqual(codes, [19, 19, 0]);
      assert.equal((await broker.log('t', 0)).endOffset, 1);
    });

    test('a connection is dropped before a request is handled, or after', async () => {
      for (const [when, endOffset] of [
        ['before', 0],
        ['after', 1],
      ] as const) {
        const ask = await open();
        await broker.dropConnection(Produce, when);
        await assert.rejects(ask.produce('t', [{ value: 'v' }]), ConnectionEnded);
        assert.equal((await broker.log('t', 0)).endOffset, endOffset, when);
      }
    });

    test('a request is handled later, on the clock of the broker', async () => {
      const ask = await open();
      await broker.delay(Produce, 3_600_000);
      const producing = ask.produce('t', [{ value: 'v' }]);
      await broker.waitForRequests(Produce, 1);
      assert.equal((await broker.log('t', 0)).endOffset, 0);
      await broker.advanceTime(3_600_000);
      assert.equal((await producing).errorCode, 0);
    });

    test('a waiting fetch ends on the clock of the broker', async () => {
      const ask = await open();
      const fetching = ask.fetch('t', { maxWaitMs: 3_600_000 });
      await broker.waitForRequests(Fetch, 1);
      await broker.advanceTime(3_600_000);
      assert.equal((await fetching).responses.at(0).partitions.at(0).records.length, 0);
    });
  });
});
