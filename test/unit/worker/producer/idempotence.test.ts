// No duplicate, no gap and no changed order in a partition: sequences after lost answers, errors about sequences, raised epochs, batches
// that are given up. The fake leaders check sequences like real ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProducerConfigInput } from '../../../../src/common/config/producer-config.ts';
import type { SentBatch } from './support/fake-cluster.ts';
import { TestProducer } from './support/test-producer.ts';

const settings = { lingerMs: 0, batchSizeBytes: 0, retryBackoffMs: 10, retryBackoffMaxMs: 10 } as const;

function warm(options: ProducerConfigInput = {}): TestProducer {
  const producer = TestProducer.started({ ...settings, ...options });
  producer.warmUp();
  return producer;
}

function sequences(producer: TestProducer): number[] {
  return producer.cluster.produces.map(({ batches }) => batches[0]!.sequence);
}

/** Answers everything until nothing is left to do; at most so many rounds. */
function settleAll(producer: TestProducer, errorFor?: (batch: SentBatch) => number): void {
  for (let round = 0; round < 50; round++) {
    producer.advance(20);
    if (producer.cluster.others.length > 0) producer.cluster.giveProducerId();
    for (const sent of [...producer.cluster.produces]) producer.cluster.answer(sent, errorFor);
  }
}

function values(producer: TestProducer): readonly string[] {
  return producer.cluster.partition('t').values.slice(1);
}

test('nothing is sent before the producer has an id; a refusal fails waiting records, and later records ask again', () => {
  const producer = new TestProducer(settings);
  producer.cluster.addTopic('t');
  const first = producer.append('a');
  producer.poll();
  assert.equal(producer.cluster.produces.length, 0);
  producer.cluster.giveProducerId(31);
  assert.equal(producer.outcome(first), 'ClusterAuthorizationFailedError');
  const second = producer.append('b');
  producer.advance(100);
  producer.cluster.giveProducerId();
  producer.poll();
  producer.cluster.answer();
  assert.equal(producer.outcome(second), 'at 0');
});

test('a producer id is requested again after a retriable error', () => {
  const producer = new TestProducer(settings);
  producer.cluster.addTopic('t');
  producer.append('a');
  producer.poll();
  producer.cluster.giveProducerId(14);
  assert.equal(producer.failed, 0);
  producer.advance(20);
  producer.cluster.giveProducerId();
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
});

test('the second batch waits until the leader knows the producer, so that it is not written before the first', () => {
  const producer = TestProducer.started(settings);
  producer.append('a');
  producer.append('b');
  producer.poll();
  assert.deepEqual(sequences(producer), [0]);
  producer.cluster.answer(undefined, () => 19);
  settleAll(producer);
  assert.deepEqual(producer.cluster.partition('t').values, ['a', 'b']);
});

test('five batches are in flight at a time, with consecutive sequences', () => {
  const producer = warm();
  for (let i = 0; i < 7; i++) producer.append(`${i}`);
  producer.poll();
  assert.deepEqual(sequences(producer), [1, 2, 3, 4, 5]);
});

test('a batch whose answer was lost is not written twice, and its record gets its offset', () => {
  const producer = warm();
  const id = producer.append('a');
  producer.poll();
  producer.cluster.lose(undefined, true);
  settleAll(producer);
  assert.deepEqual(values(producer), ['a']);
  assert.equal(producer.outcome(id), 'at 1');
});

test('five batches that are lost with the connection are sent again in order, one after the other', () => {
  const producer = warm();
  const ids = [0, 1, 2, 3, 4].map((i) => producer.append(`${i}`));
  producer.poll();
  const [first, ...others] = [...producer.cluster.produces];
  producer.cluster.lose(first, true);
  for (const sent of others) producer.cluster.lose(sent, false);
  producer.advance(20);
  assert.deepEqual(sequences(producer), [1], 'what is sent again is sent alone');
  settleAll(producer);
  assert.deepEqual(values(producer), ['0', '1', '2', '3', '4']);
  assert.deepEqual(
    ids.map((id) => producer.outcome(id)),
    ['at 1', 'at 2', 'at 3', 'at 4', 'at 5'],
  );
});

test('DUPLICATE_SEQUENCE_NUMBER is a success at an unknown offset', () => {
  const producer = warm();
  const id = producer.append('a');
  producer.poll();
  producer.cluster.answer(undefined, () => 46);
  assert.equal(producer.outcome(id), 'at -1');
});

test('OUT_OF_ORDER for a batch that is not the next is tried again under the same epoch', () => {
  const producer = warm();
  producer.append('a');
  producer.append('b');
  producer.poll();
  const [first, second] = [...producer.cluster.produces];
  producer.cluster.answer(first, () => 19);
  producer.cluster.answer(second);
  settleAll(producer);
  assert.deepEqual(values(producer), ['a', 'b']);
  assert.equal([...producer.cluster.partition('t').producers.values()][0]!.epoch, 0);
});

