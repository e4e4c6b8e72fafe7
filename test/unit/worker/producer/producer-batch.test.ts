// A batch, record by record, to the bytes for a broker. The client's decoder and an independent reader read them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../../../../src/codec/crc32c.ts';
import { compress, prepareCodecs } from '../../../../src/codec/index.ts';
import { CopyMemory } from '../../../../src/common/copy-bytes.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { BATCH_HEADER_BYTES } from '../../../../src/protocol/wire/records/record-batch.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';
import type { PartitionState } from '../../../../src/worker/producer/partition-state.ts';
import { encodeProduceBody, type ProduceTopic } from '../../../../src/worker/producer/produce-body.ts';
import { addSequence, ProducerBatch } from '../../../../src/worker/producer/producer-batch.ts';
import { bodyOf } from './support/test-producer.ts';

const level = -(2 ** 31);

function batchOf(
  records: readonly (readonly [timestampMs: number, key: string | null, value: string])[],
  index = 0,
): ProducerBatch {
  const batch = new ProducerBatch({ index } as PartitionState, Buffer.alloc(4096, 0xee), 0, 0);
  for (const [timestampMs, key, value] of records) {
    const { bytes } = bodyOf(key, value);
    const padded = Buffer.concat([Buffer.of(1, 2, 3), bytes]);
    assert.ok(batch.append({ timestampMs, memory: new CopyMemory(padded), from: 3, to: padded.length }));
  }
  return batch;
}

interface Decoded {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

/** As a Produce request of version 9, through the generated encoder and decoder. */
function decode(batch: ProducerBatch): { records: Decoded[]; error: unknown } {
  const body = Buffer.concat(
    encodeProduceBody(
      { transactionalId: null, acks: -1, timeoutMs: 1, topics: [{ name: 't', topicId: null, batches: [batch] }] },
      9,
    ),
  );
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  const reader = new WireReader().reset(body, 0, body.length);
  wireCodec(Produce.key).decodeRequest(reader, writer, 9, {
    records: 'rows',
    verifyCrc: true,
    maxDecompressedBytes: 1 << 20,
  });
  const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength: writer.finish() });
  const { records } = Produce.readRequest(message).topicData.at(0)!.partitionData.at(0)!;
  const rows = [...records].map((record) => ({
    key: record.key === null ? null : Buffer.from(record.key).toString(),
    value: record.value === null ? null : Buffer.from(record.value).toString(),
    timestamp: record.timestamp.toNumber(),
  }));
  return { records: rows, error: records.error };
}

test('records come out unchanged, whatever their times', () => {
  const now = 1_764_000_000_000;
  const records = [
    [now, 'k', 'first'],
    [now + 1, null, ''],
    [now - 5000, '', 'x'.repeat(300)],
    [0, 'old', 'at the beginning of time'],
    [now + 2 ** 40, 'new', 'far in the future'],
    [now + 2 ** 40, null, 'at the same time'],
    ...[0, 1, -1, 63, 64, -64, -65, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 0, 0].map(
      (deltaMs) => [now + deltaMs, null, `${deltaMs} ms later`] as const,
    ),
  ] as const;
  const batch = batchOf(records);
  batch.close(0, null);
  batch.seal(false);
  const { records: decoded, error } = decode(batch);
  assert.equal(error, null);
  assert.deepEqual(
    decoded,
    records.map(([timestamp, key, value]) => ({ timestamp, key, value })),
  );
  assert.equal(batch.bytes.readBigInt64BE(35), BigInt(now + 2 ** 40), 'largest time');
  assert.equal(batch.bytes.readInt32BE(23), records.length - 1, 'last offset delta');
});

for (const [codec, name] of [
  [1, 'gzip'],
  [2, 'snappy'],
  [3, 'lz4'],
  [4, 'zstd'],
] as const) {
  test(`records come out of ${name} unchanged`, async () => {
    await prepareCodecs();
    const records = Array.from({ length: 40 }, (_, i) => [1000 + i, `k${i}`, 'the same again and again'] as const);
    const batch = batchOf(records);
    const before = batch.end;
    batch.close(codec, compress(codec, level, batch.memory!, BATCH_HEADER_BYTES, batch.end));
    batch.seal(false);
    assert.ok(batch.end < before / 2);
    assert.equal(batch.bytes.readInt16BE(21) & 7, codec);
    assert.deepEqual(
      decode(batch).records,
      records.map(([timestamp, key, value]) => ({ timestamp, key, value })),
    );
  });
}

test('a batch that compression would make larger stays uncompressed', () => {
  const batch = batchOf([[1, null, 'a']]);
  batch.close(1, compress(1, level, batch.memory!, BATCH_HEADER_BYTES, batch.end));
  batch.seal(false);
  assert.equal(batch.codec, 0);
  assert.deepEqual(decode(batch).records, [{ key: null, value: 'a', timestamp: 1 }]);
});

test('a record that does not fit leaves the batch unchanged', () => {
  const batch = new ProducerBatch({ index: 0 } as PartitionState, Buffer.alloc(100), 0, 0);
  const { bytes } = bodyOf(null, 'x'.repeat(20));
  const record = { memory: new CopyMemory(bytes), from: 0, to: bytes.length };
  assert.ok(batch.append({ ...record, timestampMs: 5 }));
  const { end, count } = batch;
  assert.ok(!batch.append({ ...record, timestampMs: 6 }));
  assert.deepEqual([batch.end, batch.count, batch.maxTimestamp], [end, count, 5]);
});

