// What a whole client tells of itself: the diagnostics channels, `inspect`, and the warning about a blocked thread.

import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import {
  type ClientEvent,
  eventChannelName,
  type KafkaClient,
  Metadata,
  type RequestEvent,
  requestChannelName,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { scriptUrl } from './support/child.ts';
import { openClient, openConnected } from './support/client.ts';
import type { BlockedData } from './support/scripts/blocked-attached.ts';

let broker: EmbeddedBroker;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { seen: {} } });
});
after(() => broker.close());

/** What is published on the channel until the test is over, or until the returned function is called. */
function listen<Message>(t: TestContext, name: string): { heard: Message[]; stop: () => void } {
  const heard: Message[] = [];
  const listener = (message: unknown): void => void heard.push(message as Message);
  channel(name).subscribe(listener);
  const stop = (): void => void channel(name).unsubscribe(listener);
  t.after(stop);
  return { heard, stop };
}

const ask = (client: KafkaClient): PromiseLike<unknown> => client.send(0, Metadata, { topics: [] });

describe('the channel of requests', () => {
  test('has each request of a client, whatever logLevel is', async (t) => {
    const { heard } = listen<RequestEvent>(t, requestChannelName);
    const client = await openConnected(t, broker, { logLevel: 'silent', clientId: 'seen' });
    await waitFor('the first requests', () => heard.some(({ api }) => api === 'ApiVersions'));
    const known = heard.length;
    await ask(client);
    await waitFor('the request', () =>
      heard.slice(known).some(({ api, nodeId }) => api === 'Metadata' && nodeId === 0),
    );
    const event = heard.slice(known).find(({ api }) => api === 'Metadata')!;
    assert.equal(event.clientId, 'seen');
    assert.equal(event.apiKey, Metadata.key);
    assert.equal(event.error, null);
    assert.ok(event.requestBytes > 20 && event.responseBytes > 20 && event.latencyMs > 0, JSON.stringify(event));
  });

  test('has a request that fails, with its error', async (t) => {
    const { heard } = listen<RequestEvent>(t, requestChannelName);
    const client = await openConnected(t, broker, { logLevel: 'silent' });
    await broker.control(Metadata, { answer: 'never' });
    const open = client.send(0, Metadata, { topics: [] });
    await client.poll(0);
    await broker.closeConnections('reset');
    await assert.rejects(async () => open);
    await broker.clearRules();
    await waitFor('the failure', () => heard.some(({ error }) => error !== null));
    const { api, error, responseBytes } = heard.find((each) => each.error !== null)!;
    assert.equal(api, 'Metadata');
    assert.equal((error as Error & { code: string }).code, 'KAFKA_CONNECTION');
    assert.equal(responseBytes, 0);
  });

  test('a client that runs already notices who begins to listen', async (t) => {
    const client = await openConnected(t, broker, { logLevel: 'silent' });
    const first = listen<RequestEvent>(t, requestChannelName);
    // The first request shows that somebody listens; the call that says so may come behind it.
    await waitFor('a request', async () => {
      await ask(client);
      return first.heard.length > 0;
    });
  });
});

test('the channel of events has changes of state and faults, whatever logLevel is', async (t) => {
  const { heard } = listen<ClientEvent>(t, eventChannelName);
  const client = await openConnected(t, broker, { logLevel: 'silent', clientId: 'watched' });
  client.cluster.addListener(() => {
    throw new TypeError('listener');
  });
  await client.refreshMetadata();
  await client.close();
  const named = (event: string): ClientEvent[] => heard.filter((each) => each.event === event);
  for (const event of ['connecting', 'connected', 'metadata-refreshed', 'disconnected', 'callback-threw']) {
    assert.ok(named(event).length > 0, `${event} in ${heard.map((each) => each.event).join()}`);
  }
  assert.ok(heard.every(({ clientId }) => clientId === 'watched'));
  assert.equal(named('callback-threw')[0]!.level, 'error');
  assert.equal(named('request').length, 0, 'these have a channel of their own');
});

