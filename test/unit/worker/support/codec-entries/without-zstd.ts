// Owns an entry for threads of the codec pool that have no zstd, neither from Node nor from a package. Pool thread.

import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { CodecTask } from '../../../../../src/worker/requests/codec-work.ts';

const require = createRequire(import.meta.url);
const zlib = require('node:zlib') as { zstdCompressSync?: unknown; zstdDecompressSync?: unknown };
// Properties that only newer versions of Node have.
delete zlib.zstdCompressSync;
delete zlib.zstdDecompressSync;
syncBuiltinESMExports();
const path = require.resolve('@bokuweb/zstd-wasm');
require.cache[path] = {
  id: path,
  filename: path,
  loaded: true,
  get exports(): never {
    throw new Error('not installed');
  },
} as unknown as NodeJS.Module;

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const { default: runTask } = (await import(
  new URL(`../../../../../src/worker/requests/codec-task${suffix}`, import.meta.url).href
)) as { default: (task: CodecTask) => Promise<unknown> };

export default runTask;
