// What works without optional packages: everything but zstd on a Node without it, with the same bytes.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import * as zlib from 'node:zlib';
import { runnablePath } from '../../../scripts/project.ts';
import { crc32c } from '../../../src/codec/crc32c.ts';
import { GZIP, LZ4, prepareCodecs, SNAPPY, ZSTD } from '../../../src/codec/index.ts';
import { zstdImplementation } from '../../../src/codec/zstd.ts';
import { pack, random, repetitive, unpack } from './support.ts';
import type { WithoutPackagesResult, WithoutPackagesRun } from './without-packages-peer.ts';

it('without optional packages every codec works, zstd only if Node has it', async () => {
  await prepareCodecs();
  const plain = Buffer.from(repetitive(random(11), 10_000));
  const base64 = plain.toString('base64');
  const nodeHasZstd = 'zstdDecompressSync' in zlib;
  const codecs = zstdImplementation() === null ? [GZIP, SNAPPY, LZ4] : [GZIP, SNAPPY, LZ4, ZSTD];
  const packed = Object.fromEntries(codecs.map((codec) => [codec, Buffer.from(pack(codec, plain)).toString('base64')]));
  const run: WithoutPackagesRun = { packed, plain: base64 };
  const peer = runnablePath('test/unit/codec/without-packages-peer.ts');
  const output = execFileSync(process.execPath, [peer, JSON.stringify(run)], { encoding: 'utf8' });
  const result = JSON.parse(output) as WithoutPackagesResult;

  assert.deepEqual(result.implementations, {
    snappy: 'TypeScript',
    lz4: 'TypeScript',
    zstd: nodeHasZstd ? 'node:zlib' : null,
    crc32c: 'tables',
  });
  assert.equal(result.crc32c, crc32c(plain));
  for (const codec of codecs) {
    if (codec === ZSTD && !nodeHasZstd) {
      assert.equal(result.unpacked[codec], 'UnsupportedCodecError');
      assert.equal(result.packed[codec], 'UnsupportedCodecError');
      continue;
    }
    assert.equal(result.unpacked[codec], base64, `codec ${codec}: what packages packed is read`);
    assert.deepEqual(unpack(codec, Buffer.from(result.packed[codec]!, 'base64')), plain, `codec ${codec}: and back`);
  }
});
