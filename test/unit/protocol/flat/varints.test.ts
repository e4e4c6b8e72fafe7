// Varints of 32 bits: what was written is read again, in every length, and with any bytes around.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putLength, putSigned, readSigned, sizeOfLength, varintEnd } from '../../../../src/protocol/flat/varints.ts';

const lengths = [0, 1, 31, 63, 64, 100, 127, 128, 8191, 8192, 1048575, 1048576, 134217727, 134217728, 2147483647];

test('a number is read as it was written, whatever its length', () => {
  for (const fill of [0, 255]) {
    for (const value of [...lengths, ...lengths.map((length) => -length - 1)]) {
      const bytes = new Uint8Array(12).fill(fill);
      const end = putSigned(bytes, 3, value);
      assert.equal(readSigned(bytes, 3), value);
      assert.equal(varintEnd, end, `${value}`);
      assert.equal(readSigned(bytes.slice(0, end), 3), value, 'at the end of the memory');
    }
  }
});

test('a length is written in the same way without a loop, and its size is known before', () => {
  for (const length of lengths) {
    const bytes = new Uint8Array(5);
    const expected = new Uint8Array(5);
    const end = putSigned(expected, 0, length);
    assert.equal(putLength(bytes, 0, length), end);
    assert.equal(sizeOfLength(length), end);
    assert.deepEqual(bytes, expected);
  }
});

test('a number in more bytes than it needs is read, too, and one that is cut off ends where the memory ends', () => {
  assert.equal(readSigned(Uint8Array.of(0x81, 0x00), 0), -1);
  assert.equal(varintEnd, 2);
  assert.equal(readSigned(Uint8Array.of(0x84, 0x80, 0x00), 0), 2);
  assert.equal(varintEnd, 3);
  for (const cut of [Uint8Array.of(0x84), Uint8Array.of(0x84, 0x80)]) {
    readSigned(cut, 0);
    assert.equal(varintEnd, cut.length + 1);
  }
});
