// Every fault of the proxy before the embedded broker, at places drawn from a seed; SEED repeats a run. Real brokers: test/kafka.

import { test } from 'node:test';
import { openClient } from '../broker/support/client.ts';
import { startProxiedBroker } from './support/proxied.ts';
import { proxyFaults, survive } from './support/proxy-faults.ts';
import { seededRandom } from './support/random.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_000);

test('each fault of a network settles every request once, and the client finds its way back', {
  timeout: 600_000,
}, async (t) => {
  t.diagnostic(`SEED=${seed}`);
  const random = seededRandom(seed);
  const network = await startProxiedBroker({ topics: { logs: 1 } });
  t.after(() => network.close());
  const { bootstrapServers, proxies } = network;
  const client = await openClient(t, {
    bootstrapServers: [...bootstrapServers],
    requestTimeoutMs: 5000,
    reconnectBackoffMaxMs: 200,
  });
  for (const fault of proxyFaults) {
    await survive(fault, client, 0, proxies[0]!, random);
    t.diagnostic(fault.name);
  }
});
