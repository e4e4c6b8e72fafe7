// The tracing channel of send: what listeners hear of each record, and the headers that they add.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { after, before, test } from 'node:test';
import { KafkaClient, type ProduceTrace, produceChannelName } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

let broker: EmbeddedBroker;
let client: KafkaClient;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { traced: {} } });
  client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
});

after(async () => {
  await client?.close();
  await broker?.close();
});

test('a listener gets each record once for each event, and its headers are sent after those of the record', async () => {
  const channel = tracingChannel<unknown, ProduceTrace>(produceChannelName);
  const events: string[] = [];
  const listeners = {
    start: (trace: ProduceTrace) => {
      events.push(`start ${trace.topic}`);
      trace.headers.push(['traceparent', '00-1-2-01']);
    },
    end: () => void events.push('end'),
    asyncStart: (trace: ProduceTrace) => void events.push(`asyncStart ${trace.result?.offset ?? trace.error}`),
    asyncEnd: () => void events.push('asyncEnd'),
    error: (trace: ProduceTrace) => void events.push(`error ${(trace.error as Error).name}`),
  };
  channel.subscribe(listeners);
  const producer = await client.producer({ maxRequestSizeBytes: 10_000 });
  try {
    await producer.send('traced', { value: 'a', headers: { own: '1' } });
    assert.deepEqual(events.splice(0), ['start traced', 'end', 'asyncStart 0', 'asyncEnd']);
    await assert.rejects(producer.send('traced', { value: 'x'.repeat(20_000) }).then());
    const [start, ...others] = events.splice(0);
    assert.equal(start, 'start traced');
    assert.ok(others.includes('error RecordTooLargeError'), others.join());
  } finally {
    channel.unsubscribe(listeners);
  }
  await producer.send('traced', { value: 'b', headers: { own: '2' } });
  assert.deepEqual(events, [], 'nobody listens any more');
  await producer.close();
  const consumer = await client.consumer({ assign: [{ topic: 'traced', partition: 0, offset: 'earliest' }] });
  const headers: string[] = [];
  while (headers.length < 2) {
    const batch = await consumer.poll(120_000);
    for (const record of batch!) headers.push(record.headers.map(({ key, value }) => `${key}=${value}`).join());
    batch!.done();
  }
  assert.deepEqual(headers, ['own=1,traceparent=00-1-2-01', 'own=2']);
  await consumer.close();
});

test('send runs with the stores that are bound to the channel', async () => {
  const channel = tracingChannel<string, ProduceTrace>(produceChannelName);
  const store = new AsyncLocalStorage<string>();
  channel.start.bindStore(store, ({ topic }) => `span of ${topic}`);
  let seen: string | undefined;
  const producer = await client.producer<string, string>({
    serializeValue: (value) => {
      seen = store.getStore();
      return value;
    },
  });
  try {
    await producer.send('traced', { value: 'c' });
    assert.equal(seen, 'span of traced');
    assert.equal(store.getStore(), undefined);
  } finally {
    channel.start.unbindStore(store);
  }
  await producer.close();
});
