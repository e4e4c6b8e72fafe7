// Owns the default certificate authorities of this thread. `tls.setDefaultCACertificates` only changes the thread that calls it, and
// the network thread must trust the same authorities. Application thread.

import type * as tls from 'node:tls';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import { usesTls } from '../../common/config/ssl-context.ts';

/** Node has this function from 22.15 and 23.10 on. */
type Tls = typeof tls & { getCACertificates?(type: 'default'): readonly string[] };

/** The authorities as PEM texts. Null if they are not used, or if this Node version has no function for them. */
export function defaultAuthorities(config: KafkaClientConfig): readonly string[] | null {
  const { sslContext, sslCaFile, saslOauthTokenProvider } = config;
  const isGiven = sslContext === null ? sslCaFile !== null : sslContext.reveal().ca !== undefined;
  // Authorization servers are asked by `fetch`, which only uses the defaults.
  const source = saslOauthTokenProvider?.reveal().kind ?? 'application';
  if (source === 'application' && (isGiven || !usesTls(config))) return null;
  // Loaded here: most applications that do not use TLS with Kafka would load it for nothing.
  const { getCACertificates } = process.getBuiltinModule('node:tls') as Tls;
  return getCACertificates?.('default') ?? null;
}
