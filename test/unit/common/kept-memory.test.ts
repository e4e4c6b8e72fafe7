// Memory for reuse goes back as far as it was not needed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptMemory } from '../../../src/common/kept-memory.ts';

const KiB = 1024;

function keeping(...sizes: number[]): KeptMemory<ArrayBuffer> {
  const kept = new KeptMemory<ArrayBuffer>(16, 1024 * KiB);
  for (const size of sizes) kept.keep(new ArrayBuffer(size));
  return kept;
}

test('what came since the last trim stays, and goes at the next one if nobody took it', () => {
  const kept = keeping(10 * KiB, 20 * KiB);
  kept.trim();
  assert.equal(kept.byteLength, 30 * KiB);
  assert.equal(kept.isKeeping, true);
  kept.trim();
  assert.equal(kept.byteLength, 0);
  assert.equal(kept.isKeeping, false);
  assert.equal(kept.take(1), undefined);
});

test('of memory that is taken in turn, what is never out at the same time goes', () => {
  const kept = keeping(...Array.from({ length: 8 }, () => 10 * KiB));
  kept.trim();
  for (let i = 0; i < 24; i++) {
    const [first, second] = [kept.take(KiB)!, kept.take(KiB)!];
    kept.keep(first);
    kept.keep(second);
  }
  kept.trim();
  assert.equal(kept.byteLength, 20 * KiB);
  kept.trim();
  assert.equal(kept.byteLength, 0);
});

test('a buffer that is larger than what was idle stays', () => {
  const kept = keeping(40 * KiB, 10 * KiB);
  kept.trim();
  kept.keep(kept.take(40 * KiB)!);
  kept.trim();
  assert.equal(kept.byteLength, 40 * KiB);
});

test('a buffer that another one replaced counts as gone', () => {
  const kept = new KeptMemory<ArrayBuffer>(1, 1024 * KiB);
  kept.keep(new ArrayBuffer(10 * KiB));
  kept.trim();
  kept.keep(new ArrayBuffer(30 * KiB));
  kept.trim();
  assert.equal(kept.byteLength, 30 * KiB, 'it came since the last trim');
  kept.trim();
  assert.equal(kept.byteLength, 0);
});
