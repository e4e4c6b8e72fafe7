// Full links: a request is refused at once if its link is full. Responses wait in order if theirs is full, and nothing is lost or
// overtaken.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import {
  Fetch,
  KafkaClient,
  KafkaConfigurationError,
  KafkaConnectionError,
  Metadata,
  Produce,
  RingFullError,
} from '../../src/index.ts';
import { openConnected } from '../broker/support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from '../broker/support/requests.ts';
import { Settlements } from '../broker/support/settlements.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const small = { requestRingBytes: 4 * KiB, responseRingBytes: 4 * KiB, spillBytes: 1 * KiB };
const many = { maxInFlightRequestsPerConnection: 10_000 };

describe('a full link', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({
      nodes: 2,
      topics: { logs: { assignments: [[0], [1]] } },
      messageMaxBytes: 32 * MiB,
    });
    for (let i = 0; i < 20; i++) await broker.append('logs', 0, [{ value: Buffer.alloc(300 * KiB, i) }]);
  });

  after(async () => {
    await broker.close();
  });

  test('refuses the next request at once; the others are answered, and then there is room again', async (t) => {
    const client = await openConnected(t, broker, { ...small, ...many });
    const settlements = new Settlements(client);
    let refused: Error | null = null;
    // Within one turn: the network thread hears of it only after.
    for (let i = 0; i < 10_000 && refused === null; i++) {
      const future = settlements.send(0, Metadata, { topics: [] });
      if (future.isDone) refused = future.exception;
    }
    assert.ok(refused instanceof RingFullError, String(refused));
    assert.deepEqual([refused.retriable, refused.nodeId, refused.code], [true, 0, 'KAFKA_RING_FULL']);
    assert.match(refused.message, /requestRingBytes/);
    const { succeeded, refused: count, errors } = await settlements.finish();
    assert.equal(count, 1);
    assert.ok(succeeded >= 4, `${succeeded} fitted`);
    assert.deepEqual(errors, []);
    assert.equal(client.isReady(0), true);
    await client.send(0, Metadata, { topics: [] });
  });

  test('refuses a request while it is being written, and leaves no part of it', async (t) => {
    const client = await openConnected(t, broker, {
      ...many,
      requestRingBytes: 8 * KiB,
      responseRingBytes: 8 * KiB,
      spillBytes: 3 * KiB,
    });
    const before = (await broker.stats()).requests[Produce.key] ?? 0;
    const settlements = new Settlements(client);
    // Grows beyond what its first guess claimed while others have taken the rest.
    const value = 'x'.repeat(2 * KiB);
    for (let i = 0; i < 20; i++) settlements.send(0, Produce, produceRequest('logs', [{ value }]), byName);
    const { succeeded, refused, errors } = await settlements.finish();
    assert.deepEqual(errors, []);
    assert.equal(succeeded + refused, 20);
    assert.ok(refused > 0);
    assert.equal((await broker.stats()).requests[Produce.key], before + succeeded);
  });

  test('refuses a large request while the budget for moved ones is spent', async (t) => {
    const client = await openConnected(t, broker, { ...many, spillBudgetBytes: 1 * MiB });
    const settlements = new Settlements(client);
    const value = randomBytes(700 * KiB);
    const first = settlements.send(0, Produce, produceRequest('logs', [{ value }]), byName);
    const second = settlements.send(0, Produce, produceRequest('logs', [{ value }]), byName);
    assert.equal(first.isDone, false);
    assert.ok(second.exception instanceof RingFullError, String(second.exception));
    await settlements.finish();
    await client.send(0, Produce, produceRequest('logs', [{ value }]), byName);
  });

  test('takes a request larger than the whole budget when it is alone', async (t) => {
    const client = await openConnected(t, broker, { spillBudgetBytes: 64 * KiB });
    const value = randomBytes(3 * MiB);
    const response = await client.send(1, Produce, produceRequest('logs', [{ value }], { partition: 1 }), byName);
    const { baseOffset } = response.responses.at(0).partitionResponses.at(0);
    const fetched = await client.send(1, Fetch, fetchRequest('logs', { partition: 1, offset: baseOffset }), byName);
    assert.ok(fetchedRecords(fetched).at(0).value!.equals(value));
  });

  test('holds answers back until the application reads, and then all come in order', async (t) => {
    const client = await openConnected(t, broker, { ...small, ...many, requestRingBytes: 1 * MiB });
    const settlements = new Settlements(client);
    const order: number[] = [];
    for (let i = 0; i < 500; i++) {
      settlements.send(0, Metadata, { topics: [{ name: 'logs' }] }).addCallback(() => order.push(i));
    }
    // Blocks this thread while the answers come: the ring of 4 KiB holds few of them.
    const words = new Int32Array(new SharedArrayBuffer(4));
    await client.poll(0);
    Atomics.wait(words, 0, 0, 100); // fixed sleep: this thread must not read for a while, whatever arrives
    const { succeeded } = await settlements.finish();
    assert.equal(succeeded, 500);
    assert.deepEqual(
      order,
      Array.from({ length: 500 }, (_, i) => i),
    );
  });

  test('holds failures back too, and no failure overtakes an answer', async (t) => {
    const client = await openConnected(t, broker, { ...small, ...many, requestRingBytes: 1 * MiB });
    const settlements = new Settlements(client);
    await broker.control(Metadata, { answer: 'reset' }, { skip: 40, times: 1, nodeId: 0 });
    const order: [number, boolean][] = [];
    for (let i = 0; i < 200; i++) {
      settlements.send(0, Metadata, { topics: [{ name: 'logs' }] }).addBoth((outcome) => {
        order.push([i, outcome instanceof Error]);
      });
    }
    await client.poll(0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100); // fixed sleep: as above
    const { errors } = await settlements.finish();
    await broker.clearRules();
    assert.deepEqual(
      order.map(([i]) => i),
      Array.from({ length: 200 }, (_, i) => i),
    );
    const firstFailure = order.findIndex(([, hasFailed]) => hasFailed);
    assert.ok(order.slice(firstFailure).every(([, hasFailed]) => hasFailed));
    for (const error of errors) assert.ok(error instanceof KafkaConnectionError, String(error));
    assert.ok(errors.length >= 100, `${errors.length} failed`);
  });

  test('of one node does not keep answers of another from coming in order', async (t) => {
    const client = await openConnected(t, broker, { ...many, spillBudgetBytes: 64 * KiB });
    const settlements = new Settlements(client);
    const order: number[] = [];
    for (let i = 0; i < 20; i++) {
      settlements
        .send(0, Fetch, fetchRequest('logs', { offset: i, maxBytes: 1 }), byName)
        .addCallback((response) => order.push(fetchedRecords(response).at(0).value![0]!));
      settlements.send(1, Metadata, { topics: [] });
    }
    const { succeeded } = await settlements.finish();
    assert.equal(succeeded, 40);
    assert.deepEqual(
      order,
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  test('takes metadata larger than itself', async (t) => {
    await broker.createTopic('wide', { partitions: 2000 });
    t.after(() => broker.deleteTopic('wide'));
    const client = await openConnected(t, broker, { ...small, spillBudgetBytes: 64 * KiB, retryBackoffMs: 1 });
    const cluster = await client.setTopics(['wide']);
    assert.equal(cluster.partitionsForTopic('wide')?.size, 2000);
    await Promise.all(Array.from({ length: 10 }, () => client.refreshMetadata()));
    const response = await client.send(0, Metadata, { topics: [{ name: 'wide' }] });
    assert.equal(response.topics.at(0).partitions.length, 2000);
  });

  test('is refused as a configuration when it could hold no message at all', async () => {
    const starting = KafkaClient.start({ requestRingBytes: 4 * KiB, spillBytes: 64 * KiB });
    await assert.rejects(starting, (error) => {
      assert.ok(error instanceof KafkaConfigurationError, String(error));
      assert.match(error.message, /spillBytes is 65536; with requestRingBytes 4096 it may be at most \d+/);
      return true;
    });
  });
});
