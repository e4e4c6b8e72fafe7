// The frames around blocks: xerial's for Snappy, frames of LZ4 and zstd. What is accepted, and what is refused.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DecompressedTooLargeError } from '../../../src/codec/byte-arena.ts';
import { LZ4, prepareCodecs, SNAPPY, ZSTD } from '../../../src/codec/index.ts';
import { xxHash32 } from '../../../src/codec/xxhash32.ts';
import { readZstdFrame } from '../../../src/codec/zstd-frame.ts';
import { CorruptRecordError } from '../../../src/common/errors/errors.ts';
import { pack, random, repetitive, unpack } from './support.ts';

const text = 'frames around blocks around bytes around bytes';

/** An LZ4 frame with one plain block. */
function lz4Frame(flags: number, blockCode: number, parts: { contentSize?: number; trailer?: number[] } = {}): Buffer {
  const size = Buffer.alloc(parts.contentSize === undefined ? 0 : 8);
  if (parts.contentSize !== undefined) size.writeUInt32LE(parts.contentSize, 0);
  const descriptor = Buffer.concat([Buffer.from([flags, blockCode << 4]), size]);
  const checksum = (xxHash32(descriptor) >>> 8) & 255;
  const block = Buffer.alloc(4);
  block.writeUInt32LE((text.length | 0x80000000) >>> 0, 0);
  const head = Buffer.concat([Buffer.from([0x04, 0x22, 0x4d, 0x18]), descriptor, Buffer.from([checksum])]);
  return Buffer.concat([head, block, Buffer.from(text), Buffer.alloc(4), Buffer.from(parts.trailer ?? [])]);
}

