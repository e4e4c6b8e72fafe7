// Frames from a byte stream that is cut by reads in any way. As with a socket, the memory for the next read is requested directly after
// the last read, before anybody looks at the frames.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidReceiveError } from '../../../../src/common/errors/errors.ts';
import { FrameMemory } from '../../../../src/worker/net/frame-memory.ts';
import { ReceiveBuffer } from '../../../../src/worker/net/receive-buffer.ts';
import { int32 } from '../support/fake-peer.ts';

const KiB = 1024;
const chunkBytes = 64 * KiB;

/** mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A frame whose every byte tells its place. */
function frame(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(4 + size);
  bytes.writeInt32BE(size);
  for (let i = 0; i < size; i++) bytes[4 + i] = (seed * 31 + i * 7) & 0xff;
  return bytes;
}

/** A socket in front of a receive buffer. */
class Reads {
  readonly buffer: ReceiveBuffer;
  memory: Buffer;
  isPaused = false;
  constructor(buffer: ReceiveBuffer) {
    this.buffer = buffer;
    this.memory = buffer.memoryForRead();
  }

  /** One read of at most `bytes.length`; returns how many were taken. */
  read(bytes: Buffer): number {
    assert.equal(this.isPaused, false);
    assert.ok(this.memory.length > 0, 'memory for a read is never empty');
    const count = Math.min(bytes.length, this.memory.length);
    bytes.copy(this.memory, 0, 0, count);
    this.buffer.received(this.memory, count);
    this.isPaused = this.buffer.isFull;
    this.memory = this.buffer.memoryForRead();
    return count;
  }

  /** All of it, taking frames whenever reading has to pause. */
  readAll(bytes: Buffer, take: () => void): void {
    for (let at = 0; at < bytes.length; ) {
      at += this.read(bytes.subarray(at));
      if (this.isPaused) take();
      this.isPaused = this.buffer.isFull;
      assert.equal(this.isPaused, false, 'frames were taken, and still there is no room');
    }
  }
}

function takeAll(buffer: ReceiveBuffer, into: Buffer[]): void {
  while (buffer.hasFrame()) {
    into.push(Buffer.from(buffer.frame.subarray(buffer.frameStart, buffer.frameEnd)));
    buffer.consumeFrame();
  }
}

function make(maxFrameBytes = 10 * KiB * KiB, frames = new FrameMemory()): { buffer: ReceiveBuffer; reads: Reads } {
  const buffer = new ReceiveBuffer(frames, maxFrameBytes);
  return { buffer, reads: new Reads(buffer) };
}

test('one frame is found byte by byte', () => {
  const { buffer, reads } = make();
  const bytes = frame(100, 1);
  for (let i = 0; i < bytes.length; i++) {
    assert.equal(buffer.hasFrame(), false);
    reads.read(bytes.subarray(i, i + 1));
    assert.equal(buffer.bufferedBytes, i + 1);
  }
  assert.equal(buffer.hasFrame(), true);
  assert.deepEqual(buffer.frame.subarray(buffer.frameStart, buffer.frameEnd), bytes.subarray(4));
  assert.equal(buffer.hasFrame(), true, 'looking does not consume');
  buffer.consumeFrame();
  assert.equal(buffer.hasFrame(), false);
  assert.equal(buffer.bufferedBytes, 0);
});

test('the smallest frame has four bytes', () => {
  const { buffer, reads } = make();
  reads.read(frame(4, 9));
  assert.ok(buffer.hasFrame());
  assert.equal(buffer.frameEnd - buffer.frameStart, 4);
});

for (const size of [0, 1, 2, 3, -1, -(2 ** 31)]) {
  test(`size ${size} is refused as soon as its four bytes are there`, () => {
    const { buffer, reads } = make();
    reads.read(int32(size).subarray(0, 3));
    assert.equal(buffer.hasFrame(), false);
    reads.read(int32(size).subarray(3));
    assert.throws(() => buffer.hasFrame(), InvalidReceiveError);
    assert.throws(() => buffer.hasFrame(), InvalidReceiveError, 'and stays refused');
  });
}

test('sizes above the limit allocate nothing', () => {
  let acquired = 0;
  const frames = new FrameMemory();
  const acquire = frames.acquire.bind(frames);
  frames.acquire = (byteCount, waiter) => {
    acquired++;
    return acquire(byteCount, waiter);
  };
  for (const size of [100_001, 2 ** 31 - 1, 0x48545450, 0x15030300]) {
    const { buffer, reads } = make(100_000, frames);
    reads.read(int32(size));
    assert.throws(() => buffer.hasFrame(), InvalidReceiveError);
  }
  assert.equal(acquired, 0);
  const { buffer, reads } = make(100_000, frames);
  reads.read(int32(100_000));
  assert.equal(buffer.hasFrame(), false);
  assert.equal(acquired, 1);
});

