// The native addon, compiled here: the same answers as the tables for every length, position and kind of memory; arguments that are wrong;
// and that one which is missing, broken or wrong is not used.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { addonFile, addonSource, compileAddon, NoAddonError } from '../../../scripts/native-addon.ts';
import { runnablePath } from '../../../scripts/project.ts';
import { crc32c, crc32cByTables, crc32cImplementation } from '../../../src/codec/crc32c.ts';
import { type NativeCrc, ownCrc32c, packageCrc32c } from '../../../src/codec/native-crc32c.ts';
import { random, randomBytes } from './support.ts';

/** Newer than this project's types. */
type ResizableBuffer = ArrayBuffer & { resize(bytes: number): void };

const folder = mkdtempSync(join(tmpdir(), 'native-crc32c-'));
const strict = ['-Werror'];
/** The module beside which the addon of a name would be. */
const moduleIn = (name: string): string => pathToFileURL(join(folder, name, 'module.js')).href;
const addonIn = (name: string): string => join(folder, name, 'native', addonFile);
const problem = await compileAddon(addonIn('right'), { flags: strict }).then(
  () => null,
  (error: unknown) => {
    if (error instanceof NoAddonError && /^(?:there is no|it is not made)/.test(error.message)) return error.message;
    throw error;
  },
);
const skip = problem ?? (ownCrc32c(moduleIn('right')) === null && hasNoInstructions() ? 'an older processor' : false);

after(() => rmSync(folder, { recursive: true, force: true }));

function hasNoInstructions(): boolean {
  if (process.platform !== 'linux') return false;
  const needed = process.arch === 'x64' ? ['sse4_2', 'pclmulqdq'] : ['crc32', 'pmull'];
  const words = new Set(readFileSync('/proc/cpuinfo', 'utf8').split(/\s+/));
  return !needed.every((word) => words.has(word));
}

