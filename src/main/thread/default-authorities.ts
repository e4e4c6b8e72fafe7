// Owns which authorities this thread trusts where nobody names others: `tls.setDefaultCACertificates` holds for the thread that
// calls it, and the network thread is to trust as the application does. Application thread.

import * as tls from 'node:tls';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import { usesTls } from '../../common/config/ssl-context.ts';

/** Node has it from 22.15 and 23.10 on. */
type Tls = typeof tls & { getCACertificates?(type: 'default'): readonly string[] };

/** PEM, one each; null where they play no part, or Node cannot tell. */
export function defaultAuthorities(config: KafkaClientConfig): readonly string[] | null {
  const { sslContext, sslCaFile, saslOauthTokenProvider } = config;
  const isGiven = sslContext === null ? sslCaFile !== null : sslContext.reveal().ca !== undefined;
  // Authorization servers are asked by `fetch`, which knows the defaults alone.
  const source = saslOauthTokenProvider?.reveal().kind ?? 'application';
  if (source === 'application' && (isGiven || !usesTls(config))) return null;
  return (tls as Tls).getCACertificates?.('default') ?? null;
}
