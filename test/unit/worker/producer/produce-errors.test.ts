// The outcome of a batch by its answer: the table of errors, retries with backoff, splits, leaders that move.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestProducer } from './support/test-producer.ts';

const started = TestProducer.started;

const retried: readonly [code: number, name: string, asksForMetadata: boolean, maybeWritten: boolean][] = [
  [2, 'CORRUPT_MESSAGE', false, false],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', true, false],
  [5, 'LEADER_NOT_AVAILABLE', true, false],
  [6, 'NOT_LEADER_OR_FOLLOWER', true, false],
  [7, 'REQUEST_TIMED_OUT', false, true],
  [19, 'NOT_ENOUGH_REPLICAS', false, false],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', false, true],
  [56, 'KAFKA_STORAGE_ERROR', true, false],
  [74, 'FENCED_LEADER_EPOCH', true, false],
  [89, 'THROTTLING_QUOTA_EXCEEDED', false, false],
  [100, 'UNKNOWN_TOPIC_ID', true, false],
];

for (const [code, name, asksForMetadata, maybeWritten] of retried) {
  test(`${name} is tried again after the backoff, and counts as an attempt`, () => {
    const producer = started({ lingerMs: 0, retryBackoffMs: 100, retries: 1 });
    const id = producer.append('a');
    producer.poll();
    const updates = producer.cluster.updatesAsked;
    producer.cluster.answer(undefined, () => code);
    assert.equal(producer.cluster.updatesAsked > updates, asksForMetadata);
    producer.advance(99);
    assert.equal(producer.cluster.produces.length, 0);
    producer.advance(1);
    assert.equal(producer.cluster.produces.length, 1);
    producer.cluster.answer(undefined, () => code);
    const error = producer.error(id) as Error & { errorCode?: number; topic?: string; partition?: number };
    assert.equal(error.errorCode, code);
    assert.deepEqual([error.topic, error.partition, producer.error(id).maybeWritten], ['t', 0, maybeWritten]);
  });
}

