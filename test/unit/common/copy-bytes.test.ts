// The copying of bytes out of shared memory: every size and every alignment of both sides, and nothing beside them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyMemory, copyBytes } from '../../../src/common/copy-bytes.ts';

const sizes = [...Array(70).keys(), 100, 255, 319, 320, 321, 895, 896, 897, 1030, 5000];
const room = 8192;

function patterned(memory: Uint8Array): Uint8Array {
  for (let i = 0; i < memory.length; i++) memory[i] = (i * 31 + (i >>> 8)) & 255;
  return memory;
}

for (const [name, source] of [
  ['shared memory', patterned(new Uint8Array(new SharedArrayBuffer(room)))],
  ['a part of a buffer', patterned(new Uint8Array(new ArrayBuffer(room + 24), 13, room))],
] as const) {
  test(`bytes of ${name} are copied at any size and alignment`, () => {
    const from = new CopyMemory(source);
    const target = Buffer.alloc(room);
    const to = new CopyMemory(target.subarray(5));
    for (const size of sizes) {
      for (let shift = 0; shift < 9; shift++) {
        const at = 8 + ((shift * 5) % 8);
        target.fill(0xee);
        assert.equal(copyBytes(to, at, from, shift, shift + size), at + size);
        const expected = Buffer.alloc(room, 0xee);
        expected.set(source.subarray(shift, shift + size), 5 + at);
        assert.ok(target.equals(expected), `${size} bytes from ${shift} to ${at}`);
      }
    }
  });
}

test('bytes beyond either memory are not touched: the copy throws', () => {
  const small = new CopyMemory(new Uint8Array(new ArrayBuffer(200), 50, 100));
  const large = new CopyMemory(new Uint8Array(200));
  assert.throws(() => copyBytes(small, 90, large, 0, 64), RangeError);
  assert.throws(() => copyBytes(large, 0, small, 90, 154), RangeError);
});
