// Futures: how they complete, their callbacks, and how they are awaited.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { test } from 'node:test';
import { IllegalStateError, KafkaConnectionError, KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { Future, failedFuture } from '../../../../src/main/link/future.ts';
import { waitFor } from '../../../helpers/wait-for.ts';

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

test('success completes the Future with its value', () => {
  const future = new Future<number>();
  assert.equal(future.success(7), future);
  assert.equal(future.isDone, true);
  assert.equal(future.succeeded, true);
  assert.equal(future.failed, false);
  assert.equal(future.value, 7);
  assert.equal(future.exception, null);
});

test('failure completes the Future with its error, and tells whether it is retriable', () => {
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
  test(`success(${JSON.stringify(value)}) completes the Future`, () => {
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

test('failure accepts only errors, and else the Future stays open', () => {
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

test('errbacks run synchronously, in the order they were added, inside the completing call', () => {
  const future = new Future<string>();
  const log: string[] = [];
  future
    .addErrback((error) => log.push(`a ${error.message}`))
    .addCallback(() => log.push('never'))
    .addBoth((error) => log.push(`b ${(error as Error).message}`));
  future.failure(boom);
  assert.deepEqual(log, ['a boom [KAFKA_CONNECTION]', 'b boom [KAFKA_CONNECTION]']);
});

test('extra arguments come before the value', () => {
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

test('a callback that is added to a done future runs at once if it matches, and else never', () => {
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

test('a callback that is added during completion runs once', () => {
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

test('a callback that throws does not stop the others, is reported, and does not throw in the completing call', async () => {
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

test('a callback that throws on a done future does not throw in addCallback', async () => {
  const warned = once(process, 'warning');
  new Future<number>().success(1).addCallback(() => {
    throw 'not even an error';
  });
  const [warning] = await warned;
  assert.match((warning as Error).message, /not even an error/);
});

test('chain passes on the value or the exception', () => {
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

test('chain to a future that is already done changes nothing and throws nothing', () => {
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
  assert.equal(await new Future<number>().failure(boom).then(null, (error) => (error as Error).message), boom.message);
  assert.equal(await new Future<number>().success(2).then(null, () => 9), 2);
  await assert.rejects(
    new Future<number>().failure(boom).then((value) => value),
    boom,
  );
  assert.deepEqual(await Promise.all([new Future<number>().success(1), new Future<string>().success('b')]), [1, 'b']);
});

test('catch and finally are those of a promise', async () => {
  const seen: string[] = [];
  const failed = new Future<number>();
  const caught = failed.catch((error) => (error as Error).message);
  const ended = failed.finally(() => seen.push('failed')).catch((error) => error);
  failed.failure(boom);
  assert.equal(await caught, boom.message);
  assert.equal(await ended, boom);
  const succeeded = new Future<number>().success(5);
  assert.equal(await succeeded.catch(() => 6), 5);
  assert.equal(await succeeded.finally(() => seen.push('succeeded')), 5);
  assert.deepEqual(seen, ['failed', 'succeeded']);
});

test('callbacks run in the async context of the code that added them', async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const note = (): void => void seen.push(storage.getStore());
  const pending = new Future<number>();
  const failing = new Future<number>();
  const done = new Future<number>().success(1);
  storage.run('a', () => pending.addCallback(note));
  storage.run('b', () => failing.addErrback(note));
  storage.run('c', () => pending.addBoth(note));
  storage.run('d', () => done.addCallback(note));
  storage.run('reader', () => {
    pending.success(1);
    failing.failure(boom);
  });
  assert.deepEqual(seen, ['d', 'a', 'c', 'b']);
});

const unprintable: Record<string, () => unknown> = {
  'an object without prototype': () => Object.create(null),
  'a throwing toString': () => ({
    toString() {
      throw new Error('no');
    },
  }),
  'a throwing message': () =>
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('no');
      },
    }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

for (const [what, make] of Object.entries(unprintable)) {
  test(`a callback that throws ${what} stops nothing else, and is reported`, async () => {
    const told = once(process, 'warning');
    const log: string[] = [];
    new Future<number>()
      .addCallback(() => {
        throw make();
      })
      .addCallback(() => log.push('next'))
      .success(1);
    assert.deepEqual(log, ['next']);
    const [warning] = (await told) as [Error];
    assert.equal(typeof warning.message, 'string');
  });
}

test('an error that cannot be reported because the stack is full is reported in a later turn', async () => {
  const told: unknown[] = [];
  let isDeep = true;
  const future = new Future<number>((error) => {
    if (isDeep) throw new RangeError('Maximum call stack size exceeded');
    told.push(error);
  });
  future.addCallback(() => {
    throw boom;
  });
  future.success(1);
  isDeep = false;
  await waitFor('the report', () => told.length > 0);
  assert.deepEqual(told, [boom]);
});

test('endless nesting of callbacks is stopped, and the process goes on', () => {
  let depth = 0;
  const nest = (): void => {
    depth++;
    new Future<number>(() => {}).success(1).addCallback(nest);
  };
  try {
    nest();
  } catch (error) {
    // Where the overflow comes is up to the engine.
    assert.ok(error instanceof RangeError);
  }
  assert.ok(depth > 100, String(depth));
});
