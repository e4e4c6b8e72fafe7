// The network thread has the cache of compiled code where its program has switched it on.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import * as nodeModule from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type CompileCaches, environmentWithCache } from '../../../../src/main/thread/compile-cache.ts';

const environment = { HOME: '/home/me' };

test('without the cache, and on a Node that has none, nothing is changed', () => {
  assert.equal(environmentWithCache({}, environment), undefined);
  assert.equal(environmentWithCache({ getCompileCacheDir: () => undefined }, environment), undefined);
});

test('a program that was started with NODE_COMPILE_CACHE needs nothing', () => {
  const started = { ...environment, NODE_COMPILE_CACHE: '/tmp/cache' };
  assert.equal(environmentWithCache({ getCompileCacheDir: () => '/tmp/cache/v24' }, started), undefined);
});

test('a thread gets the folder that its program has given to enableCompileCache', () => {
  const folder = join('/tmp/cache', 'v24-x64');
  const given = environmentWithCache({ getCompileCacheDir: () => folder }, environment);
  assert.deepEqual(given, { ...environment, NODE_COMPILE_CACHE: '/tmp/cache' });
});

const isThere = typeof (nodeModule as CompileCaches).getCompileCacheDir === 'function';

test('Node then uses it in the thread', { skip: isThere ? false : 'this Node has no such cache' }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'compile-cache-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const env = environmentWithCache({ getCompileCacheDir: () => join(folder, 'v1') }, environment)!;
  const code = `require('node:worker_threads').parentPort.postMessage(require('node:module').getCompileCacheDir() ?? '')`;
  const worker = new Worker(code, { eval: true, env });
  const used = await new Promise<string>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  await worker.terminate();
  assert.ok(used.startsWith(folder), used);
});
