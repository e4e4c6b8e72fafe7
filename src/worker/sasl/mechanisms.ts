// Owns the choice of the configured mechanism, and what it needs before the first login. Network thread. Must not know
// connections.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { AskForToken } from '../../common/token-provider.ts';
import { Gssapi, loadKerberos } from './gssapi.ts';
import type { CreateMechanism } from './mechanism.ts';
import { OAuthBearer } from './oauthbearer.ts';
import { Plain } from './plain.ts';
import { keepLast, saltPassword } from './salted-password.ts';
import { Scram } from './scram.ts';

/**
 * Returns the function that makes a mechanism for each login.
 * @param loadTokenSource loads the code that gets tokens for OAUTHBEARER
 * Rejects with KafkaConfigurationError when a package or a token provider cannot be loaded.
 */
export async function prepareMechanism(
  config: KafkaClientConfig,
  loadTokenSource: () => Promise<AskForToken>,
): Promise<CreateMechanism> {
  const { saslMechanism: mechanism, saslKerberosDomainName: domain } = config;
  const username = config.saslPlainUsername ?? '';
  const password = config.saslPlainPassword?.reveal() ?? '';
  switch (mechanism) {
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const hash = mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512';
      const isDelegationToken = config.saslDelegationToken;
      // All brokers of a cluster have the same salt for a user, so one result is enough for all.
      const salted = keepLast(saltPassword);
      return () => new Scram({ hash, username, password, isDelegationToken, salted });
    }
    case 'OAUTHBEARER': {
      const ask = await loadTokenSource();
      return () => new OAuthBearer(ask);
    }
    case 'GSSAPI': {
      const kerberos = loadKerberos();
      // A trailing dot marks a complete host name. Service names have none.
      return (host) => new Gssapi(kerberos, `${config.saslKerberosServiceName}@${domain ?? host.replace(/\.$/, '')}`);
    }
    default:
      return () => new Plain(username, password);
  }
}