test('after a record that did not fit, records of its time and of others have their own times', () => {
  const batch = new ProducerBatch({ index: 0 } as PartitionState, Buffer.alloc(200), 0, 0);
  const recordOf = (timestampMs: number, value: string) => {
    const { bytes } = bodyOf(null, value);
    return { timestampMs, memory: new CopyMemory(bytes), from: 0, to: bytes.length };
  };
  assert.ok(!batch.append(recordOf(9000, 'x'.repeat(200))));
  assert.ok(batch.append(recordOf(5, 'a')));
  assert.ok(!batch.append(recordOf(700, 'x'.repeat(200))));
  assert.ok(batch.append(recordOf(5, 'b')));
  assert.ok(!batch.append(recordOf(700, 'x'.repeat(200))));
  assert.equal(batch.maxTimestamp, 5);
  assert.ok(batch.append(recordOf(700, 'c')));
  assert.equal(batch.maxTimestamp, 700);
  batch.close(0, null);
  batch.seal(false);
  assert.deepEqual(
    decode(batch).records.map(({ value, timestamp }) => [value, timestamp]),
    [
      ['a', 5],
      ['b', 5],
      ['c', 700],
    ],
  );
});

test('sequence numbers are written into a batch when it is sealed, and again when it gets new numbers', () => {
  const batch = batchOf([
    [1, null, 'a'],
    [2, null, 'b'],
  ]);
  batch.close(0, null);
  batch.number(5, 1, 3, 2147483647);
  batch.seal(true);
  assert.equal(batch.bytes.readBigInt64BE(43), (1n << 32n) + 5n);
  assert.equal(batch.bytes.readInt16BE(51), 3);
  assert.equal(batch.bytes.readInt32BE(53), 2147483647);
  assert.equal(batch.bytes.readInt16BE(21), 16);
  assert.equal(batch.lastSequence, 0, 'sequences wrap');
  assert.equal(addSequence(2147483646, 4), 2);
  batch.number(5, 1, 4, 0);
  batch.seal(true);
  assert.equal(batch.bytes.readInt32BE(53), 0);
  assert.equal(batch.bytes.readUInt32BE(17), crc32c(batch.bytes, 21));
});

test('the body of a Produce request is the same as from the generated encoder, in every version', () => {
  const batches = [batchOf([[1, 'k', 'v']], 3), batchOf([[2, null, 'w']], 0), batchOf([[3, null, 'x']], 1)];
  for (const batch of batches) {
    batch.close(0, null);
    batch.seal(false);
  }
  const id = Buffer.from('0123456789abcdef').toString('base64url');
  const topics: ProduceTopic[] = [
    { name: 'one', topicId: id, batches: batches.slice(0, 2) },
    { name: 'zwölf', topicId: id, batches: batches.slice(2) },
  ];
  for (let version = 3; version <= Produce.maxVersion; version++) {
    for (const transactionalId of [null, 'tx']) {
      const ours = Buffer.concat(encodeProduceBody({ transactionalId, acks: -1, timeoutMs: 30000, topics }, version));
      const memory = new HeapMemory();
      const writer = new FlatWriter().reset(memory);
      const topicData = topics.map(({ name, topicId, batches: all }) => ({
        name,
        topicId: topicId!,
        partitionData: all.map((batch) => ({ index: batch.partition.index, records: batch.bytes })),
      }));
      Produce.writeRequest(writer, { transactionalId, acks: -1, timeoutMs: 30000, topicData });
      const byteLength = writer.finish();
      const wire = new WireWriter();
      wire.describe('Produce', 0, version);
      const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength });
      wireCodec(Produce.key).encodeRequest(message, wire, version, {});
      assert.equal(ours.toString('hex'), wire.finish().toString('hex'), `version ${version}`);
    }
  }
});

test('for brokers before 0.11 the records become a message set', () => {
  for (const version of [0, 1, 2]) {
    const batch = batchOf([
      [1_000, 'k', 'v'],
      [2_000, null, 'w'],
    ]);
    batch.close(0, null);
    const topics = [{ name: 't', topicId: null, batches: [batch] }];
    const body = Buffer.concat(encodeProduceBody({ transactionalId: null, acks: 1, timeoutMs: 1, topics }, version));
    const memory = new HeapMemory();
    const writer = new FlatWriter().reset(memory);
    wireCodec(Produce.key).decodeRequest(new WireReader().reset(body, 0, body.length), writer, version, {
      records: 'rows',
      verifyCrc: true,
      maxDecompressedBytes: 1 << 20,
    });
    const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength: writer.finish() });
    const { records } = Produce.readRequest(message).topicData.at(0)!.partitionData.at(0)!;
    assert.deepEqual(
      [...records].map((record) => Buffer.from(record.value!).toString()),
      ['v', 'w'],
    );
    assert.equal(records.batches.at(0)!.magic, version < 2 ? 0 : 1);
    if (version === 2) assert.equal([...records][1]!.timestamp.toNumber(), 2_000);
  }
});
