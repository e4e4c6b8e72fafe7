// Reading records fields: positions, partial ends, faults that keep what came before, limits, hostile bytes. The golden record sets
// compare the formats with Kafka's own; this file has the other cases.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { crc32c } from '../../../../src/codec/crc32c.ts';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { CorruptRecordError, UnsupportedCodecError } from '../../../../src/common/errors/errors.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import type { RecordsView } from '../../../../src/protocol/flat/records/record-view.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import { RECORDS_WORDS } from '../../../../src/protocol/flat/records/records-slot.ts';
import { CodecTaskNeeded } from '../../../../src/protocol/wire/records/codec-task-needed.ts';
import { decodeRecords } from '../../../../src/protocol/wire/records/records.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { random, repetitive } from '../../codec/support.ts';
import { decode, decodeOptions, encode, SharedMemory, viewOf } from './support.ts';

type Settings = Omit<RecordBatchInput, 'records' | 'baseOffset'>;

function batch(baseOffset: bigint | number, values: string[], settings: Settings = {}): Buffer {
  return encode({
    ...settings,
    baseOffset,
    records: values.map((value, i) => ({ value, key: `k${i}`, timestamp: i })),
  });
}

function values(view: RecordsView): string[] {
  return view.map(({ value }) => value!.toString());
}

/** With a checksum that is right again after changes. */
function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17);
  return bytes;
}

