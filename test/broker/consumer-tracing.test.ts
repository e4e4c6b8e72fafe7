// The tracing channel of batches: what listeners hear, and in which stores handlers run.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { Consumer, type ConsumeTrace, consumeChannelName } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

const channel = tracingChannel<unknown, ConsumeTrace>(consumeChannelName);
const heard: string[] = [];
const hears =
  (event: string) =>
  (message: unknown): void => {
    const { topic, partition, groupId, batch, result, error } = message as ConsumeTrace;
    const outcome = result ?? (error as Error | undefined)?.message ?? '';
    heard.push(`${event} ${topic}-${partition} ${groupId} ${batch.firstOffset} ${outcome}`.trim());
  };
const listeners = {
  start: hears('start'),
  end: hears('end'),
  asyncStart: hears('asyncStart'),
  asyncEnd: hears('asyncEnd'),
  error: hears('error'),
};

describe('the tracing channel of batches', () => {
  let broker: EmbeddedBroker;
  let consumer: Consumer;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { t: 1 } });
    for (let i = 0; i < 4; i++) await broker.append('t', 0, [{ value: `${i}` }]);
  });

  after(() => broker.close());

  beforeEach(async () => {
    heard.length = 0;
    channel.subscribe(listeners);
    consumer = await Consumer.start({
      ...patient,
      bootstrapServers: broker.bootstrapServers,
      assign: [{ topic: 't', partition: 0, offset: 'earliest' }],
      batchMaxBytes: 1,
    });
  });

  afterEach(async () => {
    channel.unsubscribe(listeners);
    await consumer.close();
  });

  test('tells when a batch is handed out, and that it is done', async () => {
    const batch = await consumer.poll(20_000);
    assert.deepEqual(heard, ['start t-0 null 0', 'end t-0 null 0']);
    batch!.done();
    batch!.done();
    assert.deepEqual(heard.slice(2), ['asyncStart t-0 null 0 done', 'asyncEnd t-0 null 0 done']);
  });

  test('tells when a batch was given back and when one was lost', async () => {
    for await (const _ of consumer) break;
    assert.deepEqual(heard.slice(2), ['asyncStart t-0 null 0 returned', 'asyncEnd t-0 null 0 returned']);
    heard.length = 0;
    const batch = await consumer.poll(20_000);
    await consumer.seek({ topic: 't', partition: 0 }, 2);
    assert.equal(batch!.done(), 'lost');
    assert.deepEqual(heard.slice(2), ['asyncStart t-0 null 0 lost', 'asyncEnd t-0 null 0 lost']);
  });

  test('binds its stores to the handlers of run, and tells their errors', async () => {
    const store = new AsyncLocalStorage<string>();
    channel.start.bindStore(store, ({ batch }) => `batch ${batch.firstOffset}`);
    const seen: unknown[] = [];
    const failing = consumer.run(async ({ firstOffset }) => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      seen.push(store.getStore());
      if (firstOffset.eq(1)) throw new Error('no more');
    });
    await assert.rejects(failing, /no more/);
    channel.start.unbindStore(store);
    assert.deepEqual(seen, ['batch 0', 'batch 1']);
    assert.deepEqual(heard.slice(4), [
      'start t-0 null 1',
      'end t-0 null 1',
      'error t-0 null 1 no more',
      'asyncStart t-0 null 1 returned',
      'asyncEnd t-0 null 1 returned',
    ]);
  });

  test('does not tell of batches that were handed out before anybody listened', async () => {
    channel.unsubscribe(listeners);
    const batch = await consumer.poll(20_000);
    channel.subscribe(listeners);
    batch!.done();
    assert.deepEqual(heard, []);
  });
});
