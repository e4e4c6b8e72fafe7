// Snappy and LZ4 blocks in TypeScript, alone and against native code if it is installed: the same answer to every input, good or
// damaged, and never a byte outside of the given room.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lz4Bound, readLz4Block, writeLz4Block } from '../../../src/codec/lz4-block.ts';
import { blockImplementations, type NativeBlocks, nativeLz4, nativeSnappy } from '../../../src/codec/native-blocks.ts';
import {
  readSnappyElements,
  readSnappyLength,
  snappyBlockBytes,
  snappyBound,
  writeSnappyBlock,
} from '../../../src/codec/snappy-block.ts';
import { CorruptRecordError } from '../../../src/common/errors/errors.ts';
import { random, repetitive, samples } from './support.ts';

const lz4BlockBytes = 65_536;
const guard = 0xa5;

interface Blocks {
  readonly largest: number;
  write(bytes: Uint8Array): Uint8Array;
  /** What the block holds, or null if it is broken. Throws if anything but the room was written to. */
  read(block: Uint8Array, room: number): Uint8Array | null;
}

/** Runs `fill` on room with guarded bytes on both sides. */
function guarded(room: number, fill: (out: Uint8Array, from: number, to: number) => number): Uint8Array | null {
  const out = new Uint8Array(room + 40).fill(guard);
  const end = fill(out, 20, 20 + room);
  for (let i = 0; i < 20; i++) {
    assert.equal(out[i], guard, 'written before the room');
    assert.equal(out[20 + room + i], guard, 'written behind the room');
  }
  return end < 0 ? null : out.slice(20, end);
}

function written(bound: number, fill: (out: Uint8Array, to: number) => number): Uint8Array {
  const out = new Uint8Array(bound + 8);
  return out.slice(4, fill(out, 4));
}

function withNative(blocks: NativeBlocks | null, largest: number, bound: (length: number) => number): Blocks | null {
  if (blocks === null) return null;
  return {
    largest,
    write: (bytes) => written(bound(bytes.length), (out, to) => blocks.write(bytes, 0, bytes.length, out, to)),
    read: (block, room) => guarded(room, (out, from, to) => blocks.read(block, 0, block.length, out, from, to)),
  };
}

const lz4: Blocks = {
  largest: lz4BlockBytes,
  write: (bytes) => written(lz4Bound(bytes.length), (out, to) => writeLz4Block(bytes, 0, bytes.length, out, to)),
  read: (block, room) => guarded(room, (out, from, to) => readLz4Block(block, 0, block.length, out, from, to)),
};

const snappy: Blocks = {
  largest: snappyBlockBytes,
  write: (bytes) => written(snappyBound(bytes.length), (out, to) => writeSnappyBlock(bytes, 0, bytes.length, out, to)),
  read(block, room) {
    const { length, elements } = readSnappyLength(block, 0, block.length);
    if (length > room) return null;
    return guarded(length, (out, from, to) =>
      readSnappyElements(block, elements, block.length, out, from, to) ? to : -1,
    );
  },
};

const others = {
  lz4: withNative(nativeLz4(), lz4BlockBytes, lz4Bound),
  snappy: withNative(nativeSnappy(), snappyBlockBytes, snappyBound),
};

function readOrNull(blocks: Blocks, block: Uint8Array, room: number): Uint8Array | null {
  try {
    return blocks.read(block, room);
  } catch (error) {
    if (error instanceof CorruptRecordError) return null;
    throw error;
  }
}

for (const [name, ours] of Object.entries({ lz4, snappy })) {
  const other = others[name as keyof typeof others];
  const skip = other === null ? `${name}: no native package installed` : false;

  describe(`${name} blocks`, () => {
    it('come back unchanged', () => {
      for (const sample of samples(3)) {
        const bytes = sample.subarray(0, ours.largest);
        if (bytes.length === 0) continue;
        assert.deepEqual(ours.read(ours.write(bytes), bytes.length), Uint8Array.from(bytes), `${bytes.length} bytes`);
      }
    });

    it('are the same for native code, in both directions', { skip }, () => {
      for (const sample of samples(4)) {
        const bytes = Uint8Array.from(sample.subarray(0, ours.largest));
        if (bytes.length === 0) continue;
        assert.deepEqual(other!.read(ours.write(bytes), bytes.length), bytes, `${bytes.length} bytes read natively`);
        assert.deepEqual(ours.read(other!.write(bytes), bytes.length), bytes, `${bytes.length} bytes written natively`);
      }
    });

    it('stay within their room when they are damaged', () => {
      const next = random(9);
      let same = 0;
      for (let round = 0; round < 4_000; round++) {
        const bytes = repetitive(next, 1 + Math.floor(next() * 400));
        const block = ours.write(bytes).slice(0, next() < 0.3 ? 1 + Math.floor(next() * bytes.length) : undefined);
        for (let damage = Math.floor(next() * 3); damage > 0; damage--) {
          block[Math.floor(next() * block.length)] = next() < 0.3 ? 255 : next() * 256;
        }
        const room = next() < 0.3 ? Math.floor(next() * bytes.length) : bytes.length;
        const mine = readOrNull(ours, block, room);
        if (mine !== null && mine.length === bytes.length) same++;
        if (other === null) continue;
        // Native snappy takes its room from the block's own claim, which ours was held against before.
        const theirs = name === 'snappy' && mine === null ? null : readOrNull(other, block, room);
        assert.deepEqual(mine, theirs, `round ${round}`);
      }
      assert.ok(same > 500, 'damage is too much for a test');
    });
  });
}

describe('snappy blocks', () => {
  it('that claim more than their size allows are refused before memory is taken', () => {
    const claim = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x07, 0x00, 0x61);
    assert.throws(() => readSnappyLength(claim, 0, claim.length), /claims to hold 2147483647/);
    assert.throws(() => readSnappyLength(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x1f), 0, 5), CorruptRecordError);
    assert.throws(() => readSnappyLength(Uint8Array.of(0x80), 0, 1), CorruptRecordError);
  });

  it('can have offsets of four bytes', () => {
    const block = Uint8Array.of(8, 3 << 2, 1, 2, 3, 4, (3 << 2) | 3, 4, 0, 0, 0);
    assert.deepEqual(snappy.read(block, 8), Uint8Array.of(1, 2, 3, 4, 1, 2, 3, 4));
  });
});

describe('native code', () => {
  it('is used where it is installed', (context) => {
    context.diagnostic(`snappy: ${blockImplementations().snappy}, lz4: ${blockImplementations().lz4}`);
    assert.equal(blockImplementations().snappy === 'snappy', nativeSnappy() !== null);
    assert.equal(blockImplementations().lz4 === 'lz4-napi', nativeLz4() !== null);
  });
});
