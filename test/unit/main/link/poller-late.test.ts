// The end of a client in a process that was stopped: what had come by then is read before requests are given up.

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
let settled: Promise<void>;

beforeEach(() => {
  thread = new FakeThread();
  inFlight = new InFlight();
  adapter = new ResponseAdapter(thread.application, inFlight, new ClusterWriter([{ host: 'b', port: 1 }]));
  poller = new Poller(thread.application, new NetworkProxy(thread.application), adapter);
  adapter.onProgress = () => poller.onProgress();
  request = new Future<unknown>();
  inFlight.add({ requestId: 1, nodeId: 1, api: ListGroups, future: request, expectsResponse: true });
  settled = poller.untilSettled(inFlight, limitMs);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limitMs + 150);
});

afterEach(() => {
  poller.close();
  adapter.close();
  thread.close();
});

async function fence(): Promise<Posted> {
  const posted = await waitFor('the fence', () => thread.take()[0]);
  assert.equal(posted.kind, POLL);
  return posted;
}

test('the network thread reads what has come before requests are given up', async () => {
  const { requestId } = await fence();
  thread.respond(1, ListGroups, { groups: [] });
  thread.polled(requestId);
  adapter.drain();
  await settled;
  assert.ok(request.isDone);
});

test('requests without an answer are given up then', async () => {
  const { requestId } = await fence();
  thread.polled(requestId);
  adapter.drain();
  await settled;
  assert.ok(!request.isDone);
});

test('requests are given up, too, when the network thread reads nothing', async () => {
  await fence();
  await settled;
  assert.ok(!request.isDone);
});