describe('a records field', () => {
  before(prepareCodecs);

  it('has exact offsets beyond 2^32 and 2^53, and across an overflow of the lower half', () => {
    for (const base of [0n, 2n ** 32n - 2n, 2n ** 31n - 1n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 5n]) {
      const view = decode(batch(base, ['a', 'b', 'c', 'd']));
      assert.deepEqual(
        view.map(({ offset }) => offset.toString()),
        [0n, 1n, 2n, 3n].map((delta) => String(base + delta)),
      );
      assert.equal(view.nextOffset.toString(), String(base + 4n));
    }
  });

  it('ends without an error at a batch that is cut anywhere', () => {
    const whole = batch(10, ['a', 'b']);
    const cut = batch(12, ['c', 'd']);
    for (let length = 0; length < cut.length; length++) {
      const view = decode(Buffer.concat([whole, cut.subarray(0, length)]));
      assert.equal(view.error, null);
      assert.deepEqual(values(view), ['a', 'b']);
      assert.equal(view.nextOffset.toNumber(), 12);
      assert.equal(view.tailBytes, length);
    }
  });

  it('without a complete batch leaves the position unchanged', () => {
    for (const length of [0, 5, 60]) {
      const view = decode(batch(10, ['a', 'b']).subarray(0, length));
      assert.equal(view.error, null);
      assert.equal(view.length, 0);
      assert.equal(view.nextOffset.toNumber(), -1);
      assert.equal(view.tailBytes, length);
    }
  });

  it('keeps the records before a faulty batch, and tells the offset of that batch', () => {
    const bad = batch(12, ['c', 'd']);
    bad[70]! ^= 1;
    const view = decode(Buffer.concat([batch(10, ['a', 'b']), bad, batch(14, ['e'])]));
    assert.ok(view.error instanceof CorruptRecordError);
    assert.match(view.error.message, /offset 12: CRC-32C is [0-9a-f]{8}, header says [0-9a-f]{8}/);
    assert.deepEqual(values(view), ['a', 'b']);
    assert.equal(view.nextOffset.toNumber(), 12);
    assert.equal(view.faultyOffset!.toNumber(), 12);
    assert.equal(view.batches.length, 1);
  });

  it('keeps only complete batches, and nothing of a batch with broken records', () => {
    const bad = batch(12, ['c', 'd', 'e']);
    bad.writeInt32BE(2, 57);
    const view = decode(Buffer.concat([batch(10, ['a', 'b']), sealed(bad), batch(15, ['f'])]));
    assert.match(view.error!.message, /offset 12: \d+ bytes left after 2 records/);
    assert.deepEqual(values(view), ['a', 'b']);
    assert.equal(view.nextOffset.toNumber(), 12);
  });

  it('is read without checking checksums if the option says so', () => {
    const bad = batch(12, ['c']);
    bad.writeUInt32BE(0, 17);
    assert.ok(decode(bad).error instanceof CorruptRecordError);
    assert.deepEqual(values(decode(bad, { verifyCrc: false })), ['c']);
  });

  it('names an unknown codec, and stays before that batch', () => {
    const unknown = batch(12, ['c']);
    unknown[22] = 6;
    const view = decode(Buffer.concat([batch(11, ['b']), sealed(unknown)]));
    assert.ok(view.error instanceof UnsupportedCodecError);
    assert.equal(view.nextOffset.toNumber(), 12);
  });

  it('moves past control batches and batches that compaction emptied, without records', () => {
    const control = encode({
      baseOffset: 12,
      isControl: true,
      isTransactional: true,
      producerId: 4,
      records: [{ key: Uint8Array.of(0, 0, 0, 1), value: Uint8Array.of(0, 0, 0, 0, 0, 9) }],
    });
    const empty = batch(13, ['gone']).subarray(0, 61);
    empty.writeInt32BE(49, 8);
    empty.writeInt32BE(86, 23);
    empty.writeInt32BE(0, 57);
    const view = decode(Buffer.concat([batch(10, ['a', 'b']), control, sealed(Buffer.from(empty)), batch(100, ['c'])]));
    assert.equal(view.error, null);
    assert.deepEqual(values(view), ['a', 'b', 'c']);
    assert.deepEqual(
      view.batches.map((one) => [one.firstRecord, one.recordCount, one.lastOffset.toNumber(), one.controlType]),
      [
        [0, 2, 11, -1],
        [2, 0, 12, 1],
        [2, 0, 99, -1],
        [2, 1, 100, -1],
      ],
    );
    assert.equal(view.batches.at(1).isControl, true);
    assert.equal(view.nextOffset.toNumber(), 101);
  });

  it('can mix compressed and plain batches of all codecs', () => {
    const parts = (['none', 'gzip', 'snappy', 'none', 'lz4', 'zstd', 'none'] as const).map((compression, i) =>
      batch(i * 2, [`first ${i}`, `second ${i}`], { compression }),
    );
    const view = decode(Buffer.concat(parts));
    assert.equal(view.error, null);
    assert.deepEqual(
      values(view),
      parts.flatMap((_, i) => [`first ${i}`, `second ${i}`]),
    );
    assert.deepEqual(
      view.map(({ offset }) => offset.toNumber()),
      parts.flatMap((_, i) => [i * 2, i * 2 + 1]),
    );
    assert.deepEqual(
      view.batches.map(({ compression }) => compression),
      ['none', 'gzip', 'snappy', 'none', 'lz4', 'zstd', 'none'],
    );
  });

  it('can be null, which means no data', () => {
    const memory = new HeapMemory();
    const w = new FlatWriter().reset(memory);
    w.alloc(RECORDS_WORDS);
    const view = viewOf(w, memory, 0, 0);
    assert.equal(view.isNull, true);
    assert.equal(view.length, 0);
    assert.equal(view.error, null);
    assert.equal(view.raw, null);
    assert.equal(view.nextOffset.toNumber(), -1);
    assert.equal(view.toObject(), null);
  });

  it('is kept raw with the position after it if the option says so', () => {
    const bad = batch(12, ['c']);
    bad.writeUInt32BE(0, 17);
    const bytes = Buffer.concat([
      batch(10, ['a', 'b'], { compression: 'gzip' }),
      bad,
      batch(13, ['d']).subarray(0, 30),
    ]);
    const view = decode(bytes, { records: 'raw' });
    assert.deepEqual(view.raw, bytes);
    assert.equal(view.nextOffset.toNumber(), 13);
    assert.equal(view.tailBytes, 30);
    assert.equal(view.length, 0);
    assert.deepEqual([...view], []);
    assert.equal(decode(encode([{ value: 'v' }], 1), { records: 'raw' }).nextOffset.toNumber(), 1);
    assert.equal(decode(Buffer.alloc(70, 0xff), { records: 'raw' }).nextOffset.toNumber(), -1);
  });

  it('can be in shared memory and on the heap, and move between both', () => {
    const bytes = Buffer.concat([batch(0, ['a', 'b']), batch(2, ['c'], { compression: 'snappy' })]);
    for (const memory of [new SharedMemory(4_096), new SharedMemory(160), new HeapMemory(64)]) {
      assert.deepEqual(values(decode(bytes, {}, memory)), ['a', 'b', 'c']);
    }
  });
});

