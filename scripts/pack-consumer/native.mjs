// Uses the native addon of the installed package on this Node: memory of every kind, and a client whose network thread loads it. test-pack.ts
// runs it where the package has the addon.

import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KafkaClient } from 'offthread-kafka';
import { EmbeddedCluster } from 'offthread-kafka/testing';

const require = createRequire(import.meta.url);
const installed = dirname(require.resolve('offthread-kafka/worker'));
const file = join('native', `${process.platform}-${process.arch}.node`);
// The addon is not loaded in this thread yet.
await produce({}, installed);
const alone = realpathSync(mkdtempSync(join(tmpdir(), 'native-')));
try {
  // As the page about bundlers says.
  copyFileSync(join(installed, 'single-file.js'), join(alone, 'kafka-worker.mjs'));
  cpSync(join(installed, 'native'), join(alone, 'native'), { recursive: true });
  await produce({ workerUrl: pathToFileURL(join(alone, 'kafka-worker.mjs')) }, alone);
} finally {
  rmSync(alone, { recursive: true, force: true });
}

const { crc32c } = require(join(installed, file));
const kinds = {
  plain: new ArrayBuffer(9000),
  shared: new SharedArrayBuffer(9000),
  resizable: new ArrayBuffer(9000, { maxByteLength: 20_000 }),
  growable: new SharedArrayBuffer(9000, { maxByteLength: 20_000 }),
};
for (const [kind, memory] of Object.entries(kinds)) {
  const bytes = new Uint8Array(memory);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i * 7;
  for (const [offset, start, end] of [
    [0, 0, 9000],
    [13, 5, 8000],
    [8000, 100, 999],
  ]) {
    const expected = bitwise(bytes.subarray(offset + start, offset + end));
    assert.equal(crc32c(new Uint8Array(memory, offset), start, end) >>> 0, expected, `${kind}, Uint8Array`);
    assert.equal(crc32c(Buffer.from(memory, offset), start, end) >>> 0, expected, `${kind}, Buffer`);
    assert.throws(() => crc32c(new Uint8Array(memory, offset), start, 9001 - offset), RangeError);
  }
}
assert.throws(() => crc32c(new Int8Array(8), 0, 8), TypeError);
console.log(`the native addon of the package works on Node ${process.version}`);

/** Sends a record for whose checksum the network thread loads the addon in that folder. */
async function produce(options, folder) {
  const cluster = await EmbeddedCluster.start({ topics: { a: 1 } });
  const { bootstrapServers } = cluster;
  const client = await KafkaClient.start({ bootstrapServers, apiVersionAutoTimeoutMs: 30_000, ...options });
  const producer = await client.producer();
  await producer.send('a', { value: 'v'.repeat(2000) });
  if (process.platform === 'linux') {
    const path = join(folder, file);
    assert.ok(readFileSync('/proc/self/maps', 'utf8').includes(path), `${path} is not in use`);
  }
  await client.close();
  await cluster.close();
}

/** By the definition. */
function bitwise(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
