// Owns an embedded broker all of whose nodes stand behind fault proxies, which is all that clients hear of. Runs in the
// test's thread.

import { type EmbeddedBroker, type EmbeddedBrokerOptions, startEmbeddedBroker } from '../../helpers/embedded-broker.ts';
import { FaultProxy, type ProxyConnection } from '../../helpers/fault-proxy.ts';

export interface ProxiedBroker {
  readonly broker: EmbeddedBroker;
  /** By node, in order. */
  readonly proxies: readonly FaultProxy[];
  readonly bootstrapServers: readonly string[];
  /** Does that to each new connection of every node; null for nothing. */
  onConnection(prepare: ((connection: ProxyConnection) => void) | null): void;
  close(): Promise<void>;
}

export async function startProxiedBroker(options: EmbeddedBrokerOptions = {}): Promise<ProxiedBroker> {
  const broker = await startEmbeddedBroker(options);
  const proxies = await Promise.all(broker.nodes.map(({ host, port }) => FaultProxy.start({ host, port })));
  for (const [i, { id }] of broker.nodes.entries()) {
    await broker.advertise(id, proxies[i]!.host, proxies[i]!.port);
  }
  return {
    broker,
    proxies,
    bootstrapServers: proxies.map(({ address }) => address),
    onConnection: (prepare) => {
      for (const proxy of proxies) proxy.onConnection(prepare);
    },
    close: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await broker.close();
    },
  };
}
