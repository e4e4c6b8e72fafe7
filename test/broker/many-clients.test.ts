// Several clients in one process, in one thread and in workers, with different options and clusters: none sees anything of another.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  type ClientHandle,
  Fetch,
  KafkaClient,
  Metadata,
  TooManyInFlightRequests,
  UnknownBrokerIdError,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { scriptUrl } from './support/child.ts';
import { failureOf, openClient } from './support/client.ts';
import type { ManyClientsData } from './support/scripts/many-clients.ts';

const longFetch = {
  maxWaitMs: 60_000,
  minBytes: 1 << 20,
  topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
};

describe('many clients', () => {
  let small: EmbeddedBroker;
  let large: EmbeddedBroker;

  before(async () => {
    small = await startEmbeddedBroker({ clusterId: 'small', topics: { t: {}, 'only-small': {} } });
    large = await startEmbeddedBroker({ clusterId: 'large', nodes: 3, topics: { t: {}, 'only-large': {} } });
  });
  after(() => Promise.all([small.close(), large.close()]));

  test('in one thread, each with its own cluster, options, limits, lanes, metrics and end', async (t) => {
    const [one, two, three] = await Promise.all([
      openClient(t, {
        bootstrapServers: small.bootstrapServers,
        clientId: 'one',
        maxInFlightRequestsPerConnection: 1,
        metrics: true,
        requestRingBytes: 65_536,
        responseRingBytes: 65_536,
        spillBytes: 4096,
      }),
      openClient(t, { bootstrapServers: large.bootstrapServers, clientId: 'two', maxInFlightRequestsPerConnection: 3 }),
      openClient(t, { bootstrapServers: large.bootstrapServers, clientId: 'three', metrics: true, apiVersion: [2, 8] }),
    ]);
    // The start of one whose version is configured waits for no broker.
    await Promise.all([one, two, three].map((client) => client.refreshMetadata()));
    await Promise.all([one.awaitReady(0), two.awaitReady(2), three.awaitReady(2)]);
    assert.ok((await failureOf(one.send(2, Metadata, { topics: [] }))) instanceof UnknownBrokerIdError);
    await Promise.all([one.setTopics(['only-small']), two.setTopics(['only-large']), three.setTopics([])]);
    assert.deepEqual(
      [one, two, three].map(({ cluster }) => [cluster.brokers().length, [...cluster.topics()]]),
      [
        [1, ['only-small']],
        [3, ['only-large']],
        [3, []],
      ],
    );
    assert.deepEqual(three.apiVersion, [2, 8]);
    assert.notDeepEqual(two.apiVersion, [2, 8]);
    assert.equal(two.metricsSnapshot(), null);
    // A lane of one client is unknown to the others.
    await two.awaitReady(2, { lane: 'mine' });
    assert.equal(three.laneNodeId(2, 'mine'), null);
    const waiting = [one.send(0, Fetch, longFetch), two.send(2, Fetch, longFetch), two.send(2, Fetch, longFetch)];
    for (const future of waiting) future.addErrback(() => {});
    assert.ok((await failureOf(one.send(0, Metadata, { topics: [] }))) instanceof TooManyInFlightRequests);
    assert.ok(two.isReady(2), 'its limit is another one');
    await one.close();
    assert.ok(two.isReady(2) && three.isReady(2));
    assert.equal((await three.send(2, Metadata, { topics: [] })).brokers.length, 3);
  });

  for (const how of ['close', 'exit', 'terminate'] as const) {
    test(`in workers, and attached to from here; the end of one by ${how} ends nothing else`, async (t) => {
      const start = async (broker: EmbeddedBroker, clientId: string) => {
        const options = { bootstrapServers: broker.bootstrapServers, clientId, closeTimeoutMs: 2000 };
        const worker = new Worker(new URL(scriptUrl('many-clients')), {
          workerData: { options } satisfies ManyClientsData,
        });
        t.after(() => worker.terminate());
        const [said] = (await once(worker, 'message')) as [{ clusterId: string; handle: ClientHandle }];
        const attached = await KafkaClient.attach(said.handle, {
          logger: { debug() {}, info() {}, warn() {}, error() {} },
        });
        t.after(() => attached.close());
        return { worker, attached, clusterId: said.clusterId };
      };
      const here = await openClient(t, { bootstrapServers: small.bootstrapServers, clientId: 'here' });
      const [one, two] = await Promise.all([start(small, `one-${how}`), start(large, `two-${how}`)]);
      assert.deepEqual([one.clusterId, two.clusterId], ['small', 'large']);
      assert.deepEqual(
        [one, two].map(({ attached }) => attached.config.clientId),
        [`one-${how}`, `two-${how}`],
      );
      for (const broker of [small, large]) assert.ok((await broker.log('t', 0)).endOffset > 0);
      const pending = one.attached.send(0, Fetch, { ...longFetch, topics: [] });
      let ends = 0;
      pending.addErrback(() => ends++);
      pending.addCallback(() => ends++);
      const exit = once(one.worker, 'exit');
      if (how === 'terminate') await one.worker.terminate();
      else one.worker.postMessage(how);
      await exit;
      await waitFor('the attached client to notice', () => pending.isDone && !one.attached.isReady(0));
      assert.equal(ends, 1);
      assert.equal((await two.attached.send(0, Metadata, { topics: [] })).brokers.length, 3);
      await here.awaitReady(0);
      assert.equal((await here.send(0, Metadata, { topics: [] })).brokers.length, 1);
    });
  }
});