describe('the native addon', { skip }, () => {
  let native: NativeCrc;
  const check = (bytes: Uint8Array, start: number, end: number, what: string): void => {
    assert.equal(native(bytes, start, end) >>> 0, crc32cByTables(bytes, start, end), what);
  };

  before(() => {
    native = ownCrc32c(moduleIn('right'))!.crc32c;
  });

  it('gives known answers', () => {
    assert.equal(native(Buffer.from('123456789'), 0, 9) >>> 0, 0xe3069283);
    assert.equal(native(new Uint8Array(32), 0, 32) >>> 0, 0x8a9136aa);
    assert.equal(native(new Uint8Array(32).fill(0xff), 0, 32) >>> 0, 0x62a8ab43);
    assert.equal(native(new Uint8Array(0), 0, 0), 0);
  });

  it('gives the same as the tables for each length up to 2000, from each of 16 positions', () => {
    const bytes = randomBytes(random(3), 2100);
    for (let length = 0; length <= 2000; length++) {
      for (let start = 0; start <= 16; start++) check(bytes, start, start + length, `${length} bytes from ${start}`);
    }
  });

  it('gives the same around the lengths where other parts begin, and for large inputs', () => {
    const next = random(4);
    const bytes = randomBytes(next, 3_000_000);
    for (const edge of [192, 384, 768, 960, 1536, 6144, 6912, 7104, 12_288, 18_432, 65_536, 1_048_576]) {
      for (let length = edge - 9; length <= edge + 9; length++) {
        const start = Math.floor(next() * 64);
        check(bytes, start, start + length, `${length} bytes from ${start}`);
      }
    }
    for (let i = 0; i < 20; i++) {
      const start = Math.floor(next() * bytes.length);
      const end = start + Math.floor(next() * (bytes.length - start + 1));
      check(bytes, start, end, `from ${start} to ${end}`);
    }
  });

  it('reads memory of every kind, at the offset of the view', () => {
    const plain = randomBytes(random(5), 9000);
    const kinds = {
      plain: new ArrayBuffer(9000),
      shared: new SharedArrayBuffer(9000),
      resizable: Reflect.construct(ArrayBuffer, [9000, { maxByteLength: 20_000 }]) as ResizableBuffer,
      growable: new SharedArrayBuffer(9000, { maxByteLength: 20_000 }),
    };
    for (const [kind, memory] of Object.entries(kinds)) {
      new Uint8Array(memory).set(plain);
      for (const [offset, length] of [
        [0, 9000],
        [13, 8000],
        [8999, 1],
      ] as const) {
        const expected = crc32cByTables(plain, offset, offset + length);
        assert.equal(native(new Uint8Array(memory, offset, length), 0, length) >>> 0, expected, `${kind} at ${offset}`);
        assert.equal(native(Buffer.from(memory, offset, length), 0, length) >>> 0, expected, `Buffer, ${kind}`);
      }
    }
    const tracking = new Uint8Array(kinds.growable);
    kinds.growable.grow(10_000);
    check(tracking, 8990, 10_000, 'after it has grown');
    assert.throws(() => native(tracking, 0, 10_001), RangeError);
    const shorter = new Uint8Array(kinds.resizable);
    kinds.resizable.resize(100);
    check(shorter, 90, 100, 'after it has become shorter');
    assert.throws(() => native(shorter, 0, 101), RangeError);
    // V8 keeps the bytes of small arrays in the array itself until somebody wants an address.
    for (let i = 0; i < 100; i++) check(Uint8Array.of(i, 2, 3, 4, 5, 6, 7, 8, 9), 1, 9, 'a small array');
    check(Buffer.from('of the pool of Node'), 3, 12, 'a Buffer within a larger one');
  });

  it('sees nothing outside of the range', () => {
    const bytes = new Uint8Array(9000);
    for (const [start, end] of [
      [8, 16],
      [1, 300],
      [100, 7303],
      [8192, 9000],
    ] as const) {
      bytes.fill(1);
      const before = native(bytes, start, end);
      bytes.fill(2, 0, start);
      bytes.fill(3, end);
      assert.equal(native(bytes, start, end), before);
      bytes[end - 1] = 4;
      assert.notEqual(native(bytes, start, end), before);
    }
  });

  it('refuses what is no Uint8Array, with a TypeError', () => {
    const call = native as (...values: readonly unknown[]) => number;
    const others = [undefined, null, 1, 'bytes', {}, [1, 2], new ArrayBuffer(8), new DataView(new ArrayBuffer(8))];
    const arrays = [Int8Array, Uint8ClampedArray, Uint16Array, Float64Array, BigInt64Array].map((type) => new type(8));
    for (const value of [...others, ...arrays]) {
      assert.throws(() => call(value, 0, 0), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.throws(() => call(), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('refuses positions that are no numbers, with a TypeError', () => {
    const call = native as (...values: readonly unknown[]) => number;
    const bytes = new Uint8Array(8);
    for (const value of [undefined, null, '1', 1n, {}, true]) {
      assert.throws(() => call(bytes, value, 8), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      assert.throws(() => call(bytes, 0, value), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    assert.throws(() => call(bytes), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('refuses a range outside of the view, with a RangeError', () => {
    const memory = new ArrayBuffer(100);
    const bytes = new Uint8Array(memory, 20, 60);
    const infinite = Number.POSITIVE_INFINITY;
    for (const [start, end] of [
      [-1, 10],
      [0, 61],
      [61, 61],
      [10, 9],
      [0, -1],
      [0.5, 10],
      [0, 9.5],
      [0, 2 ** 32],
      [2 ** 32, 2 ** 32 + 1],
      [-(2 ** 53), 2 ** 53],
      [0, 2 ** 64],
      [0, infinite],
      [-infinite, 10],
      [Number.NaN, 10],
      [0, Number.NaN],
    ] as const) {
      assert.throws(
        () => native(bytes, start, end),
        { name: 'RangeError', code: 'ERR_OUT_OF_RANGE' },
        `${start} ${end}`,
      );
    }
    assert.equal(native(bytes, 60, 60), 0);
    structuredClone(memory, { transfer: [memory] });
    assert.throws(() => native(bytes, 0, 1), RangeError);
    assert.equal(native(bytes, 0, 0), 0);
  });

  it('is loaded by several threads, and stays when one of them ends', async () => {
    const path = addonIn('right');
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      const { crc32c } = require(workerData);
      parentPort.postMessage(crc32c(new Uint8Array(9000).fill(7), 0, 9000));`;
    const expected = crc32cByTables(new Uint8Array(9000).fill(7));
    const answers = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const worker = new Worker(code, { eval: true, workerData: path });
        const ended = new Promise((resolve) => worker.once('exit', resolve));
        const answer = await new Promise<number>((resolve, reject) => {
          worker.once('message', resolve).once('error', reject);
        });
        await ended;
        return answer >>> 0;
      }),
    );
    assert.deepEqual(answers, [expected, expected, expected]);
    check(new Uint8Array(9000).fill(7), 0, 9000, 'after the threads have ended');
  });

  it('is used only if every path of it is right', async () => {
    const source = readFileSync(addonSource, 'utf8');
    const faults = [
      ...[...source.matchAll(/0x[0-9a-f]{8}u(?=[,)])/g)].map(([factor]) => [factor, '0x12345678u'] as const),
      ['STEP_8(c, word_8(third + at))', 'STEP_8(b, word_8(third + at))'],
      ['crc = STEP_8(crc, word_8(bytes))', 'crc = STEP_4(crc, word_4(bytes))'],
      ['STEP_4(crc, word_4(bytes))', '0'],
      ['STEP_2(crc, word_2(bytes))', '0'],
      ['STEP_1(crc, *bytes)', '0'],
      ['(const uint8_t *)data + from', '(const uint8_t *)data'],
    ] as const;
    assert.equal(faults.length, 12);
    await Promise.all(
      faults.map(async ([right, wrong], i) => {
        assert.equal(source.split(right).length, 2, `${right} is in the source once`);
        const file = join(folder, `fault-${i}.c`);
        writeFileSync(file, source.replace(right, wrong));
        await compileAddon(addonIn(`fault-${i}`), { source: file });
        assert.equal(ownCrc32c(moduleIn(`fault-${i}`)), null, `${wrong} instead of ${right}`);
      }),
    );
  });

  it('is not used if the processor lacks the instructions', async () => {
    await compileAddon(addonIn('refusing'), { flags: [...strict, '-DNO_INSTRUCTIONS'] });
    assert.equal(ownCrc32c(moduleIn('refusing')), null);
  });

  it('is used for long inputs before the package if it was built for this code', () => {
    const built = join(dirname(runnablePath('src/codec/crc32c.ts')), 'native', addonFile);
    const expected = existsSync(built) ? 'own addon' : (packageCrc32c()?.name ?? 'tables');
    assert.equal(crc32cImplementation(), expected);
    const bytes = randomBytes(random(6), 20_000);
    assert.equal(crc32c(bytes, 7, 19_000), crc32cByTables(bytes, 7, 19_000));
  });
});

describe('a native addon', () => {
  it('that is missing is not used', () => {
    assert.equal(ownCrc32c(moduleIn('missing')), null);
  });

  it('that is no library is not used', () => {
    mkdirSync(dirname(addonIn('broken')), { recursive: true });
    writeFileSync(addonIn('broken'), 'no library');
    assert.equal(ownCrc32c(moduleIn('broken')), null);
  });

  it('in a folder above the running file is not looked for', { skip }, () => {
    const inside = pathToFileURL(join(dirname(fileURLToPath(moduleIn('right'))), 'inside', 'module.js')).href;
    assert.equal(ownCrc32c(inside), null);
    assert.notEqual(ownCrc32c(moduleIn('right')), null);
  });
});
