// Batches that are compressed outside of the network thread: their order, their memory, and what happens when nobody compresses them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compress, GZIP } from '../../../../src/codec/index.ts';
import { UnsupportedCodecError } from '../../../../src/common/errors/errors.ts';
import { LEVEL_DEFAULT } from '../../../../src/protocol/flat/records/records-slot.ts';
import { BatchPacker, type Compressor } from '../../../../src/worker/producer/batch-packer.ts';
import { TestProducer } from './support/test-producer.ts';

/** Keeps its tasks until the test ends them. */
class FakeCompressor implements Compressor {
  readonly minBytes: number;
  readonly tasks: { readonly byteCount: number; finish(): void; lose(): void }[] = [];

  constructor(minBytes = 500) {
    this.minBytes = minBytes;
  }

  takes(byteCount: number): boolean {
    return byteCount >= this.minBytes;
  }

  compress(...[{ codec, level }, bytes, done]: Parameters<Compressor['compress']>): void {
    this.tasks.push({
      byteCount: bytes.length,
      finish: () => done(compress(codec, level, bytes, 0, bytes.length), 0),
      lose: () => done(new Error('the thread has ended'), 0),
    });
  }

  get task() {
    return this.tasks.shift()!;
  }
}

const big = 'big '.repeat(300);

function started(options: object = {}, partitions = 1): { compressor: FakeCompressor; producer: TestProducer } {
  const compressor = new FakeCompressor();
  const producer = TestProducer.started(
    { lingerMs: 0, batchSizeBytes: 0, compressionType: 'gzip', compressor, ...options },
    partitions,
  );
  producer.warmUp();
  return { compressor, producer };
}

function values(producer: TestProducer, partition = 0): readonly string[] {
  return producer.cluster.partition('t', partition).values.slice(1);
}

/** Answers everything until nothing is sent any more. */
function answerAll(producer: TestProducer): void {
  producer.poll();
  while (producer.cluster.produces.length > 0) {
    producer.cluster.answer();
    producer.poll();
  }
}

test('a big batch is sent when it is compressed, and only later batches of its partition wait for it', () => {
  const { compressor, producer } = started({}, 2);
  producer.append(big, { partition: 0 });
  producer.append('small', { partition: 0 });
  producer.append('other', { partition: 1 });
  answerAll(producer);
  assert.deepEqual([values(producer, 0), values(producer, 1)], [[], ['other']]);
  assert.equal(compressor.tasks.length, 1);
  compressor.task.finish();
  producer.poll();
  const [sent] = producer.cluster.produces[0]!.batches;
  assert.equal(sent!.bytes.readInt16BE(21) & 7, GZIP);
  assert.ok(sent!.bytes.length < big.length);
  answerAll(producer);
  assert.deepEqual(values(producer, 0), [big, 'small']);
});

test('batches that are compressed out of order are sent in order', () => {
  const { compressor, producer } = started();
  const ids = ['1', '2', '3'].map((text) => producer.append(`${text} ${big}`));
  producer.poll();
  const [first, second, third] = compressor.tasks.splice(0);
  third!.finish();
  second!.finish();
  producer.poll();
  assert.equal(producer.cluster.produces.length, 0);
  first!.finish();
  answerAll(producer);
  assert.deepEqual(
    ids.map((id) => producer.outcome(id)),
    ['at 1', 'at 2', 'at 3'],
  );
});

test('a batch that is not full is compressed when it is due, and gets no more records', () => {
  const { compressor, producer } = started({ batchSizeBytes: 1 << 16, lingerMs: 10 });
  producer.append(big);
  producer.poll();
  assert.equal(compressor.tasks.length, 0);
  producer.advance(10);
  producer.append('later');
  compressor.task.finish();
  producer.poll();
  assert.deepEqual(producer.cluster.produces[0]!.batches[0]!.values, [big]);
});

test('a batch whose pool thread ended is compressed in this thread', () => {
  const { compressor, producer } = started();
  const id = producer.append(big);
  producer.poll();
  compressor.task.lose();
  answerAll(producer);
  assert.equal(producer.outcome(id), 'at 1');
  assert.equal(compressor.tasks.length, 0, 'not outside again');
});

test('a batch that expires while it is compressed is settled once, and its memory is free', () => {
  const { compressor, producer } = started({ deliveryTimeoutMs: 500, requestTimeoutMs: 400 });
  const id = producer.append(big);
  producer.poll();
  producer.advance(500);
  assert.equal(producer.outcome(id), 'DeliveryTimeoutError');
  assert.equal(producer.role.usedBytes, 0);
  compressor.task.finish();
  const later = producer.append('later');
  answerAll(producer);
  assert.equal(producer.outcome(later), 'at 1');
  assert.deepEqual(values(producer), ['later']);
});

test('copies for the pool are bounded, and count for the memory of batches', () => {
  const memoryBytes = 64 * 1024;
  const { compressor, producer } = started({ memoryBytes });
  const { maxBytes } = producer.role.accumulator.memory;
  assert.equal(maxBytes, (memoryBytes * 7) / 8);
  const ids = Array.from({ length: 20 }, () => producer.append(big));
  producer.poll();
  const outside = compressor.tasks.reduce((sum, { byteCount }) => sum + byteCount, 0);
  assert.ok(outside > 0 && outside <= memoryBytes / 8, `${outside} bytes`);
  // One that was given up while it waited does not stop those behind it.
  while (compressor.tasks.length > 0) compressor.task.finish();
  answerAll(producer);
  assert.equal(ids.filter((id) => producer.outcome(id).startsWith('at')).length, 20);
});

test('a batch that is larger than the bound of copies is compressed in this thread', () => {
  const { compressor, producer } = started({ memoryBytes: 64 * 1024, maxRequestSizeBytes: 32 * 1024 });
  const id = producer.append('x'.repeat(20_000));
  answerAll(producer);
  assert.equal(producer.outcome(id), 'at 1');
  assert.equal(compressor.tasks.length, 0);
});

test('a codec that this process does not have is an error at once, not only with the first batch', () => {
  assert.throws(() => new BatchPacker({ codec: 9, level: LEVEL_DEFAULT }, null, 0), UnsupportedCodecError);
});

test('without compression nothing goes to the pool', () => {
  const { compressor, producer } = started({ compressionType: 'none' });
  const id = producer.append(big);
  answerAll(producer);
  assert.equal(producer.outcome(id), 'at 1');
  assert.equal(compressor.tasks.length, 0);
});

test('batches that are given up while they wait for the pool do not stop the batches behind them', () => {
  const { compressor, producer } = started({
    memoryBytes: 64 * 1024,
    deliveryTimeoutMs: 500,
    requestTimeoutMs: 400,
  });
  for (let i = 0; i < 10; i++) producer.append(big);
  producer.poll();
  producer.advance(500);
  assert.equal(producer.failed, 10);
  const id = producer.append(big);
  producer.poll();
  while (compressor.tasks.length > 0) {
    compressor.task.finish();
    producer.poll();
  }
  answerAll(producer);
  assert.equal(producer.outcome(id), 'at 1');
});