test('OUT_OF_ORDER for the next batch raises the epoch and numbers from 0; nothing is lost or doubled', () => {
  const producer = warm();
  producer.append('a');
  producer.append('b');
  producer.poll();
  const [first, second] = [...producer.cluster.produces];
  producer.cluster.answer(first, () => 45);
  producer.cluster.answer(second, () => 45);
  producer.advance(20);
  const [sent] = producer.cluster.produces;
  assert.deepEqual([sent!.batches[0]!.epoch, sent!.batches[0]!.sequence], [1, 0]);
  settleAll(producer);
  assert.deepEqual(values(producer), ['a', 'b']);
});

test('after the epoch was raised, other partitions use it when none of their batches is in flight', () => {
  const producer = TestProducer.started(settings, 2);
  producer.warmUp();
  producer.append('a', { partition: 0 });
  producer.append('b', { partition: 1 });
  producer.poll();
  const of = (partition: number) =>
    producer.cluster.produces.find(({ batches }) => batches[0]!.partition === partition)!;
  const both = [...producer.cluster.produces];
  assert.equal(both.length, 1, 'one request for both');
  producer.cluster.answer(both[0], ({ partition }) => (partition === 0 ? 45 : 19));
  producer.append('c', { partition: 1 });
  producer.advance(20);
  const seen = producer.cluster.produces.flatMap(({ batches }) => batches);
  const first = seen.find(({ partition }) => partition === 0)!;
  const second = seen.find(({ partition }) => partition === 1)!;
  assert.deepEqual([first.epoch, first.sequence], [1, 0]);
  assert.deepEqual(
    [second.epoch, second.sequence, second.values[0]],
    [0, 1, 'b'],
    'what was numbered keeps its numbers',
  );
  assert.ok(of(1) !== undefined);
  settleAll(producer);
  assert.deepEqual(producer.cluster.partition('t', 1).values, ['warm', 'b', 'c']);
  assert.equal([...producer.cluster.partition('t', 1).producers.values()][0]!.epoch, 1);
});

test('INVALID_PRODUCER_EPOCH raises the epoch and tries again', () => {
  const producer = warm();
  const id = producer.append('a');
  producer.poll();
  producer.cluster.answer(undefined, () => 47);
  settleAll(producer);
  assert.equal(producer.outcome(id), 'at 1');
});

for (const [name, logStartOffset, epoch] of [
  ['without a log start is tried again as it is', -1, 0],
  ['after retention removed the records raises the epoch', 100, 1],
  ['with the records still there raises the epoch', 0, 1],
] as const) {
  test(`UNKNOWN_PRODUCER_ID ${name}`, () => {
    const producer = warm();
    const id = producer.append('a');
    producer.poll();
    producer.cluster.answer(undefined, () => 59, { logStartOffset });
    producer.advance(20);
    assert.equal(producer.cluster.produces[0]!.batches[0]!.epoch, epoch);
    settleAll(producer);
    assert.equal(producer.outcome(id), 'at 1');
  });
}

test('UNKNOWN_PRODUCER_ID for a batch that got a new number after it was sent is tried again under the same epoch', () => {
  const producer = warm();
  producer.append('a');
  producer.append('b');
  producer.poll();
  const [first, second] = [...producer.cluster.produces];
  producer.cluster.answer(first, () => 59, { logStartOffset: 100 });
  producer.poll();
  producer.cluster.answer(second, () => 59, { logStartOffset: 0 });
  settleAll(producer);
  assert.deepEqual(values(producer), ['a', 'b']);
  assert.equal([...producer.cluster.partition('t').producers.values()][0]!.epoch, 1, 'raised once, not twice');
});

test('a batch that fails for good leaves no gap: the epoch is raised, and the batches behind it are written', () => {
  const producer = warm();
  const ids = ['a', 'b', 'c'].map((value) => producer.append(value));
  producer.poll();
  const [first, second, third] = [...producer.cluster.produces];
  producer.cluster.answer(first, () => 87);
  producer.cluster.answer(second);
  producer.cluster.answer(third);
  settleAll(producer);
  assert.deepEqual(
    ids.map((id) => producer.outcome(id)),
    ['InvalidRecordError', 'at 1', 'at 2'],
  );
  assert.deepEqual(values(producer), ['b', 'c']);
});

test('a sent batch that expires delays new batches until the others are settled; if it was written, the epoch stays', () => {
  const producer = warm({ deliveryTimeoutMs: 100, requestTimeoutMs: 100 });
  const lost = producer.append('a');
  producer.poll();
  producer.advance(50);
  const second = producer.append('b');
  producer.poll();
  const [first, behind] = [...producer.cluster.produces];
  producer.advance(50);
  assert.equal(producer.outcome(lost), 'DeliveryTimeoutError');
  const third = producer.append('c');
  producer.poll();
  assert.equal(producer.cluster.produces.length, 2, 'the new one waits');
  producer.cluster.answer(first);
  producer.cluster.answer(behind);
  settleAll(producer);
  assert.deepEqual(
    [second, third].map((id) => producer.outcome(id)),
    ['at 2', 'at 3'],
  );
  assert.equal([...producer.cluster.partition('t').producers.values()][0]!.epoch, 0);
});

