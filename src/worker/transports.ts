// Owns the choice of how connections are opened, as configured. Network thread.

import type { KafkaClientConfig } from '../common/config.ts';
import { TlsContexts } from './tls-contexts.ts';
import { tlsTransports } from './tls-transport.ts';
import { type OpenTransport, openTcpTransport } from './transport.ts';

export interface Transports {
  readonly open: OpenTransport;
  /** Throws KafkaConfigurationError when connections cannot be opened as configured. */
  readonly prepare: () => Promise<void>;
}

export function transportsFor(config: KafkaClientConfig): Transports {
  if (!isTls(config)) return { open: openTcpTransport, prepare: async () => {} };
  const contexts = new TlsContexts(config);
  const open = tlsTransports({ contexts, checkHostname: config.sslCheckHostname });
  return { open, prepare: () => contexts.prepare() };
}

function isTls({ securityProtocol }: KafkaClientConfig): boolean {
  return securityProtocol === 'SSL' || securityProtocol === 'SASL_SSL';
}
