// Owns the codecs in a process that has none of the optional packages and no addon: reads what the test packed, packs the same bytes, and
// prints what it found as JSON. Test code only.
//   node without-packages-peer.js '{"packed":{"1":"base64", ...},"plain":"base64"}'

import Module from 'node:module';

export interface WithoutPackagesRun {
  /** By number of the codec, as base64. */
  readonly packed: Readonly<Record<string, string>>;
  readonly plain: string;
}

export interface WithoutPackagesResult {
  readonly implementations: Readonly<Record<string, string | null>>;
  readonly crc32c: number;
  /** By number of the codec; the class of the error where there was one. */
  readonly unpacked: Readonly<Record<string, string>>;
  readonly packed: Readonly<Record<string, string>>;
}

type Resolve = (request: string, ...rest: unknown[]) => string;

const missing = ['@node-rs/crc32', '@bokuweb/zstd-wasm', 'lz4-napi', 'snappy'];
const loader = Module as unknown as { _resolveFilename: Resolve };
const resolve = loader._resolveFilename;
loader._resolveFilename = function (this: unknown, request, ...rest) {
  if (request.endsWith('.node') || missing.some((name) => request === name || request.startsWith(`${name}/`))) {
    throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
  }
  return resolve.call(this, request, ...rest);
};

// After that, since they look for the packages when they are loaded.
const { prepareCodecs } = await import('../../../src/codec/index.ts');
const { crc32c, crc32cImplementation } = await import('../../../src/codec/crc32c.ts');
const { blockImplementations } = await import('../../../src/codec/native-blocks.ts');
const { zstdImplementation } = await import('../../../src/codec/zstd.ts');
const { pack, unpack } = await import('./support.ts');

const run = JSON.parse(process.argv[2]!) as WithoutPackagesRun;
const plain = Buffer.from(run.plain, 'base64');
await prepareCodecs();
const result: WithoutPackagesResult = {
  implementations: { ...blockImplementations(), zstd: zstdImplementation(), crc32c: crc32cImplementation() },
  crc32c: crc32c(plain),
  unpacked: forEachCodec((codec, packed) => unpack(codec, packed)),
  packed: forEachCodec((codec) => pack(codec, plain)),
};
process.stdout.write(JSON.stringify(result));

function forEachCodec(work: (codec: number, packed: Uint8Array) => Uint8Array): Record<string, string> {
  const results = Object.entries(run.packed).map(([codec, packed]) => {
    try {
      return [codec, Buffer.from(work(Number(codec), Buffer.from(packed, 'base64'))).toString('base64')];
    } catch (error) {
      return [codec, (error as Error).name];
    }
  });
  return Object.fromEntries(results) as Record<string, string>;
}
