// The diagnosis of application threads that do not read their links: when it speaks, what it says, and when it must not.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { LogRecord } from '../../../../src/common/logger.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { BlockedThreads } from '../../../../src/worker/link/blocked-threads.ts';
import type { BlockedThread } from '../../../../src/worker/report/blocked-thread-report.ts';
import { FakeNetwork } from '../support/fake-network.ts';

const limitMs = 10_000;

class FakeLink {
  position = 0;
  releasedPosition = 0;
  readonly ringBytes = 1000;
  spilledBytesOutstanding = 0;
  isOver = false;

  write(bytes = 10): void {
    this.position += bytes;
  }

  read(): void {
    this.releasedPosition = this.position;
  }
}

let told: (string | number | BlockedThread)[][];
let threads: BlockedThreads;

beforeEach(() => {
  told = [];
  threads = new BlockedThreads(limitMs, {
    threadBlocked: (thread) => told.push(['blocked', thread]),
    threadStillBlocked: () => {},
    threadReadsAgain: (threadId, blockedMs) => told.push(['reads', threadId ?? -1, blockedMs]),
  });
});

function add(owner: { threadId: number } | null = { threadId: 3 }): FakeLink {
  const link = new FakeLink();
  threads.add(owner, link, () => link.isOver);
  return link;
}

/** Polls whenever the deadline is, up to `until`, as the poll loop does. */
function run(from: number, until: number): void {
  let now = from;
  while (threads.nextDeadline <= until) {
    now = Math.max(now, threads.nextDeadline);
    threads.poll(now);
  }
}

test('a link to which nothing is written is not looked at, and asks for no timer', () => {
  add();
  threads.poll(0);
  assert.equal(threads.nextDeadline, Number.POSITIVE_INFINITY);
});

test('a thread that reads within the limit is never told of', () => {
  const link = add();
  for (let now = 0; now < 100_000; now += 6000) {
    link.write();
    threads.poll(now);
    run(now, now + 5000);
    link.read();
    threads.poll(now + 5999);
  }
  assert.deepEqual(told, []);
});

test('a thread that reads nothing is told of once, with figures, and once when it reads again', () => {
  const link = add();
  link.write(250);
  link.spilledBytesOutstanding = 4096;
  threads.poll(0);
  run(0, 60_000);
  const figures = { threadId: 3, blockedMs: limitMs, unreadBytes: 250, ringBytes: 1000, movedBytes: 4096 };
  assert.deepEqual(told.splice(0), [['blocked', figures]]);
  assert.equal(threads.count, 1);
  link.read();
  threads.poll(61_000);
  assert.deepEqual(told, [['reads', 3, 61_000]]);
  assert.equal(threads.count, 0);
  assert.equal(threads.nextDeadline, Number.POSITIVE_INFINITY);
});

test('a thread that reads a part has not stood still', () => {
  const link = add();
  link.write(100);
  threads.poll(0);
  for (let now = 8000; now < 100_000; now += 8000) {
    run(now - 8000, now);
    link.releasedPosition += 5;
  }
  assert.deepEqual(told, []);
});

test('the links of a thread belong together: it is told of once', () => {
  const owner = { threadId: 0 };
  const [client, consumer] = [add(owner), add(owner)];
  client.write(10);
  threads.poll(0);
  consumer.write(20);
  run(0, 30_000);
  assert.equal(told.length, 1);
  assert.equal((told[0]![1] as BlockedThread).unreadBytes, 30);
});

test('a thread that reads one of its links is not blocked', () => {
  const owner = { threadId: 0 };
  const [client, consumer] = [add(owner), add(owner)];
  client.write();
  consumer.write();
  threads.poll(0);
  for (let now = 5000; now < 60_000; now += 5000) {
    consumer.read();
    consumer.write();
    run(now - 5000, now);
  }
  assert.deepEqual(told, []);
});

test('a look that comes much too late shows that this thread stood still, and nothing of the other', () => {
  const link = add();
  link.write();
  threads.poll(0);
  // The process was stopped.
  threads.poll(300_000);
  assert.deepEqual(told, []);
  run(300_000, 400_000);
  assert.equal((told[0]![1] as BlockedThread).blockedMs, limitMs);
});

test('a link that ends is forgotten, and its thread counts as reading', () => {
  const link = add();
  link.write();
  threads.poll(0);
  run(0, 20_000);
  assert.equal(threads.count, 1);
  link.isOver = true;
  threads.poll(20_500);
  assert.equal(threads.count, 0);
  assert.equal(told.at(-1)![0], 'reads');
  assert.equal(threads.nextDeadline, Number.POSITIVE_INFINITY);
});

test('a link that ends while nothing is unread is not looked at any more', () => {
  const link = add();
  threads.poll(0);
  link.isOver = true;
  threads.poll(1);
  Object.defineProperty(link, 'position', { get: () => assert.fail('it is still looked at') });
  Object.defineProperty(link, 'releasedPosition', { get: () => assert.fail('it is still looked at') });
  threads.poll(2);
  threads.poll(100_000);
  assert.deepEqual(told, []);
});

test('limit 0 watches nothing', () => {
  threads = new BlockedThreads(0, assert.fail as never);
  const link = add();
  link.write();
  threads.poll(0);
  assert.equal(threads.nextDeadline, Number.POSITIVE_INFINITY);
});

describe('in the network thread', () => {
  test('an application that reads no answers is logged once, counted, and measured', async () => {
    const net = new FakeNetwork({ blockedThreadWarnMs: 5000, logLevel: 'info' });
    try {
      net.broker('one:9092', 1);
      net.ready(1);
      net.logs.length = 0;
      net.thread.logTaken();
      net.app.isReading = false;
      net.app.send(1, Metadata, { topics: [] });
      net.advance(30_000);
      net.thread.logTaken();
      const records = (): LogRecord[] => net.logs.flatMap((batch) => [...batch.records]);
      const blocked = records().filter(({ event }) => event === 'thread-blocked');
      assert.equal(blocked.length, 1, JSON.stringify(records()));
      assert.equal(blocked[0]!.level, 'warn');
      assert.match(
        blocked[0]!.message,
        /^the main thread has read nothing of this client for 5\d{3} ms .*\d+ bytes of \d+ wait/,
      );
      assert.equal(net.metrics().total('blockedThreads'), 1);
      assert.equal(net.metrics().total('threadsBlocked'), 1);
      assert.ok(net.metrics().max('threadBlockedMsMax') >= 25_000);
      net.app.isReading = true;
      net.advance(2000);
      net.thread.logTaken();
      assert.equal(records().filter(({ event }) => event === 'thread-unblocked').length, 1);
      assert.equal(net.metrics().total('blockedThreads'), 0);
    } finally {
      await net.close();
    }
  });
});
