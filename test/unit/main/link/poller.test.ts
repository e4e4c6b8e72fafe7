import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { Future } from '../../../../src/main/link/future.ts';
import { InFlight } from '../../../../src/main/link/in-flight.ts';
import { NetworkProxy } from '../../../../src/main/link/network-proxy.ts';
import { Poller } from '../../../../src/main/link/poller.ts';
import { ResponseAdapter } from '../../../../src/main/link/response-adapter.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { POLL } from '../../../../src/ring/frames/kinds.ts';
import { STATE_CLOSED, STATE_RUNNING } from '../../../../src/state/counters.ts';
import { FakeThread } from '../support/fake-thread.ts';

let thread: FakeThread;
let inFlight: InFlight;
let adapter: ResponseAdapter;
let proxy: NetworkProxy;
let poller: Poller;

beforeEach(() => {
  thread = new FakeThread();
  thread.counters.setState(STATE_RUNNING);
  inFlight = new InFlight();
  adapter = new ResponseAdapter(thread.application, inFlight, new ClusterWriter([{ host: 'b', port: 1 }]));
  proxy = new NetworkProxy(thread.application);
  poller = new Poller(thread.application, proxy, adapter);
  adapter.onProgress = () => poller.onProgress();
});

afterEach(() => {
  mock.timers.reset();
  poller.close();
  adapter.close();
  thread.close();
});

function send(requestId: number): Future<unknown> {
  const future = new Future<unknown>();
  inFlight.add({ requestId, nodeId: 1, api: ListGroups, future, expectsResponse: true });
  return future;
}

function answer(requestId: number): void {
  thread.respond(requestId, ListGroups, { groups: [] });
}

/** The promise's state after everything that is due has run. */
async function state(promise: Promise<readonly unknown[]>): Promise<number | 'waiting'> {
  let length: number | 'waiting' = 'waiting';
  void promise.then((list) => {
    length = list.length;
  });
  for (let i = 0; i < 5; i++) await Promise.resolve();
  return length;
}

test('poll(0) ends when the fence is answered, with what came before the answer', async () => {
  const first = send(1);
  answer(1);
  const polled = poller.poll(0, null, null);
  assert.equal(first.isDone, true, 'what had arrived is delivered at once');
  const [fence] = thread.take();
  assert.equal(fence!.kind, POLL);
  assert.equal(await state(polled), 'waiting');
  send(2);
  answer(2);
  thread.polled(fence!.requestId);
  adapter.drain();
  assert.equal((await polled).length, 2);
});

test('each poll has a fence of its own', async () => {
  const polls = [poller.poll(0, null, null), poller.poll(0, null, null)];
  const fences = thread.take();
  assert.equal(fences.length, 2);
  assert.notEqual(fences[0]!.requestId, fences[1]!.requestId);
  thread.polled(fences[0]!.requestId);
  adapter.drain();
  assert.equal(await state(polls[0]!), 0);
  assert.equal(await state(polls[1]!), 'waiting');
  thread.polled(fences[1]!.requestId);
  adapter.drain();
  await polls[1];
});

test('fences are told apart across the wrap of their numbers', async () => {
  const last = 2 ** 32 - 3;
  poller = new Poller(thread.application, proxy, adapter, last);
  thread.polled(last);
  adapter.drain();
  const polls = Array.from({ length: 6 }, () => poller.poll(0, null, null));
  const fences = thread.take().map(({ requestId }) => requestId);
  assert.deepEqual(fences, [2 ** 32 - 2, 2 ** 32 - 1, 0, 1, 2, 3]);
  for (const [i, fence] of fences.entries()) {
    assert.equal(await state(polls[i]!), 'waiting', `fence ${fence} is not answered`);
    thread.polled(fence);
    adapter.drain();
    assert.equal(await state(polls[i]!), 0, `fence ${fence} is answered`);
  }
});

test('poll with a limit ends when something arrives', async () => {
  const polled = poller.poll(10_000, null, null);
  assert.equal(await state(polled), 'waiting');
  send(1);
  answer(1);
  adapter.drain();
  assert.equal((await polled).length, 1);
});

