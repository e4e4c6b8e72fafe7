// A big frame for which there is no memory now waits for it, and its socket is read no further. Test thread.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameMemory } from '../../../../src/worker/net/frame-memory.ts';
import { ReceiveBuffer } from '../../../../src/worker/net/receive-buffer.ts';

const KiB = 1024;
const chunkBytes = 64 * KiB;

function frame(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(4 + size, seed);
  bytes.writeInt32BE(size);
  return bytes;
}

test('a big frame that finds no memory waits, no more than a chunk of it is read, and it is received when there is some', () => {
  const frames = new FrameMemory(0, 1000 * KiB);
  let calls = 0;
  const holder = new ReceiveBuffer(frames, 10 * KiB * KiB);
  const waiting = new ReceiveBuffer(frames, 10 * KiB * KiB, () => calls++);
  const fill = (buffer: ReceiveBuffer, bytes: Buffer): number => {
    let at = 0;
    while (at < bytes.length && !buffer.isFull) {
      const memory = buffer.memoryForRead();
      const count = bytes.copy(memory, 0, at);
      buffer.received(memory, count);
      at += count;
    }
    return at;
  };
  const first = frame(900 * KiB, 1);
  assert.equal(fill(holder, first), first.length);
  assert.ok(holder.hasFrame());
  const second = frame(200 * KiB, 2);
  const read = fill(waiting, second);
  assert.equal(read, chunkBytes);
  assert.ok(waiting.isFull);
  assert.equal(waiting.hasFrame(), false);
  assert.equal(calls, 0);
  holder.consumeFrame();
  assert.equal(calls, 1);
  assert.equal(waiting.hasFrame(), false);
  assert.equal(waiting.isFull, false);
  assert.equal(fill(waiting, second.subarray(read)), second.length - read);
  assert.ok(waiting.hasFrame());
  assert.ok(waiting.frame.subarray(waiting.frameStart, waiting.frameEnd).equals(second.subarray(4)));
});
