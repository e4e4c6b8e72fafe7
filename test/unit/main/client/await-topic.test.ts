// The wait for a topic in a thread that was blocked: the answer that has come meanwhile counts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { KafkaTimeoutError } from '../../../../src/common/errors/errors.ts';
import { awaitTopic } from '../../../../src/main/client/await-topic.ts';
import type { Cluster } from '../../../../src/main/client/cluster.ts';
import { Future, succeed } from '../../../../src/main/link/future.ts';

const limitMs = 50;
let isKnown = false;
const cluster = {
  partitionsForTopic: () => (isKnown ? [] : null),
  topicError: () => null,
} as unknown as Cluster;

test('an answer that came while the thread was blocked is in time', async () => {
  const { port1, port2 } = new MessageChannel();
  const refresh = new Future<Cluster>();
  port1.once('message', () => {
    isKnown = true;
    succeed(refresh, cluster);
    port1.close();
  });
  port2.postMessage('metadata');
  const source = { cluster, add: () => refresh, refresh: () => new Future<Cluster>(), unreachable: () => undefined };
  const awaited = awaitTopic(source, 't', limitMs, null);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4 * limitMs);
  assert.equal(await awaited, cluster);
});

test('without an answer the wait ends', async () => {
  isKnown = false;
  const source = {
    cluster,
    add: () => new Future<Cluster>(),
    refresh: () => new Future<Cluster>(),
    unreachable: () => undefined,
  };
  await assert.rejects(awaitTopic(source, 't', limitMs, null), KafkaTimeoutError);
});
