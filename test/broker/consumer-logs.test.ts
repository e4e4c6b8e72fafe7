// Changes of the log that a consumer reads, with the embedded broker: it is truncated, its leader moves, brokers die, it is compacted, a
// batch is corrupt, a replica is nearer than the leader.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import {
  Consumer,
  type ConsumerBatch,
  type ConsumerOptions,
  CorruptBatchError,
  Fetch,
  type KafkaClientOptions,
  LogTruncationError,
  PartitionError,
} from '../../src/index.ts';
import {
  asCompacted,
  buildBatch,
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
  startEmbeddedBroker,
} from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

let broker: EmbeddedBroker;
const consumers: Consumer[] = [];
const place = { topic: 't', partition: 0 };

async function start(options: ConsumerOptions & KafkaClientOptions): Promise<Consumer> {
  const consumer = await Consumer.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    assign: [{ ...place, offset: 0 }],
    batchMaxBytes: 1,
    ...options,
  });
  consumers.push(consumer);
  return consumer;
}

async function filled(batches: number, options: EmbeddedBrokerOptions = {}): Promise<void> {
  broker = await startEmbeddedBroker({ topics: { t: 1 }, ...options });
  for (let i = 0; i < batches; i++) await append(i * 10);
}

async function append(from: number, name = 'v'): Promise<void> {
  await broker.append(
    't',
    0,
    Array.from({ length: 10 }, (_, j) => ({ value: `${name}${from + j}` })),
  );
}

const valuesOf = (batch: ConsumerBatch): string[] => [...batch].map(({ value }) => String(value));
const names = (count: number, from = 0, name = 'v'): string[] =>
  Array.from({ length: count }, (_, i) => `${name}${from + i}`);

async function read(consumer: Consumer, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    const batch = await consumer.poll(120_000);
    assert.notEqual(batch, null, `${values.length} of ${count} records came`);
    values.push(...valuesOf(batch!));
    batch!.done();
  }
  return values;
}

const fetchesAt = async (nodeId: number): Promise<number> =>
  (await broker.stats()).requestsByNode[nodeId]?.[Fetch.key] ?? 0;

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close({ timeoutMs: 2000 });
  await broker.close();
});

describe('a log that was cut off below the position (KIP-320)', () => {
  it('is read on from the offset where both logs part, and the application gets an event', async () => {
    await filled(5);
    const consumer = await start({ autoOffsetReset: 'earliest' });
    const told: unknown[] = [];
    consumer.on('truncated', ({ topic, partition, from, to }) => told.push([topic, partition, `${from}`, `${to}`]));
    assert.deepEqual(await read(consumer, 50), names(50));
    await broker.truncateLog('t', 0, 30);
    await append(30, 'w');
    assert.deepEqual(await read(consumer, 10), names(10, 30, 'w'));
    assert.deepEqual(told, [['t', 0, '50', '30']]);
  });

  it('is an error with the offset where the logs part if autoOffsetReset is none, and a seek goes on', async () => {
    await filled(5);
    const consumer = await start({ autoOffsetReset: 'none' });
    await read(consumer, 50);
    await broker.truncateLog('t', 0, 30);
    await append(30, 'w');
    await assert.rejects(consumer.poll(120_000), (error) => {
      assert.ok(error instanceof LogTruncationError);
      assert.equal(String(error.recordOffset), '30');
      return true;
    });
    await consumer.seek(place, 30);
    assert.deepEqual(await read(consumer, 10), names(10, 30, 'w'));
  });
});

describe('the leader of a partition', () => {
  it('can move: reading goes on at the new leader, and each record is read once', async () => {
    await filled(3, { nodes: 3, topics: { t: { partitions: 1, replicationFactor: 3 } } });
    const consumer = await start({});
    assert.deepEqual(await read(consumer, 30), names(30));
    for (let i = 0; i < 6; i++) {
      await broker.moveLeader('t', 0, (i + 1) % 3);
      await append(30 + i * 10);
      assert.deepEqual(await read(consumer, 10), names(10, 30 + i * 10));
    }
  });

  it('can move away from a broker that has fallen silent: nobody waits for its answer', async () => {
    await filled(3, { nodes: 2, topics: { t: { assignments: [[0, 1]] } } });
    const consumer = await start({ metadataMaxAgeMs: 100, requestTimeoutMs: 600_000 });
    assert.deepEqual(await read(consumer, 30), names(30));
    await broker.control(Fetch, { holdUntil: 'it speaks' }, { nodeId: 0 });
    await broker.waitForHeld('it speaks');
    await broker.moveLeader('t', 0, 1);
    await append(30);
    assert.deepEqual(await read(consumer, 10), names(10, 30));
    await broker.release('it speaks');
    await append(40);
    assert.deepEqual(await read(consumer, 10), names(10, 40));
  });

  it('can be lost with its broker and come back', async () => {
    await filled(3, { nodes: 3, topics: { t: { partitions: 1, replicationFactor: 3 } } });
    const consumer = await start({});
    assert.deepEqual(await read(consumer, 30), names(30));
    for (let i = 0; i < 3; i++) {
      const { leaderId } = await broker.log('t', 0);
      await broker.killNode(leaderId);
      await append(30 + i * 10);
      assert.deepEqual(await read(consumer, 10), names(10, 30 + i * 10));
      await broker.restartNode(leaderId);
    }
  });
});

