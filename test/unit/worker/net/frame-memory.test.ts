import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameMemory as LimitedMemory } from '../../../../src/worker/net/frame-memory.ts';

/** Memory of which there is always some. */
class FrameMemory extends LimitedMemory {
  take(byteCount: number): Buffer {
    return this.acquire(byteCount, { onMemory: () => {} })!;
  }

  giveBack(memory: Buffer): void {
    this.release(memory, memory.byteLength);
  }
}

test('memory is at least as long as requested, and has its own ArrayBuffer', () => {
  const frames = new FrameMemory();
  for (const size of [1, 5000, 100_000]) {
    const memory = frames.take(size);
    assert.ok(memory.length >= size);
    assert.equal(memory.byteOffset, 0);
    assert.equal(memory.buffer.byteLength, memory.length);
  }
});

test('released memory is used again, the best fit first', () => {
  const frames = new FrameMemory();
  const [small, middle, large] = [100_000, 200_000, 400_000].map((size) => frames.take(size));
  for (const memory of [large!, small!, middle!]) frames.giveBack(memory);
  assert.equal(frames.take(150_000), middle);
  assert.equal(frames.take(50_000), small);
  assert.equal(frames.take(300_000), large);
  assert.notEqual(frames.take(50_000), small);
});

test('memory that was moved away and has come back is used again, and does not count as used', () => {
  const frames = new FrameMemory();
  const memory = frames.take(100_000);
  const moved = structuredClone(memory.buffer, { transfer: [memory.buffer as ArrayBuffer] }) as ArrayBuffer;
  frames.release(memory, 100_000);
  assert.deepEqual([frames.usedBytes, frames.keptBytes], [0, 0]);
  frames.keep(moved);
  assert.deepEqual([frames.usedBytes, frames.keptBytes], [0, 100_000]);
  assert.equal(frames.take(90_000).buffer, moved);
});

test('no memory is handed out twice', () => {
  const frames = new FrameMemory();
  frames.giveBack(frames.take(100_000));
  assert.notEqual(frames.take(90_000), frames.take(90_000));
});

test('the number of kept buffers is bounded', () => {
  const frames = new FrameMemory();
  const all = Array.from({ length: 50 }, (_, i) => frames.take(70_000 + i));
  for (const memory of all) frames.giveBack(memory);
  const again = new Set(Array.from({ length: 50 }, () => frames.take(70_000)));
  assert.ok(all.filter((memory) => again.has(memory)).length <= 8);
});

test('the bytes of kept buffers are bounded', () => {
  const frames = new FrameMemory(1_000_000);
  const [first, second] = [frames.take(600_000), frames.take(600_000)];
  frames.giveBack(first);
  frames.giveBack(second);
  const again = [frames.take(600_000), frames.take(600_000)];
  assert.equal(again.filter((memory) => memory === first || memory === second).length, 1);
  frames.giveBack(frames.take(2_000_000));
});

/** Somebody who waits, and how often there was memory. */
function waiter(): { calls: number; onMemory(): void } {
  return {
    calls: 0,
    onMemory() {
      this.calls++;
    },
  };
}

test('frames beyond the limit get no memory until others give theirs back, in the order in which they asked', () => {
  const frames = new LimitedMemory(0, 1_000_000);
  const [first, second, third, fourth] = [waiter(), waiter(), waiter(), waiter()];
  const one = frames.acquire(600_000, first)!;
  assert.equal(frames.acquire(500_000, second), null);
  assert.equal(frames.acquire(100, third), null, 'a small frame would fit, and others came first');
  frames.release(one, 600_000);
  assert.deepEqual([second.calls, third.calls], [1, 0]);
  const two = frames.acquire(500_000, second)!;
  assert.equal(third.calls, 1, 'there is room for the next one, too');
  assert.ok(frames.acquire(100, third));
  assert.equal(frames.usedBytes, 500_100);
  assert.equal(frames.acquire(600_000, fourth), null);
  frames.release(two, 500_000);
  assert.ok(frames.acquire(600_000, fourth));
  assert.equal(frames.waiterCount, 0);
});

test('a frame larger than the limit is received when there is no other', () => {
  const frames = new LimitedMemory(0, 1_000_000);
  const [large, small] = [waiter(), waiter()];
  const other = frames.acquire(10, small)!;
  assert.equal(frames.acquire(5_000_000, large), null);
  frames.release(other, 10);
  assert.equal(large.calls, 1);
  assert.equal(frames.acquire(5_000_000, large)!.length, 5_000_000);
  assert.equal(frames.acquire(10, small), null);
});

test('who does not want memory any more is not waited for', () => {
  const frames = new LimitedMemory(0, 1_000_000);
  const [holder, gone, next] = [waiter(), waiter(), waiter()];
  frames.acquire(900_000, holder);
  assert.equal(frames.acquire(900_000, gone), null);
  assert.equal(frames.acquire(1000, next), null);
  frames.forget(gone);
  assert.equal(next.calls, 1);
  assert.ok(frames.acquire(1000, next));
});

test('memory that was moved to another thread counts until it is released', () => {
  const frames = new LimitedMemory(32_000_000, 1_000_000);
  const memory = frames.acquire(800_000, waiter())!;
  const moved = memory.buffer as ArrayBuffer;
  structuredClone(moved, { transfer: [moved] });
  assert.equal(memory.length, 0);
  assert.equal(frames.usedBytes, 800_000);
  frames.release(memory, 800_000);
  assert.equal(frames.usedBytes, 0);
  assert.equal(frames.keptBytes, 0);
});