test('poll with a limit ends at once when something has arrived', async () => {
  send(1);
  answer(1);
  assert.equal((await poller.poll(10_000, null, null)).length, 1);
});

test('poll with a limit ends at its limit, with nothing', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const polled = poller.poll(250, null, null);
  mock.timers.tick(249);
  assert.equal(await state(polled), 'waiting');
  mock.timers.tick(1);
  assert.deepEqual(await polled, []);
});

test('limits beyond the range of timers do not fire at once', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  for (const limit of [2 ** 31, 1e15, Number.POSITIVE_INFINITY]) {
    const polled = poller.poll(limit, null, null);
    mock.timers.tick(1000);
    assert.equal(await state(polled), 'waiting');
    poller.wakeup();
    assert.deepEqual(await polled, []);
  }
});

test('a failure does not end a poll for responses', async () => {
  const polled = poller.poll(10_000, null, null);
  send(1);
  thread.fail(1, 1, new KafkaConnectionError('x'));
  adapter.drain();
  assert.equal(await state(polled), 'waiting');
  poller.wakeup();
  assert.deepEqual(await polled, []);
});

test('poll for a future ends when that future is done, and returns other responses too', async () => {
  const [first, second] = [send(1), send(2)];
  const polled = poller.poll(10_000, second, null);
  answer(1);
  adapter.drain();
  assert.equal(first.isDone, true);
  assert.equal(await state(polled), 'waiting');
  answer(2);
  adapter.drain();
  assert.equal((await polled).length, 2);
});

test('poll for a future ends when that future fails', async () => {
  const future = send(1);
  const polled = poller.poll(10_000, future, null);
  thread.fail(1, 1, new KafkaConnectionError('x'));
  adapter.drain();
  assert.deepEqual(await polled, []);
});

test('poll for a future ends at its limit too', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const polled = poller.poll(100, send(1), null);
  mock.timers.tick(100);
  assert.deepEqual(await polled, []);
});

test('poll for a future that is already done still reads once', async () => {
  const done = new Future<unknown>().success(1);
  const polled = poller.poll(10_000, done, null);
  const [fence] = thread.take();
  assert.equal(await state(polled), 'waiting');
  send(1);
  answer(1);
  thread.polled(fence!.requestId);
  adapter.drain();
  assert.equal((await polled).length, 1);
});

test('wakeup ends every wait, and does not affect later ones', async () => {
  const polls = [poller.poll(10_000, null, null), poller.poll(10_000, send(1), null)];
  poller.wakeup();
  for (const polled of polls) assert.deepEqual(await polled, []);
  const later = poller.poll(10_000, null, null);
  assert.equal(await state(later), 'waiting');
  poller.wakeup();
  await later;
});

test('an abort signal ends the wait with what has arrived; one aborted before posts nothing', async () => {
  const controller = new AbortController();
  const polled = poller.poll(10_000, send(2), controller.signal);
  send(1);
  answer(1);
  adapter.drain();
  controller.abort();
  assert.equal((await polled).length, 1);
  assert.deepEqual(await poller.poll(0, null, controller.signal), []);
  assert.equal(thread.take().length, 0);
});

test('a poll leaves no listener on the signal, and collects nothing afterwards', async () => {
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  const polled = poller.poll(10_000, null, signal);
  send(1);
  answer(1);
  adapter.drain();
  const list = await polled;
  assert.equal(listeners, 0);
  send(2);
  answer(2);
  adapter.drain();
  assert.equal(list.length, 1);
});

test('close ends every wait', async () => {
  const polls = [poller.poll(0, null, null), poller.poll(10_000, null, null)];
  poller.close();
  for (const polled of polls) assert.deepEqual(await polled, []);
});

test('pollSync delivers what has arrived, inside the call', () => {
  const future = send(1);
  answer(1);
  const list = poller.pollSync(10_000, null);
  assert.equal(list.length, 1);
  assert.equal(future.isDone, true);
});

test('pollSync ends when a callback of another future completes its future', () => {
  const chained = new Future<unknown>();
  send(1).addCallback(() => chained.success(null));
  answer(1);
  thread.polled(1);
  assert.equal(poller.pollSync(10_000, chained).length, 1);
});

