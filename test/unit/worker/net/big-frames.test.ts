// The memory of big frames: it can be taken, and a frame says whether it is complete.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameMemory } from '../../../../src/worker/net/frame-memory.ts';
import { ReceiveBuffer } from '../../../../src/worker/net/receive-buffer.ts';

/** A frame whose every byte tells its place. */
function frame(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(4 + size);
  bytes.writeInt32BE(size);
  for (let i = 0; i < size; i++) bytes[4 + i] = (seed * 31 + i * 7) & 0xff;
  return bytes;
}

/** One read of at most `bytes.length`; returns how many were taken. */
function read(buffer: ReceiveBuffer, bytes: Buffer): number {
  const memory = buffer.memoryForRead();
  const count = Math.min(bytes.length, memory.length);
  bytes.copy(memory, 0, 0, count);
  buffer.received(memory, count);
  return count;
}

test('the memory of a big frame can be taken, and serves another frame after it was given back', () => {
  const buffer = new ReceiveBuffer(new FrameMemory(), 10_000_000);
  const receive = (size: number, seed: number): Buffer => {
    for (let rest = frame(size, seed); rest.length > 0; rest = rest.subarray(read(buffer, rest)));
    assert.ok(buffer.hasFrame());
    return buffer.frame;
  };
  receive(1000, 1);
  assert.equal(buffer.takeFrame(), null, 'a small one lies in the chunk');
  buffer.consumeFrame();
  const first = receive(300_000, 2);
  const free = buffer.takeFrame()!;
  assert.equal(buffer.takeFrame(), null, 'once');
  buffer.consumeFrame();
  const second = receive(300_000, 3);
  assert.notEqual(second.buffer, first.buffer);
  assert.ok(first.equals(frame(300_000, 2).subarray(4)));
  buffer.consumeFrame();
  free();
  const reused: Buffer[] = [];
  for (const seed of [4, 5]) {
    reused.push(receive(300_000, seed));
    if (seed === 4) buffer.takeFrame();
    buffer.consumeFrame();
  }
  assert.ok(reused.some((one) => one.buffer === first.buffer));
});

test('a big frame says that it is incomplete until its last byte, and small frames before it do not', () => {
  const buffer = new ReceiveBuffer(new FrameMemory(), 10_000_000);
  const small = frame(100, 1);
  const big = frame(300_000, 2);
  let rest = Buffer.concat([small, big]);
  rest = rest.subarray(read(buffer, rest.subarray(0, 1000)));
  assert.equal(buffer.isInsideFrame, false, 'the small one can be taken');
  assert.ok(buffer.hasFrame());
  buffer.consumeFrame();
  assert.equal(buffer.isInsideFrame, true);
  assert.equal(buffer.hasFrame(), false);
  while (rest.length > 0) {
    assert.equal(buffer.isInsideFrame, true);
    rest = rest.subarray(read(buffer, rest));
  }
  assert.equal(buffer.isInsideFrame, false);
  assert.ok(buffer.hasFrame());
});
