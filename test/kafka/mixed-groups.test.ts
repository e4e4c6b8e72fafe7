// Groups of a real broker whose members are ours, Kafka's Java consumer and kafkajs: both read half of the partitions, each record is
// read once, and who stays alone gets everything. The member that joined first leads a classic group, so each computes for the other.
// kafkajs is a package of bench/peers; without it (npm ci --prefix bench/peers) its tests are skipped.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { projectFolder } from '../../scripts/project.ts';
import { Consumer, type ConsumerOptions, KafkaClient, type Producer } from '../../src/index.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka, isKafkaRequired, type KafkaTools, kafkaTools, toolsAvailability } from './fixture/index.ts';

const partitions = [0, 1, 2, 3];
const perPartition = 25;
const assignors = {
  range: 'org.apache.kafka.clients.consumer.RangeAssignor',
  roundrobin: 'org.apache.kafka.clients.consumer.RoundRobinAssignor',
  sticky: 'org.apache.kafka.clients.consumer.StickyAssignor',
  'cooperative-sticky': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
} as const;
type AssignorName = keyof typeof assignors;

interface Kafkajs {
  Kafka: new (options: object) => { consumer(options: object): KafkajsConsumer };
  AssignerProtocol: {
    MemberMetadata: { encode(fields: object): Buffer };
    MemberAssignment: { encode(fields: object): Buffer };
  };
  logLevel: { NOTHING: number };
}
interface KafkajsConsumer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(what: { topic: string; fromBeginning: boolean }): Promise<void>;
  run(what: { eachMessage(payload: { partition: number; message: { value: Buffer } }): Promise<void> }): Promise<void>;
}
interface KafkajsCluster {
  cluster: { findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number }[] };
}

function findKafkajs(): Kafkajs | null {
  try {
    return createRequire(join(projectFolder, 'bench', 'peers', 'package.json'))('kafkajs') as Kafkajs;
  } catch {
    return null;
  }
}

const kafkajs = findKafkajs();
const tools = toolsAvailability();
const skipJava = tools.available || isKafkaRequired() ? false : tools.reason;

