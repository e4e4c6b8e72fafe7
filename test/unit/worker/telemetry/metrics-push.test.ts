// The code that pushes metrics is loaded when a broker is found that takes them, and not before.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { RoleHost } from '../../../../src/worker/client/role.ts';
import { ProducerMeasures } from '../../../../src/worker/link/producer-measures.ts';
import { MetricsPush, type PushOpening } from '../../../../src/worker/telemetry/metrics-push.ts';
import type { Reporter } from '../../../../src/worker/telemetry/reporter.ts';

/** What happened, in order. */
let events: string[];
let taking: Set<string>;
/** Those whose versions are known; -1: somebody is connected. */
let heard: Set<number>;
let load: () => Promise<void> | null;
let fault: PushOpening['onFault'];

const reporter = {
  poll: (now: number) => void events.push(`poll ${now}`),
  nextDeadline: () => 77,
  close: (now: number) => void events.push(`close ${now}`),
} as unknown as Reporter;

const host = {
  requests: {
    versionRange: (id: number, { key }: { key: number }) =>
      (key === 18 ? heard.has(id) : taking.has(`${id} ${key}`)) ? { min: 0, max: 0 } : null,
  },
  cluster: { brokers: new Map([1, 2].map((id) => [id, {}])) },
  wake: () => void events.push('wake'),
} as unknown as RoleHost;

function newPush(): MetricsPush {
  const source = new ProducerMeasures({ transactionalId: null, clientRack: '' }, null, 0);
  const open = ({ onFault }: PushOpening, now: number): Reporter | Promise<Reporter> => {
    events.push(`open ${now}`);
    fault = onFault;
    const loaded = load();
    return loaded === null ? reporter : loaded.then(() => reporter);
  };
  const failed = (error: unknown): void => void events.push(`failed ${(error as Error).message}`);
  return new MetricsPush({ source, onInstanceId: () => {} }, { host, open, failed }, 0);
}

beforeEach(() => {
  events = [];
  taking = new Set(['2 71', '2 72']);
  heard = new Set([-1, 1, 2]);
  load = () => null;
});

test('nothing is looked for in the first second, and after that every ten seconds', () => {
  taking.clear();
  const push = newPush();
  assert.equal(push.nextDeadline(), 1000, 'once also for whoever has no work');
  push.poll(999);
  push.poll(1000);
  taking = new Set(['2 71', '2 72']);
  push.poll(10_999);
  assert.deepEqual(events, []);
  assert.equal(push.nextDeadline(), Number.POSITIVE_INFINITY, 'no thread wakes for that');
  push.poll(11_000);
  assert.deepEqual(events, ['open 11000', 'wake']);
  push.poll(11_001);
  assert.deepEqual(events.slice(2), ['poll 11001']);
  assert.equal(push.nextDeadline(), 77);
});

test('what was thrown outside of its turn is thrown in its next turn, which ends it', () => {
  const push = newPush();
  push.poll(1000);
  const error = new Error('of an answer');
  fault(error);
  assert.deepEqual(events, ['open 1000', 'wake', 'wake']);
  assert.throws(() => push.poll(1001), error);
  push.fail();
  assert.equal(push.nextDeadline(), Number.POSITIVE_INFINITY);
});

test('a client that is connected to a bootstrap server only takes what that says', () => {
  heard = new Set([-1]);
  taking = new Set(['-1 71', '-1 72']);
  const push = newPush();
  push.poll(1000);
  assert.deepEqual(events, ['open 1000', 'wake']);
});

test('while nobody is connected each round looks, and no thread wakes for that', () => {
  heard.clear();
  taking.clear();
  const push = newPush();
  push.poll(1000);
  assert.equal(push.nextDeadline(), Number.POSITIVE_INFINITY);
  heard = new Set([-1, 2]);
  taking = new Set(['2 71', '2 72']);
  push.poll(1500);
  assert.deepEqual(events, ['open 1500', 'wake']);
});

test('a broker that has only one of both APIs takes no metrics', () => {
  taking = new Set(['1 71', '2 72']);
  const push = newPush();
  push.poll(1000);
  assert.deepEqual(events, []);
});

test('code that cannot be loaded is tried again, and not twice at a time', async () => {
  let fail: (error: Error) => void = () => {};
  load = () => new Promise<void>((_, reject) => (fail = reject));
  const push = newPush();
  push.poll(1000);
  push.poll(20_000);
  assert.deepEqual(events, ['open 1000']);
  fail(new Error('no such file'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(events.splice(0), ['open 1000', 'failed no such file']);
  load = () => null;
  push.poll(20_001);
  assert.deepEqual(events, ['open 20001', 'wake']);
});

test('the end comes once, and nothing begins after it', async () => {
  let finish: () => void = () => {};
  load = () => new Promise<void>((resolve) => (finish = resolve));
  const push = newPush();
  push.poll(1000);
  push.close(1001);
  finish();
  await new Promise((resolve) => setImmediate(resolve));
  push.poll(50_000);
  assert.deepEqual(events, ['open 1000']);
  load = () => null;
  const other = newPush();
  other.poll(1000);
  other.close(1001);
  other.close(1002);
  assert.deepEqual(events.slice(1), ['open 1000', 'wake', 'close 1001']);
});

test("a fault at the end is told, and is nobody else's", () => {
  const push = newPush();
  push.poll(1000);
  const { close } = reporter;
  reporter.close = () => {
    throw new Error('a fault of ours');
  };
  try {
    push.close(1001);
  } finally {
    reporter.close = close;
  }
  assert.deepEqual(events.slice(2), ['failed a fault of ours']);
  const other = newPush();
  other.poll(1000);
  other.fail();
  other.close(1001);
  assert.deepEqual(events.slice(3), ['open 1000', 'wake']);
});
