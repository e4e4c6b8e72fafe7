// All four codecs: round trips at many sizes, damaged and cut input, decompression bombs and false sizes. Every failure is a typed
// error, and no memory is taken beyond the limit.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ByteArena, DecompressedTooLargeError } from '../../../src/codec/byte-arena.ts';
import { compress, decompress, GZIP, LZ4, prepareCodecs, SNAPPY, ZSTD } from '../../../src/codec/index.ts';
import { CorruptRecordError, UnsupportedCodecError } from '../../../src/common/errors/errors.ts';
import { pack, random, repetitive, samples, unpack } from './support.ts';

const codecs = { gzip: GZIP, snappy: SNAPPY, lz4: LZ4, zstd: ZSTD };

for (const [name, codec] of Object.entries(codecs)) {
  describe(name, () => {
    before(prepareCodecs);

    it('returns what it was given', () => {
      for (const sample of samples(codec)) {
        const packed = pack(codec, sample);
        assert.deepEqual(unpack(codec, packed), Buffer.from(sample), `${sample.length} bytes`);
      }
    });

    it('makes repetitive bytes smaller', () => {
      const bytes = repetitive(random(5), 100_000);
      assert.ok(pack(codec, bytes).length < 70_000);
    });

    it('fails with a typed error wherever the input is cut', () => {
      const bytes = repetitive(random(6), 2_000);
      const packed = pack(codec, bytes);
      for (let length = 0; length < packed.length; length++) {
        // Valid, and hold nothing: no frames, and a header without chunks.
        if ((length === 0 && codec === ZSTD) || (length === 16 && codec === SNAPPY)) continue;
        assert.throws(() => unpack(codec, packed.subarray(0, length)), CorruptRecordError, `cut to ${length} bytes`);
      }
    });

    it('answers damaged input with a typed error or other bytes, within its limit', () => {
      const next = random(codec + 10);
      for (let round = 0; round < 400; round++) {
        const bytes = repetitive(next, 1 + Math.floor(next() * 3_000));
        const packed = Uint8Array.from(pack(codec, bytes));
        for (let damage = 1 + Math.floor(next() * 3); damage > 0; damage--) {
          packed[Math.floor(next() * packed.length)] = next() < 0.3 ? 255 : next() * 256;
        }
        try {
          assert.ok(unpack(codec, packed, 10_000).length <= 10_000);
        } catch (error) {
          assert.ok(error instanceof CorruptRecordError, `round ${round}: ${String(error)}`);
        }
      }
    });

    it('refuses a bomb at the limit, without growing beyond it', () => {
      const bomb = pack(codec, new Uint8Array(8_000_000));
      const limit = 100_000;
      const arena = new ByteArena();
      arena.reset(limit);
      assert.ok(bomb.length < 400_000);
      assert.throws(
        () => decompress(codec, bomb, 0, bomb.length, arena),
        (error) =>
          error instanceof DecompressedTooLargeError && /limit 100000 \(decompressedMaxBytes\)/.test(error.message),
      );
      assert.ok(arena.bytes.length <= limit, `${arena.bytes.length} bytes taken`);
      assert.equal(unpack(codec, pack(codec, new Uint8Array(limit)), limit).length, limit);
      assert.throws(() => unpack(codec, pack(codec, new Uint8Array(limit + 1)), limit), DecompressedTooLargeError);
    });
  });
}

describe('decompress', () => {
  it('names an unknown codec', () => {
    assert.throws(() => unpack(5, new Uint8Array(3)), UnsupportedCodecError);
    assert.throws(() => compress(7, 0, new Uint8Array(3), 0, 3), UnsupportedCodecError);
  });
});

describe('gzip', () => {
  it('reads several members as one stream', () => {
    const members = Buffer.concat([gzipSync('one '), gzipSync(''), gzipSync('two')]);
    assert.equal(unpack(GZIP, members).toString(), 'one two');
  });

  it('accepts levels, and moves a level outside its range to the nearest in it', () => {
    const bytes = repetitive(random(7), 20_000);
    const best = compress(GZIP, 9, bytes, 0, bytes.length);
    assert.ok(best.length < compress(GZIP, 1, bytes, 0, bytes.length).length);
    assert.equal(compress(GZIP, 99, bytes, 0, bytes.length).length, best.length);
  });
});

describe('zstd', () => {
  before(prepareCodecs);

  it('accepts levels, and moves a level outside its range to the nearest in it', () => {
    const bytes = repetitive(random(8), 20_000);
    const best = compress(ZSTD, 19, bytes, 0, bytes.length);
    assert.ok(best.length < compress(ZSTD, -50, bytes, 0, bytes.length).length);
    for (const level of [-(2 ** 31) + 1, 2 ** 31 - 1]) {
      const small = bytes.subarray(0, 500);
      assert.deepEqual(unpack(ZSTD, compress(ZSTD, level, small, 0, small.length)), Buffer.from(small));
    }
  });
});
