// Owns how a configuration crosses to the network thread. Secrets cross separately. The functions of a token provider cannot cross,
// so this thread calls the provider for requests at a port. Application thread.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { NetworkThreadData } from '../../common/control.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import { withoutSecrets } from '../../common/secret.ts';
import { askProvider, type ProvidedToken, type TokenProvider, type TokenReply } from '../../common/token-provider.ts';

type Carried = Pick<NetworkThreadData<KafkaClientConfig, never, MessagePort>, 'config' | 'secrets' | 'tokenPort'>;

export function carriedConfig(config: KafkaClientConfig): {
  readonly data: Carried;
  readonly transferList: MessagePort[];
} {
  const { open, secrets } = withoutSecrets(config);
  const source = config.saslOauthTokenProvider?.reveal();
  if (source?.kind !== 'application') return { data: { config: open, secrets, tokenPort: null }, transferList: [] };
  const tokenPort = servedPort(source.provider);
  const crossing = { ...secrets, saslOauthTokenProvider: { kind: 'application' } };
  return { data: { config: open, secrets: crossing, tokenPort }, transferList: [tokenPort] };
}

/** Each message at the port is an id. The reply has the same id and the provider's answer. */
function servedPort(provider: TokenProvider): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (id: number) => {
    askProvider(provider).then(
      (provided) => reply(port1, id, provided),
      (error: unknown) => port1.postMessage({ id, error: toPlainError(error) } satisfies TokenReply),
    );
  });
  // The port must not keep the process alive: connections do not either.
  port1.unref();
  return port2;
}

function reply(port: MessagePort, id: number, provided: ProvidedToken): void {
  try {
    port.postMessage({ id, provided } satisfies TokenReply);
  } catch {
    // The error of structured clone is not used, because it shows the value.
    const error = toPlainError(new TypeError('it returned something that cannot cross threads, such as a function'));
    port.postMessage({ id, error } satisfies TokenReply);
  }
}