describe('limits', () => {
  before(prepareCodecs);
  const big = 'x'.repeat(40_000);

  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    it(`make a field of ${compression} batches end early, and the next fetch goes on from there`, () => {
      const bytes = Buffer.concat([0, 1, 2].map((offset) => batch(offset, [big], { compression })));
      const view = decode(bytes, { maxDecompressedBytes: 100_000 });
      assert.equal(view.error, null);
      assert.equal(view.length, 2);
      assert.equal(view.nextOffset.toNumber(), 2);
      assert.ok(view.tailBytes > 0);
      assert.equal(view.at(1).value!.length, 40_000);
    });

    it(`refuse a single ${compression} batch beyond them`, () => {
      const bytes = Buffer.concat([batch(0, ['small']), batch(1, [big], { compression }), batch(2, ['small'])]);
      const view = decode(bytes, { maxDecompressedBytes: 30_000 });
      assert.match(view.error!.message, /too large: \d+ bytes or more, limit 30000/);
      assert.ok(view.error instanceof CorruptRecordError);
      assert.deepEqual(values(view), ['small']);
      assert.equal(view.nextOffset.toNumber(), 1);
    });
  }

  it('refuse counts that are too large for the bytes before memory is taken', () => {
    for (const count of [5, 1_000_000, 2 ** 31 - 1, -1, -(2 ** 31)]) {
      const claim = batch(3, ['a']);
      claim.writeInt32BE(count, 57);
      const memory = new HeapMemory(64);
      const view = decode(sealed(claim), {}, memory);
      assert.ok(view.error instanceof CorruptRecordError, String(count));
      assert.ok(memory.capacity < 8_192);
    }
    const packed = batch(3, ['a'], { compression: 'gzip' });
    packed.writeInt32BE(2 ** 31 - 1, 57);
    assert.match(decode(sealed(packed)).error!.message, /claims 2147483647 records in \d+ bytes/);
  });

  for (const [version, magic, crcAt] of [
    [9, 2, 17],
    [2, 1, 12],
    [1, 0, 12],
  ] as const) {
    it(`of a turn are noticed before the checksum of format v${magic} is computed, so that only the pool computes it`, () => {
      const wrong = encode({ records: [{ value: big }], compression: 'gzip' }, version);
      wrong[crcAt]! ^= 1;
      assert.match(decode(wrong).error!.message, /CRC-32/);
      assert.throws(() => decode(wrong, { maxInlineBytes: 100 }), CodecTaskNeeded);
      const plain = encode({ records: [{ value: big }] }, version);
      assert.equal(decode(plain, { maxInlineBytes: 100 }).length, 1);
    });
  }

  it('of a turn count what is not compressed, too, if a limit of its own says so', () => {
    const [plain, packed] = [batch(5, [big]), batch(5, [big], { compression: 'gzip' })];
    for (const bytes of [plain, packed]) {
      assert.throws(() => decode(bytes, { maxInlinePlainBytes: 100 }), CodecTaskNeeded);
      assert.equal(decode(bytes, { maxInlinePlainBytes: 1 << 20 }).length, 1);
    }
    assert.equal(decode(Buffer.alloc(0), { maxInlinePlainBytes: 0 }).length, 0, 'nothing to do');
  });

  it('of the flat message fail the field, not the message', () => {
    const bytes = batch(5, [big, big]);
    const memory = new HeapMemory();
    const w = new FlatWriter().reset(memory);
    w.alloc(RECORDS_WORDS);
    w.limitTo(50_000);
    decodeRecords(new WireReader(bytes), bytes.length, w, 0, decodeOptions);
    const view = viewOf(w, memory, 0, 0);
    assert.match(view.error!.message, /too large: the message needs \d+ bytes of flat memory or more, limit 50000/);
    assert.equal(view.length, 0);
    assert.equal(view.nextOffset.toNumber(), -1);
    assert.equal(view.faultyOffset!.toNumber(), 5);
    assert.equal(view.tailBytes, bytes.length);
  });
});

