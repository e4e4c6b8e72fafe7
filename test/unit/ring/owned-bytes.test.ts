// Bodies that are taken out of a link are exact copies. Nobody else shares their memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BodySlab, type OwnedBytes } from '../../../src/ring/owned-bytes.ts';
import { chooseSeed, fillPattern, findMismatch, Random } from './support/random.ts';

const memory = new SharedArrayBuffer(65_536);
const u8 = new Uint8Array(memory);
const i32 = new Int32Array(memory);

function copy(slab: BodySlab, n: number, start: number, bytes: number): OwnedBytes {
  fillPattern(u8, start, bytes, n);
  const owned = slab.copy(u8, i32, start, bytes);
  u8.fill(0xee);
  assert.equal(owned.byteLength, bytes);
  assert.equal(owned.base % 8, 0);
  assert.equal(owned.i32.buffer, owned.u8.buffer);
  assert.ok(owned.u8.buffer instanceof ArrayBuffer);
  assert.ok(owned.base + bytes <= owned.u8.byteLength);
  return owned;
}

test('bodies of every length are exact, and stay so while others are taken', (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const slab = new BodySlab();
  const taken: OwnedBytes[] = [];
  for (let bytes = 0; bytes < 2100; bytes += 1 + random.below(40)) {
    taken.push(copy(slab, taken.length, 8 * random.below(1000), bytes));
  }
  for (const [n, { u8, base, byteLength }] of taken.entries()) {
    assert.equal(findMismatch(u8, base, byteLength, n), -1, `${byteLength} bytes`);
  }
});

test('small bodies share a buffer that cannot be transferred, big ones have their own', () => {
  const slab = new BodySlab();
  const [first, second] = [copy(slab, 1, 0, 100), copy(slab, 2, 8, 100)];
  assert.equal(first.u8.buffer, second.u8.buffer);
  const shared = first.u8.buffer as ArrayBuffer;
  try {
    // Node 20 copies it instead, later versions throw.
    structuredClone(shared, { transfer: [shared] });
  } catch (error) {
    assert.equal((error as Error).name, 'DataCloneError');
  }
  assert.equal(findMismatch(second.u8, second.base, 100, 2), -1);
  const big = copy(slab, 3, 0, 10_000);
  assert.notEqual(big.u8.buffer, shared);
  assert.equal(big.u8.byteLength, 10_000);
});