describe('the nearest replica (KIP-392)', () => {
  it('is read from, and the leader is read from when the replica is gone', async () => {
    const nodes = [
      { id: 0, rack: 'a' },
      { id: 1, rack: 'b' },
    ];
    await filled(3, { nodes, isRackAware: true, topics: { t: { assignments: [[0, 1]] } } });
    const consumer = await start({ clientRack: 'b' });
    assert.deepEqual(await read(consumer, 30), names(30));
    await waitFor('fetches of the replica', async () => (await fetchesAt(1)) > 0);
    const atLeader = await fetchesAt(0);
    await append(30);
    assert.deepEqual(await read(consumer, 10), names(10, 30));
    assert.ok((await fetchesAt(0)) <= atLeader + 1, 'not of the leader');
    await broker.killNode(1);
    await append(40);
    assert.deepEqual(await read(consumer, 10), names(10, 40));
  });
});

describe('a compacted log', () => {
  it('is read past its gaps, also at the end, and the lag becomes 0', async () => {
    await filled(1);
    const batch = buildBatch({ records: [{ key: 'k', value: 'v10' }] });
    await broker.append('t', 0, asCompacted(batch, 9));
    await append(20);
    await broker.append('t', 0, asCompacted(batch, 9, true));
    const consumer = await start({});
    assert.deepEqual(await read(consumer, 21), [...names(10), 'v10', ...names(10, 20)]);
    const [end] = await consumer.endOffsets([place]);
    assert.equal(String(end), '40');
    await waitFor('the position at the end', () => consumer.position(place)?.eq(40) === true && consumer.lag() === 0);
  });
});

describe('a corrupt batch', () => {
  for (const groupId of [null, 'g'])
    it(`is an error with partition and offset when the consumer reaches it${groupId === null ? '' : ', in a group'}, once, and reading goes on behind a seek`, async () => {
      await filled(2);
      await append(20);
      await append(30);
      // The broker checks what it appends; so the answer is broken on its way.
      const stored = Buffer.from(await broker.contents('t', 0));
      const at = stored.indexOf('v25');
      stored[at] = 'w'.charCodeAt(0);
      const topicId = await broker.topicId('t');
      const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 40, lastStableOffset: 40, logStartOffset: 0 };
      const rule = await broker.control(
        Fetch,
        {
          body: {
            errorCode: 0,
            sessionId: 0,
            responses: [{ topicId, partitions: [{ ...partition, records: stored }] }],
          },
        },
        { times: 1 },
      );
      const consumer = await start(
        groupId === null ? {} : { groupId, topics: ['t'], autoOffsetReset: 'earliest', assign: undefined },
      );
      assert.deepEqual(await read(consumer, 20), names(20));
      await assert.rejects(consumer.poll(120_000), (error) => {
        assert.ok(error instanceof CorruptBatchError && error instanceof PartitionError);
        assert.equal(String(error.recordOffset), '20');
        assert.match(error.message, /t-0 at offset 20/);
        return true;
      });
      assert.equal(await rule.uses(), 1);
      assert.equal(await consumer.poll(0), null, 'raised once');
      await consumer.seek(place, 30);
      assert.deepEqual(await read(consumer, 10), names(10, 30));
    });
});

describe('a topic that is deleted and created again', () => {
  it('is read from its beginning', async () => {
    await filled(3);
    const consumer = await start({ autoOffsetReset: 'earliest' });
    assert.deepEqual(await read(consumer, 30), names(30));
    await broker.deleteTopic('t');
    await broker.createTopic('t', { partitions: 1 });
    await append(0, 'new');
    await append(10, 'new');
    await append(20, 'new');
    await append(30, 'new');
    assert.deepEqual(await read(consumer, 40), names(40, 0, 'new'));
  });
});

describe('autoOffsetReset by duration (KIP-1106)', () => {
  it('begins at the first younger record, or at the end', async () => {
    broker = await startEmbeddedBroker({ topics: { t: 1 } });
    const hourMs = 3_600_000;
    const now = Date.now();
    for (const [i, agoMs] of [3 * hourMs, 2 * hourMs, hourMs / 2, 0].entries())
      await broker.append('t', 0, [{ value: `${i}`, timestamp: now - agoMs }]);
    const assign = [place];
    const hour = await start({ assign, autoOffsetReset: 'by_duration:PT1H' });
    assert.deepEqual(await read(hour, 2), ['2', '3']);
    const day = await start({ assign, autoOffsetReset: { agoMs: 24 * hourMs } });
    assert.deepEqual(await read(day, 4), ['0', '1', '2', '3']);
    const second = await start({ assign, autoOffsetReset: 'by_duration:PT0.001S' });
    await waitFor('a position', () => second.position(place) !== null);
    assert.equal(String(second.position(place)), '4');
  });
});
