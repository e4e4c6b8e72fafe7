// Admin's calls about share groups and groups of Kafka Streams, against a real broker.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  type Admin,
  FindCoordinator,
  type KafkaClient,
  type Results,
  ShareGroupHeartbeat,
  StreamsGroupHeartbeat,
} from '../../src/index.ts';
import { closedByHand, openClient } from '../broker/support/client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const nodeId = 1;

describeKafka(
  'Admin and groups of newer kinds',
  (suite) => {
    let client: KafkaClient;
    let admin: Admin;

    before(async () => {
      client = await openClient(closedByHand, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
      });
      admin = client.admin({ timeoutMs: 120_000 });
      await client.refreshMetadata();
      await client.awaitReady(nodeId, { timeoutMs: 120_000 });
      await admin.createTopics([{ name: 'shared', partitions: 2 }], { waitForLeaders: true });
      const producer = await client.producer({ acks: 'all' });
      for (let i = 0; i < 10; i++) await producer.send('shared', { value: `record ${i}`, partition: 0 });
      await producer.close();
    });

    after(async () => {
      await client?.close();
    });

    const codeOf = (results: Results<unknown, unknown>): (string | undefined)[] =>
      [...results.values()].map((outcome) => (outcome.ok ? undefined : (outcome.error as { code?: string }).code));

    /** Until the coordinator has loaded its log. */
    const coordinator = (group: string): Promise<unknown> =>
      waitFor('the coordinator', async () => {
        const found = await client.send(nodeId, FindCoordinator, { keyType: 0, coordinatorKeys: [group] });
        return found.coordinators.at(0).errorCode === 0;
      });

    test('a share group is described, and its offsets are listed, set and deleted', async () => {
      const groupId = 'share-readers';
      await coordinator(groupId);
      const memberId = randomUUID();
      const beat = { groupId, memberId, rackId: null, subscribedTopicNames: ['shared'] };
      let memberEpoch = 0;
      const group = await waitFor('the assignment', async () => {
        const answer = await client.send(nodeId, ShareGroupHeartbeat, { ...beat, memberEpoch });
        if (answer.errorCode === 0) memberEpoch = answer.memberEpoch;
        const outcome = (await admin.describeShareGroups([groupId])).get(groupId);
        return outcome?.ok === true && outcome.value.members[0]?.assignment.length === 2 ? outcome.value : undefined;
      });
      assert.equal(group.state, 'Stable');
      assert.equal(group.members[0]!.memberId, memberId);
      assert.deepEqual(group.members[0]!.subscribedTopics, ['shared']);
      const offsets = [{ topic: 'shared', partition: 0, startOffset: 4 }];
      assert.deepEqual(codeOf(await admin.alterShareGroupOffsets(groupId, offsets)), ['KAFKA_NON_EMPTY_GROUP']);
      assert.deepEqual(codeOf(await admin.deleteShareGroupOffsets(groupId, ['shared'])), ['KAFKA_NON_EMPTY_GROUP']);
      assert.deepEqual(codeOf(await admin.deleteShareGroups([groupId])), ['KAFKA_NON_EMPTY_GROUP']);

      await client.send(nodeId, ShareGroupHeartbeat, { ...beat, memberEpoch: -1 });
      await waitFor('the group to be empty', async () => {
        const outcome = (await admin.describeShareGroups([groupId])).get(groupId);
        return outcome?.ok === true && outcome.value.state === 'Empty';
      });
      assert.deepEqual(codeOf(await admin.alterShareGroupOffsets(groupId, offsets)), [undefined]);
      const unknown = [{ topic: 'none', partition: 0, startOffset: 4 }];
      assert.deepEqual(codeOf(await admin.alterShareGroupOffsets(groupId, unknown)), [
        'KAFKA_UNKNOWN_TOPIC_OR_PARTITION',
      ]);
      const partitions = [{ topic: 'shared', partition: 0 }];
      const listed = (await admin.listShareGroupOffsets([{ groupId, partitions }])).orThrow().get(groupId)!;
      const [offset] = listed.values();
      assert.ok(offset?.ok && offset.value !== null);
      assert.equal(String(offset.value.startOffset), '4');
      assert.deepEqual(codeOf(await admin.deleteShareGroupOffsets(groupId, ['shared'])), [undefined]);
      assert.deepEqual(codeOf(await admin.deleteShareGroups([groupId, 'none'])), [
        undefined,
        'KAFKA_GROUP_ID_NOT_FOUND',
      ]);
      assert.deepEqual(codeOf(await admin.describeShareGroups([groupId])), ['KAFKA_GROUP_ID_NOT_FOUND']);
    });

    test('a group of Kafka Streams is described with its tasks', async () => {
      const groupId = 'streams-app';
      await coordinator(groupId);
      const memberId = randomUUID();
      const subtopology = {
        subtopologyId: '0',
        sourceTopics: ['shared'],
        sourceTopicRegex: [],
        stateChangelogTopics: [],
        repartitionSinkTopics: [],
        repartitionSourceTopics: [],
        copartitionGroups: [],
      };
      const beat = {
        groupId,
        memberId,
        endpointInformationEpoch: 0,
        memberEpoch: 0,
        rebalanceTimeoutMs: 60_000,
        topology: { epoch: 3, subtopologies: [subtopology] },
        activeTasks: [],
        standbyTasks: [],
        warmupTasks: [],
        processId: 'process-1',
        clientTags: [],
      };
      const joined = await client.send(nodeId, StreamsGroupHeartbeat, beat);
      assert.equal(joined.errorCode, 0, String(joined.errorMessage));
      const group = (await admin.describeStreamsGroups([groupId])).orThrow().get(groupId)!;
      assert.equal(group.topologyEpoch, 3);
      assert.equal(group.members[0]!.memberId, memberId);
      assert.equal(group.members[0]!.processId, 'process-1');
      assert.deepEqual(codeOf(await admin.describeStreamsGroups(['none'])), ['KAFKA_GROUP_ID_NOT_FOUND']);

      const place = { topic: 'shared', partition: 0 };
      const offsets = [{ ...place, offset: 3 }];
      assert.deepEqual(codeOf(await admin.alterStreamsGroupOffsets(groupId, offsets)), ['KAFKA_UNKNOWN_MEMBER_ID']);
      assert.deepEqual(codeOf(await admin.deleteStreamsGroups([groupId])), ['KAFKA_NON_EMPTY_GROUP']);
      await client.send(nodeId, StreamsGroupHeartbeat, { ...beat, topology: null, memberEpoch: -1 });
      await waitFor('the group to be empty', async () => {
        const outcome = (await admin.describeStreamsGroups([groupId])).get(groupId);
        return outcome?.ok === true && outcome.value.members.length === 0;
      });
      assert.deepEqual(codeOf(await admin.alterStreamsGroupOffsets(groupId, offsets)), [undefined]);
      const committed = async () => {
        const listed = (await admin.listStreamsGroupOffsets([{ groupId, partitions: [place] }])).orThrow();
        const [outcome] = listed.get(groupId)!.values();
        return outcome?.ok === true && outcome.value !== null ? outcome.value.offset.toNumber() : null;
      };
      assert.equal(await committed(), 3);
      assert.deepEqual(codeOf(await admin.deleteStreamsGroupOffsets(groupId, [place])), [undefined]);
      assert.equal(await committed(), null);
      assert.deepEqual(codeOf(await admin.deleteStreamsGroups([groupId, 'none'])), [
        undefined,
        'KAFKA_GROUP_ID_NOT_FOUND',
      ]);
    });
  },
  {
    extraProperties: {
      'share.coordinator.state.topic.replication.factor': 1,
      'share.coordinator.state.topic.min.isr': 1,
    },
  },
);
