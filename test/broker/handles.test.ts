// Handles of clients, producers and consumers: what is no handle, or is one no longer, is refused in words, and alike for all three.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Cancelled, Consumer, IllegalStateError, KafkaClient, NetworkThreadError, Producer } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

interface Shared {
  readonly transferList: readonly MessagePort[];
}

/** One of the three things that can be shared. */
interface Sharing {
  readonly original: { close(): PromiseLike<unknown> };
  share(): Shared;
  attach(handle: unknown): Promise<{ close(): PromiseLike<unknown> }>;
}

const kinds: Record<'client' | 'producer' | 'consumer', (client: KafkaClient) => Promise<Sharing>> = {
  client: async (client) => {
    const original = await KafkaClient.attach(client.share());
    return { original, share: () => original.share(), attach: (handle) => KafkaClient.attach(handle as never) };
  },
  producer: async (client) => {
    const original = await client.producer();
    return { original, share: () => original.share(), attach: (handle) => Producer.attach(handle as never) };
  },
  consumer: async (client) => {
    const original = await client.consumer({ assign: [{ topic: 'logs', partition: 0 }] });
    return { original, share: () => original.share(), attach: (handle) => Consumer.attach(handle as never) };
  },
};
const names = ['client', 'producer', 'consumer'] as const;

function isEndOf(error: unknown): boolean {
  return error instanceof IllegalStateError || error instanceof Cancelled || error instanceof NetworkThreadError;
}

for (const kind of names) {
  describe(`a handle of a ${kind}`, () => {
    let broker: EmbeddedBroker;
    let client: KafkaClient;
    let sharing: Sharing;

    before(async () => {
      broker = await startEmbeddedBroker({ topics: { logs: {} } });
    });
    after(() => broker.close());
    beforeEach(async () => {
      client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
      sharing = await kinds[kind](client);
    });
    afterEach(() => client.close());

    test('is required: the error for another value says what was passed', async () => {
      const text = new RegExp(`attach takes a handle that \`${kind}\\.share\\(\\)\` returned`);
      for (const wrong of [null, undefined, 3, 'handle', {}, []]) {
        await assert.rejects(sharing.attach(wrong), { name: 'TypeError', message: text });
      }
      await assert.rejects(sharing.attach(sharing.original), { name: 'TypeError', message: /not a client, producer/ });
      for (const other of names) {
        if (other === kind) continue;
        const { share } = await kinds[other](client);
        await assert.rejects(sharing.attach(share()), { message: new RegExp(`not a handle of a ${other}`) });
      }
    });

    test('needs its transfer list, and cannot be sent to another process', async () => {
      const handle = sharing.share();
      assert.throws(() => structuredClone(handle), /transfer/i);
      const copy = JSON.parse(JSON.stringify(handle)) as unknown;
      await assert.rejects(sharing.attach(copy), { name: 'TypeError', message: /another process/ });
      await (await sharing.attach(handle)).close();
    });

    test('of another version is refused, and can still be opened by its own version', async () => {
      const handle = sharing.share();
      for (const layout of [1, 99, undefined, 'x']) {
        await assert.rejects(sharing.attach({ ...handle, layout }), {
          name: 'IllegalStateError',
          message: /another version of offthread-kafka/,
        });
      }
      await (await sharing.attach(handle)).close();
    });

    test('opens once, even if two threads try at the same time', async () => {
      const handle = sharing.share();
      const outcomes = await Promise.allSettled([sharing.attach(handle), sharing.attach(handle)]);
      const opened = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      assert.equal(opened.length, 1);
      const again = { name: 'IllegalStateError', message: /attached before.*make another one/ };
      await assert.rejects(sharing.attach(handle), again);
      await opened[0]!.value.close();
      await assert.rejects(sharing.attach(handle), again);
    });

    test('that was sent to another thread is refused here', async () => {
      const handle = sharing.share();
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(handle, [...handle.transferList]);
      await assert.rejects(sharing.attach(handle), { name: 'IllegalStateError', message: /sent to another thread/ });
      port1.close();
      port2.close();
    });

    test(`is refused when its ${kind} is closed, and no new handle can be made`, async () => {
      const late = sharing.share();
      await sharing.original.close();
      assert.throws(() => sharing.share(), { name: 'IllegalStateError', message: /closed/ });
      // An attached client is only one of several on its network thread, so its handle still opens.
      if (kind === 'client') await (await sharing.attach(late)).close();
      else await assert.rejects(sharing.attach(late), { name: 'IllegalStateError', message: /closed|ended/ });
    });

    test('is refused when the network thread ends or has ended', async () => {
      const [early, late, last] = [sharing.share(), sharing.share(), sharing.share()];
      const opening = sharing.attach(early);
      const closing = client.close();
      const outcomes = await Promise.allSettled([opening, sharing.attach(late)]);
      // Each may have been attached just before. Then it ends with the client.
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') await outcome.value.close();
        else assert.ok(isEndOf(outcome.reason), String(outcome.reason));
      }
      await closing;
      await assert.rejects(sharing.attach(last), isEndOf);
      assert.throws(() => sharing.share(), IllegalStateError);
    });
  });
}
