import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { InvalidRequestError, RingFullError } from '../../../../src/common/errors/errors.ts';
import { NetworkProxy } from '../../../../src/main/link/network-proxy.ts';
import { Heartbeat, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { AttachmentOptions } from '../../../../src/ring/attachment.ts';
import { CONNECT, DISCONNECT, POLL, SEND } from '../../../../src/ring/frames/kinds.ts';
import { FakeThread } from '../support/fake-thread.ts';

let thread: FakeThread;
let proxy: NetworkProxy;

function start(options: Partial<AttachmentOptions> = {}): void {
  thread = new FakeThread(options);
  proxy = new NetworkProxy(thread.application);
}

afterEach(() => thread.close());

const tiny = { requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 64 * 1024 };
const heartbeat = { groupId: 'group', generationId: 7, memberId: 'member' };

/** Fills the request link; returns how many frames went in. */
function fill(): number {
  let count = 0;
  while (proxy.poll(1)) count++;
  return count;
}

test('a SEND frame holds id, node, API, version, timeout and the flat request', () => {
  start();
  assert.equal(proxy.send(0xffffffff, -7, Heartbeat, heartbeat, 3, 1234), null);
  const [posted] = thread.take();
  assert.equal(posted!.kind, SEND);
  assert.equal(posted!.requestId, 0xffffffff);
  assert.equal(posted!.nodeId, -7);
  assert.equal(posted!.apiKey, Heartbeat.key);
  assert.equal(posted!.version, 3);
  assert.equal(posted!.timeoutMs, 1234);
  const view = Heartbeat.readRequest(posted!.message) as unknown as typeof heartbeat;
  assert.equal(view.groupId, 'group');
  assert.equal(view.generationId, 7);
});

test('poll, connect and disconnect are frames without body', () => {
  start();
  assert.equal(proxy.poll(9), true);
  assert.equal(proxy.connect(-1), true);
  proxy.disconnect(4);
  assert.deepEqual(
    thread.take().map(({ kind, requestId, nodeId }) => [kind, requestId, nodeId]),
    [
      [POLL, 9, 0],
      [CONNECT, 0, -1],
      [DISCONNECT, 0, 4],
    ],
  );
});

test('the doorbell rings once for everything that is posted in one turn', async () => {
  start();
  for (let i = 0; i < 10; i++) proxy.send(i + 1, 1, ListGroups, {}, -1, -1);
  assert.equal(thread.rings, 0, 'not before the end of the turn');
  await Promise.resolve();
  assert.equal(thread.rings, 1);
  proxy.poll(1);
  await Promise.resolve();
  assert.equal(thread.rings, 2);
});

test('flush rings at once, and only if something was posted', async () => {
  start();
  proxy.flush();
  assert.equal(thread.rings, 0);
  proxy.connect(1);
  proxy.flush();
  assert.equal(thread.rings, 1);
  await Promise.resolve();
  assert.equal(thread.rings, 1);
});

test('a full link refuses: RingFullError names the node, nothing is posted', () => {
  start(tiny);
  const polls = fill();
  const refusal = proxy.send(5, 3, ListGroups, {}, -1, -1);
  assert.ok(refusal instanceof RingFullError);
  assert.equal(refusal.nodeId, 3);
  assert.equal(refusal.retriable, true);
  assert.equal(proxy.connect(1), false);
  assert.equal(thread.take().length, polls);
  assert.equal(proxy.send(6, 3, ListGroups, {}, -1, -1), null, 'room again');
});

test('a request that cannot be written throws, and the next request is written', () => {
  start();
  assert.throws(
    () => proxy.send(1, 1, Heartbeat, { ...heartbeat, generationId: 2 ** 40 }, -1, -1),
    (error: unknown) => error instanceof InvalidRequestError && /generationId/.test(error.message),
  );
  proxy.send(2, 1, Heartbeat, heartbeat, -1, -1);
  assert.deepEqual(
    thread.take().map(({ requestId }) => requestId),
    [2],
  );
});

test('a request that grows beyond spillBytes is moved and arrives whole', () => {
  start(tiny);
  const statesFilter = Array.from({ length: 2000 }, (_, i) => `state-${i}`);
  assert.equal(proxy.send(1, 1, ListGroups, { statesFilter }, -1, -1), null);
  const [posted] = thread.take();
  const view = ListGroups.readRequest(posted!.message) as unknown as { statesFilter: Iterable<string> };
  assert.deepEqual([...view.statesFilter], statesFilter);
});

test('a spent spill budget refuses, and leaves no message open', () => {
  start(tiny);
  const big = { statesFilter: Array.from({ length: 3000 }, (_, i) => `state-${i}`) };
  let refusal: RingFullError | null = null;
  let accepted = 0;
  while (refusal === null) {
    refusal = proxy.send(accepted + 1, 1, ListGroups, big, -1, -1);
    if (refusal === null) accepted++;
    assert.ok(accepted < 100);
  }
  assert.ok(accepted >= 1);
  assert.equal(proxy.send(99, 1, ListGroups, {}, -1, -1), null, 'a small one still fits');
  assert.equal(thread.take().length, accepted + 1);
  assert.equal(proxy.send(100, 1, ListGroups, big, -1, -1), null);
});

test('a disconnect without room is not lost, and nothing overtakes it', () => {
  start(tiny);
  fill();
  proxy.disconnect(4);
  proxy.disconnect(5);
  assert.equal(proxy.isDisconnecting(4), true);
  assert.equal(proxy.connect(4), false);
  assert.ok(proxy.send(1, 4, ListGroups, {}, -1, -1) instanceof RingFullError);
  thread.take();
  assert.equal(proxy.send(2, 4, ListGroups, {}, -1, -1), null);
  assert.deepEqual(
    thread.take().map(({ kind, nodeId }) => [kind, nodeId]),
    [
      [DISCONNECT, 4],
      [DISCONNECT, 5],
      [SEND, 4],
    ],
  );
});

test('a node counts as disconnecting until the network thread has taken the frame', () => {
  start();
  assert.equal(proxy.isDisconnecting(4), false);
  proxy.poll(1);
  proxy.disconnect(4);
  proxy.poll(2);
  assert.equal(proxy.isDisconnecting(4), true);
  assert.equal(proxy.isDisconnecting(5), false);
  thread.take(1);
  assert.equal(proxy.isDisconnecting(4), true);
  thread.take(1);
  assert.equal(proxy.isDisconnecting(4), false);
  proxy.disconnect(4);
  assert.equal(proxy.isDisconnecting(4), true, 'and again');
});

test('a closed node opens again even after the positions of the link have wrapped', () => {
  start({ requestRingBytes: 2 ** 22, responseRingBytes: 2 ** 22, spillBytes: 2 ** 20 });
  proxy.disconnect(4);
  thread.take();
  const request = {
    acks: -1,
    timeoutMs: 1,
    topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.alloc(1_000_000) }] }],
  };
  const { requests } = thread.application;
  const { requests: taken } = thread.network;
  const begin = requests.position;
  // Nobody asks about node 4 until half of the range is behind it.
  for (let i = 1; (requests.position - begin) >>> 0 < 2 ** 31 + 2 ** 20; i++) {
    assert.equal(proxy.send(i, 1, Produce, request, -1, -1), null);
    assert.ok(taken.next());
    taken.release();
  }
  assert.equal(proxy.isDisconnecting(4), false);
});

test('a node that is closed twice counts from the last time', () => {
  start();
  proxy.disconnect(4);
  proxy.disconnect(5);
  proxy.disconnect(4);
  thread.take(2);
  assert.equal(proxy.isDisconnecting(5), false);
  assert.equal(proxy.isDisconnecting(4), true);
  thread.take(1);
  assert.equal(proxy.isDisconnecting(4), false);
});
