// Wrong arguments: a wrong type throws at the call. A request that cannot be written fails its Future, names the field, and nothing is
// sent.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  CreateTopics,
  Fetch,
  FindCoordinator,
  InvalidRequestError,
  KafkaClient,
  ListOffsets,
  Metadata,
  Produce,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { type AnyFuture, closedByHand, failureOf, openConnected } from './support/client.ts';
import { byName, fetchRequest, produceRequest } from './support/requests.ts';

describe('arguments', () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;

  test('new KafkaClient() is refused, and the error names KafkaClient.start', () => {
    assert.throws(() => new (KafkaClient as unknown as new (options: object) => unknown)({}), {
      name: 'TypeError',
      message: /await KafkaClient\.start\(/,
    });
  });

  test('a list that holds a batch is not taken for a list of records', async () => {
    const batch = { records: [{ value: 'x' }], compression: 'gzip' };
    const failure = await failureOf(client.send(0, Produce, produceRequest('logs', [batch] as never), byName));
    assert.ok(failure instanceof InvalidRequestError);
    assert.match(
      failure.message,
      /\[0\]: a batch in a list, .*give the batch itself: records: \{ records, compression \}/,
    );
  });

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { logs: 1 } });
    client = await openConnected(closedByHand, broker);
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  const metadata = { topics: [] };

  describe('arguments of the wrong kind throw at the call:', () => {
    const wrongNodes = [undefined, null, '0', 0.5, Number.NaN, 2 ** 31, -(2 ** 31) - 1, 0n, {}];
    for (const nodeId of wrongNodes) {
      test(`node id ${typeof nodeId} ${String(nodeId)}`, async () => {
        const id = nodeId as never;
        const calls = [
          () => client.send(id, Metadata, metadata),
          () => client.connected(id),
          () => client.isDisconnected(id),
          () => client.isReady(id),
          () => client.ready(id),
          () => client.maybeConnect(id),
          () => client.connectionDelay(id),
        ];
        for (const call of calls) assert.throws(call, /^TypeError: nodeId must be an int32/);
        await assert.rejects(client.awaitReady(id), TypeError);
        if (nodeId === undefined) return;
        assert.throws(() => client.close(id), TypeError);
        if (nodeId === null) return;
        assert.throws(() => client.inFlightRequestCount(id), TypeError);
      });
    }

    for (const timeoutMs of [0, -1, 1.5, Number.NaN, '5', 2 ** 31, Number.POSITIVE_INFINITY, null]) {
      test(`a time limit of ${typeof timeoutMs} ${String(timeoutMs)}`, async () => {
        const options = { timeoutMs: timeoutMs as never };
        assert.throws(() => client.send(0, Metadata, metadata, options), /^TypeError: timeoutMs must be an integer/);
        await assert.rejects(client.awaitReady(0, options), TypeError);
      });
    }

    for (const version of [-1, 1.5, Number.NaN, '5', 2 ** 15, null, {}]) {
      test(`a version of ${typeof version} ${String(version)}`, () => {
        const options = { version: version as never };
        assert.throws(() => client.send(0, Metadata, metadata, options), /^TypeError: version must be an integer/);
      });
    }

    for (const api of [undefined, null, 3, 'Metadata', {}, { key: 3 }]) {
      test(`an API that is ${typeof api} ${JSON.stringify(api)}`, () => {
        assert.throws(() => client.send(0, api as never, metadata), /^TypeError: api must be/);
      });
    }

    test('options that are not an object', () => {
      assert.throws(() => client.send(0, Metadata, metadata, null as never), TypeError);
    });

    test('arguments are checked even when the node is not ready', () => {
      assert.throws(() => client.send(42, {} as never, metadata), TypeError);
      assert.throws(() => client.send(42, Metadata, metadata, { version: 'x' as never }), TypeError);
    });
  });

  describe('a request that cannot be written fails the Future, and the error names the field:', () => {
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 };
    const fetch = (fields: object) => client.send(0, Fetch, { ...fetchRequest('logs'), ...fields } as never, byName);
    const produce = (records: unknown) => client.send(0, Produce, produceRequest('logs', records as never), byName);
    const rows: readonly (readonly [field: string, send: () => AnyFuture])[] = [
      ['maxWaitMs', () => fetch({ maxWaitMs: '500' })],
      ['maxWaitMs', () => fetch({ maxWaitMs: 2 ** 31 })],
      ['minBytes', () => fetch({ minBytes: undefined })],
      ['isolationLevel', () => fetch({ isolationLevel: 128 })],
      ['topics', () => fetch({ topics: 'logs' })],
      [
        'topics[0].partitions[0].fetchOffset',
        () => fetch({ topics: [{ topic: 'a', partitions: [{ ...partition, fetchOffset: 0.5 }] }] }),
      ],
      [
        'topics[0].partitions[0].fetchOffset',
        () => fetch({ topics: [{ topic: 'a', partitions: [{ ...partition, fetchOffset: 2 ** 53 }] }] }),
      ],
      [
        'topics[0].partitions[0].fetchOffset',
        () => fetch({ topics: [{ topic: 'a', partitions: [{ ...partition, fetchOffset: 2n ** 63n }] }] }),
      ],
      [
        'topics[1].topicId',
        () =>
          fetch({
            topics: [
              { topic: 'a', partitions: [] },
              { topicId: 'short', partitions: [] },
            ],
          }),
      ],
      ['rackId', () => fetch({ rackId: null })],
      ['rackId', () => fetch({ rackId: '\ud800' })],
      ['rackId', () => fetch({ rackId: 'x'.repeat(32768) })],
      ['maxbytes', () => fetch({ maxbytes: 5 })],
      ['acks', () => client.send(0, Produce, { ...produceRequest('logs', null), acks: 70_000 }, byName)],
      ['topicData[0].partitionData[0].records', () => produce(5)],
      ['topicData[0].partitionData[0].records[1].value', () => produce([{ value: 'fine' }, { value: 5 }])],
      ['topicData[0].partitionData[0].records[0].timestamp', () => produce([{ value: '', timestamp: 1.5 }])],
      [
        'topicData[0].partitionData[0].records[0].headers[0].key',
        () => produce([{ value: '', headers: [{ key: 1, value: '' }] }]),
      ],
      [
        'topicData[0].partitionData[0].records.compression',
        () => produce({ records: [{ value: '' }], compression: 'lzma' }),
      ],
      ['topics[0].name', () => client.send(0, Metadata, { topics: [{ name: 5 as never }] })],
      [
        'topics[0].assignments[0].brokerIds[1]',
        () =>
          client.send(0, CreateTopics, {
            topics: [
              {
                name: 'a',
                numPartitions: 1,
                replicationFactor: 1,
                configs: [],
                assignments: [{ partitionIndex: 0, brokerIds: [0, 'x' as never] }],
              },
            ],
            timeoutMs: 5,
          }),
      ],
    ];
    for (const [i, [field, send]] of rows.entries()) {
      test(`${i + 1}. ${field}`, async () => {
        const before = await broker.stats();
        const future = send();
        assert.equal(future.isDone, true, 'known at the call');
        const error = await failureOf(future);
        assert.ok(error instanceof InvalidRequestError, String(error));
        assert.equal(error.field, field);
        assert.match(error.message, /^\w+ request/);
        assert.equal(error.retriable, false);
        assert.equal(client.inFlightRequestCount(), 0);
        // Answered behind whatever else might have been sent.
        await client.send(0, FindCoordinator, { coordinatorKeys: ['g'] });
        const { requests } = await broker.stats();
        for (const api of [Fetch, Produce, CreateTopics]) assert.equal(requests[api.key], before.requests[api.key]);
      });
    }

    test('a request that is not an object', async () => {
      for (const request of [null, undefined, 5, 'x', []]) {
        const error = await failureOf(client.send(0, Metadata, request as never));
        assert.ok(error instanceof InvalidRequestError, String(error));
      }
    });

    test('a field that does not exist in the version that is sent', async () => {
      const sent = [
        client.send(0, FindCoordinator, { key: 'g', keyType: 1 }, { version: 0 }),
        client.send(0, FindCoordinator, { coordinatorKeys: ['a', 'b'] }, { version: 3 }),
        client.send(0, ListOffsets, { replicaId: -1, isolationLevel: 1, topics: [] }, { version: 1 }),
      ];
      const fields = [];
      for (const future of sent) {
        const error = await failureOf(future);
        assert.ok(error instanceof InvalidRequestError, String(error));
        fields.push(error.field);
      }
      assert.deepEqual(fields, ['keyType', 'coordinatorKeys', 'isolationLevel']);
      assert.equal(client.connected(0), true);
      assert.equal(client.inFlightRequestCount(), 0);
    });

    test('the Future fails with what a records callback throws', async () => {
      const thrown = new Error('from the callback');
      const future = produce(() => {
        throw thrown;
      });
      assert.equal(await failureOf(future), thrown);
      await client.send(0, Metadata, metadata);
    });

    test('records that a callback appends later', async () => {
      const error = await failureOf(produce(async () => {}));
      assert.ok(error instanceof InvalidRequestError);
      assert.equal(error.field, 'topicData[0].partitionData[0].records');
    });
  });
});