describe('inspect', () => {
  test('shows connections, requests and links, as data and as a table', async (t) => {
    const client = await openConnected(t, broker, { clientId: 'shown' });
    const producer = await client.producer({ transactionalId: 'tx-1' });
    const consumer = await client.consumer({ groupId: 'group-1', topics: ['seen'] });
    await ask(client);
    const shown = client.inspect();
    assert.equal(shown.clientId, 'shown');
    assert.equal(shown.networkThread, 'running');
    const connection = shown.connections.find(({ nodeId }) => nodeId === 0)!;
    assert.equal(connection.state, 'connected');
    assert.equal(connection.name, 'broker 0');
    const { host, port } = client.cluster.brokerMetadata(0)!;
    assert.equal(connection.address, `${host}:${port}`);
    assert.equal(connection.attachment, null);
    const link = (name: string) => shown.links.find((each) => each.name === name)!;
    const requests = link('client, requests');
    assert.equal(requests.ringBytes, 1 << 20);
    assert.ok(requests.highWaterBytes > 0 && requests.highWaterBytes < requests.ringBytes, String(shown));
    assert.ok(link('client, responses').highWaterBytes > 0);
    assert.ok(link('producer tx-1, to the network thread').ringBytes > 0);
    assert.ok(link('consumer group-1, from it').ringBytes > 0);
    const text = String(shown);
    for (const words of ['shown in the main thread', 'broker 0', 'connected', 'high water', 'producer tx-1']) {
      assert.ok(text.includes(words), `${words} in\n${text}`);
    }
    assert.equal(inspect(shown), text, 'console.log shows the same');
    await producer.close();
    await consumer.close();
    assert.equal(client.inspect().links.length, 2, 'what is closed is not shown');
  });

  test('shows requests in flight and why a node cannot be reached', async (t) => {
    const client = await openConnected(t, broker);
    await broker.control(Metadata, { answer: 'never' });
    const open = client.send(0, Metadata, { topics: [] });
    await waitFor('the request', () => client.inspect().connections.some(({ inFlight }) => inFlight > 0));
    assert.equal(client.inspect().openRequests, 1);
    await broker.closeConnections('reset');
    await assert.rejects(async () => open);
    await broker.clearRules();
    // A node that has come back has no last error any more, so this client knows only a server that is not there.
    const lost = await openClient(t, { bootstrapServers: '127.0.0.1:1', apiVersion: [4, 0] });
    const down = () => lost.inspect().connections.find(({ lastError }) => lastError !== null);
    await waitFor('the failure', () => {
      lost.maybeConnect(-1);
      return down() !== undefined;
    });
    assert.equal(down()!.address, '127.0.0.1:1');
    assert.match(down()!.lastError!.message, /ECONNREFUSED/);
    assert.match(String(lost.inspect()), /last errors\nbootstrap 0: .*ECONNREFUSED/);
  });

  test('of a closed client shows that it is closed, and no connections', async (t) => {
    const client = await openConnected(t, broker);
    await client.close();
    const shown = client.inspect();
    assert.equal(shown.networkThread, 'closed');
    assert.deepEqual(shown.connections, []);
    assert.match(String(shown), /network thread closed/);
  });
});

test('a thread that reads nothing is told of by name, once, and once more when it reads again', async (t) => {
  const { heard } = listen<ClientEvent>(t, eventChannelName);
  const client = await openConnected(t, broker, { blockedThreadWarnMs: 500, metrics: true, logLevel: 'silent' });
  const handle = client.share();
  const gate = new SharedArrayBuffer(4);
  const workerData: BlockedData = { handle, gate };
  const worker = new Worker(new URL(scriptUrl('blocked-attached')), {
    workerData,
    transferList: [...handle.transferList],
  });
  t.after(() => worker.terminate());
  await once(worker, 'message');
  const { threadId } = worker;
  const of = (event: string) =>
    heard.filter((each) => each.event === event && each.message.startsWith(`thread ${threadId} `));
  await waitFor('the warning', async () => {
    // Metadata goes to every attached thread.
    await client.refreshMetadata();
    return of('thread-blocked').length > 0;
  });
  assert.match(of('thread-blocked')[0]!.message, /has read nothing of this client for \d+ ms .* \d+ bytes of \d+ wait/);
  assert.ok(client.metrics().metrics!['thread-blocked-total']! >= 1);
  assert.ok(client.metrics().metrics!['thread-blocked-time-max']! >= 500);
  Atomics.store(new Int32Array(gate), 0, 1);
  Atomics.notify(new Int32Array(gate), 0);
  await waitFor('the end of it', () => of('thread-unblocked').length > 0);
  assert.equal(of('thread-blocked').length, 1);
});
