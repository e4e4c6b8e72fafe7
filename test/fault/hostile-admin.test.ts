// Administration calls at a broker whose answers decode and hold hostile values: things that nobody asked about, the same thing twice,
// nothing at all, numbers at the ends of their types, names that objects have by nature. Each item has one outcome, each error is one of this
// package, and the client goes on. Answers of every call, changed at random, are in test/fuzz (target `admin`).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type Admin,
  ConsumerGroupDescribe,
  CreateTopics,
  DeleteRecords,
  DeleteTopics,
  FindCoordinator,
  InitProducerId,
  KafkaClient,
  KafkaClientError,
  LeaveGroup,
  ListOffsets,
  Metadata,
  OffsetFetch,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

const int16 = 2 ** 15 - 1;
const int32 = 2 ** 31 - 1;
const int64 = 2n ** 63n - 1n;
const names = ['__proto__', 'constructor', 'x'.repeat(30_000)];
const timeoutMs = 3000;

interface Row {
  readonly what: string;
  readonly api: { readonly key: number };
  readonly body: object;
  readonly call: (admin: Admin) => Promise<unknown>;
  /** How many items it asks about; null: its answer has no outcomes. */
  readonly items: number | null;
}

const at = [{ topic: 'logs', partition: 0 }] as const;
const everywhere = (partition: object): object[] =>
  ['logs', ...names, 'logs'].map((name) => ({
    name,
    partitions: [0, int32, -1, 0].map((partitionIndex) => ({ partitionIndex, ...partition })),
  }));
const broken = { nodeId: int32, host: '__proto__', port: int32 };
const describeGroups = (admin: Admin): Promise<unknown> => admin.describeConsumerGroups(['g', 'h'], { timeoutMs });

