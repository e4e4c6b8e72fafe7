// What each setting of acks and idempotence promises, and what it does not: the same faults, and what is in the log after them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TestProducer } from './support/test-producer.ts';

const errors = { NOT_ENOUGH_REPLICAS: 19 };
const settings = {
  'acks 1': { acks: 1 },
  'acks all without idempotence': { acks: 'all', enableIdempotence: false },
  'acks all with idempotence': {},
} as const;

type Setting = (typeof settings)[keyof typeof settings];

/** Each record is a batch, and the leader knows the producer. */
function open(setting: Setting, more: { maxInFlightRequestsPerConnection?: number } = {}): TestProducer {
  const producer = TestProducer.started({ ...setting, ...more, batchSizeBytes: 0, lingerMs: 0 });
  producer.warmUp();
  return producer;
}

/** Answers everything, and sends again what must be sent again, until nothing is open. */
function finish(producer: TestProducer): void {
  for (let round = 0; round < 20; round++) {
    while (producer.cluster.produces.length > 0) {
      producer.cluster.answer();
      producer.poll();
    }
    producer.advance(200);
  }
  assert.equal(producer.role.usedBytes, 0, 'everything is settled');
}

const logOf = (producer: TestProducer): string[] => producer.cluster.partition('t').values.slice(1);

/** The broker writes the batch, and its answer is lost with the connection. */
function afterLostAnswer(setting: Setting): string[] {
  const producer = open(setting);
  producer.append('a');
  producer.poll();
  producer.cluster.lose(undefined, true);
  finish(producer);
  return logOf(producer);
}

/** Two batches are under way. The first one is refused for the moment, before the second one is handled. */
function afterRefusal(setting: Setting, more: { maxInFlightRequestsPerConnection?: number } = {}): string[] {
  const producer = open(setting, more);
  producer.append('a');
  producer.append('b');
  producer.poll();
  producer.cluster.answer(undefined, () => errors.NOT_ENOUGH_REPLICAS);
  finish(producer);
  return logOf(producer);
}

describe('acks 0', () => {
  test('a record that is lost with its connection is not sent again, and nobody is told', () => {
    const producer = TestProducer.started({ acks: 0, lingerMs: 0 });
    producer.cluster.losesUnacknowledged = true;
    const lost = producer.append('a');
    producer.poll();
    producer.cluster.losesUnacknowledged = false;
    producer.append('b');
    finish(producer);
    assert.equal(producer.outcome(lost), 'at -1');
    assert.deepEqual(producer.cluster.partition('t').values, ['b']);
  });
});

describe('acks 1', () => {
  test('a record that the leader has acknowledged is settled, and is not sent again when it is lost with the leader', () => {
    const producer = open(settings['acks 1']);
    const id = producer.append('a');
    producer.poll();
    assert.equal(producer.cluster.produces[0]!.acks, 1);
    producer.cluster.answer();
    assert.equal(producer.outcome(id), 'at 1');
    const partition = producer.cluster.partition('t');
    partition.values.length = 0;
    partition.leaderId = 2;
    partition.leaderEpoch++;
    producer.cluster.update();
    finish(producer);
    assert.deepEqual(partition.values, []);
  });

  test('a record may be written twice, and out of order', () => {
    assert.deepEqual(afterLostAnswer(settings['acks 1']), ['a', 'a']);
    assert.deepEqual(afterRefusal(settings['acks 1']), ['b', 'a']);
  });
});

describe('acks all without idempotence', () => {
  const setting = settings['acks all without idempotence'];

  test('asks for the acknowledgement of all replicas in sync', () => {
    const producer = open(setting);
    producer.append('a');
    producer.poll();
    assert.equal(producer.cluster.produces[0]!.acks, -1);
  });

  test('a record may be written twice, and out of order, unless one request is under way at a time', () => {
    assert.deepEqual(afterLostAnswer(setting), ['a', 'a']);
    assert.deepEqual(afterRefusal(setting), ['b', 'a']);
    assert.deepEqual(afterRefusal(setting, { maxInFlightRequestsPerConnection: 1 }), ['a', 'b']);
  });
});

describe('acks all with idempotence', () => {
  const setting = settings['acks all with idempotence'];

  test('each record is written once and in order, whatever answers are lost or refused', () => {
    assert.deepEqual(afterLostAnswer(setting), ['a']);
    assert.deepEqual(afterRefusal(setting), ['a', 'b']);
  });

  test('a record that the application gives again after an error in doubt is there twice', () => {
    const producer = TestProducer.started({
      batchSizeBytes: 0,
      lingerMs: 0,
      requestTimeoutMs: 10,
      deliveryTimeoutMs: 20,
    });
    producer.warmUp();
    const first = producer.append('a');
    producer.poll();
    producer.cluster.lose(undefined, true);
    producer.advance(20);
    assert.equal(producer.outcome(first), 'DeliveryTimeoutError');
    assert.equal(producer.error(first).maybeWritten, true);
    producer.append('a');
    producer.poll();
    finish(producer);
    assert.deepEqual(logOf(producer), ['a', 'a']);
  });
});
