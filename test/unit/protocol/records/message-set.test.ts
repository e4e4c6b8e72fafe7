// Message sets v0 and v1, for brokers before 0.11: as producers send them and as consumers get them.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { InvalidRequestError } from '../../../../src/common/errors/errors.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import { recordMagic } from '../../../../src/protocol/wire/records/record-stream.ts';
import { decode, encode } from './support.ts';

const records = Array.from({ length: 40 }, (_, i) => ({
  key: i % 4 === 0 ? null : `key ${i}`,
  value: i % 5 === 0 ? null : 'value '.repeat(i),
  timestamp: 1_700_000_000_000 + ((i * 7) % 11),
}));

const produce0 = 1;
const produce1 = 2;

describe('message sets', () => {
  before(prepareCodecs);

  for (const [magic, version] of [
    [0, produce0],
    [1, produce1],
  ] as const) {
    for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const) {
      it(`of format v${magic}, ${compression}, come back unchanged`, () => {
        for (const baseOffset of [0, 2 ** 33]) {
          const view = decode(encode({ records, compression, baseOffset }, version));
          assert.equal(view.error, null);
          assert.deepEqual(
            view.map(({ offset, key, value, timestamp, headers }) => [
              offset.toNumber(),
              key?.toString() ?? null,
              value?.toString() ?? null,
              timestamp.toNumber(),
              headers.length,
            ]),
            records.map(({ key, value, timestamp }, i) => [
              baseOffset + i,
              key,
              value,
              magic === 0 ? -1 : timestamp,
              0,
            ]),
          );
          assert.equal(view.nextOffset.toNumber(), baseOffset + 40);
          const batches = view.batches.toArray();
          assert.equal(batches.length, compression === 'none' ? 40 : 1);
          for (const batch of batches) {
            assert.equal(batch.magic, magic);
            assert.equal(batch.compression, compression);
            assert.equal(batch.timestampType, magic === 0 ? null : 'CreateTime');
            assert.equal(batch.producerId.toNumber(), -1);
          }
          if (compression !== 'none' && magic === 1)
            assert.equal(batches[0]!.maxTimestamp.toNumber(), 1_700_000_000_010);
        }
      });
    }
  }

  it('are written for versions whose brokers know nothing newer', () => {
    const magics = (apiKey: number, versions: number[]): number[] =>
      versions.map((version) => encode([{ value: 'v', timestamp: 1 }], version, apiKey)[16]!);
    assert.deepEqual(magics(0, [0, 1, 2, 3, 9, 13]), [0, 0, 1, 2, 2, 2]);
    assert.deepEqual(magics(1, [0, 1, 2, 3, 4, 17]), [0, 0, 1, 1, 2, 2]);
    assert.equal(recordMagic(59, 0), 2);
  });

  it('refuse records that the format cannot hold', () => {
    const refused: [Omit<RecordBatchInput, 'records'> & { headers?: Record<string, string> }, number, RegExp][] = [
      [{ headers: { a: 'b' } }, produce1, /record 0 has headers/],
      [{ compression: 'zstd' }, produce0, /zstd needs version 7/],
      [{ compression: 'zstd' }, 6, /zstd needs version 7/],
      [{ producerId: 5 }, produce1, /idempotence and transactions/],
      [{ isTransactional: true }, produce1, /idempotence and transactions/],
    ];
    for (const [{ headers, ...settings }, version, message] of refused) {
      const input = { ...settings, records: [{ value: 'v', headers }] };
      assert.throws(
        () => encode(input, version),
        (error: unknown) => error instanceof InvalidRequestError && message.test(error.message),
      );
    }
    assert.equal(decode(encode({ records: [{ value: 'v' }], compression: 'zstd' }, 7)).length, 1);
  });
});

describe('batches', () => {
  before(prepareCodecs);

  it('of all codecs and levels come back unchanged', () => {
    const settings: Omit<RecordBatchInput, 'records'>[] = [
      { compression: 'none' },
      { compression: 'gzip' },
      { compression: 'gzip', level: 9 },
      { compression: 'snappy' },
      { compression: 'lz4' },
      { compression: 'zstd' },
      { compression: 'zstd', level: 12 },
    ];
    const withHeaders = records.map((record, i) => ({ ...record, headers: i % 3 === 0 ? { [`h${i}`]: 'x' } : null }));
    for (const setting of settings) {
      const view = decode(encode({ ...setting, records: withHeaders }));
      assert.equal(view.error, null);
      assert.equal(view.batches.at(0).compression, setting.compression);
      assert.deepEqual(
        view.map(({ key, value, headers }) => [key?.toString() ?? null, value?.toString() ?? null, headers.length]),
        withHeaders.map(({ key, value, headers }) => [key, value, headers === null ? 0 : 1]),
      );
    }
  });
});
