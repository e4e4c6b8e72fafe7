// The wait for a topic in a thread that was blocked, or in a process that was stopped: the answer that has come meanwhile counts.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { KafkaTimeoutError } from '../../../../src/common/errors/errors.ts';
import { awaitTopic, type TopicSource } from '../../../../src/main/client/await-topic.ts';
import type { Cluster } from '../../../../src/main/client/cluster.ts';
import { Future, succeed } from '../../../../src/main/link/future.ts';

const limitMs = 50;
let isKnown = false;
const cluster = {
  partitionsForTopic: () => (isKnown ? [] : null),
  topicError: () => null,
} as unknown as Cluster;
/** Nothing comes. */
const silent: TopicSource = {
  cluster,
  add: () => new Future<Cluster>(),
  refresh: () => new Future<Cluster>(),
  catchUp: async () => {},
  unreachable: () => undefined,
};

/** So long that the limit is found to be over late. */
function block(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4 * limitMs);
}

beforeEach(() => {
  isKnown = false;
});

test('an answer that came while the thread was blocked is in time', async () => {
  const { port1, port2 } = new MessageChannel();
  const refresh = new Future<Cluster>();
  port1.once('message', () => {
    isKnown = true;
    succeed(refresh, cluster);
    port1.close();
  });
  port2.postMessage('metadata');
  const awaited = awaitTopic({ ...silent, add: () => refresh }, 't', limitMs, null);
  block();
  assert.equal(await awaited, cluster);
});

test('an answer that the network thread had not read either, because the process was stopped, is in time', async () => {
  const catchUp = async (): Promise<void> => {
    isKnown = true;
  };
  const awaited = awaitTopic({ ...silent, catchUp }, 't', limitMs, null);
  block();
  assert.equal(await awaited, cluster);
});

test('without an answer the wait ends', async () => {
  await assert.rejects(awaitTopic(silent, 't', limitMs, null), KafkaTimeoutError);
});
