// Owns how connections are opened: plain or TLS, with or without a proxy, by the configuration. Network thread. Must not load the code of
// TLS or of proxies unless it is used: half of a thread's start would go into it.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { type ProxyServer, parseProxyUrl } from '../../common/config/proxy-url.ts';
import type { ResolvedOption } from '../../common/config/socket-options.ts';
import { usesTls } from '../../common/config/ssl-context.ts';
import { KafkaConfigurationError } from '../../common/errors/errors.ts';
import { type Dial, dialWithNode, dialWithOptions, type NodeOptions, socketOptionsOf } from './dial.ts';
import type { Tunnel } from './proxy-tunnel.ts';
import { lookupFor, newResolver, type Resolve } from './resolver.ts';
import type { TlsContexts } from './tls-contexts.ts';
import { type OpenTransport, tcpTransports } from './transport.ts';

export interface Transports {
  readonly open: OpenTransport;
  readonly resolve: Resolve;
  /** Throws KafkaConfigurationError when connections cannot be opened as configured. */
  readonly prepare: () => void;
}

export async function transportsFor(config: KafkaClientConfig): Promise<Transports> {
  const { byNode, native } = socketOptionsOf(config);
  const { dial, refusal } = dialFor(byNode, native);
  const { resolve: resolveHere } = newResolver();
  const tunnel = await tunnelOf(config, byNode, resolveHere);
  const resolve = tunnel?.resolvesNames === true ? leaveToProxy : resolveHere;
  if (!usesTls(config)) {
    const open = tunnel === null ? tcpTransports(dial ?? dialWithNode(byNode)) : tunnel.open;
    return { open, resolve, prepare: () => prepare(refusal, null) };
  }
  const { TlsContexts } = await import('./tls-contexts.ts');
  const { tlsTransports } = await import('./tls-transport.ts');
  const contexts = new TlsContexts(config);
  const open = tlsTransports({ contexts, checkHostname: config.sslCheckHostname, tunnel, dial, byNode });
  return { open, resolve, prepare: () => prepare(refusal, contexts) };
}

/** An error is not thrown here. It is returned, and `prepare` throws it. */
function dialFor(byNode: NodeOptions, native: readonly ResolvedOption[]): { dial: Dial | null; refusal: unknown } {
  if (native.length === 0) return { dial: null, refusal: null };
  try {
    return { dial: dialWithOptions(byNode, native), refusal: null };
  } catch (refusal) {
    return { dial: null, refusal };
  }
}

/** Throws one error with the problems of both. */
function prepare(refusal: unknown, contexts: TlsContexts | null): void {
  try {
    contexts?.prepare();
  } catch (error) {
    if (!(refusal instanceof KafkaConfigurationError && error instanceof KafkaConfigurationError)) throw error;
    throw new KafkaConfigurationError([...refusal.problems, ...error.problems]);
  }
  if (refusal !== null) throw refusal;
}

async function tunnelOf(config: KafkaClientConfig, byNode: NodeOptions, resolve: Resolve): Promise<Tunnel | null> {
  const { proxyUrl, connectionSetupTimeoutMs, connectionSetupTimeoutMaxMs } = config;
  if (proxyUrl === null) return null;
  // The configuration parser has checked this already.
  const proxy = parseProxyUrl(proxyUrl.reveal()) as ProxyServer;
  const { Tunnel } = await import('./proxy-tunnel.ts');
  return new Tunnel(proxy, {
    byNode,
    maxMs: 2 * Math.max(connectionSetupTimeoutMs, connectionSetupTimeoutMaxMs),
    lookup: lookupFor(resolve),
  });
}

const leaveToProxy: Resolve = (host, callback) => callback(null, [host]);
