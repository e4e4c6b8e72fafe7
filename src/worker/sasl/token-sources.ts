// Owns the sources of tokens: a provider on the application thread, a module that is loaded here, or OIDC. Network thread.

import type { MessagePort } from 'node:worker_threads';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { OidcOptions } from '../../common/config/oidc-options.ts';
import { KafkaConfigurationError } from '../../common/errors/errors.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { oidcTokenProvider } from '../../common/oidc-token-provider.ts';
import {
  type AskForToken,
  askProvider,
  isTokenProvider,
  type ProvidedToken,
  type TokenProvider,
  type TokenReply,
} from '../../common/token-provider.ts';
import { lookupFor, newResolver } from '../net/resolver.ts';
import { postBesidePool } from './post-beside-pool.ts';

/** Rejects with KafkaConfigurationError when a module cannot be loaded or is not a token provider. */
export async function loadTokenSource(config: KafkaClientConfig, port: MessagePort | null): Promise<AskForToken> {
  const source = config.saslOauthTokenProvider!.reveal();
  if (source.kind === 'application') return askAcross(port!);
  const provider = source.kind === 'oidc' ? oidcBesidePool(source.options) : await importProvider(source.url);
  return () => askProvider(provider);
}

function oidcBesidePool(options: OidcOptions): TokenProvider {
  const resolver = newResolver();
  const lookup = lookupFor((host, callback) => resolver.resolve(host, callback));
  return oidcTokenProvider(options, { fetch: postBesidePool(lookup) });
}

async function importProvider(url: string): Promise<TokenProvider> {
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(url)) as { readonly default?: unknown };
  } catch (cause) {
    const text = `saslOauthTokenProvider: the module cannot be loaded: ${cause instanceof Error ? cause.message : 'unknown error'}`;
    throw new KafkaConfigurationError(text, { cause });
  }
  for (const candidate of [loaded.default, loaded]) if (isTokenProvider(candidate)) return candidate;
  throw new KafkaConfigurationError(
    'saslOauthTokenProvider: neither the module nor its default export has a function named token',
  );
}

/** Asks the application thread for tokens. While it is blocked, requests wait at the port. */
function askAcross(port: MessagePort): AskForToken {
  const waiting = new Map<number, { resolve(provided: ProvidedToken): void; reject(error: Error): void }>();
  let lastId = 0;
  port.on('message', (reply: TokenReply) => {
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) asked?.reject(fromPlainError(reply.error));
    else asked?.resolve(reply.provided);
  });
  // This port must not keep the thread alive: only the control port does.
  port.unref();
  return () =>
    new Promise((resolve, reject) => {
      lastId++;
      waiting.set(lastId, { resolve, reject });
      port.postMessage(lastId);
    });
}
