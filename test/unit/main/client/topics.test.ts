import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { TooManyOpenError } from '../../../../src/common/errors/errors.ts';
import { maxRefreshesOfThread } from '../../../../src/common/open-limits.ts';
import type { Cluster } from '../../../../src/main/client/cluster.ts';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { Topics } from '../../../../src/main/client/topics.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { responseView } from '../../protocol/support/response-view.ts';

/** What the network thread was asked, oldest first. */
let asked: unknown[][];
let answers: { resolve(updateId: number): void; reject(error: Error): void }[];
let writer: ClusterWriter;
let cluster: Cluster;
let topics: Topics;
let dueInMs: number;

beforeEach(() => {
  asked = [];
  answers = [];
  dueInMs = 5000;
  const control = {
    trackTopics: (...args: unknown[]) => asked.push(['track', ...args]),
    refreshMetadata: (...args: unknown[]) => asked.push(['refresh', ...args]),
    addTopics: (...args: unknown[]) => asked.push(['add', ...args]),
  };
  topics = new Topics({
    retryBackoffMs: 100,
    dueInMs: () => dueInMs,
    clusterWriter: () => writer,
    call: (run) => {
      run(control as never);
      return new Promise((resolve, reject) => {
        answers.push({ resolve: resolve as (value: unknown) => void, reject });
      });
    },
    drain: () => {},
    untilProgress: async () => {
      update(cluster.updateId + 1);
    },
    callbackThrew: (error) => assert.fail(String(error)),
  });
  writer = new ClusterWriter([{ host: 'boot', port: 1 }], topics);
  cluster = writer.cluster;
});

function update(updateId: number, invalid: readonly string[] = []): void {
  const names = invalid.map((name) => ({ name, errorCode: 17 }));
  writer.update(responseView(Metadata, { brokers: [{ nodeId: 1, host: 'one', port: 1 }], topics: names }), updateId);
}

test('new topics cause a refresh, and the Future is done with its response', async () => {
  const future = topics.set(['a', 'b', 'a']);
  assert.deepEqual(asked, [['refresh', ['a', 'b'], false]]);
  assert.equal(future.isDone, false);
  answers[0]!.resolve(2);
  assert.equal(await future, cluster);
  assert.equal(cluster.updateId, 2, 'it waited for the refresh to arrive');
});

test('a refresh is waited for across the wrap of the numbers of updates', async () => {
  update(2 ** 32 - 2);
  const future = topics.set(['a']);
  // 0 is before the first update, so it is passed over.
  answers[0]!.resolve(1);
  assert.equal(await future, cluster);
  assert.equal(cluster.updateId >>> 0, 1, 'it waited for the refresh to arrive, and no longer');
});

test('the same topics, fewer topics or none are sent to the network thread without a refresh', async () => {
  topics.set(['a', 'b']);
  for (const names of [['b', 'a'], ['a'], []]) {
    await Promise.resolve();
    const future = topics.set(names);
    assert.ok(future.succeeded, String(names));
    assert.equal(future.value, cluster);
  }
  assert.deepEqual(asked.slice(1), [
    ['track', ['b', 'a'], false],
    ['track', ['a'], false],
    ['track', [], false],
  ]);
});

test('an added topic joins the tracked topics; a topic that is already tracked sends nothing', async () => {
  topics.set(['a']);
  topics.add('b');
  assert.equal(topics.add('a').succeeded, true);
  assert.equal(topics.set(['a', 'b']).succeeded, true);
  await Promise.resolve();
  assert.deepEqual(asked, [
    ['refresh', ['a'], false],
    ['refresh', ['a', 'b'], false],
  ]);
});

