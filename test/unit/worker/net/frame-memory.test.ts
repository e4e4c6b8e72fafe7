import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameMemory } from '../../../../src/worker/net/frame-memory.ts';

test('memory is at least as long as requested, and has its own ArrayBuffer', () => {
  const frames = new FrameMemory();
  for (const size of [1, 5000, 100_000]) {
    const memory = frames.acquire(size);
    assert.ok(memory.length >= size);
    assert.equal(memory.byteOffset, 0);
    assert.equal(memory.buffer.byteLength, memory.length);
  }
});

test('released memory is used again, the best fit first', () => {
  const frames = new FrameMemory();
  const [small, middle, large] = [100_000, 200_000, 400_000].map((size) => frames.acquire(size));
  for (const memory of [large!, small!, middle!]) frames.release(memory);
  assert.equal(frames.acquire(150_000), middle);
  assert.equal(frames.acquire(50_000), small);
  assert.equal(frames.acquire(300_000), large);
  assert.notEqual(frames.acquire(50_000), small);
});

test('no memory is handed out twice', () => {
  const frames = new FrameMemory();
  frames.release(frames.acquire(100_000));
  assert.notEqual(frames.acquire(90_000), frames.acquire(90_000));
});

test('the number of kept buffers is bounded', () => {
  const frames = new FrameMemory();
  const all = Array.from({ length: 50 }, (_, i) => frames.acquire(70_000 + i));
  for (const memory of all) frames.release(memory);
  const again = new Set(Array.from({ length: 50 }, () => frames.acquire(70_000)));
  assert.ok(all.filter((memory) => again.has(memory)).length <= 8);
});

test('the bytes of kept buffers are bounded', () => {
  const frames = new FrameMemory(1_000_000);
  const [first, second] = [frames.acquire(600_000), frames.acquire(600_000)];
  frames.release(first);
  frames.release(second);
  const again = [frames.acquire(600_000), frames.acquire(600_000)];
  assert.equal(again.filter((memory) => memory === first || memory === second).length, 1);
  frames.release(frames.acquire(2_000_000));
});