test('a sent batch that expires and was not written raises the epoch, and later records are written', () => {
  const producer = warm({ deliveryTimeoutMs: 100, requestTimeoutMs: 100 });
  const lost = producer.append('a');
  producer.poll();
  producer.advance(100);
  assert.equal(producer.outcome(lost), 'DeliveryTimeoutError');
  producer.cluster.lose();
  const next = producer.append('b');
  settleAll(producer);
  assert.equal(producer.outcome(next), 'at 1');
  assert.equal([...producer.cluster.partition('t').producers.values()][0]!.epoch, 1);
});

test('at epoch 32767 another producer id is requested', () => {
  const producer = new TestProducer(settings);
  producer.cluster.addTopic('t');
  producer.poll();
  producer.cluster.giveProducerId(0, 32767);
  producer.warmUp();
  const id = producer.append('a');
  producer.poll();
  producer.cluster.answer(undefined, () => 45);
  producer.advance(20);
  assert.equal(producer.cluster.produces.length, 0);
  producer.cluster.giveProducerId();
  settleAll(producer);
  assert.equal(producer.outcome(id), 'at 1');
  assert.equal(producer.cluster.partition('t').producers.size, 2);
});

const runs = Number(process.env.RUNS ?? 40);
const firstSeed = Number(process.env.SEED ?? 1);

for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
  test(`random faults do not lose, double or reorder acknowledged records (SEED=${seed})`, () => {
    let state = seed;
    const random = (below: number): number => {
      state = (state + 0x6d2b79f5) | 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
    };
    const producer = TestProducer.started(
      {
        lingerMs: [0, 5][random(2)]!,
        batchSizeBytes: [0, 200, 2000][random(3)]!,
        retryBackoffMs: 10,
        deliveryTimeoutMs: 1500,
        requestTimeoutMs: 500,
        compressionType: random(3) === 0 ? 'gzip' : 'none',
        maxInFlightRequestsPerConnection: 1 + random(5),
      },
      3,
    );
    producer.cluster.random = () => random(1000) / 1000;
    const ids: { id: number; partition: number; value: string }[] = [];
    const passing = [2, 3, 5, 6, 7, 19, 20, 56];
    // What a broker finds wrong with a batch it finds wrong each time.
    const refuse = ({ bytes, count, values: records }: SentBatch): number =>
      count > 1 && bytes.length > 900 ? 10 : records.some((value) => value.startsWith('bad')) ? 87 : 0;
    const errorFor = (batch: SentBatch): number =>
      refuse(batch) || (random(6) === 0 ? passing[random(passing.length)]! : 0);
    for (let step = 0; step < 400; step++) {
      const { produces } = producer.cluster;
      const kind = random(100);
      if (kind < 45) {
        const partition = random(3);
        const value = `${random(30) === 0 ? 'bad' : ''}${step}-${'x'.repeat(random(60))}`;
        const id = producer.append(value, { partition });
        if (id !== null) ids.push({ id, partition, value });
      } else if (kind < 70 && produces.length > 0) {
        producer.cluster.answer(produces[0], errorFor);
      } else if (kind < 75 && produces.length > 0) {
        // The whole connection is lost; the broker has handled some of its requests, oldest first.
        const { brokerId } = produces[0]!;
        let isHandled = true;
        for (const sent of produces.filter((each) => each.brokerId === brokerId)) {
          isHandled &&= random(3) > 0;
          producer.cluster.lose(sent, isHandled, refuse);
        }
      } else if (kind < 78) {
        const log = producer.cluster.partition('t', random(3));
        log.leaderId = 1 + random(3);
        log.leaderEpoch++;
        producer.cluster.update();
      } else {
        producer.advance(random(kind < 80 ? 600 : 30));
      }
      producer.poll();
      if (producer.cluster.others.length > 0) producer.cluster.giveProducerId();
    }
    settleAll(producer, refuse);
    settleAll(producer, refuse);
    assert.equal(producer.settled.size, ids.length, 'every record is settled');
    assert.equal(producer.role.usedBytes, 0, 'all memory is back');
    for (let partition = 0; partition < 3; partition++) {
      const log = producer.cluster.partition('t', partition).values;
      assert.equal(new Set(log).size, log.length, 'nothing is there twice');
      const acknowledged = ids.filter(
        (each) => each.partition === partition && !producer.outcome(each.id).endsWith('Error'),
      );
      const places = acknowledged.map(({ value }) => log.indexOf(value));
      assert.ok(!places.includes(-1), 'everything acknowledged is there');
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
        'in the order it was sent',
      );
      for (const { id, value } of acknowledged) {
        const outcome = producer.outcome(id);
        if (outcome !== 'at -1') assert.equal(outcome, `at ${log.indexOf(value)}`);
      }
      for (const { id, value, partition: at } of ids) {
        if (at !== partition || !producer.outcome(id).endsWith('Error') || !log.includes(value)) continue;
        assert.equal(producer.error(id).maybeWritten, true, `${value} is in the log though it failed`);
      }
    }
  });
}
