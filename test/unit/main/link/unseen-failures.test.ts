// Failures of Futures that nobody handles or looks at: unhandled rejections and the warning.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { callPlace } from '../../../../src/main/link/call-place.ts';
import { Future, failedFuture } from '../../../../src/main/link/future.ts';
import { tellUnseenFailures } from '../../../../src/main/link/unseen-failures.ts';

const boom = new KafkaConnectionError('boom');

/** How many rejections nobody handled came of it. */
async function unhandled(run: () => unknown): Promise<number> {
  const seen: unknown[] = [];
  const listener = (reason: unknown) => seen.push(reason);
  // The runner's own would fail the test.
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', listener);
  run();
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners('unhandledRejection');
  for (const other of others) process.on('unhandledRejection', other);
  return seen.length;
}

test('a failed future that nobody awaits raises no unhandledRejection', async () => {
  assert.equal(await unhandled(() => new Future<number>().failure(boom)), 0);
  assert.equal(await unhandled(() => new Future<number>().addErrback(() => {}).failure(boom)), 0);
});

test('a failure with an errback raises no unhandledRejection, whatever promises exist for it', async () => {
  const heard = (add: (future: Future<number>) => unknown) => () => {
    const before = new Future<number>();
    add(before);
    void before.then((value) => value);
    before.failure(boom);
    const after = new Future<number>();
    void after.then((value) => value);
    add(after);
    after.failure(boom);
    const failed = failedFuture<number>(boom);
    add(failed);
    void failed.then((value) => value);
    const refused = failedFuture<number>(boom);
    void refused.then((value) => value);
    add(refused);
  };
  assert.equal(await unhandled(heard((future) => future.addErrback(() => {}))), 0);
  assert.equal(await unhandled(heard((future) => future.addBoth(() => {}))), 0);
  assert.equal(await unhandled(heard((future) => future.chain(new Future()))), 0);
});

test('a promise of a failure without a handler raises unhandledRejection, like any other promise', async () => {
  assert.equal(await unhandled(() => void failedFuture<number>(boom).then()), 1);
  assert.equal(
    await unhandled(
      () =>
        void failedFuture<number>(boom)
          .addCallback(() => {})
          .then(),
    ),
    1,
  );
  const thrower = () => {
    throw boom;
  };
  assert.equal(
    await unhandled(
      () =>
        void new Future<number>()
          .addErrback(() => {})
          .success(1)
          .then(thrower),
    ),
    1,
  );
});

test('failedFuture is already failed', () => {
  const future = failedFuture<number>(boom);
  assert.equal(future.failed, true);
  assert.equal(future.exception, boom);
});

/** What is told of failures that nobody has looked at by the time the process has nothing left to do. */
async function unseen(makeFutures: (make: () => Future<number>) => unknown): Promise<string[]> {
  const told: string[] = [];
  const place = callPlace(unseen);
  const make = () => new Future<number>(undefined, ({ message }, where) => told.push(`${message} ${where}`), place);
  const kept = makeFutures(make);
  await new Promise((resolve) => setImmediate(resolve));
  tellUnseenFailures();
  tellUnseenFailures();
  assert.ok(kept);
  return told.map((text) =>
    text.split('\n')[0]!.replace(/^(\S+) \[KAFKA_CONNECTION\] at .*unseen-failures\.test.*$/, '$1 at this file'),
  );
}

test('a failure that nobody sees is reported once, with the place of the call', async () => {
  assert.deepEqual(await unseen((make) => make().failure(boom)), ['boom at this file']);
});

const lookers: Record<string, (future: Future<number>) => unknown> = {
  'an await': (future) => future.then(null, () => {}),
  catch: (future) => future.catch(() => {}),
  finally: (future) => future.finally(() => {}).catch(() => {}),
  'a callback': (future) => future.addCallback(() => {}),
  'an errback': (future) => future.addErrback(() => {}),
  addBoth: (future) => future.addBoth(() => {}),
  chain: (future) => future.chain(new Future<number>().addErrback(() => {})),
};

for (const [what, look] of Object.entries(lookers)) {
  test(`${what} counts as seeing the failure, before and after it`, async () => {
    const futures = (make: () => Future<number>): Future<number>[] => {
      const before = make();
      look(before);
      before.failure(boom);
      const after = make().failure(boom);
      look(after);
      return [before, after];
    };
    assert.deepEqual(await unseen(futures), []);
  });
}

for (const property of ['failed', 'succeeded', 'exception', 'retriable'] as const) {
  test(`reading ${property} counts as seeing the failure if the Future has failed, and not if it is open`, async () => {
    const futures = (make: () => Future<number>): Future<number>[] => {
      const after = make().failure(boom);
      void after[property];
      const before = make();
      void before[property];
      before.failure(boom);
      return [after, before];
    };
    assert.deepEqual(await unseen(futures), ['boom at this file']);
  });
}
