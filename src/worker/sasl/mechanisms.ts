// Owns the choice of the mechanism that the configuration names, and whatever it needs before the first login. Network
// thread. Must not know connections.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { AskForToken } from '../../common/token-provider.ts';
import { Gssapi, loadKerberos } from './gssapi.ts';
import type { CreateMechanism } from './mechanism.ts';
import { OAuthBearer } from './oauthbearer.ts';
import { Plain } from './plain.ts';
import { keepLast, saltPassword } from './salted-password.ts';
import { Scram } from './scram.ts';

/**
 * What makes a mechanism for each login.
 * @param loadTokenSource for OAUTHBEARER
 * Rejects with KafkaConfigurationError when something it needs cannot be had.
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
      // All brokers of a cluster have the same salt for a user, so one result serves them all.
      const salted = keepLast(saltPassword);
      return () => new Scram({ hash, username, password, isDelegationToken, salted });
    }
    case 'OAUTHBEARER': {
      const ask = await loadTokenSource();
      return () => new OAuthBearer(ask);
    }
    case 'GSSAPI': {
      const kerberos = loadKerberos();
      // A trailing dot says that a name is complete; names of services have none.
      return (host) => new Gssapi(kerberos, `${config.saslKerberosServiceName}@${domain ?? host.replace(/\.$/, '')}`);
    }
    default:
      return () => new Plain(username, password);
  }
}