function little(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

describe('lz4 frames', () => {
  it('are read with every block size, with content size and content checksum', () => {
    for (const code of [4, 5, 6, 7]) assert.equal(unpack(LZ4, lz4Frame(0x60, code)).toString(), text);
    assert.equal(unpack(LZ4, lz4Frame(0x68, 4, { contentSize: text.length })).toString(), text);
    const checksum = little(xxHash32(Buffer.from(text)));
    assert.equal(unpack(LZ4, lz4Frame(0x64, 4, { trailer: checksum })).toString(), text);
  });

  it('are refused where they contradict themselves', () => {
    assert.throws(() => unpack(LZ4, lz4Frame(0x68, 4, { contentSize: 5 })), /claims 5 bytes/);
    assert.throws(() => unpack(LZ4, lz4Frame(0x64, 4, { trailer: [1, 2, 3, 4] })), /content checksum/);
    assert.throws(() => unpack(LZ4, lz4Frame(0x64, 4)), /ends within its content checksum/);
    assert.throws(() => unpack(LZ4, lz4Frame(0x40, 4)), /dependent blocks/);
    assert.throws(() => unpack(LZ4, lz4Frame(0xa0, 4)), /flags/);
    assert.throws(() => unpack(LZ4, lz4Frame(0x61, 4)), /flags/);
    assert.throws(() => unpack(LZ4, lz4Frame(0x60, 3)), /block size/);
  });

  it('have a checked header checksum, except in format v0, whose writers computed it from other bytes', () => {
    const bytes = repetitive(random(1), 500);
    const historical = pack(LZ4, bytes, 0);
    const right = pack(LZ4, bytes, 1);
    assert.notEqual(historical[6], right[6]);
    assert.equal(historical[6], (xxHash32(historical, 0, 6) >>> 8) & 255);
    assert.equal(right[6], (xxHash32(right, 4, 6) >>> 8) & 255);
    assert.deepEqual(unpack(LZ4, historical, 1000, 0), Buffer.from(bytes));
    assert.deepEqual(unpack(LZ4, right, 1000, 0), Buffer.from(bytes));
    assert.throws(() => unpack(LZ4, historical, 1000, 1), /header checksum/);
    assert.throws(() => unpack(LZ4, historical, 1000, 2), /header checksum/);
  });

  it('keep bytes unchanged that do not get smaller', () => {
    const bytes = Uint8Array.from({ length: 65_536 }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 13);
    assert.ok(pack(LZ4, bytes).length <= bytes.length + 15);
  });
});

describe('snappy streams', () => {
  it('are written in the xerial format, and read in that format or as one raw block', () => {
    const packed = pack(SNAPPY, Buffer.from(text));
    assert.equal(Buffer.from(packed.subarray(0, 16)).toString('hex'), '82534e41505059000000000100000001');
    assert.equal(unpack(SNAPPY, packed.subarray(20)).toString(), text);
    const littleEndian = Uint8Array.from(packed);
    littleEndian.set([1, 0, 0, 0, 1, 0, 0, 0], 8);
    assert.equal(unpack(SNAPPY, littleEndian).toString(), text);
  });

  it('are read as one stream if several follow each other, as in Java, and refused if a later header is cut', () => {
    const [one, two] = [pack(SNAPPY, Buffer.from('one ')), pack(SNAPPY, Buffer.from('two'))];
    assert.equal(unpack(SNAPPY, Buffer.concat([one, two])).toString(), 'one two');
    assert.equal(unpack(SNAPPY, Buffer.concat([one, two, one])).toString(), 'one twoone ');
    assert.equal(unpack(SNAPPY, Buffer.concat([one, two.subarray(0, 16)])).toString(), 'one ');
    for (const cut of [4, 8, 15]) {
      assert.throws(() => unpack(SNAPPY, Buffer.concat([one, two.subarray(0, cut)])), CorruptRecordError);
    }
    const twice = Buffer.concat([one, Buffer.from([0x82, 0x53, 0x4e, 0x41, 0, 0, 0, 0]), two]);
    assert.throws(() => unpack(SNAPPY, twice), CorruptRecordError);
  });

  it('are refused with chunk lengths that are negative, zero or too long, and with bytes after the last', () => {
    const packed = pack(SNAPPY, Buffer.from(text));
    for (const length of [0x80, 0xff]) {
      const broken = Uint8Array.from(packed);
      broken[16] = length;
      assert.throws(() => unpack(SNAPPY, broken), CorruptRecordError);
    }
    assert.throws(() => unpack(SNAPPY, Buffer.concat([packed, Buffer.alloc(4)])), /chunk of 0 bytes/);
    assert.throws(() => unpack(SNAPPY, Buffer.concat([packed, Buffer.alloc(2)])), /length of a chunk/);
  });
});

describe('zstd frames', () => {
  before(prepareCodecs);

  it('are read one after another, without skippable frames', () => {
    const one = pack(ZSTD, Buffer.from('one '));
    const two = pack(ZSTD, Buffer.from('two'));
    const skipped = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 7, 7, 7]);
    assert.equal(unpack(ZSTD, Buffer.concat([skipped, one, skipped, two])).toString(), 'one two');
    assert.throws(() => unpack(ZSTD, Buffer.concat([one, Buffer.from('junk, longer than a head')])), /does not start/);
  });

  it('are checked to their end before anything is decompressed', () => {
    const bytes = repetitive(random(2), 300_000);
    const packed = pack(ZSTD, bytes);
    const frame = readZstdFrame(packed, 0, packed.length);
    assert.equal(frame.end, packed.length);
    assert.ok(frame.maxBytes >= bytes.length);
  });

  it('are refused for sizes that their blocks cannot have, huge windows and dictionaries', () => {
    const head = [0x28, 0xb5, 0x2f, 0xfd];
    const block = [0x01 | (1 << 3), 0, 0, 0x61];
    const claim = Buffer.from([...head, 0xe0, 0, 0, 0, 0, 0, 1, 0, 0, ...block]);
    assert.throws(() => unpack(ZSTD, claim), /claims 1099511627776 bytes/);
    const window = Buffer.from([...head, 0x00, 0xa8, ...block]);
    assert.throws(() => unpack(ZSTD, window), /window of 2147483648 bytes/);
    const dictionary = Buffer.from([...head, 0x21, 9, 1, ...block]);
    assert.throws(() => unpack(ZSTD, dictionary), /dictionary/);
    const reserved = Buffer.from([...head, 0x28, 1, ...block]);
    assert.throws(() => unpack(ZSTD, reserved), /reserved bit/);
  });

  it('that claim more than the limit are refused before they are decompressed', () => {
    // One byte repeated 100 000 times, in a frame that says so.
    const runs = [0x03 | (100_000 << 3), (100_000 << 3) >>> 8, (100_000 << 3) >>> 16].map((byte) => byte & 255);
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, ...little(100_000), ...runs, 0x61]);
    assert.equal(unpack(ZSTD, frame).length, 100_000);
    assert.throws(() => unpack(ZSTD, frame, 99_999), DecompressedTooLargeError);
  });
});