test('calls in one turn send at most two messages: the first at once and the rest together', async () => {
  const futures = Array.from({ length: 1000 }, (_, i) => topics.add(`t${i}`));
  futures.push(topics.requestUpdate());
  assert.deepEqual(asked, [['add', ['t0'], false]]);
  await Promise.resolve();
  assert.equal(asked.length, 2);
  assert.deepEqual(asked[1], ['add', Array.from({ length: 999 }, (_, i) => `t${i + 1}`), false]);
  answers[0]!.resolve(1);
  assert.equal(await futures[0], cluster);
  assert.equal(futures[1]!.isDone, false);
  answers[1]!.resolve(2);
  await futures.at(-1);
  assert.ok(futures.every(({ succeeded }) => succeeded));
  assert.equal(topics.isRefreshing, false);
});

test('topics that are added in several turns are sent one at a time', async () => {
  for (let i = 0; i < 1000; i++) {
    topics.add(`t${i}`);
    await Promise.resolve();
  }
  const sizes = asked.map(([, names]) => (names as string[]).length);
  assert.ok(sizes.every((size) => size === 1));
  assert.equal(sizes.length, 1000);
});

test('waiting topics are sent before a thread blocks', () => {
  topics.add('a');
  topics.add('b');
  topics.flush();
  assert.deepEqual(asked.at(-1), ['add', ['b'], false]);
  topics.flush();
  assert.equal(asked.length, 2);
});

test('setTopics after addTopic replaces the added topics', async () => {
  topics.add('a');
  topics.add('b');
  topics.set(['c']);
  topics.add('d');
  await Promise.resolve();
  assert.deepEqual(asked.at(-1), ['refresh', ['c', 'd'], false]);
});

test('invalid topic names are refused and change nothing', () => {
  topics.set(['a']);
  for (const name of ['', '.', '..', 'a b', 'x'.repeat(250)]) {
    assert.throws(() => topics.add(name), RangeError);
    assert.throws(() => topics.set(['b', name]), RangeError);
  }
  assert.throws(() => topics.add(7 as never), TypeError);
  assert.ok(topics.set(['a']).succeeded);
});

test('a topic that was called invalid is new when it is named again', () => {
  topics.set(['a', 'bad']);
  update(1, ['bad']);
  assert.equal(topics.add('bad').isDone, false);
  assert.ok(topics.add('bad').succeeded);
});

test('a refresh that fails fails the Future', async () => {
  const future = topics.requestUpdate();
  answers[0]!.reject(new Error('no broker'));
  await assert.rejects(async () => future, /no broker/);
  assert.equal(topics.isRefreshing, false);
});

test('metadata is due while this thread waits for it, and else when the network thread says so', async () => {
  assert.equal(cluster.ttl(), 5000);
  const future = cluster.requestUpdate();
  assert.equal(cluster.ttl(), 0);
  answers[0]!.resolve(1);
  await future;
  assert.equal(cluster.ttl(), 5000);
});

test('all topics are requested while the flag is set, whatever topics are tracked', async () => {
  topics.set(['a']);
  for (const change of [
    () => (cluster.needAllTopicMetadata = true),
    () => topics.add('b'),
    () => topics.set(['a']),
    () => (cluster.needAllTopicMetadata = false),
  ]) {
    await Promise.resolve();
    change();
  }
  assert.deepEqual(asked.slice(1), [
    ['refresh', ['a'], true],
    ['add', ['b'], true],
    ['track', ['a'], true],
    ['refresh', ['a'], false],
  ]);
});

test('so many calls may wait for metadata; one more fails and changes nothing, and there is room again when some have ended', async () => {
  for (let i = 0; i < maxRefreshesOfThread; i++) topics.requestUpdate();
  for (const refused of [topics.requestUpdate(), topics.set(['a']), topics.add('b')]) {
    assert.ok(refused.exception instanceof TooManyOpenError);
    assert.match(refused.exception.message, /^65536 calls of this client wait for metadata, the limit is 65536/);
  }
  // The first of the turn has a call of its own.
  await Promise.resolve();
  for (const answer of answers) answer.resolve(1);
  await waitFor('the refreshes to end', () => !topics.isRefreshing);
  asked.length = 0;
  assert.equal(topics.set(['a']).isDone, false);
  assert.deepEqual(asked, [['refresh', ['a'], false]], 'a topic that was refused is new');
  answers.at(-1)!.resolve(2);
});
