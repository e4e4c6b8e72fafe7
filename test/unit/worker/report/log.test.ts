// Log records before they leave the network thread: repeated faults make few records, and for a blocked application their number is
// limited.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import type { LogBatch, LogRecord } from '../../../../src/common/logger.ts';
import { Log } from '../../../../src/worker/report/log.ts';

let batches: LogBatch[];
let log: Log;

beforeEach(() => open('debug'));

function open(logLevel: string): void {
  batches = [];
  log = new Log(logLevel, (batch) => batches.push(batch));
}

/** Everything handed over so far, as an application that keeps up sees it. */
function records(): LogRecord[] {
  for (let seen = -1; seen !== batches.length; ) {
    seen = batches.length;
    log.taken();
  }
  return batches.flatMap((batch) => [...batch.records]);
}

test('records below the level are not made; silent makes none', () => {
  for (const [level, expected] of [
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['silent', 0],
  ] as const) {
    open(level);
    for (const each of ['debug', 'info', 'warn', 'error'] as const) log.write(each, 'event', 'text');
    assert.equal(records().length, expected, level);
  }
});

test('a record carries what happened, where, and the error as data', () => {
  log.write('warn', 'lost', 'text', { nodeId: 0, error: new KafkaConnectionError('why', { nodeId: 0 }) });
  const [record] = records();
  assert.equal(record!.level, 'warn');
  assert.equal(record!.event, 'lost');
  assert.equal(record!.message, 'text');
  assert.equal(record!.nodeId, 0);
  assert.equal(record!.repeated, 0);
  assert.equal(record!.error!.message, 'why [KAFKA_CONNECTION]');
  assert.deepEqual(structuredClone(record), record);
});

test('the same fault for an hour is logged a few times, with its count', () => {
  const hourMs = 3_600_000;
  for (let now = 0; now < hourMs; now += 1000) log.fault('node 1', 'warn', 'failed', 'refused', {}, now);
  const told = records();
  assert.ok(told.length >= 4 && told.length <= 8, `${told.length} records`);
  assert.deepEqual(
    told.slice(0, 3).map(({ message, repeated }) => [message, repeated]),
    [
      ['refused', 0],
      ['refused (seen 60 times since)', 60],
      ['refused (seen 120 times since)', 120],
    ],
  );
});

test('a record after a long silence is logged at once', () => {
  log.fault('a', 'warn', 'failed', 'refused', {}, 0);
  log.fault('a', 'warn', 'failed', 'refused', {}, 10_000_000);
  assert.deepEqual(
    records().map(({ message }) => message),
    ['refused', 'refused'],
  );
});

test('different faults are logged separately, and a fault that is over is logged again when it returns', () => {
  log.fault('node 1', 'warn', 'failed', 'one', {}, 0);
  log.fault('node 2', 'warn', 'failed', 'two', {}, 0);
  for (let i = 0; i < 4; i++) log.fault('node 1', 'warn', 'failed', 'one', {}, 10);
  assert.equal(log.recovered('node 1'), 5);
  assert.equal(log.recovered('node 1'), 0);
  log.fault('node 1', 'warn', 'failed', 'again', {}, 20);
  assert.deepEqual(
    records().map(({ message }) => message),
    ['one', 'two', 'again'],
  );
});

test('the memory for kinds of faults is bounded', () => {
  for (let i = 0; i < 5000; i++) log.fault(`key ${i}`, 'warn', 'failed', 'text', {}, 0);
  assert.equal(log.recovered('key 0'), 0, 'forgotten');
  assert.equal(log.recovered('key 4999'), 1);
});

test('one batch of records is on its way at a time; waiting records are bounded, and dropped ones are counted', () => {
  log.write('warn', 'event', 'first');
  log.flush();
  for (let i = 0; i < 1000; i++) {
    log.write('warn', 'event', `later ${i}`);
    log.flush();
  }
  assert.equal(batches.length, 1, 'the application has not taken it');
  log.taken();
  assert.equal(batches.length, 2);
  assert.equal(batches[1]!.records.length, 256);
  assert.equal(batches[1]!.dropped, 744);
  log.taken();
  assert.equal(batches.length, 2, 'nothing is left');
  log.write('warn', 'event', 'last');
  log.flush();
  assert.deepEqual(
    batches[2]!.records.map(({ message }) => message),
    ['last'],
  );
  assert.equal(batches[2]!.dropped, 0, 'counted once');
});

test('close hands over the rest even if the last batch was not acknowledged', () => {
  log.write('warn', 'event', 'first');
  log.flush();
  log.write('warn', 'event', 'last');
  log.close();
  assert.equal(batches.length, 2);
  log.close();
  assert.equal(batches.length, 2);
});
