// CRC-32C, CRC-32 and xxHash of 32 bits: check values, and agreement of the fast ways with the slow definition.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from '../../../src/codec/crc32.ts';
import { crc32c, crc32cByTables, crc32cImplementation } from '../../../src/codec/crc32c.ts';
import { xxHash32 } from '../../../src/codec/xxhash32.ts';
import { random, randomBytes } from './support.ts';

const digits = Buffer.from('123456789');

function bitwise(polynomial: number, bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('crc32c', () => {
  it('has the known check value', () => {
    assert.equal(crc32c(digits), 0xe3069283);
    assert.equal(crc32cByTables(digits), 0xe3069283);
    assert.equal(crc32c(new Uint8Array(0)), 0);
  });

  it('is the same bit by bit, with tables and in native code, for every length and position', () => {
    const next = random(1);
    const bytes = randomBytes(next, 5000);
    const lengths = [...Array.from({ length: 300 }, (_, i) => i), 511, 512, 1000, 4099];
    for (const length of lengths) {
      const start = Math.floor(next() * (bytes.length - length));
      const expected = bitwise(0x82f63b78, bytes.subarray(start, start + length));
      assert.equal(crc32c(bytes, start, start + length), expected, `${length} bytes`);
      assert.equal(crc32cByTables(bytes, start, start + length), expected, `${length} bytes by tables`);
    }
  });

  it('tells which code computes it', () => {
    assert.ok(['own addon', '@node-rs/crc32', 'tables'].includes(crc32cImplementation()));
  });
});

describe('crc32', () => {
  it('has the known check value', () => {
    assert.equal(crc32(digits), 0xcbf43926);
    assert.equal(crc32(new Uint8Array(0)), 0);
  });

  it('is the same bit by bit, with tables and in native code, for every length and position', () => {
    const next = random(2);
    const bytes = randomBytes(next, 3000);
    for (const length of [...Array.from({ length: 300 }, (_, i) => i), 2049]) {
      const start = Math.floor(next() * (bytes.length - length));
      const expected = bitwise(0xedb88320, bytes.subarray(start, start + length));
      assert.equal(crc32(bytes, start, start + length), expected, `${length} bytes`);
    }
  });
});

describe('xxHash32', () => {
  it('has the known values', () => {
    assert.equal(xxHash32(Buffer.from('')), 0x02cc5d05);
    assert.equal(xxHash32(Buffer.from('a')), 0x550d7456);
    assert.equal(xxHash32(Buffer.from('abc')), 0x32d153ff);
    assert.equal(xxHash32(Buffer.from('Nobody inspects the spammish repetition')), 0xe2293b2f);
  });

  it('covers only its range', () => {
    const bytes = Buffer.from('xxNobody inspects the spammish repetitionyy');
    assert.equal(xxHash32(bytes, 2, bytes.length - 2), 0xe2293b2f);
  });
});
