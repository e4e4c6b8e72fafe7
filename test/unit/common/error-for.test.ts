// Errors made of the error codes in responses.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as errors from '../../../src/common/errors.ts';
import { errorRows } from '../../../src/protocol/schema/errors.ts';

const { BrokerError, brokerErrorClasses, errorFor, KafkaClientError, UnknownError } = errors;

describe('errorFor', () => {
  it('has nothing to say about success', () => {
    assert.equal(errorFor(0), null);
  });

  it('tells name, number, and what to do', () => {
    const error = errorFor(6);
    assert.ok(error instanceof BrokerError && error instanceof KafkaClientError);
    assert.ok(error instanceof errors.NotLeaderForPartitionError);
    assert.equal(error.name, 'NotLeaderForPartitionError');
    assert.equal(error.errorName, 'NOT_LEADER_OR_FOLLOWER');
    assert.equal(error.code, 'KAFKA_NOT_LEADER_OR_FOLLOWER');
    assert.equal(error.errorCode, 6);
    assert.equal(error.retriable, true);
    assert.equal(error.invalidMetadata, true);
    assert.match(error.message, /^\[Error 6\] NotLeaderForPartitionError: /);
    assert.equal(errorFor(-1)?.name, 'UnknownError');
    assert.equal(errorFor(29)?.retriable, false);
  });

  it('keeps the number of a code it does not know, and calls it not retriable', () => {
    const error = errorFor(9999);
    assert.ok(error instanceof UnknownError);
    assert.equal(error.errorName, 'UNKNOWN');
    assert.equal(error?.errorCode, 9999);
    assert.equal(error?.retriable, false);
    assert.match(error?.message ?? '', /9999/);
  });

  it('has a class for every row of the table, with its number, name and flags', () => {
    const rows = errorRows.filter(({ code }) => code !== 0);
    assert.ok(rows.length >= 137);
    assert.equal(brokerErrorClasses.size, rows.length);
    for (const row of rows) {
      const error = errorFor(row.code)!;
      assert.equal(error.name, row.className);
      assert.equal(error.constructor, (errors as Record<string, unknown>)[row.className]);
      assert.equal(error.errorCode, row.code);
      assert.equal(error.errorName, row.name);
      assert.equal(error.retriable, row.retriable);
      assert.equal(error.invalidMetadata, row.invalidMetadata);
      assert.equal(error instanceof errors.AuthorizationError, row.isAuthorization);
      assert.match(row.message, /^[A-Z].{5,}/);
    }
    assert.deepEqual(
      rows.filter((row) => row.isAuthorization).map(({ code }) => code),
      [29, 30, 31, 53, 65],
    );
  });
});
