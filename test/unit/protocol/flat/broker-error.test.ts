// Errors made of the error codes in responses.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaClientError } from '../../../../src/common/errors.ts';
import { BrokerError, errorFor } from '../../../../src/protocol/flat/broker-error.ts';
import { errorCodes } from '../../../../src/protocol/flat/generated/error-codes.ts';

describe('errorFor', () => {
  it('has nothing to say about success', () => {
    assert.equal(errorFor(0), null);
  });

  it('tells name, number, and what to do', () => {
    const error = errorFor(6);
    assert.ok(error instanceof BrokerError && error instanceof KafkaClientError);
    assert.equal(error.name, 'NotLeaderForPartitionError');
    assert.equal(error.errorName, 'NOT_LEADER_OR_FOLLOWER');
    assert.equal(error.code, 'KAFKA_BROKER_NOT_LEADER_OR_FOLLOWER');
    assert.equal(error.errorCode, 6);
    assert.equal(error.retriable, true);
    assert.equal(error.invalidMetadata, true);
    assert.match(error.message, /^\[Error 6\] NotLeaderForPartitionError: /);
    assert.equal(errorFor(-1)?.name, 'UnknownError');
    assert.equal(errorFor(29)?.retriable, false);
  });

  it('keeps the number of a code it does not know, and calls it not retriable', () => {
    const error = errorFor(9999);
    assert.equal(error?.name, 'UnknownError');
    assert.equal(error?.errorCode, 9999);
    assert.equal(error?.retriable, false);
    assert.match(error?.message ?? '', /9999/);
  });

  it('knows every code once, under a name and a class of its own', () => {
    const rows = [...errorCodes.values()];
    assert.ok(rows.length >= 138);
    for (const [code, row] of errorCodes) assert.equal(row.code, code);
    assert.equal(new Set(rows.map(({ name }) => name)).size, rows.length);
    assert.equal(new Set(rows.map(({ className }) => className)).size, rows.length);
    for (const { message } of rows) assert.match(message, /^[A-Z].{5,}/);
  });
});
