// The life of a client: start with and without a configured version, all ways to close, several clients at once.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  ApiVersions,
  Cancelled,
  Fetch,
  KafkaClient,
  KafkaConfigurationError,
  Metadata,
  NodeNotReadyError,
  Produce,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { failureOf, openClient, openConnected } from './support/client.ts';
import { byName, fetchRequest, produceRequest } from './support/requests.ts';

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

describe('a client', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { logs: 1 } });
  });

  after(async () => {
    await broker.close();
  });

  const options = () => ({ ...patient, bootstrapServers: broker.bootstrapServers, closeTimeoutMs: 0 });

  test('starts with the version of the broker and the versions of its APIs', async (t) => {
    const client = await openClient(t, options());
    assert.deepEqual(client.apiVersion, [4, 4]);
    const versions = client.getApiVersions()!;
    assert.deepEqual(versions.get(Metadata.key), { min: 0, max: 13 });
    assert.deepEqual(versions.get(ApiVersions.key), { min: 0, max: 5 });
    assert.equal(versions.get(9999), undefined);
  });

  test('knows the cluster when start is done', async (t) => {
    const client = await openClient(t, options());
    assert.deepEqual(
      client.cluster.brokers().map(({ nodeId }) => nodeId),
      [0],
    );
    assert.equal(client.cluster.clusterId, 'embedded-cluster-000000');
    assert.equal(client.bootstrapConnected(), true);
  });

  test('does not wait for a server if apiVersion is configured, and connects when it is asked', async (t) => {
    const client = await openClient(t, { bootstrapServers: '127.0.0.1:1', apiVersion: [2, 8] });
    assert.deepEqual(client.apiVersion, [2, 8]);
    assert.deepEqual(client.getApiVersions()!.get(Metadata.key), { min: 0, max: 11 });
    const other = await openClient(t, { ...options(), apiVersion: [4, 0] });
    await other.awaitReady(-1);
    const response = await other.send(-1, ApiVersions, { clientSoftwareName: 'test', clientSoftwareVersion: '1' });
    assert.equal(response.errorCode, 0);
  });

  test('fails to start with a wrong configuration, and the error names every problem', async () => {
    const starting = KafkaClient.start({
      bootstrapServers: 'one:port',
      requestTimeoutMs: 0,
      // @ts-expect-error: a key of kafka-python
      request_timeout_ms: 1,
    });
    await assert.rejects(starting, (error) => {
      assert.ok(error instanceof KafkaConfigurationError);
      assert.equal(error.problems.length, 3);
      assert.match(error.message, /did you mean 'requestTimeoutMs'/);
      assert.match(error.message, /requestTimeoutMs must be an integer from 1 to 2147483647, not 0/);
      assert.match(error.message, /port 'port'/);
      return true;
    });
  });

  test('is closed at the end of its block by await using', async () => {
    let seen: KafkaClient;
    {
      await using client = await KafkaClient.start(options());
      seen = client;
      await client.awaitReady(0);
    }
    assert.equal(seen.connected(0), false);
    assert.equal(seen.isReady(0), false);
    await broker.waitForConnections(0);
  });

  test('closes all its connections', async (t) => {
    const client = await openConnected(t, broker);
    assert.ok((await broker.stats()).openConnections >= 1);
    await client.close();
    await broker.waitForConnections(0);
  });

  test('can be closed twice, one after the other and at the same time', async (t) => {
    const client = await openConnected(t, broker);
    const first = client.close();
    const second = client.close();
    assert.equal(first, second);
    await Promise.all([first, second]);
    await client.close();
  });

  test('can be closed while it is connecting', async (t) => {
    const client = await openClient(t, { ...options(), apiVersion: [4, 0] });
    client.maybeConnect(-1);
    await client.close();
    await broker.waitForConnections(0);
  });

  test('refuses everything after close, and does not throw', async (t) => {
    const client = await openConnected(t, broker);
    await client.close();
    const error = await failureOf(client.send(0, Metadata, { topics: [] }));
    assert.ok(error instanceof NodeNotReadyError);
    assert.match(error.message, /closed/);
    assert.equal(error.retriable, false);
    assert.equal(((await failureOf(client.refreshMetadata())) as Cancelled).retriable, false);
    assert.equal(client.connected(0), false);
    assert.equal(client.isReady(0), false);
    assert.equal(client.ready(0), false);
    assert.equal(client.maybeConnect(0), false);
    assert.equal(client.inFlightRequestCount(), 0);
    assert.deepEqual(await client.poll(1000), []);
    assert.deepEqual(client.pollSync(1000), []);
    client.wakeup();
    client.close(0);
    await assert.rejects(client.awaitReady(0), Cancelled);
    assert.ok((await failureOf(client.refreshMetadata())) instanceof Cancelled);
    assert.ok((await failureOf(client.setTopics(['logs']))) instanceof Cancelled);
  });

  test('waits for requests in flight when it is closed', async (t) => {
    const client = await openConnected(t, broker, { closeTimeoutMs: 30_000 });
    await broker.control(Fetch, { holdUntil: 'close-waits' }, { times: 1 });
    const fetched = client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), byName);
    await broker.waitForHeld('close-waits');
    let isClosed = false;
    const closed = client.close().then(() => {
      isClosed = true;
    });
    // What is sent now is refused, what was sent before goes on.
    assert.ok((await failureOf(client.send(0, Metadata, { topics: [] }))) instanceof NodeNotReadyError);
    assert.equal(isClosed, false);
    assert.equal(fetched.isDone, false);
    await broker.release('close-waits');
    await closed;
    assert.equal(fetched.succeeded, true);
  });

  test('fails requests without an answer when closeTimeoutMs is over, and is closed', async (t) => {
    const client = await openConnected(t, broker, { closeTimeoutMs: 50 });
    const rule = await broker.control(Fetch, { answer: 'never' });
    const fetched = client.send(0, Fetch, fetchRequest('logs'), byName);
    await client.close();
    assert.ok(fetched.exception instanceof Cancelled);
    assert.equal(fetched.retriable, false, 'a client that is closed answers nothing, however often it is asked');
    await rule.remove();
    await broker.waitForConnections(0);
  });

  test('does not wait for requests of a lost broker when it is closed', async (t) => {
    const client = await openConnected(t, broker, { closeTimeoutMs: 60_000 });
    const rule = await broker.control(Fetch, { answer: 'never' });
    const fetched = client.send(0, Fetch, fetchRequest('logs'), byName);
    await broker.waitForRequests(Fetch, 1);
    const closed = client.close();
    await broker.closeConnections('reset');
    await closed;
    assert.equal(fetched.failed, true);
    await rule.remove();
  });

  test('is closed already when callbacks of requests run that close has failed', async (t) => {
    const client = await openConnected(t, broker);
    const rule = await broker.control(Fetch, { answer: 'never' });
    const seen: unknown[] = [];
    client.send(0, Fetch, fetchRequest('logs'), byName).addErrback((error) => {
      seen.push(error.name, client.isReady(0), client.inFlightRequestCount());
      void client.close();
    });
    await client.close();
    assert.deepEqual(seen, ['Cancelled', false, 0]);
    await rule.remove();
  });

  test('has a network thread of its own, so that it can end without disturbing another client', async (t) => {
    const clients = await Promise.all([1, 2, 3].map(() => openConnected(t, broker)));
    const produced = clients.map((client, i) =>
      client.send(0, Produce, produceRequest('logs', [{ value: `from ${i}` }]), byName),
    );
    await Promise.all(produced);
    await clients[0]!.close();
    await clients[1]!.send(0, Metadata, { topics: [] });
    await clients[1]!.close();
    await clients[2]!.send(0, Metadata, { topics: [] });
    await waitFor('two clients to have gone', async () => (await broker.stats()).openConnections <= 2);
  });

  test('can live in a worker, and the end of the worker closes its connections', async (t) => {
    const worker = new Worker(new URL(`./support/scripts/in-worker${suffix}`, import.meta.url), {
      workerData: options(),
    });
    t.after(() => worker.terminate());
    const answers: unknown[] = [];
    worker.on('message', (answer) => answers.push(answer));
    await waitFor('the worker to have asked', () => answers.length === 3);
    assert.deepEqual(answers, ['embedded-cluster-000000', 'embedded-cluster-000000', 'still open']);
    await waitFor('its connections', async () => (await broker.stats()).openConnections > 0);
    await worker.terminate();
    await broker.waitForConnections(0);
  });

  test('can be closed during a metadata request, and that request fails', async (t) => {
    const client = await openConnected(t, broker);
    await broker.control(Metadata, { holdUntil: 'metadata' }, { times: 1 });
    const refreshed = client.refreshMetadata();
    await broker.waitForHeld('metadata');
    await client.close();
    assert.ok((await failureOf(refreshed)) instanceof Cancelled);
    await broker.release('metadata');
  });
});
