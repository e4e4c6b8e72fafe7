// The hierarchy of errors: names, codes, what to do about them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as errors from '../../../../src/common/errors/errors.ts';

type ErrorClass = typeof errors.KafkaClientError;

const classes = Object.values(errors).filter(
  (value): value is ErrorClass => typeof value === 'function' && value.prototype instanceof Error,
);

test('there are classes, and codes and names are unique', () => {
  assert.ok(classes.length >= 20);
  const codes = classes.map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) assert.match(code, /^KAFKA_[A-Z_]+$/);
});

test('what is retriable, and what asks for new metadata', () => {
  const own = classes.filter((type) => !(type.prototype instanceof errors.BrokerError));
  const retriable = own.filter(({ retriable: is }) => is).map(({ name }) => name);
  assert.deepEqual(retriable.sort(), [
    'Cancelled',
    'CorrelationIdError',
    'KafkaConnectionError',
    'KafkaTimeoutError',
    'MetadataEmptyBrokerList',
    'NoBrokersAvailable',
    'NodeNotReadyError',
    'RingFullError',
    'StaleMetadata',
    'TooManyInFlightRequests',
    'UnknownBrokerIdError',
  ]);
  const stale = own.filter(({ invalidMetadata }) => invalidMetadata).map(({ name }) => name);
  assert.deepEqual(stale.sort(), [
    'KafkaConnectionError',
    'NoBrokersAvailable',
    'StaleMetadata',
    'UnknownBrokerIdError',
  ]);
});

test('classes have the names of kafka-python', () => {
  const names =
    `KafkaConnectionError NodeNotReadyError NoBrokersAvailable TooManyInFlightRequests Cancelled KafkaProtocolError
    CorrelationIdError InvalidReceiveError MetadataEmptyBrokerList StaleMetadata KafkaTimeoutError UnrecognizedBrokerVersion
    IncompatibleBrokerVersion UnsupportedCodecError QuotaViolationError KafkaConfigurationError IllegalStateError
    IllegalArgumentError`.split(/\s+/);
  assert.deepEqual(
    names.filter((name) => !classes.some((type) => type.name === name)),
    [],
  );
});

test('one class serves what the client finds out itself and what a broker answers', () => {
  const own = new errors.RequestTimedOutError('no response within 5 ms');
  const answered = errors.errorFor(7);
  assert.equal(own.constructor, answered?.constructor);
  assert.equal(own.errorCode, 7);
  assert.equal(own.code, 'KAFKA_REQUEST_TIMED_OUT');
});

test('what kind of error a class is', () => {
  assert.ok(new errors.IncompatibleBrokerVersion('x') instanceof errors.UnsupportedVersionError);
  assert.ok(new errors.CorrelationIdError('x') instanceof errors.KafkaProtocolError);
  assert.ok(new errors.InvalidReceiveError('x') instanceof errors.KafkaProtocolError);
  assert.ok(new errors.TooManyInFlightRequests('x') instanceof errors.NodeNotReadyError);
  assert.ok(new errors.TlsAuthenticationError('x') instanceof errors.KafkaConnectionError);
  assert.ok(new errors.TopicAuthorizationFailedError() instanceof errors.AuthorizationError);
});
