import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { KafkaConnectionError, RequestTimedOutError } from '../../../../src/common/errors/errors.ts';
import type { Cluster } from '../../../../src/main/client/cluster.ts';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { Future } from '../../../../src/main/link/future.ts';
import { InFlight } from '../../../../src/main/link/in-flight.ts';
import { ResponseAdapter } from '../../../../src/main/link/response-adapter.ts';
import { ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { AttachmentOptions } from '../../../../src/ring/attachment.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { FakeThread } from '../support/fake-thread.ts';

let thread: FakeThread;
let inFlight: InFlight;
let cluster: Cluster;
let adapter: ResponseAdapter;

function start(options: Partial<AttachmentOptions> = {}): void {
  thread = new FakeThread(options);
  inFlight = new InFlight();
  const writer = new ClusterWriter([{ host: 'boot', port: 9092 }]);
  cluster = writer.cluster;
  adapter = new ResponseAdapter(thread.application, inFlight, writer);
}

afterEach(() => {
  adapter.close();
  thread.close();
});

type View = { groups: Iterable<{ groupId: string }> };

function send(requestId: number, nodeId = 1): Future<View> {
  const future = new Future<View>();
  inFlight.add({ requestId, nodeId, api: ListGroups, future: future as Future<unknown>, expectsResponse: true });
  return future;
}

const named = (groupId: string) => ({ groups: [{ groupId }] });
const nameOf = (view: View | undefined) => [...view!.groups][0]!.groupId;

test('a response completes its future with a view', () => {
  start();
  const future = send(5);
  thread.respond(5, ListGroups, named('a'));
  assert.equal(future.isDone, false);
  assert.equal(adapter.hasWork(), true);
  assert.equal(adapter.drain(), 1);
  assert.equal(nameOf(future.value), 'a');
  assert.equal(inFlight.size, 0);
  assert.equal(adapter.hasWork(), false);
  assert.equal(adapter.drain(), 0);
});

test('a view owns its memory, and stays unchanged when the ring is written over', () => {
  start();
  const first = send(1);
  thread.respond(1, ListGroups, named('the first'));
  adapter.drain();
  for (let i = 2; i < 2000; i++) {
    send(i);
    thread.respond(i, ListGroups, named(`${i} ${'x'.repeat(100)}`));
    adapter.drain();
  }
  assert.equal(nameOf(first.value), 'the first');
});

test('a view of a moved body owns its memory too', () => {
  start({ spillBytes: 1024 });
  const futures = [1, 2, 3].map((requestId) => {
    const future = send(requestId);
    thread.respond(requestId, ListGroups, named(`${requestId}${'x'.repeat(5000)}`));
    return future;
  });
  adapter.drain();
  for (const [i, { value }] of futures.entries()) assert.equal(nameOf(value)[0], String(i + 1));
});

test('a failure frame becomes an error of its class with the node id', () => {
  start();
  const future = send(5, 3);
  const cause = new RequestTimedOutError('too late', { nodeId: 3, apiKey: 16, correlationId: 9 });
  thread.fail(5, 3, new KafkaConnectionError('given up', { cause }));
  adapter.drain();
  const error = future.exception as KafkaConnectionError;
  assert.ok(error instanceof KafkaConnectionError);
  assert.equal(error.nodeId, 3);
  assert.ok(error.cause instanceof RequestTimedOutError);
  assert.equal(error.cause.correlationId, 9);
  assert.equal(future.retriable, true);
});

test('an answer without a body is null, as for a Produce with acks 0', () => {
  start();
  const future = send(5);
  const span = adapter.log.begin();
  thread.sent(5);
  adapter.drain();
  assert.equal(future.succeeded, true);
  assert.equal(future.value, null);
  assert.deepEqual(adapter.log.finish(span), []);
});

test('answers to requests that are already settled are counted and dropped', () => {
  start();
  const span = adapter.log.begin();
  thread.respond(77, ListGroups, named('late'));
  thread.fail(78, 1, new KafkaConnectionError('late'));
  thread.sent(79);
  assert.equal(adapter.drain(), 3);
  assert.equal(adapter.lateResponses, 3);
  assert.deepEqual(adapter.log.finish(span), []);
});

test('metadata swaps the snapshot and counts as a response', () => {
  start();
  const span = adapter.log.begin();
  const heard: number[] = [];
  cluster.addListener(({ updateId }) => heard.push(updateId));
  thread.metadata(4, { brokers: [{ nodeId: 1, host: 'h', port: 1 }], clusterId: 'c' });
  adapter.drain();
  assert.equal(cluster.updateId, 4);
  assert.equal(cluster.clusterId, 'c');
  assert.deepEqual(heard, [4]);
  assert.equal(adapter.log.finish(span).length, 1);
});

test('each span lists the responses between its begin and its end, in order', () => {
  start();
  const early = adapter.log.begin();
  send(1);
  thread.respond(1, ListGroups, named('1'));
  adapter.drain();
  const late = adapter.log.begin();
  send(2);
  thread.respond(2, ListGroups, named('2'));
  adapter.drain();
  const earlyList = adapter.log.finish(early) as View[];
  send(3);
  thread.respond(3, ListGroups, named('3'));
  adapter.drain();
  assert.deepEqual(earlyList.map(nameOf), ['1', '2']);
  assert.deepEqual((adapter.log.finish(late) as View[]).map(nameOf), ['2', '3']);
});

test('an answer is dropped if the application has completed its Future, and later answers are delivered', () => {
  start();
  const mine = send(1);
  const failed = send(2);
  const next = send(3);
  mine.failure(new Error('my own time-out'));
  failed.success(null as never);
  thread.respond(1, ListGroups, named('a'));
  thread.fail(2, 1, new KafkaConnectionError('b'));
  thread.respond(3, ListGroups, named('c'));
  let isBroken = false;
  adapter.onBroken = () => {
    isBroken = true;
  };
  assert.equal(adapter.drain(), 3);
  assert.equal(isBroken, false);
  assert.equal(nameOf(next.value), 'c');
  assert.equal(mine.exception?.message, 'my own time-out');
  assert.equal(inFlight.size, 0);
});

test('polls are compared modulo 2^32', () => {
  start();
  assert.equal(adapter.hasPolled(1), false);
  thread.polled(1);
  adapter.drain();
  assert.equal(adapter.hasPolled(1), true);
  assert.equal(adapter.hasPolled(2), false);
  thread.polled(0x7fffffff);
  adapter.drain();
  thread.polled(0xffffffff);
  adapter.drain();
  assert.equal(adapter.hasPolled(0xffffffff), true);
  assert.equal(adapter.hasPolled(0), false);
  thread.polled(0);
  adapter.drain();
  assert.equal(adapter.hasPolled(0), true);
  assert.equal(adapter.hasPolled(0xffffffff), true);
});

test('onProgress is called once for each drain that took something', () => {
  start();
  let progress = 0;
  adapter.onProgress = () => {
    progress++;
  };
  adapter.drain();
  assert.equal(progress, 0);
  for (const requestId of [1, 2, 3]) {
    send(requestId);
    thread.respond(requestId, ListGroups, named('x'));
  }
  adapter.drain();
  assert.equal(progress, 1);
});

test('a drain with a limit leaves the rest for later', () => {
  start();
  const futures = [1, 2, 3].map((requestId) => send(requestId));
  for (const requestId of [1, 2, 3]) thread.respond(requestId, ListGroups, named('x'));
  assert.equal(adapter.drain(2), 2);
  assert.deepEqual(
    futures.map(({ isDone }) => isDone),
    [true, true, false],
  );
  assert.equal(adapter.hasWork(), true);
});

test('a callback can drain, send and settle other requests in the middle of a drain', () => {
  start();
  const log: string[] = [];
  const first = send(1);
  send(2).addCallback((view) => log.push(nameOf(view)));
  const third = send(3);
  first.addCallback((view) => {
    log.push(nameOf(view));
    adapter.drain();
    inFlight.take(3)?.future.failure(new KafkaConnectionError('taken back'));
    log.push('out');
  });
  for (const [i, name] of ['one', 'two', 'three'].entries()) thread.respond(i + 1, ListGroups, named(name));
  adapter.drain();
  assert.deepEqual(log, ['one', 'two', 'out']);
  assert.equal(nameOf(third.value), 'three');
});

test('a writer that waits for room is notified after the drain', () => {
  start({ requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 1024 });
  const before = thread.rings;
  thread.network.responses.setWaiting(true);
  adapter.drain();
  assert.equal(thread.rings, before, 'nothing was released');
  send(1);
  thread.respond(1, ListGroups, named('x'));
  adapter.drain();
  assert.equal(thread.rings, before + 1);
  thread.network.responses.setWaiting(false);
  send(2);
  thread.respond(2, ListGroups, named('x'));
  adapter.drain();
  assert.equal(thread.rings, before + 1, 'a writer with room is left alone');
});

test('after listen the doorbell is enough, and frames are taken without a call', async () => {
  start();
  adapter.listen();
  const futures = Array.from({ length: 700 }, (_, i) => send(i + 1));
  // The first ring finds the adapter asleep, later ones find it at work, or asleep again.
  for (const [i] of futures.entries()) {
    thread.respond(i + 1, ListGroups, named('x'));
    if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
  }
  await waitFor('all futures', () => futures.every(({ isDone }) => isDone));
  const again = send(9000);
  thread.respond(9000, ListGroups, named('again'));
  await again;
});

test('frames that were there before listen are taken too, in slices', async () => {
  start({ responseRingBytes: 1 << 20 });
  const futures = Array.from({ length: 2000 }, (_, i) => send(i + 1));
  for (const [i] of futures.entries()) thread.respond(i + 1, ListGroups, named('x'));
  adapter.listen();
  assert.equal(futures[0]!.isDone, false, 'not inside the call');
  await futures[0];
  assert.equal(futures.at(-1)!.isDone, false, 'the event loop gets its turn in between');
  await futures.at(-1);
});

test('after close no frame is taken', async () => {
  start();
  adapter.listen();
  adapter.close();
  const future = send(1);
  thread.respond(1, ListGroups, named('x'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(future.isDone, false);
});

test('a leader that a response names is known before its callbacks run', () => {
  start();
  thread.metadata(1, {
    brokers: [{ nodeId: 1, host: 'one', port: 9092 }],
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 5 }] }],
  });
  const future = new Future<unknown>();
  inFlight.add({ requestId: 7, nodeId: 1, api: Produce, future, expectsResponse: true });
  const leaders: (number | null)[] = [];
  future.addCallback(() => leaders.push(cluster.leaderForPartition({ topic: 'orders', partition: 0 })));
  const currentLeader = { leaderId: 2, leaderEpoch: 6 };
  thread.respond(7, Produce, {
    responses: [{ name: 'orders', partitionResponses: [{ index: 0, errorCode: 6, currentLeader }] }],
    nodeEndpoints: [{ nodeId: 2, host: 'two', port: 9092 }],
  });
  adapter.drain();
  assert.deepEqual(leaders, [2]);
  assert.equal(cluster.brokerMetadata(2)!.host, 'two');
});
