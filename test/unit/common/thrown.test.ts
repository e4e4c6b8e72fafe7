// Whatever application code throws becomes an Error with a text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { thrownError, thrownText } from '../../../src/common/thrown.ts';

const throwing = {
  get() {
    throw new Error('no');
  },
};
const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

const values: Readonly<Record<string, unknown>> = {
  nothing: undefined,
  'a symbol': Symbol('s'),
  'an object without prototype': Object.create(null),
  'a toString that throws': {
    toString() {
      throw new Error('no');
    },
  },
  'a toString that gives no text': { toString: () => ({}) },
  'an error whose message throws': Object.defineProperty(new Error('x'), 'message', throwing),
  'an error whose name throws': Object.defineProperty(new Error('x'), 'name', throwing),
  'an error whose message is no text': Object.assign(new Error('x'), { message: { a: 1 } }),
  'a revoked proxy': revoked({}),
  'a revoked proxy of an error': revoked(new Error('x')),
};

for (const [what, value] of Object.entries(values)) {
  test(`${what} becomes an error with a text`, () => {
    const error = thrownError(value);
    assert.ok(error instanceof Error);
    assert.equal(typeof error.message, 'string');
    assert.equal(typeof error.name, 'string');
    assert.equal(typeof thrownText(value), 'string');
  });
}

test('a readable error is not changed', () => {
  const error = new RangeError('x');
  assert.equal(thrownError(error), error);
});
