// Owns the choice of how connections are opened, as configured. Network thread.

import type { KafkaClientConfig } from '../common/config.ts';
import { type ProxyServer, parseProxyUrl } from '../common/proxy-url.ts';
import { Tunnel } from './proxy-tunnel.ts';
import { type Resolve, resolveWithDns } from './resolver.ts';
import { TlsContexts } from './tls-contexts.ts';
import { tlsTransports } from './tls-transport.ts';
import { type OpenTransport, openTcpTransport } from './transport.ts';

export interface Transports {
  readonly open: OpenTransport;
  readonly resolve: Resolve;
  /** Throws KafkaConfigurationError when connections cannot be opened as configured. */
  readonly prepare: () => Promise<void>;
}

export function transportsFor(config: KafkaClientConfig): Transports {
  const tunnel = tunnelOf(config);
  const resolve = tunnel?.resolvesNames === true ? leaveToProxy : resolveWithDns;
  if (!isTls(config)) {
    return { open: tunnel === null ? openTcpTransport : tunnel.open, resolve, prepare: async () => {} };
  }
  const contexts = new TlsContexts(config);
  const open = tlsTransports({ contexts, checkHostname: config.sslCheckHostname, tunnel });
  return { open, resolve, prepare: () => contexts.prepare() };
}

function tunnelOf({
  proxyUrl,
  connectionSetupTimeoutMs,
  connectionSetupTimeoutMaxMs,
}: KafkaClientConfig): Tunnel | null {
  if (proxyUrl === null) return null;
  // Checked with the configuration.
  const proxy = parseProxyUrl(proxyUrl.reveal()) as ProxyServer;
  return new Tunnel(proxy, 2 * Math.max(connectionSetupTimeoutMs, connectionSetupTimeoutMaxMs));
}

const leaveToProxy: Resolve = (host, callback) => callback(null, [host]);

function isTls({ securityProtocol }: KafkaClientConfig): boolean {
  return securityProtocol === 'SSL' || securityProtocol === 'SASL_SSL';
}