const rows: readonly Row[] = [
  {
    what: 'FindCoordinator: of nobody that was asked about',
    api: FindCoordinator,
    body: { coordinators: names.map((key) => ({ key, nodeId: 0, host: 'h', port: 1 })) },
    call: describeGroups,
    items: 2,
  },
  {
    what: 'FindCoordinator: nothing',
    api: FindCoordinator,
    body: { coordinators: [] },
    call: (admin) => admin.removeMembersFromConsumerGroup('g', [{ groupInstanceId: 'i' }], { timeoutMs }),
    items: 1,
  },
  {
    what: 'FindCoordinator: nodes that cannot be, each group twice',
    api: FindCoordinator,
    body: { coordinators: ['g', 'h', 'g', 'h'].map((key, i) => ({ key, ...broken, errorCode: i })) },
    call: describeGroups,
    items: 2,
  },
  {
    what: 'Metadata: 60,000 brokers to ask',
    api: Metadata,
    body: {
      brokers: Array.from({ length: 60_000 }, (_, nodeId) => ({ nodeId, host: 'h', port: 1 })),
      controllerId: -7,
    },
    call: (admin) => admin.listGroups({ timeoutMs }),
    items: null,
  },
  {
    what: 'Metadata: leaders and a controller that cannot be',
    api: Metadata,
    body: { brokers: [broken], controllerId: int32, topics: everywhere({ leaderId: int32, leaderEpoch: -int32 }) },
    call: (admin) => admin.listOffsets([{ ...at[0], at: 'latest' }], { timeoutMs }),
    items: 1,
  },
  {
    what: 'CreateTopics: names that nobody asked for, and a quota without an end',
    api: CreateTopics,
    body: {
      throttleTimeMs: -1,
      topics: [...names, 'new', 'new'].map((name) => ({ name, errorCode: 89, numPartitions: -5, configs: null })),
    },
    call: (admin) => admin.createTopics([{ name: 'new', partitions: 1 }, { name: 'left-out' }], { timeoutMs }),
    items: 2,
  },
  {
    what: 'DeleteTopics: without names, with unknown errors',
    api: DeleteTopics,
    body: { responses: [null, ...names].map((name) => ({ name, errorCode: int16, errorMessage: names[2] })) },
    call: (admin) => admin.deleteTopics(['old'], { timeoutMs }),
    items: 1,
  },
  {
    what: 'DeleteRecords: partitions that nobody asked for',
    api: DeleteRecords,
    body: { topics: everywhere({ lowWatermark: -int64, errorCode: 0 }).slice(1) },
    call: (admin) => admin.deleteRecords([{ ...at[0], beforeOffset: 1 }], { timeoutMs }),
    items: 1,
  },
  {
    what: 'ListOffsets: offsets at both ends of int64',
    api: ListOffsets,
    body: { topics: everywhere({ offset: -int64, timestamp: int64, leaderEpoch: int32 }) },
    call: (admin) => admin.listOffsets([{ ...at[0], at: 'latest' }], { timeoutMs }),
    items: 1,
  },
  {
    what: 'OffsetFetch: no group',
    api: OffsetFetch,
    body: { groups: [] },
    call: (admin) => admin.listConsumerGroupOffsets([{ groupId: 'g' }], { timeoutMs }),
    items: 1,
  },
  {
    what: 'OffsetFetch: every group but the one',
    api: OffsetFetch,
    body: { groups: names.map((groupId) => ({ groupId, topics: everywhere({ committedOffset: int64 }) })) },
    call: (admin) => admin.listConsumerGroupOffsets([{ groupId: 'g' }], { timeoutMs }),
    items: 1,
  },
  {
    what: 'ConsumerGroupDescribe: partitions and epochs that cannot be',
    api: ConsumerGroupDescribe,
    body: {
      groups: ['g', 'g', ...names].map((groupId) => ({
        groupId,
        groupState: '__proto__',
        groupEpoch: -int32,
        assignmentEpoch: int32,
        assignorName: names[2],
        authorizedOperations: -int32,
        members: names.map((memberId) => ({
          memberId,
          clientId: '',
          clientHost: '',
          memberEpoch: -int32,
          assignment: { topicPartitions: [{ topicName: '__proto__', partitions: [int32, -int32, 0, 0] }] },
          targetAssignment: { topicPartitions: [] },
        })),
      })),
    },
    call: describeGroups,
    items: 2,
  },
  {
    what: 'LeaveGroup: members that nobody asked for',
    api: LeaveGroup,
    body: { members: names.map((memberId) => ({ memberId, groupInstanceId: memberId, errorCode: int16 })) },
    call: (admin) => admin.removeMembersFromConsumerGroup('g', [{ groupInstanceId: 'i' }], { timeoutMs }),
    items: 1,
  },
  {
    what: 'InitProducerId: numbers at the ends of their types',
    api: InitProducerId,
    body: { producerId: -int64, producerEpoch: -int16 },
    call: (admin) => admin.fenceProducers(['t'], { timeoutMs }),
    items: 1,
  },
];

describe('administration at a broker with hostile values', { concurrency: 4 }, () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 1, topics: { logs: 1 } });
    await broker.append('logs', 0, [{ value: 'first' }]);
  });

  after(() => broker.close());

  for (const [i, { what, api, body, call, items }] of rows.entries()) {
    test(what, { timeout: 300_000 }, async (t) => {
      const client = await KafkaClient.start({
        ...patient,
        bootstrapServers: broker.bootstrapServers,
        clientId: `admin ${i}`,
        logLevel: 'silent',
      });
      t.after(() => client.close());
      await client.awaitReady(0);
      const rule = await broker.control(api, { body }, { clientId: `admin ${i}` });
      const outcome = await call(client.admin()).then(
        (answer) => answer,
        (error: unknown) => error,
      );
      await rule.remove();
      if (outcome instanceof Error) assert.ok(outcome instanceof KafkaClientError, outcome.stack);
      else if (items !== null) checkOutcomes(outcome, items);
      assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1, 'the client goes on');
    });
  }
});

function checkOutcomes(results: unknown, items: number): void {
  assert.ok(results instanceof Map, String(results));
  assert.equal(results.size, items);
  for (const one of results.values() as Iterable<{ readonly ok: boolean; readonly error?: Error }>) {
    if (!one.ok) assert.ok(one.error instanceof KafkaClientError, one.error?.stack);
  }
}
