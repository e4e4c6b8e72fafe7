// Two real brokers. A proxy before one of them leads to the other for a while, like a load balancer with old targets.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Metadata } from '../../src/index.ts';
import { openClient } from '../broker/support/client.ts';
import { FaultProxy } from '../helpers/fault-proxy.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const behind = 2;
const proxy = await FaultProxy.start();
// Also where there is no Kafka to try it on.
after(() => proxy.close());

describeKafka(
  'a broker behind a proxy that leads to another one',
  (suite) => {
    test('gets no request, and the right broker is reached when the proxy is repaired', {
      timeout: 300_000,
    }, async (t) => {
      const [one, two] = suite.kafka.brokers.map(({ host, port }) => ({ host, port }));
      proxy.target = two!;
      const client = await openClient(t, {
        bootstrapServers: `${one!.host}:${one!.port}`,
        apiVersionAutoTimeoutMs: 90_000,
        reconnectBackoffMaxMs: 200,
      });
      await client.awaitReady(1, { timeoutMs: 120_000 });
      await client.awaitReady(behind, { timeoutMs: 120_000 });

      proxy.target = one!;
      for (const connection of proxy.connections) connection.reset();
      await waitFor('the reason', async () => {
        await client.awaitReady(behind, { timeoutMs: 300 }).catch(() => {});
        assert.equal(client.isReady(behind), false, 'the wrong broker was taken for the right one');
        return (client.lastError(behind) as { code?: string } | null)?.code === 'KAFKA_REBOOTSTRAP_REQUIRED';
      });
      assert.equal(client.isReady(1), true, 'the other connection stays');

      proxy.target = two!;
      await waitFor('the right broker', async () => {
        await client.awaitReady(behind, { timeoutMs: 500 }).catch(() => {});
        return client.isReady(behind);
      });
      const { brokers } = await client.send(behind, Metadata, { topics: [] });
      assert.equal(brokers.length, 2);
    });
  },
  {
    version: '4.4.0',
    brokers: 2,
    ownBroker: true,
    advertised: ({ nodeId, host, port }) => (nodeId === behind ? proxy : { host, port }),
  },
);
