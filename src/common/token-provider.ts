// Owns the interface of token providers for OAUTHBEARER, and the check of the option. Every thread. The parser must not call a
// provider: each login calls it.

import { type OidcOptions, oidcProblems } from './config/oidc-options.ts';
import type { PlainError } from './errors/plain-error.ts';
import { append } from './lists.ts';
import { Secret } from './secret.ts';

/** Gives tokens to connections that log in with OAUTHBEARER (RFC 7628). */
export interface TokenProvider {
  /** Returns an access token that is valid now. Called at each login of each node. Keep the token, and renew it before it expires. */
  token(): string | Promise<string>;
  /** Returns the SASL extensions of the same login, by name (KIP-342). Default: none. */
  extensions?(): Record<string, string> | Promise<Record<string, string>>;
}

/**
 * The value of `saslOauthTokenProvider`.
 * An object with `token`: it runs on the application thread, so a login waits while that thread is blocked.
 * A URL, or its text: a module that the network thread loads. Its default export, or the module itself, has `token`.
 * `{ oidc }`: the network thread gets tokens by the client credentials grant.
 */
export type TokenProviderInput = TokenProvider | URL | string | { readonly oidc: OidcOptions };

/** The same value, with its kind. */
export type TokenSource =
  | { readonly kind: 'application'; readonly provider: TokenProvider }
  | { readonly kind: 'module'; readonly url: string }
  | { readonly kind: 'oidc'; readonly options: OidcOptions };

/** What a provider returned. It was not checked. */
export interface ProvidedToken {
  readonly token: unknown;
  readonly extensions: unknown;
}

/** The answer to a request for a token from another thread. */
export type TokenReply =
  | { readonly id: number; readonly provided: ProvidedToken }
  | { readonly id: number; readonly error: PlainError };

/** Asks the provider for the token of one login, on any thread. */
export type AskForToken = () => Promise<ProvidedToken>;

/** Rejects with the error that the provider threw. A thrown value of another type is not passed on, because it may be the token. */
export async function askProvider(provider: TokenProvider): Promise<ProvidedToken> {
  try {
    const token: unknown = await provider.token();
    return { token, extensions: (await provider.extensions?.()) ?? {} };
  } catch (thrown) {
    throw thrown instanceof Error ? thrown : new TypeError(`it threw a value of type ${typeof thrown}`);
  }
}

/** Null when the value is not a token source; `problems` then says why. */
export function parseTokenSource(key: string, given: unknown, problems: string[]): Secret<TokenSource> | null {
  const source = tokenSource(key, given, problems);
  return source === null ? null : new Secret(source);
}

function tokenSource(key: string, given: unknown, problems: string[]): TokenSource | null {
  if (typeof given === 'string' || given instanceof URL) {
    if (URL.canParse(String(given))) return { kind: 'module', url: String(given) };
    problems.push(
      `${key}: a provider that is a string must be the URL of a module, such as new URL('./tokens.js', import.meta.url)`,
    );
    return null;
  }
  if (isTokenProvider(given)) return { kind: 'application', provider: given };
  if (typeof given === 'object' && given !== null && 'oidc' in given) {
    const found = oidcProblems(`${key}.oidc`, given.oidc);
    append(problems, found);
    return found.length > 0 ? null : { kind: 'oidc', options: given.oidc as OidcOptions };
  }
  problems.push(
    `${key} must be an object with a function token, the URL of a module that has one, or { oidc: { ... } }`,
  );
  return null;
}

/** Whether the value has a function `token`. Objects of other libraries may have it too. */
export function isTokenProvider(value: unknown): value is TokenProvider {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof (value as Partial<TokenProvider>).token === 'function';
}
