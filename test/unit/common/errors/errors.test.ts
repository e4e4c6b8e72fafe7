// The hierarchy of errors: names, codes, whether they are retriable.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as errors from '../../../../src/common/errors/errors.ts';
import { fromPlainError, toBriefJson, toPlainError } from '../../../../src/common/errors/plain-error.ts';

type ErrorClass = typeof errors.KafkaClientError;

const classes = Object.values(errors).filter(
  (value): value is ErrorClass => typeof value === 'function' && value.prototype instanceof Error,
);

test('codes and names of the classes are unique', () => {
  assert.ok(classes.length >= 20);
  const codes = classes.map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(code, /^KAFKA_[A-Z_]+$/);
});

test('classes are retriable and ask for new metadata as listed', () => {
  const own = classes.filter((type) => !(type.prototype instanceof errors.BrokerError));
  const retriable = own.filter(({ retriable: is }) => is).map(({ name }) => name);
  assert.deepEqual(retriable.sort(), [
    'BufferExhaustedError',
    'CorrelationIdError',
    'DeliveryTimeoutError',
    'KafkaConnectionError',
    'KafkaTimeoutError',
    'MetadataEmptyBrokerList',
    'NoBrokersAvailable',
    'NodeNotReadyError',
    'RingFullError',
    'TooManyInFlightRequests',
    'TopicMetadataTimeoutError',
    'UnknownBrokerIdError',
  ]);
  const stale = own.filter(({ invalidMetadata }) => invalidMetadata).map(({ name }) => name);
  assert.deepEqual(stale.sort(), [
    'KafkaConnectionError',
    'NoBrokersAvailable',
    'TopicMetadataTimeoutError',
    'UnknownBrokerIdError',
  ]);
});

test('an error caused by a refused login or certificate is never retriable', () => {
  const refusals = [
    new errors.SaslAuthenticationFailedError('x'),
    new errors.UnsupportedSaslMechanismError('x'),
    new errors.IllegalSaslStateError('x'),
    new errors.TlsAuthenticationError('x'),
  ];
  for (const cause of refusals) {
    const between = new errors.KafkaConnectionError('x', { cause });
    for (const error of [
      between,
      new errors.NodeNotReadyError('x', { cause }),
      new errors.KafkaTimeoutError('x', { cause: between }),
      new errors.NoBrokersAvailable('x', { cause, causes: [{ host: 'a', port: 1, error: cause }] }),
    ]) {
      assert.equal(error.retriable, false, `${error.name} because of ${cause.name}`);
      assert.equal((fromPlainError(toPlainError(error)) as typeof error).retriable, false);
      assert.equal((fromPlainError(JSON.parse(toBriefJson(error, 250))) as typeof error).retriable, false);
    }
  }
  const stillRetriable = new errors.KafkaConnectionError('x', { cause: refusals[0], retriable: true });
  assert.equal((fromPlainError(toPlainError(stillRetriable)) as typeof stillRetriable).retriable, true);
  assert.equal(new errors.KafkaTimeoutError('x', { cause: stillRetriable }).retriable, true);
});

test('NoBrokersAvailable is retriable if one of its causes is, or if it has no cause', () => {
  const failure = (error: Error) => ({ host: 'a', port: 1, error });
  const refused = failure(new errors.SaslAuthenticationFailedError('x'));
  const lost = failure(new errors.KafkaConnectionError('x'));
  const of = (...causes: (typeof lost)[]) =>
    new errors.NoBrokersAvailable('x', { causes, cause: causes[0]?.error }).retriable;
  assert.deepEqual([of(), of(lost), of(refused, lost), of(refused, refused)], [true, true, true, false]);
  assert.equal(of(failure(new errors.UnrecognizedBrokerVersion('x'))), false);
  assert.equal(of(failure(new Error('not ours'))), true);
});

test('classes have the same names as in kafka-python', () => {
  const names =
    `KafkaConnectionError NodeNotReadyError NoBrokersAvailable TooManyInFlightRequests Cancelled KafkaProtocolError
    CorrelationIdError InvalidReceiveError MetadataEmptyBrokerList  KafkaTimeoutError UnrecognizedBrokerVersion
    IncompatibleBrokerVersion UnsupportedCodecError  KafkaConfigurationError IllegalStateError
    IllegalArgumentError`.split(/\s+/);
  assert.deepEqual(
    names.filter((name) => !classes.some((type) => type.name === name)),
    [],
  );
});

test('an error of the client and the same error of a broker have one class', () => {
  const own = new errors.RequestTimedOutError('no response within 5 ms');
  const answered = errors.errorFor(7);
  assert.equal(own.constructor, answered?.constructor);
  assert.equal(own.errorCode, 7);
  assert.equal(own.code, 'KAFKA_REQUEST_TIMED_OUT');
});

test('classes extend the right base classes', () => {
  assert.ok(new errors.IncompatibleBrokerVersion('x') instanceof errors.UnsupportedVersionError);
  assert.ok(new errors.CorrelationIdError('x') instanceof errors.KafkaProtocolError);
  assert.ok(new errors.InvalidReceiveError('x') instanceof errors.KafkaProtocolError);
  assert.ok(new errors.TooManyInFlightRequests('x') instanceof errors.NodeNotReadyError);
  assert.ok(new errors.TlsAuthenticationError('x') instanceof errors.KafkaConnectionError);
  assert.ok(new errors.TopicAuthorizationFailedError() instanceof errors.AuthorizationError);
});

test('every error text ends with its code, also when another error is part of it or when it has crossed threads', () => {
  for (const type of [...classes, errors.KafkaClientError]) {
    const cause = new errors.RequestTimedOutError('no response within 30000 ms');
    // `problems` of this one are what its text is made of.
    const error = new type(`it was given up: ${cause.message}`, { cause });
    assert.ok(error.message.endsWith(` [${type.code}]`), error.message);
    assert.equal(error.message.match(/\[KAFKA_/g)!.length, 1, error.message);
    assert.match(error.message, /no response within 30000 ms/);
    assert.equal(fromPlainError(toPlainError(error)).message, error.message);
    const brief = fromPlainError(JSON.parse(toBriefJson(error, 1000)));
    assert.equal(brief.message, error.message);
    // The list of problems of this one is cut as a whole.
    if (type === errors.KafkaConfigurationError) continue;
    const cut = fromPlainError(JSON.parse(toBriefJson(new type('x'.repeat(5000)), 1000)));
    assert.ok(cut.message.endsWith(`... [${type.code}]`), cut.message);
  }
  for (let code = -1; code <= 200; code++) {
    const error = errors.errorFor(code);
    if (error !== null) assert.ok(error.message.endsWith(` [${error.code}]`), error.message);
  }
});