test('the text of an error says what the peer may be', () => {
  for (const [prefix, text] of [
    [Buffer.from('HTTP/1.0'), /HTTP.*web server/],
    [Buffer.from('15030100', 'hex'), /TLS alert.*15030100.*securityProtocol/],
    [int32(50_000_000), /frame length 50000000 is above the limit of 1000 bytes: raise receiveMessageMaxBytes/],
    [int32(-7), /frame length -7: a Kafka frame has at least 4 bytes/],
  ] as const) {
    const { buffer, reads } = make(1000);
    reads.read(prefix);
    assert.throws(() => buffer.hasFrame(), text);
  }
});

test('frames in front of a broken one are found first', () => {
  const { buffer, reads } = make();
  reads.read(Buffer.concat([frame(10, 1), frame(20, 2), int32(-1)]));
  const taken: Buffer[] = [];
  assert.throws(() => takeAll(buffer, taken), InvalidReceiveError);
  assert.deepEqual(taken, [frame(10, 1).subarray(4), frame(20, 2).subarray(4)]);
});

test('a limit that is raised later applies to bytes that have arrived', () => {
  const { buffer, reads } = make(1000);
  reads.read(frame(2000, 3));
  assert.throws(() => buffer.hasFrame());
  buffer.maxFrameBytes = 5000;
  assert.ok(buffer.hasFrame());
});

for (const size of [
  chunkBytes - 6,
  chunkBytes - 5,
  chunkBytes - 4,
  chunkBytes - 3,
  chunkBytes - 1,
  chunkBytes,
  chunkBytes + 1,
  5 * chunkBytes,
]) {
  test(`a frame of ${size} bytes between small ones is found`, () => {
    for (const step of [1000, 16 * KiB, chunkBytes, 10 * chunkBytes]) {
      const { buffer, reads } = make();
      const all = [frame(50, 1), frame(size, 2), frame(60, 3)];
      const stream = Buffer.concat(all);
      const taken: Buffer[] = [];
      for (let at = 0; at < stream.length; at += step) {
        reads.readAll(stream.subarray(at, at + step), () => takeAll(buffer, taken));
        takeAll(buffer, taken);
      }
      assert.deepEqual(
        taken,
        all.map((bytes) => bytes.subarray(4)),
        `steps of ${step}`,
      );
    }
  });
}

test('a big frame behind a small one goes on in memory that was handed out before its size was known', () => {
  const { buffer, reads } = make();
  const big = frame(200 * KiB, 5);
  const taken: Buffer[] = [];
  reads.read(Buffer.concat([frame(10, 1), big.subarray(0, 100)]));
  // The small frame is consumed only now: the next read still goes to the chunk.
  takeAll(buffer, taken);
  reads.readAll(big.subarray(100), () => takeAll(buffer, taken));
  takeAll(buffer, taken);
  assert.deepEqual(taken, [frame(10, 1).subarray(4), big.subarray(4)]);
});

test('a big frame is found if its size prefix is cut in the middle', () => {
  for (let cut = 1; cut < 4; cut++) {
    const { buffer, reads } = make();
    const big = frame(150 * KiB, 5);
    reads.read(big.subarray(0, cut));
    const taken: Buffer[] = [];
    takeAll(buffer, taken);
    reads.readAll(big.subarray(cut), () => takeAll(buffer, taken));
    takeAll(buffer, taken);
    assert.deepEqual(taken, [big.subarray(4)]);
  }
});

test('big frames without a gap are found', () => {
  const { buffer, reads } = make();
  const all = [1, 2, 3, 4].map((seed) => frame(100 * KiB + seed * 1000, seed));
  const taken: Buffer[] = [];
  reads.readAll(Buffer.concat(all), () => takeAll(buffer, taken));
  takeAll(buffer, taken);
  assert.deepEqual(
    taken,
    all.map((bytes) => bytes.subarray(4)),
  );
});

test('random frames that are cut and taken at random come out unchanged', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const random = randomOf(seed);
  for (let round = 0; round < 60; round++) {
    const { buffer, reads } = make();
    const sizes = Array.from({ length: 5 + random(60) }, () => {
      const kind = random(10);
      if (kind < 6) return 4 + random(400);
      if (kind < 8) return 4 + random(20 * KiB);
      if (kind < 9) return chunkBytes - 20 + random(40);
      return chunkBytes + random(200 * KiB);
    });
    const all = sizes.map((size, i) => frame(size, i));
    const stream = Buffer.concat(all);
    const taken: Buffer[] = [];
    for (let at = 0; at < stream.length; ) {
      const length = random(8) === 0 ? 1 + random(8) : 1 + random(random(2) === 0 ? 2000 : 100 * KiB);
      at += reads.read(stream.subarray(at, at + length));
      if (reads.isPaused || random(3) === 0) {
        if (random(2) === 0) {
          takeAll(buffer, taken);
        } else if (buffer.hasFrame()) {
          // One only, as a channel that is muted after it.
          taken.push(Buffer.from(buffer.frame.subarray(buffer.frameStart, buffer.frameEnd)));
          buffer.consumeFrame();
        }
        reads.isPaused = buffer.isFull;
        if (reads.isPaused) takeAll(buffer, taken);
        reads.isPaused = buffer.isFull;
      }
    }
    takeAll(buffer, taken);
    assert.equal(taken.length, all.length, `seed ${seed}, round ${round}`);
    for (const [i, bytes] of all.entries()) {
      assert.ok(taken[i]!.equals(bytes.subarray(4)), `frame ${i} of ${sizes[i]} bytes, seed ${seed}, round ${round}`);
    }
  }
});

