// The table of errors of a transaction's requests: the result of each code, request by request.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TransactionCall, transactionAction } from '../../../../src/worker/producer/transaction-errors.ts';

const calls: readonly TransactionCall[] = [
  'InitProducerId',
  'AddPartitionsToTxn',
  'AddOffsetsToTxn',
  'TxnOffsetCommit',
  'EndTxn',
];

/** Rows as in Kafka's TransactionManager; `-`: the code does not come. */
const rows: readonly [code: number, name: string, ...actions: string[]][] = [
  [15, 'COORDINATOR_NOT_AVAILABLE', 'find', 'find', 'find', 'find', 'find'],
  [16, 'NOT_COORDINATOR', 'find', 'find', 'find', 'find', 'find'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'retry', 'retry', 'retry', 'retry', 'retry'],
  [51, 'CONCURRENT_TRANSACTIONS', 'retry', 'retry', 'retry', 'retry', 'retry'],
  [56, 'KAFKA_STORAGE_ERROR', 'retry', 'retry', 'retry', 'retry', 'retry'],
  [7, 'REQUEST_TIMED_OUT', 'retry', 'retry', 'retry', 'find', 'retry'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', '-', 'retry', '-', 'retry', '-'],
  [47, 'INVALID_PRODUCER_EPOCH', 'fenced', 'fenced', 'fenced', 'fenced', 'fenced'],
  [90, 'PRODUCER_FENCED', 'fenced', 'fenced', 'fenced', 'fenced', 'fenced'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'fatal', 'fatal', 'fatal', 'fatal', 'fatal'],
  [59, 'UNKNOWN_PRODUCER_ID', 'fatal', 'abort', 'abort', 'fatal', 'abort'],
  [48, 'INVALID_TXN_STATE', 'fatal', 'fatal', 'fatal', 'fatal', 'fatal'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'restart', 'fatal', 'fatal', 'fatal', 'fatal'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'restart', '-', '-', '-', '-'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', '-', 'abort', '-', 'abort', '-'],
  [55, 'OPERATION_NOT_ATTEMPTED', '-', 'abort', '-', '-', '-'],
  [30, 'GROUP_AUTHORIZATION_FAILED', '-', '-', 'abort', 'abort', '-'],
  [82, 'FENCED_INSTANCE_ID', '-', '-', '-', 'abort', '-'],
  [25, 'UNKNOWN_MEMBER_ID', '-', '-', '-', 'abort', '-'],
  [22, 'ILLEGAL_GENERATION', '-', '-', '-', 'abort', '-'],
  [113, 'STALE_MEMBER_EPOCH', '-', '-', '-', 'abort', '-'],
  [69, 'GROUP_ID_NOT_FOUND', '-', '-', '-', 'abort', '-'],
  [100, 'UNKNOWN_TOPIC_ID', '-', '-', '-', 'retry', '-'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', '-', '-', '-', 'fatal', '-'],
  [120, 'TRANSACTION_ABORTABLE', 'abort', 'abort', 'abort', 'abort', 'abort'],
  [999, 'a code nobody knows', 'fatal', 'abort', 'fatal', 'fatal', 'fatal'],
  [0, 'no error', 'done', 'done', 'done', 'done', 'done'],
];

for (const [code, name, ...actions] of rows) {
  test(`${name}, request by request`, () => {
    for (const [index, call] of calls.entries()) {
      if (actions[index] === '-') continue;
      assert.equal(transactionAction(call, code, true, true), actions[index], call);
    }
  });
}

test('an unknown producer id is fatal if the epoch cannot be raised', () => {
  for (const call of calls) assert.equal(transactionAction(call, 59, false), 'fatal', call);
});

test('TRANSACTION_ABORTABLE in answer to an abort is fatal', () => {
  assert.equal(transactionAction('EndTxn', 120, true, false), 'fatal');
});

test('INVALID_TXN_STATE in answer to an abort ends it if the coordinator may never have heard of the transaction', () => {
  assert.equal(transactionAction('EndTxn', 48, true, false, true), 'done');
  assert.equal(transactionAction('EndTxn', 48, true, true, true), 'fatal', 'a commit');
  for (const code of [47, 90, 49, 53]) assert.notEqual(transactionAction('EndTxn', code, true, false, true), 'done');
});