describeKafka(
  'groups with members of other clients',
  (suite) => {
    let client: KafkaClient;
    let producer: Producer;
    let run: KafkaTools['run'];
    /** What closes the members of a test, also of one that fails. */
    const members: (() => Promise<void>)[] = [];

    before(async () => {
      client = await KafkaClient.start({ ...patient, bootstrapServers: suite.kafka.bootstrapServers });
      producer = await client.producer();
      if (skipJava === false) ({ run } = await kafkaTools());
    });

    afterEach(async () => {
      for (const close of members.splice(0)) await close();
    });

    after(() => client.close());

    async function newTopic(name: string): Promise<string> {
      const result = (await client.admin().createTopics([{ name, partitions: partitions.length }])).get(name);
      if (result instanceof Error) throw result;
      return name;
    }

    /** Values that say their partition and number, from `from` on. */
    async function write(topic: string, from: number): Promise<string[]> {
      const values = partitions.flatMap((partition) =>
        Array.from({ length: perPartition }, (_, i) => ({ partition, value: `${partition}:${from + i}` })),
      );
      await producer.sendAll(topic, values).then();
      return values.map(({ value }) => value);
    }

    /** Our member, which reads until it is closed. */
    async function ours(topic: string, options: ConsumerOptions) {
      const consumer = await Consumer.start({
        ...patient,
        bootstrapServers: suite.kafka.bootstrapServers,
        groupId: topic,
        topics: [topic],
        autoOffsetReset: 'earliest',
        ...options,
      });
      const seen: string[] = [];
      const ended = (async (): Promise<void> => {
        for await (const batch of consumer) for (const { value } of batch) seen.push(String(value));
      })();
      const close = async (): Promise<void> => {
        await consumer.close();
        await ended;
      };
      members.push(close);
      return { consumer, seen, close };
    }

    /** Kafka's console consumer. It ends when it has read `count` records. */
    async function java(topic: string, properties: Record<string, string>, count: number): Promise<string[]> {
      const all = Object.entries({ 'auto.offset.reset': 'earliest', ...properties });
      const output = await run('consumer.ConsoleConsumer', [
        '--bootstrap-server',
        suite.kafka.bootstrapServers.join(','),
        ...['--topic', topic, '--group', topic, '--max-messages', String(count)],
        ...all.flatMap(([name, value]) => ['--command-property', `${name}=${value}`]),
      ]);
      return output.split('\n').filter((line) => /^\d:\d+$/.test(line));
    }

    /** Both have joined, share what is written then, and ours stays alone. */
    async function shareWithJava(topic: string, options: ConsumerOptions, properties: Record<string, string>) {
      const member = await ours(topic, options);
      await waitFor('all partitions', () => member.consumer.assignment.length === partitions.length);
      const half = (partitions.length / 2) * perPartition;
      const theirs = java(topic, properties, half);
      await waitFor('half of the partitions', () => member.consumer.assignment.length === partitions.length / 2);
      const mine = member.consumer.assignment.map(({ partition }) => partition);
      const first = await write(topic, 0);
      const read = await theirs;
      assert.equal(read.length, half);
      await waitFor('ours', () => member.seen.length === half);
      assert.deepEqual([...member.seen, ...read].sort(), first.sort(), 'each record once');
      assert.deepEqual([...new Set(member.seen.map((value) => Number(value[0])))].sort(), mine.sort());
      await waitFor('all partitions again', () => member.consumer.assignment.length === partitions.length);
      const second = await write(topic, 1000);
      await waitFor('what was written later', () => member.seen.length === half + second.length);
      assert.deepEqual(member.seen.slice(half).sort(), second.sort());
      await member.close();
    }

    describe('and Java', { skip: skipJava }, () => {
      for (const name of Object.keys(assignors) as AssignorName[])
        test(`classic, ${name}, led by our client`, async () => {
          const topic = await newTopic(`java-${name}`);
          const options = {
            groupProtocol: 'classic',
            partitionAssignmentStrategy: [name],
            heartbeatIntervalMs: 500,
          } as const;
          await shareWithJava(topic, options, {
            'partition.assignment.strategy': assignors[name],
            'heartbeat.interval.ms': '500',
          });
        });

      test('KIP-848', async () => {
        const topic = await newTopic('java-consumer');
        await shareWithJava(topic, { groupProtocol: 'consumer' }, { 'group.protocol': 'consumer' });
      });

      test('our client classic, Java KIP-848: the group is converted while members are in it', async () => {
        const topic = await newTopic('java-converted');
        const options = { groupProtocol: 'classic', heartbeatIntervalMs: 500 } as const;
        await shareWithJava(topic, options, { 'group.protocol': 'consumer' });
      });

      for (const name of ['range', 'cooperative-sticky'] as const)
        test(`classic, ${name}, led by Java`, async () => {
          const topic = await newTopic(`java-leads-${name}`);
          const half = (partitions.length / 2) * perPartition;
          // The records of before our member comes, and half of those after it.
          const all = await write(topic, 0);
          const theirs = java(
            topic,
            {
              'partition.assignment.strategy': assignors[name],
              'heartbeat.interval.ms': '500',
              'auto.commit.interval.ms': '100',
            },
            all.length + half,
          );
          await waitFor('Java to have committed', async () => {
            const reader = await client.consumer({ groupId: topic });
            const committed = await reader.committed(partitions.map((partition) => ({ topic, partition })));
            await reader.close();
            return committed.every((one) => one?.offset.eq(perPartition) === true);
          });
          const options = {
            groupProtocol: 'classic',
            partitionAssignmentStrategy: [name],
            heartbeatIntervalMs: 500,
          } as const;
          const member = await ours(topic, options);
          await waitFor('half of the partitions', () => member.consumer.assignment.length === partitions.length / 2);
          const later = await write(topic, 1000);
          const read = await theirs;
          await waitFor('ours', () => member.seen.length === half);
          assert.deepEqual([...member.seen, ...read].sort(), [...all, ...later].sort(), 'each record once');
          await member.close();
        });
    });

    describe('and kafkajs', { skip: kafkajs === null ? 'no kafkajs in bench/peers' : false }, () => {
      /** Its own assigner has a name that no other client knows; this is `roundrobin` by its interface. */
      const roundRobin = ({ cluster }: KafkajsCluster) => ({
        name: 'roundrobin',
        version: 0,
        async assign({ members, topics }: { members: { memberId: string }[]; topics: string[] }) {
          const sorted = members.map(({ memberId }) => memberId).sort();
          const all = topics.flatMap((topic) =>
            cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => ({ topic, partition: partitionId })),
          );
          return sorted.map((memberId, i) => {
            const assignment: Record<string, number[]> = {};
            for (const [at, { topic, partition }] of all.entries())
              if (at % sorted.length === i) assignment[topic] = [...(assignment[topic] ?? []), partition];
            const memberAssignment = kafkajs!.AssignerProtocol.MemberAssignment.encode({
              version: 0,
              assignment,
              userData: Buffer.alloc(0),
            });
            return { memberId, memberAssignment };
          });
        },
        protocol: ({ topics }: { topics: string[] }) => ({
          name: 'roundrobin',
          metadata: kafkajs!.AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
        }),
      });

      async function theirs(topic: string): Promise<{ readonly seen: string[]; disconnect(): Promise<void> }> {
        const brokers = suite.kafka.bootstrapServers;
        const kafka = new kafkajs!.Kafka({ clientId: 'other', brokers, logLevel: kafkajs!.logLevel.NOTHING });
        const settings = { groupId: topic, partitionAssigners: [roundRobin], heartbeatInterval: 500 };
        const consumer = kafka.consumer(settings);
        const seen: string[] = [];
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
        members.push(() => consumer.disconnect());
        return { seen, disconnect: () => consumer.disconnect() };
      }

      const options = {
        groupProtocol: 'classic',
        partitionAssignmentStrategy: ['roundrobin'],
        heartbeatIntervalMs: 500,
      } as const;

      for (const leader of ['ours', 'kafkajs'] as const)
        test(`led by ${leader}`, async () => {
          const topic = await newTopic(`kafkajs-${leader}`);
          const before = await write(topic, 0);
          let member: Awaited<ReturnType<typeof ours>>;
          let other: Awaited<ReturnType<typeof theirs>>;
          if (leader === 'ours') {
            member = await ours(topic, options);
            await waitFor('what was there', () => member.seen.length === before.length);
            await member.consumer.commit();
            other = await theirs(topic);
          } else {
            other = await theirs(topic);
            await waitFor('what was there', () => other.seen.length === before.length);
            member = await ours(topic, options);
          }
          await waitFor('half of the partitions', () => member.consumer.assignment.length === partitions.length / 2);
          const [mineBefore, theirsBefore] = [member.seen.length, other.seen.length];
          const later = await write(topic, 1000);
          await waitFor('all', () => member.seen.length + other.seen.length >= before.length + later.length);
          const read = [...member.seen.slice(mineBefore), ...other.seen.slice(theirsBefore)];
          assert.deepEqual(read.sort(), later.sort(), 'each record once');
          assert.equal(member.seen.length - mineBefore, later.length / 2);
          await other.disconnect();
          await waitFor('all partitions', () => member.consumer.assignment.length === partitions.length);
          await member.close();
        });
    });
  },
  {
    extraProperties: {
      'group.initial.rebalance.delay.ms': '0',
      'group.consumer.min.heartbeat.interval.ms': '1000',
      'group.consumer.heartbeat.interval.ms': '1000',
    },
  },
);
