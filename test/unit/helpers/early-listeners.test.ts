// The sockets of an embedded cluster listen before its code is there: who connects meanwhile is answered, and options that could be refused wait
// for the code.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { BrokerCluster } from '../../../src/testing/broker-cluster.ts';
import { type EarlyListener, listenEarly } from '../../../src/testing/early-listeners.ts';
import type { EmbeddedBrokerOptions } from '../../../src/testing/options.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** ApiVersions 0 with correlation id 7 and no client id. */
const apiVersionsRequest = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]);

describe('listeners that are there before the brokers', () => {
  test('a request that comes before the broker is answered by it, and the connection counts as one of the broker', async (t) => {
    const options = { nodes: 2, topics: { a: 3 } };
    const early = (await listenEarly(options))!;
    assert.equal(early.length, 2);
    const socket = connect(early[1]!.port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(apiVersionsRequest);
    const cluster = await BrokerCluster.start(options, early);
    t.after(() => cluster.close());
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.equal(answer.readInt32BE(4), 7);
    assert.equal((await cluster.stats()).openByNode[1], 1);
    const nodes = await cluster.describeNodes();
    assert.deepEqual(
      nodes.map(({ port }) => port),
      early.map(({ port }) => port),
    );
  });

  test('a connection that ends before the broker is there is none of the broker', async (t) => {
    const early = (await listenEarly({}))!;
    const socket = connect(early[0]!.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.resetAndDestroy();
    await once(socket, 'close');
    const cluster = await BrokerCluster.start({}, early);
    t.after(() => cluster.close());
    await waitFor('no open connection', async () => (await cluster.stats()).openConnections === 0);
  });

  const refusable: readonly (readonly [string, EmbeddedBrokerOptions])[] = [
    ['nodes with ids of their own', { nodes: [{ id: 1 }] }],
    ['no node', { nodes: 0 }],
    ['a topic with options', { topics: { a: { partitions: 1 } } }],
    ['a topic without partitions', { topics: { a: 0 } }],
    ['a wrong name of a topic', { topics: { 'a b': 1 } }],
    ['a host', { host: 'localhost' }],
    ['limits of groups', { groups: { maxSize: 1 } }],
  ];
  for (const [what, options] of refusable) {
    test(`nothing listens early with ${what}`, async () => {
      const early: readonly EarlyListener[] | null = await listenEarly(options);
      for (const { server } of early ?? []) server.close();
      assert.equal(early, null);
    });
  }
});
