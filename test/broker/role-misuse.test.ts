// What an application does to Futures of a producer or a consumer, and what its code throws, reaches no further than its own call.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KafkaClient } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { openClient } from './support/client.ts';

const oddities: readonly [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a symbol', Symbol('thrown')],
  ['an object without a prototype', Object.create(null)],
  ['an error whose message throws', Object.defineProperty(new Error(), 'message', { get: () => assert.fail('read') })],
];

/** A Future of any value, as the application may settle it. */
interface Settled extends PromiseLike<unknown> {
  success(value: unknown): unknown;
  failure(error: Error): unknown;
}

async function ended(future: PromiseLike<unknown>): Promise<unknown> {
  return future.then(
    (value) => value,
    (error: unknown) => error,
  );
}

describe('roles and an application that misbehaves', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 1, topics: { t: 1 } });
  });

  after(() => broker.close());

  function client(t: Parameters<typeof openClient>[0]): Promise<KafkaClient> {
    return openClient(t, { bootstrapServers: broker.bootstrapServers, logLevel: 'silent' });
  }

  function settle(future: Settled, how: 'success' | 'failure'): void {
    if (how === 'success') future.success('mine');
    else future.failure(new Error('mine'));
  }

  for (const how of ['success', 'failure'] as const) {
    test(`a producer goes on when the application has settled its Futures by ${how}`, async (t) => {
      const producer = await (await client(t)).producer();
      const futures = [
        producer.send('t', { value: 'a' }),
        producer.sendAll('t', [{ value: 'b' }]),
        producer.flush(),
      ] as unknown as Settled[];
      for (const future of futures) settle(future, how);
      const { topic } = await producer.send('t', { value: 'c' });
      assert.equal(topic, 't');
      await Promise.all(futures.map(ended));
      const closing = producer.close();
      settle(closing as unknown as Settled, how);
      await ended(closing);
    });

    test(`a consumer goes on when the application has settled its Futures by ${how}`, async (t) => {
      const consumer = await (await client(t)).consumer({ autoOffsetReset: 'earliest' });
      const partition = { topic: 't', partition: 0 };
      await consumer.assign([partition]);
      const futures = [consumer.pause(), consumer.resume(), consumer.endOffsets([partition])] as unknown as Settled[];
      for (const future of futures) settle(future, how);
      const [end] = await consumer.endOffsets([partition]);
      assert.notEqual(end, undefined);
      await Promise.all(futures.map(ended));
      await consumer.close();
    });
  }

  for (const [what, thrown] of oddities) {
    test(`records that throw ${what} fail their own sendAll; the producer goes on`, async (t) => {
      const producer = await (await client(t)).producer();
      const records = function* () {
        yield { value: 'before' };
        throw thrown;
      };
      const error = await ended(producer.sendAll('t', records()));
      assert.ok(error instanceof Error);
      const behind = await producer.send('t', { value: 'behind' });
      assert.equal(behind.partition, 0);
      await producer.close();
    });

    test(`a serializer that rejects with ${what} fails its own record; the producer goes on`, async (t) => {
      let isOdd = true;
      const producer = await (await client(t)).producer<string, string>({
        serializeValue: (value) => (isOdd ? Promise.reject(thrown) : Promise.resolve(Buffer.from(value))),
      });
      const error = await ended(producer.send('t', { value: 'odd' }));
      assert.ok(error instanceof Error);
      isOdd = false;
      const behind = await producer.send('t', { value: 'behind' });
      assert.equal(behind.partition, 0);
      await producer.close();
    });
  }

  test('an option that no administration call knows is refused, and nothing is changed', async (t) => {
    const admin = (await client(t)).admin();
    const misspelt = { validateonly: true } as object;
    await assert.rejects(async () => admin.createTopics([{ name: 'made-by-mistake' }], misspelt), {
      name: 'TypeError',
      message: /createTopics: unknown option .validateonly.; did you mean validateOnly\?/,
    });
    const names = (await admin.listTopics()).map(({ name }) => name);
    assert.deepEqual(names, ['t']);
    await assert.rejects(async () => admin.listTopics({ timeoutMS: 5 } as object), /did you mean timeoutMs/);
    const other = await client(t);
    assert.throws(() => other.admin({ timeoutMS: 5 } as object), /did you mean timeoutMs/);
  });

  test('an option that no call of a producer knows is refused, and nothing is sent', async (t) => {
    const producer = await (await client(t)).producer();
    const record = { value: 'x' };
    for (const options of [{ lingerMS: 5 }, { timeoutMs: 5 }] as object[]) {
      assert.throws(() => producer.send('t', record, options), { name: 'TypeError', message: /send: unknown option/ });
    }
    assert.throws(() => producer.close({ timeoutMS: 5 } as object), /did you mean timeoutMs/);
    assert.throws(() => producer.on('fail' as 'failure', () => {}), { name: 'TypeError', message: /not .fail./ });
    assert.equal((await producer.send('t', record)).topic, 't');
    assert.equal((await producer.flush()).records, 1);
    await producer.close();
  });
});