test('pollSync(0) is over when its fence is answered', () => {
  send(1);
  thread.polled(1);
  answer(1);
  assert.equal(poller.pollSync(0, null).length, 1);
});

test('pollSync returns at its limit, whether its fence was answered or not', () => {
  assert.deepEqual(poller.pollSync(1, new Future<unknown>().success(1)), []);
  assert.deepEqual(poller.pollSync(1, null), []);
  assert.deepEqual(poller.pollSync(1, send(1)), []);
});

test('pollSync does not wait for a network thread that has ended', () => {
  thread.counters.setState(STATE_CLOSED);
  assert.deepEqual(poller.pollSync(60_000, null), []);
  assert.deepEqual(poller.pollSync(Number.POSITIVE_INFINITY, send(1)), []);
});

test('pollSync rings the doorbell before it sleeps, because the end of the turn would be too late', () => {
  proxy.connect(1);
  assert.equal(thread.rings, 0);
  poller.pollSync(1, null);
  assert.equal(thread.rings, 1);
});

test('untilSettled resolves when the last request is settled', async () => {
  send(1);
  send(2);
  let isSettled = false;
  const settled = poller.untilSettled(inFlight, 10_000).then(() => {
    isSettled = true;
  });
  answer(1);
  adapter.drain();
  for (let i = 0; i < 5; i++) await Promise.resolve();
  assert.equal(isSettled, false);
  thread.fail(2, 1, new KafkaConnectionError('x'));
  adapter.drain();
  await settled;
});

test('untilSettled resolves at its limit', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  send(1);
  const settled = poller.untilSettled(inFlight, 5000);
  mock.timers.tick(5000);
  await settled;
});

test('a limit that passes while the thread is blocked ends a wait only after what has come was read', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const first = send(1);
  const polled = poller.poll(5000, null, null);
  answer(1);
  mock.timers.tick(5000);
  assert.ok(first.isDone);
  assert.equal((await polled).length, 1);
  const second = send(2);
  const settled = poller.untilSettled(inFlight, 5000);
  answer(2);
  mock.timers.tick(5000);
  assert.ok(second.isDone);
  await settled;
});

test('a target whose isDone throws fails only its own poll', async () => {
  let isBroken = false;
  const target = {
    get isDone(): boolean {
      if (isBroken) throw new Error('isDone');
      return false;
    },
  };
  const [bad, good] = [poller.poll(10_000, target, null), poller.poll(10_000, null, null)];
  isBroken = true;
  send(1);
  answer(1);
  adapter.drain();
  await assert.rejects(bad, /isDone/);
  assert.equal((await good).length, 1);
});

for (const what of ['wakeup', 'close'] as const) {
  test(`${what} by a callback that the poll itself runs ends it`, async () => {
    send(1).addCallback(() => poller[what]());
    answer(1);
    assert.equal((await poller.poll(10_000, new Future(), null)).length, 1);
  });
}

test('a poll on a Future that is still open leaves nothing on it', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const future = send(1);
  let ended = 0;
  for (let i = 0; i < 50; i++) {
    const polled = poller.poll(10, future, null);
    mock.timers.tick(10);
    await polled;
    ended++;
  }
  answer(1);
  adapter.drain();
  assert.equal(ended, 50);
  assert.equal(future.isDone, true);
});

test('many polls at a time check each other at most once', async () => {
  const count = 2000;
  const futures = Array.from({ length: count }, (_, i) => send(i + 1));
  let questions = 0;
  const polls = futures.map((future) => poller.poll(10_000, future, null));
  const watched = poller.poll(
    10_000,
    {
      get isDone(): boolean {
        questions++;
        return false;
      },
    },
    null,
  );
  for (let i = 0; i < count; i++) {
    answer(i + 1);
    adapter.drain();
  }
  const lists = await Promise.all(polls);
  assert.equal(new Set(lists).size, count > 0 ? new Set(lists.map(({ length }) => length)).size : 0);
  // What is no Future of ours has to be asked, once for each read and no oftener.
  assert.ok(questions <= count + 2, String(questions));
  poller.wakeup();
  await watched;
});