const final: readonly [code: number, name: string][] = [
  [17, 'INVALID_TOPIC_EXCEPTION'],
  [18, 'RECORD_LIST_TOO_LARGE'],
  [21, 'INVALID_REQUIRED_ACKS'],
  [29, 'TOPIC_AUTHORIZATION_FAILED'],
  [32, 'INVALID_TIMESTAMP'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT'],
  [44, 'POLICY_VIOLATION'],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE'],
  [87, 'INVALID_RECORD'],
  [10, 'MESSAGE_TOO_LARGE'],
  [999, 'a code nobody knows'],
];

for (const [code, name] of final) {
  test(`${name} fails the batch, and records behind it are written`, () => {
    const producer = started({ lingerMs: 0 });
    const id = producer.append('a');
    producer.poll();
    producer.cluster.answer(undefined, () => code);
    const error = producer.error(id) as Error & { errorCode?: number; maybeWritten?: boolean };
    assert.equal(error.errorCode, code);
    assert.equal(error.maybeWritten, false);
    const next = producer.append('b');
    producer.poll();
    producer.cluster.answer();
    assert.equal(producer.outcome(next), 'at 0');
  });
}

test('CLUSTER_AUTHORIZATION_FAILED ends an idempotent producer, and fails everything in it', () => {
  const producer = started({ lingerMs: 0 }, 2);
  const first = producer.append('a', { partition: 0 });
  producer.poll();
  const second = producer.append('b', { partition: 1 });
  producer.cluster.answer(undefined, () => 31);
  assert.ok(producer.fatal !== null);
  assert.deepEqual([producer.outcome(first), producer.outcome(second)], ['ProducerFatalError', 'ProducerFatalError']);
  assert.equal(producer.outcome(producer.append('c')), 'ProducerFatalError');
});

test('when a producer ends, records under way may be in the log, and those that were not sent are not', () => {
  const producer = started({ lingerMs: 0 }, 3);
  const refused = producer.append('a', { partition: 0 });
  producer.poll();
  const [answered] = producer.cluster.produces;
  const underWay = producer.append('b', { partition: 1 });
  producer.poll();
  producer.cluster.isUp.set(1, false);
  const notSent = producer.append('c', { partition: 2 });
  producer.poll();
  producer.cluster.answer(answered, () => 31);
  const doubts = [refused, underWay, notSent].map((id) => producer.error(id).maybeWritten === true);
  assert.deepEqual(doubts, [false, true, false]);
  assert.equal(producer.outcome(underWay), 'ProducerFatalError');
  assert.equal((producer.error(underWay) as Error & { fatal?: boolean }).fatal, true);
});

test('CLUSTER_AUTHORIZATION_FAILED fails only the batch of a producer without idempotence', () => {
  const producer = started({ lingerMs: 0, enableIdempotence: false });
  const id = producer.append('a');
  producer.poll();
  producer.cluster.answer(undefined, () => 31);
  assert.equal(producer.outcome(id), 'ClusterAuthorizationFailedError');
  assert.equal(producer.fatal, null);
});

test('a batch is sent again with fresh metadata after a lost connection, and the final error says that it may be written', () => {
  const producer = started({ lingerMs: 0, retries: 1 });
  const id = producer.append('a');
  producer.poll();
  const updates = producer.cluster.updatesAsked;
  producer.cluster.lose();
  assert.ok(producer.cluster.updatesAsked > updates);
  producer.advance(1000);
  producer.cluster.lose();
  assert.equal(producer.outcome(id), 'KafkaConnectionError');
  assert.equal(producer.error(id).maybeWritten, true);
});

test('the backoff doubles up to its limit, with 20 % of jitter', () => {
  const producer = started({ lingerMs: 0, retryBackoffMs: 100, retryBackoffMaxMs: 300 });
  producer.append('a');
  producer.poll();
  const waits: number[] = [];
  for (const random of [0.5, 0, 1, 0.5]) {
    producer.cluster.random = () => random;
    producer.cluster.answer(undefined, () => 19);
    producer.poll();
    const wait = producer.role.nextDeadline() - producer.cluster.now;
    waits.push(Math.round(wait));
    producer.advance(wait);
  }
  assert.deepEqual(waits, [100, 160, 360, 300]);
});

test('a throttled node gets nothing until the throttle time is over, and its batches wait without counting an attempt', () => {
  const producer = TestProducer.started({ lingerMs: 0, batchSizeBytes: 0 });
  producer.warmUp();
  const { cluster } = producer;
  cluster.throttledUntil = cluster.now + 3000;
  const id = producer.append('a');
  producer.advance(2999);
  assert.equal(cluster.produces.length, 0);
  assert.equal(producer.role.nextDeadline(), cluster.throttledUntil);
  producer.advance(1);
  cluster.answer();
  assert.equal(producer.outcome(id), 'at 1');
  assert.equal(producer.role.accumulator.stats.retries, 0);
});

test('a batch is sent again at once when the leader has changed', () => {
  const producer = started({ lingerMs: 0, retryBackoffMs: 1000 });
  const log = producer.cluster.partition('t');
  producer.append('a');
  producer.poll();
  producer.cluster.answer(undefined, () => 6);
  log.leaderId = 2;
  log.leaderEpoch = 1;
  producer.poll();
  assert.deepEqual(
    producer.cluster.produces.map(({ brokerId }) => brokerId),
    [2],
  );
});

test('a partition that is missing in the answer fails, and asks for metadata', () => {
  const producer = started({ lingerMs: 0 });
  const id = producer.append('a');
  producer.poll();
  const { request, version } = producer.cluster.produces[0]!;
  const updates = producer.cluster.updatesAsked;
  request.onResponse({ responses: [], throttleTimeMs: 0 } as never, version, producer.cluster.now, () => {});
  assert.equal(producer.error(id).name, 'KafkaProtocolError');
  assert.match(
    producer.error(id).message,
    /the answer of the broker to Produce does not have partition 0 of topic 't'/,
  );
  assert.equal(producer.error(id).maybeWritten, true);
  assert.ok(producer.cluster.updatesAsked > updates);
});

test('a batch that is refused for one record names that record, and says that no record was written', () => {
  const producer = started({ lingerMs: 5 });
  const ids = ['a', 'b', 'c'].map((value) => producer.append(value));
  producer.advance(5);
  const recordErrors = [{ batchIndex: 1, batchIndexErrorMessage: 'its time is in the future' }];
  producer.cluster.answer(undefined, () => 32, { recordErrors, errorMessage: 'bad time' });
  const { outcome } = producer.settled.get(ids[0]!)!;
  assert.match(
    outcome.error!.message,
    /bad time; the batch was refused for 1 of its 3 records, and none of its records was written/,
  );
  assert.deepEqual(
    outcome.recordErrors.map(({ index }) => index),
    [1],
  );
  assert.match(outcome.recordErrors[0]!.error.message, /its time is in the future/);
});

for (const isIdempotent of [true, false]) {
  test(`a batch that is too large is split in order, which does not count as an attempt${isIdempotent ? '' : ', without idempotence, too'}`, () => {
    const producer = started({
      lingerMs: 5,
      retries: 1,
      batchSizeBytes: 1000,
      enableIdempotence: isIdempotent,
      maxInFlightRequestsPerConnection: isIdempotent ? 5 : 1,
    });
    const values = Array.from({ length: 9 }, (_, i) => `${i}`.repeat(100));
    const ids = values.map((value) => producer.append(value));
    producer.advance(5);
    const limit = 400;
    for (let round = 0; round < 20 && producer.cluster.produces.length > 0; round++) {
      producer.cluster.answer(undefined, ({ bytes }) => (bytes.length > limit ? 10 : 0));
      producer.poll();
    }
    assert.deepEqual(producer.cluster.partition('t').values, values);
    assert.deepEqual(
      ids.map((id) => producer.outcome(id)),
      values.map((_, i) => `at ${i}`),
    );
    assert.equal(producer.role.usedBytes, 0);
  });
}

test('batches that wait for a retry go before newer ones', () => {
  const producer = started({ lingerMs: 0, batchSizeBytes: 0, maxInFlightRequestsPerConnection: 1, retryBackoffMs: 10 });
  for (const value of ['a', 'b', 'c']) producer.append(value);
  producer.poll();
  producer.cluster.answer(undefined, () => 19);
  for (let i = 0; i < 6; i++) {
    producer.advance(20);
    if (producer.cluster.produces.length > 0) producer.cluster.answer();
  }
  assert.deepEqual(producer.cluster.partition('t').values, ['a', 'b', 'c']);
});
