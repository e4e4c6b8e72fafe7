// What createRing and openRing accept, and that the two threads' words lie apart.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IllegalStateError, RingCorruptError } from '../../../src/common/errors/errors.ts';
import { maxRingBodyBytes } from '../../../src/common/ring-sizes.ts';
import {
  CAPACITY_WORD,
  createRing,
  DATA_OFFSET,
  HEAD_WORD,
  isRingCapacity,
  MAGIC_WORD,
  MAX_RING_BYTES,
  openRing,
  RETURNED_WORD,
  SPILLED_WORD,
  TAIL_WORD,
  WAITING_WORD,
} from '../../../src/ring/layout.ts';

describe('ring memory', () => {
  test('keeps the words of writer and reader 128 bytes apart, and both from the data', () => {
    for (const writers of [TAIL_WORD, SPILLED_WORD, WAITING_WORD]) {
      for (const readers of [HEAD_WORD, RETURNED_WORD]) assert.ok(Math.abs(writers - readers) * 4 >= 120);
      assert.ok(writers * 4 >= 128);
    }
    assert.equal((HEAD_WORD - TAIL_WORD) * 4, 128);
    assert.ok(DATA_OFFSET - HEAD_WORD * 4 >= 128);
    assert.equal(DATA_OFFSET % 8, 0);
  });

  test('opens with the capacity it was made with, empty, at the start position', () => {
    const buffer = createRing(256, 0xffffff00);
    const ring = openRing(buffer);
    assert.equal(ring.capacity, 256);
    assert.equal(ring.u8.byteLength, DATA_OFFSET + 256);
    assert.equal(ring.i32[HEAD_WORD]! >>> 0, 0xffffff00);
    assert.equal(ring.i32[TAIL_WORD]! >>> 0, 0xffffff00);
  });

  test('has a power of two of bytes', () => {
    for (const bytes of [64, 128, 4096, MAX_RING_BYTES]) assert.ok(isRingCapacity(bytes), String(bytes));
    for (const bytes of [0, 1, 32, 65, 96, 64.5, -64, 2 ** 31, 2 ** 32, Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.ok(!isRingCapacity(bytes), String(bytes));
      assert.throws(() => createRing(bytes), IllegalStateError);
    }
  });

  test('starts at a uint32 multiple of 8', () => {
    for (const position of [-8, 4, 2 ** 32, 0.5, Number.NaN]) {
      assert.throws(() => createRing(64, position), IllegalStateError);
    }
  });

  test('gives half the ring without the header as the longest body that always fits', () => {
    assert.equal(maxRingBodyBytes(64), 16);
    assert.equal(maxRingBodyBytes(1 << 20), (1 << 19) - 16);
  });

  test('is refused if it is something else', () => {
    assert.throws(() => openRing(new SharedArrayBuffer(0)), RingCorruptError);
    assert.throws(() => openRing(new SharedArrayBuffer(DATA_OFFSET + 64)), /magic is 0/);
    for (const capacity of [0, -1, 63, 128, 1 << 30]) {
      const buffer = createRing(64);
      new Int32Array(buffer)[CAPACITY_WORD] = capacity;
      assert.throws(() => openRing(buffer), RingCorruptError, String(capacity));
    }
    const buffer = createRing(64);
    new Int32Array(buffer)[MAGIC_WORD]! ^= 1;
    assert.throws(() => openRing(buffer), RingCorruptError);
  });
});
