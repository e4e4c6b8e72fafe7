// Admin and the command line through the controllers of a real cluster (KIP-919), whose quorum is a dynamic one (KIP-853): what controllers do
// themselves, and what they refuse.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Admin, KafkaClient, type Results } from '../../src/index.ts';
import { closedByHand, openClient } from '../broker/support/client.ts';
import { type Ended, runCommandLine } from '../helpers/command-line.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka, isKafkaRequired, kafkaTools, toolsAvailability } from './fixture/index.ts';

const nodeId = 1;
const timeoutMs = 120_000;
const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const tools = toolsAvailability();
const skip = !tools.available && !isKafkaRequired() ? tools.reason : false;

const codeOf = (results: Results<unknown, unknown>): (string | undefined)[] =>
  [...results.values()].map((outcome) => (outcome.ok ? undefined : (outcome.error as { code?: string }).code));

describeKafka(
  'Admin through controllers',
  (suite) => {
    let client: KafkaClient;
    let admin: Admin;
    let server: string;

    before(async () => {
      const [broker] = suite.kafka.brokers;
      server = `${broker!.host}:${broker!.controllerPort}`;
      client = await openClient(closedByHand, { bootstrapControllers: server, apiVersionAutoTimeoutMs: 90_000 });
      admin = client.admin({ timeoutMs });
    });

    after(async () => {
      await client?.close();
    });

    test('controllers, features and the quorum are described', async () => {
      const { controllerId, brokers, clusterId } = await admin.describeCluster();
      assert.equal(controllerId, nodeId);
      assert.deepEqual(
        brokers.map((node) => [node.nodeId, `${node.host}:${node.port}`]),
        [[nodeId, server]],
      );
      await client.refreshMetadata();
      assert.equal(client.cluster.clusterId, clusterId);
      assert.equal(client.cluster.controller?.nodeId, nodeId);
      const { finalized } = await admin.describeFeatures();
      assert.ok(finalized['kraft.version']!.maxLevel >= 1, 'a dynamic quorum');
      const { leaderId, voters } = await admin.describeMetadataQuorum();
      assert.deepEqual([leaderId, voters.map(({ replicaId }) => replicaId)], [nodeId, [nodeId]]);
      assert.notEqual(voters[0]!.directoryId, null);
    });

    test('voters: one that is there already, and one that is not', async () => {
      const [voter] = (await admin.describeMetadataQuorum()).voters;
      const [host, port] = server.split(':') as [string, string];
      const listeners = [{ name: 'CONTROLLER', host, port: Number(port) }];
      await assert.rejects(admin.addRaftVoter(nodeId, voter!.directoryId!, listeners), {
        code: 'KAFKA_DUPLICATE_VOTER',
      });
      await assert.rejects(admin.removeRaftVoter(9, unknownId), { code: 'KAFKA_VOTER_NOT_FOUND' });
      await assert.rejects(admin.removeRaftVoter(9, unknownId, { clusterId: 'another' }), {
        code: 'KAFKA_INCONSISTENT_CLUSTER_ID',
      });
    });

    test('brokers and controllers that are not registered, and a level that there is not', async () => {
      await assert.rejects(admin.unregisterBroker(99), { code: 'KAFKA_BROKER_ID_NOT_REGISTERED' });
      await assert.rejects(admin.unregisterController(99), { code: 'KAFKA_CONTROLLER_ID_NOT_REGISTERED' });
      const wrong = [{ feature: 'metadata.version', maxVersionLevel: 9999 }];
      assert.deepEqual(codeOf(await admin.updateFeatures(wrong)), ['KAFKA_INVALID_UPDATE_VERSION']);
    });

    test('access control lists and configurations are changed', async () => {
      const acl = {
        resourceType: 'topic',
        resourceName: 'by-controller',
        patternType: 'literal',
        principal: 'User:bob',
        host: '*',
        operation: 'read',
        permission: 'allow',
      } as const;
      const filter = { resourceName: acl.resourceName };
      assert.deepEqual(codeOf(await admin.createAcls([acl])), [undefined]);
      await waitFor('the entry', async () => (await admin.describeAcls(filter)).length === 1);
      assert.deepEqual(codeOf(await admin.deleteAcls([filter])), [undefined]);
      await waitFor('the entry to be gone', async () => (await admin.describeAcls(filter)).length === 0);

      const resource = { type: 'broker', name: '' } as const;
      const changes = [{ name: 'message.max.bytes', operation: 'set', value: '2000000' }] as const;
      assert.deepEqual(codeOf(await admin.incrementalAlterConfigs([{ resource, changes }])), [undefined]);
      await waitFor('the configuration', async () => {
        const entries = (await admin.describeConfigs([resource])).orThrow().get(resource)!;
        return entries.find(({ name }) => name === 'message.max.bytes')?.value === '2000000';
      });
    });

    test('what needs a broker is refused at once', async () => {
      const refused = { code: 'KAFKA_UNSUPPORTED_ENDPOINT_TYPE', retriable: false };
      await assert.rejects(async () => admin.listTopics(), refused);
      await assert.rejects(admin.createTopics([{ name: 'by-controller' }]), refused);
      await assert.rejects(async () => admin.listGroups(), refused);
      await assert.rejects(client.producer(), refused);
      await assert.rejects(client.consumer({ topics: ['by-controller'], groupId: 'g' }), refused);
    });

    test('brokers that are given as controllers say so, and the start fails with it', async () => {
      const wrong = { bootstrapControllers: suite.kafka.bootstrapServers, apiVersionAutoTimeoutMs: 90_000 };
      await assert.rejects(
        KafkaClient.start(wrong).then((started) => started.close()),
        { code: 'KAFKA_MISMATCHED_ENDPOINT_TYPE', retriable: false },
      );
      // With a version there is nothing to wait for at the start, and the call is told.
      const started = await openClient(closedByHand, { ...wrong, apiVersion: [4, 0] });
      try {
        const refused = started.admin({ timeoutMs }).describeCluster();
        await assert.rejects(refused, { code: 'KAFKA_MISMATCHED_ENDPOINT_TYPE' });
      } finally {
        await started.close();
      }
    });

    test('the command line: the same quorum as kafka-metadata-quorum shows', { skip }, async () => {
      const kafka = await kafkaTools();
      const flag = ['--bootstrap-controller', server];
      const ours = async (args: readonly string[]): Promise<Ended> => runCommandLine([...args, ...flag]);
      const status = await kafka.run('MetadataQuorumCommand', [...flag, 'describe', '--status']);
      const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)![1]!;
      const shown = await ours(['metadata', '--output', 'json']);
      assert.equal(shown.exitCode, 0, shown.stderr);
      const quorum = JSON.parse(shown.stdout) as {
        clusterId: string;
        leaderId: number;
        leaderEpoch: number;
        controllers: { nodeId: number; host: string; port: number }[];
        voters: { replicaId: number }[];
      };
      assert.equal(quorum.clusterId, field('ClusterId'));
      assert.equal(String(quorum.leaderId), field('LeaderId'));
      assert.equal(String(quorum.leaderEpoch), field('LeaderEpoch'));
      assert.deepEqual(
        quorum.controllers.map(({ host, port }) => `${host}:${port}`),
        [server],
      );
      assert.deepEqual(
        quorum.voters.map(({ replicaId }) => replicaId),
        [nodeId],
      );
      assert.match((await ours(['metadata'])).stdout, /^CONTROLLER +HOST +PORT/m);
      assert.match((await ours(['versions'])).stdout, /DescribeQuorum/);
      const refused = await ours(['topics', '--list']);
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /need brokers.*bootstrapControllers/);
    });
  },
  {
    formatArguments: ['--standalone'],
    extraProperties: ({ host, controllerPort }) => ({
      'controller.quorum.voters': '',
      'controller.quorum.bootstrap.servers': `${host}:${controllerPort}`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    }),
  },
);
