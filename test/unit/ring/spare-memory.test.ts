// Memory of moved bodies that is sent back, with both ends on one thread.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { createRing, RECLAIMED_WORD } from '../../../src/ring/layout.ts';
import { SpareMemory, SpareMemoryReturn } from '../../../src/ring/spare-memory.ts';

const MiB = 2 ** 20;
let close = (): void => {};
afterEach(() => close());

function open(reclaimed = 0) {
  const i32 = new Int32Array(createRing(64));
  i32[RECLAIMED_WORD] = reclaimed;
  const { port1, port2 } = new MessageChannel();
  close = () => port1.close();
  return { i32, port: port2, spare: new SpareMemory(i32, port1), back: new SpareMemoryReturn(i32, port2) };
}

test('memory that is given back is used again, and is empty for the giver', () => {
  const { spare, back } = open();
  const memory = new ArrayBuffer(MiB);
  const view = new Uint8Array(memory);
  back.give(memory);
  assert.equal(view.length, 0);
  assert.equal(spare.take(MiB - 8).byteLength, MiB);
  assert.equal(spare.take(MiB - 8).byteLength, MiB - 8, 'only once');
});

test('memory too small, or twice as large as needed, is not handed out', () => {
  const { spare, back } = open();
  back.give(new ArrayBuffer(MiB));
  assert.equal(spare.take(MiB + 8).byteLength, MiB + 8);
  assert.equal(spare.take(MiB / 2 - 8).byteLength, MiB / 2 - 8);
  assert.equal(spare.take(MiB / 2).byteLength, MiB);
});

test('memory for others is only what has come back, and not more than a quarter too large', () => {
  const { spare, back } = open();
  assert.equal(spare.takeKept(MiB), undefined);
  back.give(new ArrayBuffer(MiB));
  assert.equal(spare.takeKept(MiB + 8), undefined);
  assert.equal(spare.takeKept(MiB / 1.3), undefined);
  assert.equal(spare.takeKept(MiB / 1.2)?.byteLength, MiB);
  assert.equal(spare.takeKept(MiB / 1.2), undefined, 'only once');
});

test('a reader keeps its memory while much is on its way, and gives again after the writer has looked', () => {
  const { spare, back } = open(2 ** 32 - 8);
  const buffers = Array.from({ length: 40 }, () => new ArrayBuffer(MiB));
  for (const buffer of buffers) back.give(buffer);
  assert.equal(buffers.filter(({ byteLength }) => byteLength === 0).length, 32);
  spare.take(8);
  back.give(buffers.at(-1)!);
  assert.equal(buffers.at(-1)!.byteLength, 0);
});

test('the kept memory is bounded', () => {
  const { spare, back } = open();
  for (let i = 0; i < 30; i++) back.give(new ArrayBuffer(MiB));
  const taken = Array.from({ length: 30 }, () => spare.take(MiB - 8));
  assert.equal(taken.filter(({ byteLength }) => byteLength === MiB).length, 8);
});

test('values that are not memory and memory that was moved away are ignored', () => {
  const { i32, port, spare, back } = open();
  port.postMessage('text');
  const memory = new ArrayBuffer(MiB);
  structuredClone(memory, { transfer: [memory] });
  back.give(memory);
  port.postMessage(new ArrayBuffer(13));
  back.give(new ArrayBuffer(MiB));
  assert.equal(spare.take(MiB - 8).byteLength, MiB);
  assert.equal(spare.take(8).byteLength, 8);
  assert.equal(i32[RECLAIMED_WORD], MiB + 13);
});

test('without a port all memory is fresh, and nothing is moved', () => {
  const i32 = new Int32Array(createRing(64));
  const memory = new ArrayBuffer(MiB);
  new SpareMemoryReturn(i32, null).give(memory);
  assert.equal(memory.byteLength, MiB);
  assert.equal(new SpareMemory(i32, null).take(64).byteLength, 64);
});

test('memory that came back after the last big body is picked up, and goes if nobody needs it', () => {
  const { spare, back } = open();
  assert.equal(spare.isKeeping, false);
  spare.moved();
  assert.equal(spare.isKeeping, true);
  back.give(new ArrayBuffer(MiB));
  spare.trim();
  assert.equal(spare.keptBytes, MiB);
  spare.trim();
  assert.equal(spare.keptBytes, 0);
  assert.equal(spare.isKeeping, false);
});
