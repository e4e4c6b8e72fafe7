// Wrong use by an application: it gets an error, and only its own call is affected.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AbortError, Fetch, KafkaClient, Metadata, UnknownTopicOrPartitionError } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { type Child, startChild } from './support/child.ts';
import { type Cleanup, failureOf, openConnected } from './support/client.ts';
import { byName, fetchRequest } from './support/requests.ts';
import type { MisuseArguments } from './support/scripts/misuse.ts';

let broker: EmbeddedBroker;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { logs: 1 } });
});

after(async () => {
  await broker.close();
});

function run(t: Cleanup, what: MisuseArguments['what'], options: MisuseArguments['options'] = {}): Child {
  const args: MisuseArguments = { options: { bootstrapServers: broker.bootstrapServers, ...options }, what };
  return startChild(t, 'misuse', args);
}

test('a failed request that nobody awaits is logged with the place of the call', {
  timeout: 300_000,
}, async (t) => {
  const { exitCode, stdout } = await run(t, 'forgotten-await').ended;
  const lines = stdout.trim().split('\n');
  assert.equal(lines[0], 'closed');
  assert.match(lines[1]!, /^KAFKA_FAILURE_UNSEEN: .*forgetToAwait .*misuse.*UnknownBrokerIdError: node 7 is not part/);
  assert.equal(lines.length, 2);
  assert.equal(exitCode, 0);
});

test('an endless recursion of callbacks ends, and the client goes on', { timeout: 300_000 }, async (t) => {
  const { exitCode, stdout } = await run(t, 'endless-recursion', { logLevel: 'silent' }).ended;
  assert.match(stdout, /^(the outermost call: .*\n)?deep\nafterwards: 1 broker\nclosed\n$/);
  assert.equal(exitCode, 0);
});

test('a thread that blocks in pollSync notices that the network thread has ended', { timeout: 300_000 }, async (t) => {
  await broker.control(Fetch, { holdUntil: 'never' }, { times: 1 });
  // Only a look at the thread itself can tell: its time to be counted as stuck is not over for days.
  const { exitCode, stdout } = await run(t, 'blocked-without-thread', { networkThreadTimeoutMs: 2 ** 31 - 1 }).ended;
  await broker.release('never');
  assert.match(stdout, /^NetworkThreadError\nKAFKA_NETWORK_THREAD_LOST: .*has ended.*\nclosed\n$/);
  assert.equal(exitCode, 0);
});

test('an abort signal ends a request; the next request on the connection is answered', async (t) => {
  const client = await openConnected(t, broker, { clientId: 'aborting' });
  await broker.control(Fetch, { holdUntil: 'aborted' }, { times: 1, clientId: 'aborting' });
  const controller = new AbortController();
  const request = client.send(0, Fetch, fetchRequest('logs'), { ...byName, signal: controller.signal });
  await broker.waitForHeld('aborted');
  controller.abort(new Error('enough'));
  const error = await failureOf(request);
  assert.ok(error instanceof AbortError);
  assert.equal((error.cause as Error).message, 'enough');
  assert.equal(client.inFlightRequestCount(), 0);
  assert.equal(client.inFlightRequestCount(0), 1, 'the broker still owes the answer');
  const next = client.send(0, Metadata, { topics: [] });
  await broker.release('aborted');
  assert.equal((await next).brokers.length, 1);
  assert.equal(client.inFlightRequestCount(0), 0);
  const refused = client.send(0, Metadata, { topics: [] }, { signal: controller.signal });
  assert.ok((await failureOf(refused)) instanceof AbortError);
});

test('abort signals end start and awaitReady', async (t) => {
  const controller = new AbortController();
  const starting = KafkaClient.start({
    bootstrapServers: '127.0.0.1:1',
    logLevel: 'silent',
    signal: controller.signal,
  });
  controller.abort();
  await assert.rejects(starting, AbortError);
  const client = await openConnected(t, broker);
  const waiting = new AbortController();
  const ready = client.awaitReady(-7, { signal: waiting.signal });
  waiting.abort();
  await assert.rejects(ready, AbortError);
});

test('unknown options are refused by name, and the error suggests the nearest option', async (t) => {
  const client = await openConnected(t, broker);
  const misspelt = { timeoutMS: 5 } as object;
  assert.throws(
    () => client.send(0, Metadata, { topics: [] }, misspelt),
    /unknown option "timeoutMS"; did you mean timeoutMs/,
  );
  assert.throws(
    () => client.send(0, Metadata, { topics: [] }, { retries: 5 } as object),
    /it takes version, timeoutMs, lane, sig/,
  );
  const controller = new AbortController() as never;
  assert.throws(() => client.send(0, Metadata, { topics: [] }, { signal: controller }), /controller\.signal/);
  await assert.rejects(client.awaitReady(0, misspelt), TypeError);
  await assert.rejects(client.checkVersion(0, { timeout_ms: 5 } as object), /did you mean timeoutMs/);
  await assert.rejects(client.poll(0, null, { sgnal: 1 } as object), TypeError);
  await assert.rejects(client.poll(5, null, { signal: controller }), /controller\.signal/);
  assert.throws(() => client.responses({ signal: controller }), TypeError);
  assert.equal(client.inFlightRequestCount(), 0);
});

test("awaitTopic fails with the broker's error for a misspelt topic, and resolves with the cluster for a topic that exists", async (t) => {
  const client = await openConnected(t, broker);
  const cluster = await client.awaitTopic('logs');
  assert.equal(cluster.topicError('logs'), null);
  assert.deepEqual(cluster.partitionsForTopic('logs'), new Set([0]));
  await assert.rejects(client.awaitTopic('lgos', { timeoutMs: 300 }), UnknownTopicOrPartitionError);
  assert.equal(cluster.topicError('lgos')?.name, 'UnknownTopicOrPartitionError');
  const controller = new AbortController();
  const waiting = client.awaitTopic('lgos', { signal: controller.signal });
  controller.abort();
  await assert.rejects(waiting, AbortError);
});
