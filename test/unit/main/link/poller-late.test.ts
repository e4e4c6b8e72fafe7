// Polls, and the end of a client, in a process that was stopped: what had come by then is read before they end.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { Future } from '../../../../src/main/link/future.ts';
import { InFlight } from '../../../../src/main/link/in-flight.ts';
import { NetworkProxy } from '../../../../src/main/link/network-proxy.ts';
import { Poller } from '../../../../src/main/link/poller.ts';
import { ResponseAdapter } from '../../../../src/main/link/response-adapter.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { POLL } from '../../../../src/ring/frames/kinds.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { FakeThread, type Posted } from '../support/fake-thread.ts';

const limitMs = 20;

let thread: FakeThread;
let inFlight: InFlight;
let adapter: ResponseAdapter;
let poller: Poller;
let request: Future<unknown>;

beforeEach(() => {
  thread = new FakeThread();
  inFlight = new InFlight();
  adapter = new ResponseAdapter(thread.application, inFlight, new ClusterWriter([{ host: 'b', port: 1 }]));
  poller = new Poller(thread.application, new NetworkProxy(thread.application), adapter);
  adapter.onProgress = () => poller.onProgress();
  request = new Future<unknown>();
  inFlight.add({ requestId: 1, nodeId: 1, api: ListGroups, future: request, expectsResponse: true });
});

afterEach(() => {
  poller.close();
  adapter.close();
  thread.close();
});

/** This thread does nothing for so long that a limit is found to be over late. */
function stop(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limitMs + 150);
}

async function fence(): Promise<Posted> {
  const posted = await waitFor('the fence', () => thread.take()[0]);
  assert.equal(posted.kind, POLL);
  return posted;
}

test('the network thread reads what has come before requests are given up', async () => {
  const settled = poller.untilSettled(inFlight, limitMs);
  stop();
  const { requestId } = await fence();
  thread.respond(1, ListGroups, { groups: [] });
  thread.polled(requestId);
  adapter.drain();
  await settled;
  assert.ok(request.isDone);
});

test('requests without an answer are given up then', async () => {
  const settled = poller.untilSettled(inFlight, limitMs);
  stop();
  const { requestId } = await fence();
  thread.polled(requestId);
  adapter.drain();
  await settled;
  assert.ok(!request.isDone);
});

test('requests are given up, too, when the network thread reads nothing', async () => {
  const settled = poller.untilSettled(inFlight, limitMs);
  stop();
  await fence();
  await settled;
  assert.ok(!request.isDone);
});

test('a poll for a Future ends after the network thread has read', async () => {
  const polled = poller.poll(limitMs, request, null);
  stop();
  const { requestId } = await fence();
  assert.ok(!request.isDone);
  thread.respond(1, ListGroups, { groups: [] });
  thread.polled(requestId);
  adapter.drain();
  assert.equal((await polled).length, 1);
  assert.ok(request.succeeded);
});

test('a poll for which nothing had come ends with nothing', async () => {
  const polled = poller.poll(limitMs, null, null);
  stop();
  const { requestId } = await fence();
  thread.polled(requestId);
  adapter.drain();
  assert.deepEqual(await polled, []);
});

for (const hasCome of [true, false]) {
  test(`a poll that blocks its thread lists what had come meanwhile: ${hasCome}`, () => {
    const asks: number[] = [];
    const answerFence = (): void => {
      const [{ kind, requestId }] = thread.take() as [Posted];
      asks.push(kind);
      if (hasCome) thread.respond(1, ListGroups, { groups: [] });
      thread.polled(requestId);
    };
    const sleeps = [stop, answerFence];
    thread.application.ownDoorbell.sleepSync = () => {
      sleeps.shift()!();
      return true;
    };
    assert.equal(poller.pollSync(limitMs, request).length, hasCome ? 1 : 0);
    assert.equal(request.isDone, hasCome);
    assert.deepEqual(asks, [POLL]);
  });
}
