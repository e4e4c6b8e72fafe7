// Measures codecs and checksums: the ones in use against their alternatives, on text and on bytes that do not shrink. These defaults cite
// this benchmark: from which length on native code is called, and how bytes are copied.

import { ByteArena } from '../../src/codec/byte-arena.ts';
import { crc32c, crc32cByTables, crc32cImplementation } from '../../src/codec/crc32c.ts';
import { compress, decompress, GZIP, LZ4, prepareCodecs, SNAPPY, ZSTD } from '../../src/codec/index.ts';
import { lz4Bound, readLz4Block, writeLz4Block } from '../../src/codec/lz4-block.ts';
import { blockImplementations, type NativeBlocks, nativeLz4, nativeSnappy } from '../../src/codec/native-blocks.ts';
import { ownCrc32c, packageCrc32c } from '../../src/codec/native-crc32c.ts';
import { readSnappyElements, readSnappyLength, snappyBound, writeSnappyBlock } from '../../src/codec/snappy-block.ts';
import { zstdImplementation } from '../../src/codec/zstd.ts';
import type { BenchRow } from '../support/rows.ts';
import { bestInTurns } from './support/in-turns.ts';

const rounds = 30;
const defaultLevel = -(2 ** 31);

let sink = 0;

/** JSON of the kind that is sent through Kafka. */
function text(length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  for (let at = 0, i = 0; at < length; i++) {
    const time = 1_700_000_000_000 + i * 13;
    at += bytes.write(JSON.stringify({ id: i, user: `user-${(i * 7919) % 1000}`, time, value: Math.sin(i) }), at);
  }
  return bytes;
}

/** Bytes that do not shrink. */
function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 8;
  });
}

/** MB/s of two ways to handle `bytes`. */
function row(
  name: string,
  bytes: number,
  comparison: string,
  measured: { ours: () => void; theirs: () => void },
  parameters: BenchRow['parameters'],
  times = 1,
): BenchRow {
  const repeated = (run: () => void) => (): void => {
    for (let i = 0; i < times; i++) run();
  };
  const best = bestInTurns({ ours: repeated(measured.ours), theirs: repeated(measured.theirs) }, rounds);
  const speed = (ns: number): number => Math.round((bytes * times * 1000) / ns);
  const ratio = Number((best.theirs / best.ours).toFixed(2));
  return { name, unit: 'MB/s', ours: speed(best.ours), comparison, theirs: speed(best.theirs), ratio, parameters };
}

/** Every way to compute the checksum that works here, at the lengths near the limits between them and at those of batches. */
function checksums(): BenchRow[] {
  const ways = { 'own addon': ownCrc32c(), '@node-rs/crc32': packageCrc32c() };
  return [64, 96, 128, 192, 224, 1024, 16_384, 1_048_576].flatMap((length) => {
    const bytes = noise(length + 8);
    const times = Math.ceil(200_000 / length);
    const chosen = (): void => {
      sink ^= crc32c(bytes, 3, 3 + length);
    };
    const tables = (): void => {
      sink ^= crc32cByTables(bytes, 3, 3 + length);
    };
    const parameters = { length, crc32cImplementation: crc32cImplementation() };
    const rows = [row('crc32c', length, 'tables', { ours: chosen, theirs: tables }, parameters, times)];
    for (const [name, way] of Object.entries(ways)) {
      if (way === null) continue;
      const alone = (): void => {
        sink ^= way.crc32c(bytes, 3, 3 + length);
      };
      rows.push(row(`crc32c by ${name}`, length, 'tables', { ours: alone, theirs: tables }, { length }, times));
    }
    const { 'own addon': own, '@node-rs/crc32': other } = ways;
    if (own === null || other === null) return rows;
    const measured = {
      ours: () => {
        sink ^= own.crc32c(bytes, 3, 3 + length);
      },
      theirs: () => {
        sink ^= other.crc32c(bytes, 3, 3 + length);
      },
    };
    rows.push(row('crc32c by own addon', length, '@node-rs/crc32', measured, { length }, times));
    return rows;
  });
}

function codecs(): BenchRow[] {
  const rows: BenchRow[] = [];
  const arena = new ByteArena();
  const implementations = { gzip: 'node:zlib', ...blockImplementations(), zstd: zstdImplementation() };
  for (const [kind, bytes] of Object.entries({ text: text(2 ** 20), noise: noise(2 ** 18) })) {
    for (const [name, codec] of Object.entries({ gzip: GZIP, snappy: SNAPPY, lz4: LZ4, zstd: ZSTD })) {
      const packed = compress(codec, defaultLevel, bytes, 0, bytes.length);
      const measured = {
        ours: () => {
          arena.reset(2 ** 24);
          decompress(codec, packed, 0, packed.length, arena);
        },
        theirs: () => {
          sink ^= compress(codec, defaultLevel, bytes, 0, bytes.length).length;
        },
      };
      const shrinksTo = Number((packed.length / bytes.length).toFixed(2));
      const implementation = implementations[name as keyof typeof implementations];
      const parameters = { kind, bytes: bytes.length, shrinksTo, implementation };
      rows.push(row(`${name} decompress`, bytes.length, 'compress', measured, parameters));
    }
  }
  return rows;
}

/** Blocks in TypeScript against native code, at the lengths near the limit between the two. */
function blocks(): BenchRow[] {
  const rows: BenchRow[] = [];
  const out = new Uint8Array(2 ** 17);
  for (const length of [128, 512, 2048, 32_768]) {
    const bytes = text(length + 200).subarray(0, length);
    const packedLz4 = new Uint8Array(lz4Bound(length));
    const lz4End = writeLz4Block(bytes, 0, length, packedLz4, 0);
    const packedSnappy = new Uint8Array(snappyBound(length));
    const snappyEnd = writeSnappyBlock(bytes, 0, length, packedSnappy, 0);
    const { elements } = readSnappyLength(packedSnappy, 0, snappyEnd);
    const pairs: [string, NativeBlocks | null, Uint8Array, number, () => void][] = [
      ['lz4', nativeLz4(), packedLz4, lz4End, () => readLz4Block(packedLz4, 0, lz4End, out, 0, length)],
      [
        'snappy',
        nativeSnappy(),
        packedSnappy,
        snappyEnd,
        () => readSnappyElements(packedSnappy, elements, snappyEnd, out, 0, length),
      ],
    ];
    for (const [name, native, packed, end, read] of pairs) {
      if (native === null) continue;
      const measured = {
        ours: () => {
          native.read(packed, 0, end, out, 0, length);
        },
        theirs: read,
      };
      const times = Math.ceil(50_000 / length);
      rows.push(row(`${name} block natively`, length, 'TypeScript', measured, { length, packedBytes: end }, times));
    }
  }
  return rows;
}

export async function run(): Promise<BenchRow[]> {
  await prepareCodecs();
  const rows = [...checksums(), ...codecs(), ...blocks()];
  if (Number.isNaN(sink)) throw new Error('a loop read no numbers');
  return rows;
}