test('a full buffer still has valid memory for a read that has begun', () => {
  const { buffer, reads } = make();
  const taken: Buffer[] = [];
  const all = Array.from({ length: 200 }, (_, i) => frame(1000, i));
  const stream = Buffer.concat(all);
  let at = 0;
  while (!reads.isPaused) at += reads.read(stream.subarray(at));
  assert.ok(buffer.isFull);
  assert.ok(reads.memory.length >= 1024, 'the spare memory');
  // One frame makes room; the read that follows finds the spare memory.
  assert.ok(buffer.hasFrame());
  takeOne(buffer, taken);
  assert.equal(buffer.isFull, false);
  reads.isPaused = false;
  at += reads.read(stream.subarray(at));
  takeAll(buffer, taken);
  reads.isPaused = false;
  reads.readAll(stream.subarray(at), () => takeAll(buffer, taken));
  takeAll(buffer, taken);
  assert.deepEqual(
    taken,
    all.map((bytes) => bytes.subarray(4)),
  );
});

function takeOne(buffer: ReceiveBuffer, into: Buffer[]): void {
  assert.ok(buffer.hasFrame());
  into.push(Buffer.from(buffer.frame.subarray(buffer.frameStart, buffer.frameEnd)));
  buffer.consumeFrame();
}

test('the buffered bytes stay bounded, however slowly frames are taken', () => {
  const { buffer, reads } = make();
  const taken: Buffer[] = [];
  const all = Array.from({ length: 2000 }, (_, i) => frame(900, i));
  const stream = Buffer.concat(all);
  let most = 0;
  for (let at = 0; at < stream.length; ) {
    at += reads.read(stream.subarray(at));
    most = Math.max(most, buffer.bufferedBytes);
    while (reads.isPaused) {
      takeOne(buffer, taken);
      reads.isPaused = buffer.isFull;
    }
  }
  takeAll(buffer, taken);
  assert.equal(taken.length, all.length);
  assert.ok(most <= chunkBytes + 16 * KiB, `${most} bytes were buffered`);
});

test('frames just below the size of the chunk do not make it grow again and again', () => {
  const { buffer, reads } = make();
  let most = 0;
  for (let round = 0; round < 50; round++) {
    const stream = Buffer.concat([frame(500, round), frame(chunkBytes - 10, round), frame(chunkBytes + 3000, round)]);
    const taken: Buffer[] = [];
    for (let at = 0; at < stream.length; ) {
      at += reads.read(stream.subarray(at));
      most = Math.max(most, reads.memory.buffer.byteLength);
      while (reads.isPaused) {
        takeOne(buffer, taken);
        reads.isPaused = buffer.isFull;
      }
    }
    takeAll(buffer, taken);
    assert.equal(taken.length, 3);
  }
  assert.ok(most <= chunkBytes + 16 * KiB, `memory of ${most} bytes`);
});

test('memory of big frames is returned and used again', () => {
  const frames = new FrameMemory();
  const { buffer, reads } = make(undefined, frames);
  const used = new Set<ArrayBufferLike>();
  for (let i = 0; i < 5; i++) {
    reads.readAll(frame(300 * KiB, i), () => {});
    assert.ok(buffer.hasFrame());
    used.add(buffer.frame.buffer);
    buffer.consumeFrame();
  }
  assert.equal(used.size, 1);
});

test('dispose returns the memory of an incomplete frame, and takes no memory', () => {
  let out = 0;
  const frames = new FrameMemory();
  const { acquire, release } = frames;
  frames.acquire = (byteCount, waiter) => {
    out++;
    return acquire.call(frames, byteCount, waiter);
  };
  frames.release = (memory, acquiredBytes) => {
    out--;
    release.call(frames, memory, acquiredBytes);
  };
  const { buffer, reads } = make(undefined, frames);
  const first = frame(100 * KiB, 1);
  reads.readAll(first, () => {});
  reads.read(frame(100 * KiB, 2).subarray(0, 5000));
  assert.ok(buffer.hasFrame());
  buffer.dispose();
  assert.equal(out, 0);
});
