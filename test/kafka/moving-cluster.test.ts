// A real cluster of three brokers that changes while an application works on it and is busy nine tenths of the time: each request is
// settled once, the work goes on, and connections and memory do not grow.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, test } from 'node:test';
import {
  AlterPartitionReassignments,
  type Api,
  CreatePartitions,
  CreateTopics,
  DeleteTopics,
  errorFor,
  KafkaClient,
  type KafkaClientOptions,
} from '../../src/index.ts';
import { zeroUuid } from '../../src/protocol/flat/uuid.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type Account, Load } from './cluster-load.ts';
import { describeKafka, freePorts, type KafkaBroker } from './fixture/index.ts';

const MiB = 1024 * 1024;
const partitionCount = 6;
const options: KafkaClientOptions = {
  apiVersionAutoTimeoutMs: 90_000,
  requestTimeoutMs: 10_000,
  connectionSetupTimeoutMs: 3000,
  reconnectBackoffMs: 50,
  reconnectBackoffMaxMs: 500,
  retryBackoffMs: 50,
  maxInFlightRequestsPerConnection: 20,
  closeTimeoutMs: 0,
  metrics: true,
};
/** From reconnectBackoffMs to reconnectBackoffMaxMs by doubling. */
const backoffSteps = 5;

describeKafka(
  'a cluster of three brokers',
  (suite) => {
    /** Asks for what an administrator would. */
    let admin: KafkaClient;
    let loads: { load: Load; client: KafkaClient; usage: Usage }[] = [];

    beforeEach(async () => {
      admin = await KafkaClient.start({ ...options, requestTimeoutMs: 120_000, bootstrapServers: servers() });
    });

    afterEach(async () => {
      for (const { load, client } of loads) {
        await load.stop().catch(() => {});
        await client.close();
      }
      loads = [];
      for (const broker of suite.kafka.brokers) {
        if (!broker.isRunning) await broker.start();
      }
      await waitFor(
        'all brokers in metadata',
        async () => {
          await admin.refreshMetadata();
          return admin.cluster.brokers().length === 3;
        },
        180_000,
      );
      await admin.close();
    });

    const servers = (): string[] => suite.kafka.brokers.map(({ host, port }) => `${host}:${port}`);

    /** As an administrator, of the controller, until it is done. */
    async function ask<Request, Response>(
      api: Api<Request, Response>,
      request: Request,
      errorCodes: (response: Response) => Iterable<number>,
    ): Promise<void> {
      await waitFor(api.name, async () => {
        await admin.refreshMetadata();
        const nodeId = admin.cluster.controller!.nodeId;
        await admin.awaitReady(nodeId);
        const errors = [...errorCodes(await admin.send(nodeId, api, request))].filter((code) => code !== 0);
        if (errors.some((code) => errorFor(code)?.retriable !== true)) {
          throw new Error(`${api.name}: ${errors.map((code) => errorFor(code)?.message).join(', ')}`);
        }
        return errors.length === 0;
      });
    }

    async function createTopic(name: string): Promise<void> {
      const topics = [{ name, numPartitions: partitionCount, replicationFactor: 3, assignments: [], configs: [] }];
      await ask(CreateTopics, { topics, timeoutMs: 10_000 }, ({ topics: results }) => codesOf(results));
    }

    async function deleteTopic(name: string): Promise<void> {
      const topics = [{ name, topicId: zeroUuid }];
      await ask(DeleteTopics, { topics, timeoutMs: 10_000 }, ({ responses }) => codesOf(responses));
    }

    /** A client at work on a topic of its own, which every partition has taken records of. */
    async function atWork(bootstrapServers = servers()): Promise<{ load: Load; client: KafkaClient; topic: string }> {
      const topic = `cluster-${randomUUID()}`;
      await createTopic(topic);
      const client = await KafkaClient.start({ ...options, bootstrapServers });
      const load = new Load(client, topic, partitionCount);
      const at = { load, client, usage: usageOf(client) };
      loads.push(at);
      await client.setTopics([topic]);
      load.start();
      await load.worksAgain();
      at.usage = usageOf(client);
      return { load, client, topic };
    }

    async function leaderOf(topic: string, partition: number): Promise<number> {
      await admin.setTopics([topic]);
      await admin.refreshMetadata();
      return admin.cluster.leaderForPartition({ topic, partition }) ?? -1;
    }

    const brokerOf = (nodeId: number): KafkaBroker => suite.kafka.brokers.find((broker) => broker.nodeId === nodeId)!;

    /**
     * Ends the load and checks its books: requests, connections and memory.
     * @param failing brokers, and bootstrap servers, that could not be connected to for some of the time
     */
    async function settle(load: Load, { failing }: { failing: number }): Promise<Account> {
      const account = await load.stop();
      assert.equal(account.settled, account.accepted);
      assert.ok(account.succeeded > 0);
      const { client, usage } = loads.find((each) => each.load === load)!;
      const used = usageOf(client);
      const ended = used.endedConnections - usage.endedConnections;
      // Of each that fails the short first steps of the backoff, then its limit less the jitter; of the others nothing, and
      // once the connection of each that served the start.
      const maxOfOne = backoffSteps + (used.at - usage.at) / (0.8 * options.reconnectBackoffMaxMs!);
      const most = servers().length + failing * maxOfOne;
      assert.ok(ended <= most, `${ended} connections ended, ${Math.round(most)} at most`);
      const rss = (used.rss - usage.rss) / MiB;
      assert.ok(rss < 100, `${Math.round(rss)} MiB more in all`);
      const external = (used.external - usage.external) / MiB;
      assert.ok(external < 32, `${Math.round(external)} MiB more outside the heap`);
      return account;
    }

    test('leaders are moved', { timeout: 300_000 }, async () => {
      const { load, topic } = await atWork();
      for (const replicas of [
        [2, 3],
        [3, 1],
        [1, 2],
        [1, 2, 3],
      ]) {
        const partitions = Array.from({ length: partitionCount }, (_, partitionIndex) => ({
          partitionIndex,
          replicas,
        }));
        const request = { timeoutMs: 10_000, topics: [{ name: topic, partitions }] };
        await ask(AlterPartitionReassignments, request, (response) => [response.errorCode]);
        await waitFor('the leaders to have moved', async () => replicas.includes(await leaderOf(topic, 0)));
        await load.worksAgain();
      }
      const { errors } = await settle(load, { failing: 0 });
      assert.ok(errors.has('NotLeaderForPartitionError') || errors.size === 0, JSON.stringify([...errors]));
    });

    test('a leader is killed and started again', { timeout: 300_000 }, async () => {
      const { load, topic } = await atWork();
      const broker = brokerOf(await leaderOf(topic, 0));
      await broker.kill('SIGKILL');
      await load.worksAgain();
      await broker.start();
      await load.worksAgain();
      const { errors } = await settle(load, { failing: 1 });
      assert.ok(errors.has('KafkaConnectionError'), JSON.stringify([...errors]));
    });

    test('a leader is stopped and goes on', { timeout: 300_000 }, async () => {
      const { load, topic } = await atWork();
      const broker = brokerOf(await leaderOf(topic, 0));
      await broker.kill('SIGSTOP');
      try {
        await load.worksAgain();
      } finally {
        await broker.kill('SIGCONT');
      }
      await load.worksAgain();
      const { errors } = await settle(load, { failing: 1 });
      assert.ok(errors.has('RequestTimedOutError'), JSON.stringify([...errors]));
    });

    test('a topic is deleted and made again', { timeout: 300_000 }, async () => {
      const { load, client, topic } = await atWork();
      const before = client.cluster.topicId(topic);
      await deleteTopic(topic);
      await createTopic(topic);
      await load.worksAgain();
      await settle(load, { failing: 0 });
      assert.notEqual(client.cluster.topicId(topic), before);
    });

    test('partitions are added', { timeout: 300_000 }, async () => {
      const { load, client, topic } = await atWork();
      const topics = [{ name: topic, count: partitionCount + 3, assignments: null }];
      await ask(CreatePartitions, { topics, timeoutMs: 10_000, validateOnly: false }, ({ results }) =>
        codesOf(results),
      );
      await waitFor('the new partitions', async () => {
        await client.refreshMetadata();
        return client.cluster.availablePartitionsForTopic(topic)?.size === partitionCount + 3;
      });
      load.partitionCount = partitionCount + 3;
      await load.worksAgain();
      await settle(load, { failing: 0 });
    });

    test('a broker comes back on another port', { timeout: 300_000 }, async () => {
      const { load, client, topic } = await atWork();
      const broker = brokerOf(await leaderOf(topic, 0));
      await broker.kill('SIGKILL');
      const [port] = await freePorts(1);
      await broker.move(port!);
      await broker.start();
      await waitFor(
        'the new port in metadata',
        async () => {
          await client.refreshMetadata();
          return client.cluster.brokerMetadata(broker.nodeId)?.port === port;
        },
        180_000,
      );
      await client.awaitReady(broker.nodeId, { timeoutMs: 120_000 });
      await load.worksAgain();
      await settle(load, { failing: 1 });
    });

    test('all brokers stop and come back', { timeout: 300_000 }, async () => {
      const { load, client } = await atWork();
      const before = usageOf(client).endedConnections;
      await Promise.all(suite.kafka.brokers.map((broker) => broker.kill('SIGKILL')));
      await Promise.all(suite.kafka.brokers.map((broker) => broker.start()));
      await load.worksAgain();
      await settle(load, { failing: 6 });
      assert.ok(usageOf(client).endedConnections - before > 6, 'each was tried more than once');
    });

    test('all brokers stop and come back at other addresses: the bootstrap servers are asked again', {
      timeout: 300_000,
    }, async () => {
      const ports = await freePorts(3);
      const { load, client } = await atWork([...servers(), `127.0.0.1:${ports[0]}`]);
      const { brokers } = suite.kafka;
      await Promise.all(brokers.map((broker) => broker.kill('SIGKILL')));
      await Promise.all(brokers.map((broker, i) => broker.move(ports[i]!)));
      await Promise.all(brokers.map((broker) => broker.start()));
      await load.worksAgain();
      await settle(load, { failing: 7 });
      assert.deepEqual(
        client.cluster
          .brokers()
          .map(({ port }) => port)
          .sort(),
        [...ports].sort(),
      );
      // The administrator knew none of these addresses.
      await admin.close();
      admin = await KafkaClient.start({ ...options, requestTimeoutMs: 120_000, bootstrapServers: servers() });
    });
  },
  { brokers: 3 },
);

interface Usage {
  /** On the monotonic clock, ms. */
  readonly at: number;
  /** Attempts that failed included. */
  readonly endedConnections: number;
  /** Bytes: of the process with its network threads, and what this thread holds outside its heap. */
  readonly rss: number;
  readonly external: number;
}

function usageOf(client: KafkaClient): Usage {
  const { rss, external } = process.memoryUsage();
  const endedConnections = client.metrics().metrics!['connection-close-total']!;
  return { at: performance.now(), endedConnections, rss, external };
}

function codesOf(results: Iterable<{ readonly errorCode: number }>): number[] {
  return [...results].map(({ errorCode }) => errorCode);
}
