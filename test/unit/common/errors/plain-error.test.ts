import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as errors from '../../../../src/common/errors/errors.ts';
import { fromPlainError, toPlainError } from '../../../../src/common/errors/plain-error.ts';

const { KafkaClientError, KafkaConnectionError, RequestTimedOutError } = errors;

type ErrorClass = typeof KafkaClientError;

const classes = Object.values(errors).filter(
  (value): value is ErrorClass => typeof value === 'function' && value.prototype instanceof Error,
);

/** There and back, as over a link: JSON and all. */
function roundTrip(thrown: unknown): Error {
  return fromPlainError(JSON.parse(JSON.stringify(toPlainError(thrown))));
}

for (const type of classes) {
  test(`${type.name} keeps class, code, flags, fields, text, stack and cause over a thread boundary`, () => {
    const cause = Object.assign(new Error('the cause'), { code: 'ECONNRESET' });
    const error = new type('what happened', {
      cause,
      nodeId: -3,
      apiKey: 18,
      correlationId: 0,
      offset: 77,
      field: 'topics[0].name',
    });
    assert.equal(error.name, type.name);
    assert.equal(error.code, type.code);
    assert.equal(error.retriable, type.retriable);
    const back = roundTrip(error) as InstanceType<ErrorClass>;
    assert.equal(back.constructor, type);
    for (const key of [
      'name',
      'message',
      'code',
      'stack',
      'retriable',
      'invalidMetadata',
      'nodeId',
      'apiKey',
      'correlationId',
      'offset',
      'field',
    ] as const) {
      assert.deepEqual(back[key], error[key], key);
    }
    assert.equal((back.cause as Error).message, 'the cause');
    assert.equal((back.cause as NodeJS.ErrnoException).code, 'ECONNRESET');
    assert.ok(structuredClone(toPlainError(error)));
  });

  test(`${type.name} without details has no empty fields`, () => {
    const keys = Object.keys(roundTrip(new type('x')));
    for (const key of ['nodeId', 'apiKey', 'correlationId', 'offset', 'field', 'cause']) {
      assert.ok(!keys.includes(key), key);
    }
  });
}

test("a broker's error keeps its number and name, known or not", () => {
  for (const code of [6, 29, 127, 9999]) {
    const error = errors.errorFor(code, { nodeId: 3 })!;
    const back = roundTrip(error);
    assert.equal(back.constructor, error.constructor);
    assert.ok(back instanceof errors.BrokerError);
    assert.equal(back.errorCode, code);
    assert.equal(back.errorName, error.errorName);
    assert.equal(back.nodeId, 3);
  }
});

test('the causes of NoBrokersAvailable keep their classes', () => {
  const failure = { host: 'one', port: 9092, error: new RequestTimedOutError('late', { nodeId: -1 }) };
  const back = roundTrip(new errors.NoBrokersAvailable('none', { causes: [failure] }));
  assert.ok(back instanceof errors.NoBrokersAvailable);
  assert.deepEqual(
    back.causes.map(({ host, port }) => [host, port]),
    [['one', 9092]],
  );
  assert.ok(back.causes[0]!.error instanceof RequestTimedOutError);
  assert.equal(back.causes[0]!.error.nodeId, -1);
});

test('a chain of causes keeps every class', () => {
  const chain = new KafkaConnectionError('outer', {
    cause: new RequestTimedOutError('middle', { cause: new TypeError('inner'), nodeId: 4 }),
  });
  const back = roundTrip(chain);
  assert.ok(back instanceof KafkaConnectionError);
  assert.ok(back.cause instanceof RequestTimedOutError);
  assert.equal(back.cause.nodeId, 4);
  assert.equal((back.cause.cause as Error).name, 'TypeError');
  assert.equal((back.cause.cause as Error).message, 'inner');
});

test('a cycle of causes ends', () => {
  const a = new Error('a');
  const b = new Error('b', { cause: a });
  a.cause = b;
  let depth = 0;
  for (let error: unknown = roundTrip(a); error instanceof Error; error = error.cause) depth++;
  assert.ok(depth > 1 && depth < 20);
});

test('errors of other kinds keep name, text, code and stack', () => {
  const error = Object.assign(new RangeError('out of range'), { code: 'ERR_X' });
  const back = roundTrip(error);
  assert.equal(back.name, 'RangeError');
  assert.equal(back.message, 'out of range');
  assert.equal((back as NodeJS.ErrnoException).code, 'ERR_X');
  assert.equal(back.stack, error.stack);
});

test('a cause that is not an error is kept', () => {
  const back = roundTrip(new KafkaConnectionError('x', { cause: 'just text' }));
  assert.equal((back.cause as Error).message, 'thrown value: just text');
});

test('every thrown value becomes data, and nothing else is thrown', () => {
  const hostile: unknown[] = [
    undefined,
    null,
    0,
    'text',
    1n,
    Symbol('s'),
    {},
    [],
    Object.create(null),
    () => 1,
    {
      toString() {
        throw new Error('no');
      },
    },
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('no');
      },
    }),
    Object.defineProperty(new Error('x'), 'name', { value: Symbol('name') }),
    Object.assign(new Error('x'), { name: { nested: 1n } }),
    Object.assign(new Error('x'), { message: { nested: 1n } }),
    Object.assign(new Error('x'), { code: 42, stack: null, nodeId: '7', offset: Number.NaN, apiKey: 1n }),
    Object.assign(new Error('x'), { cause: Object.create(null) }),
    new Proxy(new Error('x'), {
      get() {
        throw new Error('no');
      },
    }),
    new AggregateError([new Error('a'), new Error('b')]),
  ];
  for (const [i, thrown] of hostile.entries()) {
    const plain = toPlainError(thrown);
    assert.equal(typeof plain.name, 'string', `value ${i}`);
    assert.equal(typeof plain.message, 'string', `value ${i}`);
    assert.ok(roundTrip(thrown) instanceof Error, `value ${i}`);
    assert.ok(structuredClone(plain));
  }
});

test('a name that every object has as a property is not taken for a class', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const back = fromPlainError({ name, message: 'm' });
    assert.equal(back.constructor, Error);
    assert.equal(back.name, name);
  }
});

test('a configuration error lists its problems, and counts them when there are several', () => {
  const one = new errors.KafkaConfigurationError('only this');
  assert.equal(one.message, 'only this [KAFKA_CONFIGURATION]');
  assert.deepEqual(one.problems, ['only this']);
  const two = new errors.KafkaConfigurationError(['a', 'b']);
  assert.equal(two.message, '2 problems:\n- a\n- b [KAFKA_CONFIGURATION]');
  assert.deepEqual(two.problems, ['a', 'b']);
});

test('a configuration error keeps its list of problems', () => {
  const error = fromPlainError(structuredClone(toPlainError(new errors.KafkaConfigurationError(['a', 'b']))));
  assert.ok(error instanceof errors.KafkaConfigurationError);
  assert.deepEqual(error.problems, ['a', 'b']);
});
