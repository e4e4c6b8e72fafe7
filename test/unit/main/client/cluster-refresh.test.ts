// Updates of the cluster: which listeners are called, and what requests them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { IllegalStateError } from '../../../../src/common/errors/errors.ts';
import { Cluster, type MetadataSource } from '../../../../src/main/client/cluster.ts';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { Future } from '../../../../src/main/link/future.ts';
import { response, servers, view } from './support/known-cluster.ts';

test('each listener is called once for each update until it is removed', () => {
  const writer = new ClusterWriter(servers);
  const { cluster } = writer;
  const heard: number[] = [];
  const listener = (changed: Cluster) => {
    assert.equal(changed, cluster);
    heard.push(changed.updateId);
  };
  cluster.addListener(listener);
  cluster.addListener(listener);
  writer.update(view(response), 1);
  writer.update(view(response), 2);
  cluster.removeListener(listener);
  cluster.removeListener(listener);
  writer.update(view(response), 3);
  assert.deepEqual(heard, [1, 2]);
});

test('a listener sees the new metadata; one that throws does not hide it from the others', async () => {
  const warned = once(process, 'warning');
  const writer = new ClusterWriter(servers);
  const { cluster } = writer;
  const heard: string[] = [];
  cluster.addListener(() => {
    throw new Error('a fault in a listener');
  });
  cluster.addListener(({ clusterId }) => heard.push(clusterId!));
  writer.update(view(response), 1);
  assert.deepEqual(heard, ['the-cluster']);
  const [warning] = await warned;
  assert.match((warning as Error).message, /a fault in a listener/);
});

test('a listener must be a function', () => {
  assert.throws(
    () => new Cluster(servers).addListener('shout' as never),
    /TypeError: listener must be a function, not string/,
  );
});

/** What a client does for its cluster, written down. */
class FakeSource implements MetadataSource {
  readonly retryBackoffMs = 123;
  readonly asked: (string | boolean)[] = [];
  readonly updated = new Future<Cluster>();

  requestUpdate(): Future<Cluster> {
    this.asked.push('update');
    return this.updated;
  }

  ttlMs(): number {
    return 4567;
  }

  setNeedsAllTopics(needsAllTopics: boolean): void {
    this.asked.push(needsAllTopics);
  }
}

test('refresh, ttl and backoff come from the client', () => {
  const source = new FakeSource();
  const cluster = new Cluster(servers, source);
  assert.equal(cluster.requestUpdate(), source.updated);
  assert.equal(cluster.ttl(), 4567);
  assert.equal(cluster.refreshBackoff(), 123);
  assert.deepEqual(source.asked, ['update']);
});

test('all topics are requested while the flag is set', () => {
  const source = new FakeSource();
  const cluster = new Cluster(servers, source);
  assert.equal(cluster.needAllTopicMetadata, false);
  cluster.needAllTopicMetadata = true;
  cluster.needAllTopicMetadata = true;
  assert.equal(cluster.needAllTopicMetadata, true);
  cluster.needAllTopicMetadata = false;
  assert.deepEqual(source.asked, [true, false]);
  assert.throws(() => {
    cluster.needAllTopicMetadata = 1 as never;
  }, /TypeError: needAllTopicMetadata must be true or false, not 1/);
});

test('a cluster without a client cannot be refreshed, and the error says so', () => {
  const cluster = new Cluster(servers);
  assert.equal(cluster.ttl(), 0);
  assert.throws(() => cluster.requestUpdate(), IllegalStateError);
  assert.throws(() => {
    cluster.needAllTopicMetadata = true;
  }, IllegalStateError);
  assert.equal(cluster.needAllTopicMetadata, false);
});
