// Owns how a configuration crosses to the network thread: what is secret beside the rest, and a token provider, whose
// functions cannot cross, as a port at which this thread calls it. Application thread.

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

/** Each message at the port is an id, answered with it when the provider has answered. */
function servedPort(provider: TokenProvider): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.on('message', (id: number) => {
    askProvider(provider).then(
      (provided) => reply(port1, id, provided),
      (error: unknown) => port1.postMessage({ id, error: toPlainError(error) } satisfies TokenReply),
    );
  });
  // It serves connections, which do not keep the process alive by themselves.
  port1.unref();
  return port2;
}

function reply(port: MessagePort, id: number, provided: ProvidedToken): void {
  try {
    port.postMessage({ id, provided } satisfies TokenReply);
  } catch {
    // The error of structured clone shows the value.
    const error = toPlainError(new TypeError('it returned something that cannot cross threads, such as a function'));
    port.postMessage({ id, error } satisfies TokenReply);
  }
}
