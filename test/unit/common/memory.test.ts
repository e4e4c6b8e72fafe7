import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alignTo8, HeapMemory } from '../../../src/common/memory.ts';

test('alignTo8 rounds up to a multiple of 8', () => {
  for (const [bytes, aligned] of [
    [0, 0],
    [1, 8],
    [7, 8],
    [8, 8],
    [9, 16],
    [2 ** 31 - 8, 2 ** 31 - 8],
  ]) {
    assert.equal(alignTo8(bytes!), aligned);
  }
});

test('both views share one buffer, whose size is a multiple of 8 and at least the requested size', () => {
  for (const bytes of [0, 1, 63, 64, 65, 1001]) {
    const memory = new HeapMemory(bytes);
    assert.equal(memory.i32.buffer, memory.u8.buffer);
    assert.ok(memory.capacity >= bytes);
    assert.equal(memory.capacity % 8, 0);
    assert.equal(memory.u8.length, memory.capacity);
    assert.equal(memory.base, 0);
  }
});

test('grow keeps the used bytes and makes enough room', () => {
  const memory = new HeapMemory(64);
  memory.u8.set([1, 2, 3, 4, 5]);
  memory.grow(1000, 5);
  assert.ok(memory.capacity >= 1000);
  assert.deepEqual([...memory.u8.subarray(0, 5)], [1, 2, 3, 4, 5]);
  assert.equal(memory.i32.buffer, memory.u8.buffer);
  assert.equal(memory.capacity % 8, 0);
});

test('grow uses a hint, and grows in proportion without a hint', () => {
  const hinted = new HeapMemory(64);
  hinted.grow(65, 0, 5000);
  assert.ok(hinted.capacity >= 5000);
  const memory = new HeapMemory(64);
  let moves = 0;
  for (let needed = 65; needed < 1 << 20; needed += 100) {
    if (needed <= memory.capacity) continue;
    memory.grow(needed, memory.capacity);
    moves++;
  }
  assert.ok(moves < 20, `${moves} moves`);
});
