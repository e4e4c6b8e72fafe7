// Owns what gives OAUTHBEARER its tokens, as applications write it, and the check of what they passed. Every thread. Must
// not call a provider: the network thread does, once for each login.

import { type OidcOptions, oidcProblems } from './config/oidc-options.ts';
import type { PlainError } from './errors/plain-error.ts';
import { Secret } from './secret.ts';

/** Gives tokens to connections that log in with OAUTHBEARER (RFC 7628). */
export interface TokenProvider {
  /** An access token that is valid now. Called at each login of each node: keep it, and renew it before it expires. */
  token(): string | Promise<string>;
  /** SASL extensions of the same login, by name (KIP-342); default none. */
  extensions?(): Record<string, string> | Promise<Record<string, string>>;
}

/**
 * What `saslOauthTokenProvider` takes.
 * An object with `token`: lives on the application thread, so a login waits while that thread is blocked.
 * A URL, or its text: a module that the network thread loads; its default export, or the module itself, has `token`.
 * `{ oidc }`: the client credentials grant, run in the network thread.
 */
export type TokenProviderInput = TokenProvider | URL | string | { readonly oidc: OidcOptions };

/** The same, told apart. */
export type TokenSource =
  | { readonly kind: 'application'; readonly provider: TokenProvider }
  | { readonly kind: 'module'; readonly url: string }
  | { readonly kind: 'oidc'; readonly options: OidcOptions };

/** What a provider returned; nothing of it has been checked. */
export interface ProvidedToken {
  readonly token: unknown;
  readonly extensions: unknown;
}

/** Answer to a request for a token across threads. */
export type TokenReply =
  | { readonly id: number; readonly provided: ProvidedToken }
  | { readonly id: number; readonly error: PlainError };

/** Asks a provider, wherever it lives, for one login. */
export type AskForToken = () => Promise<ProvidedToken>;

/** Rejects with what the provider threw if that is an Error; anything else may be the token itself, and is not passed on. */
export async function askProvider(provider: TokenProvider): Promise<ProvidedToken> {
  try {
    const token: unknown = await provider.token();
    return { token, extensions: (await provider.extensions?.()) ?? {} };
  } catch (thrown) {
    throw thrown instanceof Error ? thrown : new TypeError(`it threw a value of type ${typeof thrown}`);
  }
}

/** Null with a problem in `problems` when it is none of them. */
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
    problems.push(...found);
    return found.length > 0 ? null : { kind: 'oidc', options: given.oidc as OidcOptions };
  }
  problems.push(
    `${key} must be an object with a function token, the URL of a module that has one, or { oidc: { ... } }`,
  );
  return null;
}

/** Anything with a function `token`: classes of other libraries have it too. */
export function isTokenProvider(value: unknown): value is TokenProvider {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof (value as Partial<TokenProvider>).token === 'function';
}