describe('hostile bytes', () => {
  before(prepareCodecs);

  /** Reads everything there is to read; the view's own promises must hold. */
  function readAll(view: RecordsView, at: string): void {
    const cursor = view.cursor();
    let count = 0;
    for (; cursor.next(); count++) {
      for (const [offset, length] of [
        [cursor.keyOffset, cursor.keyLength],
        [cursor.valueOffset, cursor.valueLength],
      ] as const) {
        assert.ok(length >= -1 && offset >= 0 && offset + Math.max(length, 0) <= cursor.bytes.length, at);
      }
    }
    assert.equal(count, view.length, at);
    for (const record of view) void record.headers;
    const rows = view.batches.map((one) => one.recordCount).reduce((sum, one) => sum + one, 0);
    assert.equal(rows, view.length, at);
    assert.ok(
      view.error === null || view.error instanceof CorruptRecordError || view.error instanceof UnsupportedCodecError,
    );
  }

  for (const [magic, version] of [
    [2, 9],
    [1, 2],
    [0, 1],
  ] as const) {
    it(`of format v${magic} never throw and never point outside the message`, () => {
      const next = random(magic + 20);
      const compressions = magic === 2 ? (['none', 'gzip', 'lz4'] as const) : (['none', 'gzip', 'snappy'] as const);
      for (let round = 0; round < 1_500; round++) {
        const compression = compressions[round % 3]!;
        const records = Array.from({ length: 1 + Math.floor(next() * 6) }, (_, i) => ({
          key: next() < 0.5 ? null : 'k'.repeat(Math.floor(next() * 90)),
          value: next() < 0.2 ? null : Buffer.from(repetitive(next, Math.floor(next() * 200))),
          timestamp: Math.floor(next() * 2 ** 40) * (i % 2 === 0 ? 1 : -1),
          headers: magic === 2 && next() < 0.5 ? { a: 'b', c: null } : null,
        }));
        const good = encode({ records, compression, baseOffset: Math.floor(next() * 1e12) }, version);
        const bytes = Buffer.concat([good, good]);
        for (let damage = 1 + Math.floor(next() * 4); damage > 0; damage--) {
          const at = next() < 0.5 ? Math.floor(next() * 70) : Math.floor(next() * bytes.length);
          bytes[at % bytes.length] = next() < 0.3 ? [0, 127, 128, 255][Math.floor(next() * 4)]! : next() * 256;
        }
        // Checked checksums would stop most of it at the door.
        const options = { verifyCrc: next() < 0.1, maxDecompressedBytes: 100_000 };
        const cut = next() < 0.2 ? bytes.subarray(0, Math.floor(next() * bytes.length)) : bytes;
        readAll(decode(cut, options), `format ${magic}, round ${round}`);
      }
    });
  }

  it('with an impossible length or format are refused at their offset, and end the field', () => {
    const impossible: [what: string, change: (bytes: Buffer) => void][] = [
      ...[-1, -(2 ** 31), 0, 1, 13].map((length): [string, (bytes: Buffer) => void] => [
        `length ${length}`,
        (bytes) => bytes.writeInt32BE(length, 8),
      ]),
      ...[3, 77, 255].map((magic): [string, (bytes: Buffer) => void] => [
        `format ${magic}`,
        (bytes) => (bytes[16] = magic),
      ]),
    ];
    for (const [what, change] of impossible) {
      const bad = batch(12, ['c']);
      change(bad);
      const view = decode(Buffer.concat([batch(10, ['a', 'b']), bad, batch(13, ['d'])]));
      assert.ok(view.error instanceof CorruptRecordError, `${what}: ${String(view.error)}`);
      assert.deepEqual(values(view), ['a', 'b'], what);
      assert.equal(view.nextOffset.toNumber(), 12, what);
    }
  });

  it('of no format never throw', () => {
    const next = random(30);
    for (let round = 0; round < 1_500; round++) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(next() * 200) }, () => next() * 256));
      if (bytes.length > 16) {
        bytes[16] = next() * 3;
        bytes.writeInt32BE(Math.floor(next() * 200), 8);
      }
      readAll(decode(bytes, { verifyCrc: false, maxDecompressedBytes: 10_000 }), `round ${round}`);
    }
  });

  it('in varints of every width are read or refused by their width', () => {
    const view = decode(
      encode((writer) => {
        writer.append(null, 'a', 0);
        for (const exponent of [5, 6, 7, 12, 13, 14, 19, 20, 21, 26, 27, 28, 31, 32, 33, 34, 40, 41, 42, 48, 55, 62]) {
          writer.append(null, 'a', 2n ** BigInt(exponent));
          writer.append(null, 'a', 2n ** BigInt(exponent) - 1n);
          writer.append(null, 'a', -(2n ** BigInt(exponent)));
        }
        writer.append(null, 'a', 2n ** 63n - 1n);
        writer.append(null, 'a', -(2n ** 63n));
      }),
    );
    const times = view.map(({ timestamp }) => BigInt(timestamp.toString()));
    assert.equal(times.length, 69);
    assert.equal(times[1], 32n);
    assert.equal(times[66], -(2n ** 62n));
    assert.deepEqual(times.slice(67), [2n ** 63n - 1n, -(2n ** 63n)]);
    assert.equal(view.batches.at(0).maxTimestamp.toString(), '9223372036854775807');
  });
});
