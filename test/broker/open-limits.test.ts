// One client, producer, consumer or handle too many: the application is told so, and what is open goes on.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Consumer, KafkaClient, Metadata, TooManyOpenError } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type Cleanup, openClient } from './support/client.ts';

const small = { requestRingBytes: 8192, responseRingBytes: 8192, spillBytes: 1024, spillBudgetBytes: 65_536 };
const maxClients = 1024;
const maxThreadsOfConsumer = 256;

describe('too many', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { t: {} } });
  });
  after(() => broker.close());

  const open = (t: Cleanup): Promise<KafkaClient> =>
    openClient(t, { bootstrapServers: broker.bootstrapServers, ...small });

  async function works(client: KafkaClient): Promise<void> {
    await client.awaitReady(0);
    assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1);
  }

  test('clients of one network thread: `share` or `attach` tells, and a place that becomes free can be used', async (t) => {
    const client = await open(t);
    await works(client);
    // The network thread counts them while this thread goes on, so the first refusals are told to those who attach.
    const handles: ReturnType<KafkaClient['share']>[] = [];
    let refused: unknown = null;
    while (refused === null) {
      try {
        handles.push(client.share());
      } catch (error) {
        refused = error;
      }
    }
    assert.ok(refused instanceof TooManyOpenError, String(refused));
    assert.equal(refused.code, 'KAFKA_TOO_MANY_OPEN');
    assert.ok(handles.length >= maxClients - 1, `${handles.length} handles`);
    for (const late of handles.splice(maxClients - 1)) await assert.rejects(KafkaClient.attach(late), TooManyOpenError);
    const last = await KafkaClient.attach(handles.at(-1)!);
    await works(last);
    assert.throws(() => last.share(), TooManyOpenError);
    await last.close();
    await waitFor('a free place', async () => {
      try {
        await (await KafkaClient.attach(client.share())).close();
        return true;
      } catch (error) {
        assert.ok(error instanceof TooManyOpenError, String(error));
        return false;
      }
    });
    await works(client);
  });

  test('threads of one consumer', async (t) => {
    const client = await open(t);
    const consumer = await client.consumer({ assign: [{ topic: 't', partition: 0 }] });
    const handles = Array.from({ length: maxThreadsOfConsumer }, () => consumer.share());
    await assert.rejects(Consumer.attach(handles.at(-1)!), TooManyOpenError);
    const shared = await Consumer.attach(handles[0]!);
    await shared.close();
    await consumer.close();
    await works(client);
  });
});
