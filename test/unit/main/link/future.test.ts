import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { IllegalStateError, KafkaConnectionError, KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { Future, failedFuture } from '../../../../src/main/link/future.ts';

const boom = new KafkaConnectionError('boom');

test('a new future is open', () => {
  const future = new Future<number>();
  assert.equal(future.isDone, false);
  assert.equal(future.succeeded, false);
  assert.equal(future.failed, false);
  assert.equal(future.retriable, false);
  assert.equal(future.value, undefined);
  assert.equal(future.exception, null);
});

test('success', () => {
  const future = new Future<number>();
  assert.equal(future.success(7), future);
  assert.equal(future.isDone, true);
  assert.equal(future.succeeded, true);
  assert.equal(future.failed, false);
  assert.equal(future.value, 7);
  assert.equal(future.exception, null);
});

test('failure, and whether it is retriable', () => {
  const future = new Future<number>();
  assert.equal(future.failure(boom), future);
  assert.equal(future.isDone, true);
  assert.equal(future.succeeded, false);
  assert.equal(future.failed, true);
  assert.equal(future.exception, boom);
  assert.equal(future.value, undefined);
  assert.equal(future.retriable, true);
  assert.equal(new Future().failure(new KafkaProtocolError('no')).retriable, false);
  assert.equal(new Future().failure(new TypeError('no')).retriable, false);
});

for (const value of [null, undefined, false, 0, '']) {
  test(`success(${JSON.stringify(value)}) is a success`, () => {
    const future = new Future<unknown>();
    const seen: unknown[] = [];
    future.addCallback((got) => seen.push(got));
    future.success(value);
    assert.equal(future.succeeded, true);
    assert.deepEqual(seen, [value]);
    assert.equal(future.value, value);
  });
}

test('completing twice throws and changes nothing', () => {
  const succeeded = new Future<number>().success(1);
  assert.throws(() => succeeded.success(2), IllegalStateError);
  assert.throws(() => succeeded.failure(boom), IllegalStateError);
  assert.equal(succeeded.value, 1);
  assert.equal(succeeded.exception, null);
  const failed = new Future<number>().failure(boom);
  assert.throws(() => failed.success(2), IllegalStateError);
  assert.throws(() => failed.failure(new Error('other')), IllegalStateError);
  assert.equal(failed.exception, boom);
  assert.equal(failed.value, undefined);
});

test('failure takes errors only, and stays open otherwise', () => {
  const future = new Future<number>();
  for (const junk of ['text', 5, null, undefined, {}, KafkaConnectionError]) {
    assert.throws(() => future.failure(junk as never), TypeError);
  }
  assert.equal(future.isDone, false);
  assert.equal(future.exception, null);
  future.success(1);
});

test('callbacks run synchronously, in the order they were added, inside the completing call', () => {
  const future = new Future<string>();
  const log: string[] = [];
  future
    .addCallback((value) => log.push(`a ${value}`))
    .addErrback(() => log.push('never'))
    .addCallback((value) => log.push(`b ${value}`))
    .addBoth((value) => log.push(`c ${value}`));
  log.push('before');
  future.success('x');
  log.push('after');
  assert.deepEqual(log, ['before', 'a x', 'b x', 'c x', 'after']);
});

test('errbacks likewise', () => {
  const future = new Future<string>();
  const log: string[] = [];
  future
    .addErrback((error) => log.push(`a ${error.message}`))
    .addCallback(() => log.push('never'))
    .addBoth((error) => log.push(`b ${(error as Error).message}`));
  future.failure(boom);
  assert.deepEqual(log, ['a boom', 'b boom']);
});

test('extra arguments come first', () => {
  const seen: unknown[] = [];
  const push = (...args: unknown[]) => {
    seen.push(args);
  };
  new Future<number>().addCallback(push, 'a', 1).success(9);
  new Future<number>().addErrback(push, 'b').failure(boom);
  new Future<number>().addBoth(push, 'c', 2, 3).success(8);
  new Future<number>().addBoth(push, 'd').failure(boom);
  assert.deepEqual(seen, [
    ['a', 1, 9],
    ['b', boom],
    ['c', 2, 3, 8],
    ['d', boom],
  ]);
});

test('added to a done future they run at once if they match, never if they do not', () => {
  const log: string[] = [];
  const succeeded = new Future<number>().success(1);
  succeeded.addCallback(() => log.push('callback'));
  succeeded.addErrback(() => log.push('no errback'));
  succeeded.addBoth(() => log.push('both'));
  const failed = new Future<number>().failure(boom);
  failed.addErrback(() => log.push('errback'));
  failed.addCallback(() => log.push('no callback'));
  failed.addBoth(() => log.push('both failed'));
  assert.deepEqual(log, ['callback', 'both', 'errback', 'both failed']);
});

test('one added during completion runs once', () => {
  const future = new Future<number>();
  const log: string[] = [];
  future.addCallback(() => {
    log.push('outer');
    future.addCallback(() => log.push('inner'));
  });
  future.addCallback(() => log.push('last'));
  future.success(1);
  assert.deepEqual(log.sort(), ['inner', 'last', 'outer']);
});

test('a callback sees the future as done', () => {
  const future = new Future<number>();
  let seen: unknown;
  future.addCallback(() => {
    seen = [future.isDone, future.succeeded, future.value];
    assert.throws(() => future.success(2), IllegalStateError);
  });
  future.success(1);
  assert.deepEqual(seen, [true, true, 1]);
});

test('a callback that throws does not stop the others, is not swallowed in silence, and not thrown at the completer', async () => {
  const warned = once(process, 'warning');
  const future = new Future<number>();
  const log: string[] = [];
  future.addCallback(() => {
    throw new Error('a fault in a callback');
  });
  future.addCallback(() => log.push('second'));
  future.success(1);
  assert.deepEqual(log, ['second']);
  const [warning] = await warned;
  assert.match((warning as Error).message, /a fault in a callback/);
});

test('one added to a done future that throws does not throw at the adder', async () => {
  const warned = once(process, 'warning');
  new Future<number>().success(1).addCallback(() => {
    throw 'not even an error';
  });
  const [warning] = await warned;
  assert.match((warning as Error).message, /not even an error/);
});

test('chain passes value or exception on', () => {
  const [a, b] = [new Future<number>(), new Future<number>()];
  assert.equal(a.chain(b), a);
  a.success(5);
  assert.equal(b.value, 5);
  const [c, d] = [new Future<number>(), new Future<number>()];
  c.chain(d);
  c.failure(boom);
  assert.equal(d.exception, boom);
  const e = new Future<number>();
  new Future<number>().success(6).chain(e);
  assert.equal(e.value, 6);
});

test('chain to a future that is done by then changes nothing and throws nothing', () => {
  const done = new Future<number>().success(1);
  new Future<number>().chain(done).success(2);
  new Future<number>().chain(done).failure(boom);
  assert.equal(done.value, 1);
});

test('await gives the value or throws the exception, after the callbacks', async () => {
  const future = new Future<number>();
  const log: string[] = [];
  const awaited = (async () => log.push(`await ${await future}`))();
  future.addCallback((value) => log.push(`callback ${value}`));
  future.success(3);
  log.push('completed');
  await awaited;
  assert.deepEqual(log, ['callback 3', 'completed', 'await 3']);
  await assert.rejects(async () => await failedFuture(boom), boom);
});

test('then follows promises: transforms, recovers, skips missing handlers', async () => {
  assert.equal(await new Future<number>().success(2).then((value) => value * 2), 4);
  assert.equal(await new Future<number>().failure(boom).then(null, (error) => (error as Error).message), 'boom');
  assert.equal(await new Future<number>().success(2).then(null, () => 9), 2);
  await assert.rejects(
    new Future<number>().failure(boom).then((value) => value),
    boom,
  );
  assert.deepEqual(await Promise.all([new Future<number>().success(1), new Future<string>().success('b')]), [1, 'b']);
});

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

test('a failure that an errback hears of raises no unhandledRejection, whatever promises there are of it', async () => {
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

test('a promise of a failure that nobody hears of is one that nobody handles, as any other', async () => {
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

test('failedFuture has failed already', () => {
  const future = failedFuture<number>(boom);
  assert.equal(future.failed, true);
  assert.equal(future.exception, boom);
});
