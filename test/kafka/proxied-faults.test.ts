// Every fault of the proxy before a real broker, at places drawn from a seed; SEED repeats a run.

import { after, test } from 'node:test';
import { openClient } from '../broker/support/client.ts';
import { proxyFaults, survive } from '../fault/support/proxy-faults.ts';
import { seededRandom } from '../fault/support/random.ts';
import { FaultProxy } from '../helpers/fault-proxy.ts';
import { describeKafka } from './fixture/index.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);
const proxy = await FaultProxy.start();
// Also where there is no Kafka to try it on.
after(() => proxy.close());

describeKafka(
  'a network before a real broker',
  (suite) => {
    test('settles every request once, whatever it does, and the client finds its way back', {
      timeout: 600_000,
    }, async (t) => {
      t.diagnostic(`SEED=${seed}`);
      const random = seededRandom(seed);
      const { nodeId, host, port } = suite.kafka.brokers[0]!;
      proxy.target = { host, port };
      const client = await openClient(t, {
        bootstrapServers: `${proxy.host}:${proxy.port}`,
        apiVersionAutoTimeoutMs: 90_000,
        requestTimeoutMs: 5000,
        reconnectBackoffMaxMs: 200,
      });
      for (const fault of proxyFaults) {
        await survive(fault, client, nodeId, proxy, random);
        t.diagnostic(fault.name);
      }
    });
  },
  { version: '4.4.0', brokers: 1, ownBroker: true, advertised: () => proxy },
);
