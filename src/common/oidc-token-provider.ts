// Owns the OIDC token provider: it gets tokens by the client credentials grant. Every thread. The network thread runs it for
// `saslOauthTokenProvider: { oidc }`. Its errors must not hold the id, the secret, a token, or any text of the server but its error
// code.
// Source: RFC 6749, 4.4 and 2.3.1; KIP-768, KIP-1025 (id and secret are URL-encoded before they are put together).

import { monotonicNowMs } from './clock.ts';
import { type OidcOptions, oidcProblems } from './config/oidc-options.ts';
import { KafkaClientError, KafkaConfigurationError } from './errors/errors.ts';
import type { TokenProvider } from './token-provider.ts';

/** The clocks (in ms, wall and monotonic) and `fetch`. Tests pass their own. */
export interface OidcSurroundings {
  readonly now?: () => number;
  readonly monotonicNow?: () => number;
  readonly fetch?: typeof fetch;
  /** Resolves after so many ms. Does not keep the process alive. */
  readonly delay?: (ms: number) => Promise<void>;
}

interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

interface IssuedToken {
  readonly token: string;
  readonly askedAt: Instant;
  readonly lifetimeMs: number;
}

const defaultTimeoutMs = 10_000;
const maxResponseBytes = 256 * 1024;
/** A new token is requested after this part of a token's life. Then there is time to try again. */
const renewAfter = 0.8;
/** How long logins wait for a new token while the old one is valid. A healthy server needs less. */
const patienceMs = 500;
/** The life of tokens whose server does not name one. */
const defaultLifetimeMs = 60_000;
/** Node's error codes for a certificate whose issuer is not trusted. */
const untrusted = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

/**
 * Gets tokens from an authorization server and keeps each until 80 % of its life is over. There is one request at a time, and
 * logins share it. While the old token is valid, a server that fails causes no delay, and a server that hangs causes a delay of
 * half a second: then the old token is used, and the request goes on.
 * Throws: KafkaConfigurationError. Its `token` rejects with KafkaClientError.
 */
export function oidcTokenProvider(options: OidcOptions, surroundings: OidcSurroundings = {}): TokenProvider {
  const problems = oidcProblems('oidc', options);
  if (problems.length > 0) throw new KafkaConfigurationError(problems);
  // This is a copy: later changes of the caller's object have no effect.
  const { extensions = {}, ...settings } = structuredClone(options);
  const now = (): Instant => ({
    wall: (surroundings.now ?? Date.now)(),
    monotonic: (surroundings.monotonicNow ?? monotonicNowMs)(),
  });
  let issued: IssuedToken | null = null;
  let pending: Promise<string> | null = null;
  /** Resolves when logins with a valid old token do not wait for `pending` any longer. */
  let patience: Promise<void> | null = null;
  const delay = surroundings.delay ?? unreferencedDelay;

  const isAlive = (token: IssuedToken | null): token is IssuedToken =>
    token !== null && ageOf(token, now()) < token.lifetimeMs;
  const renew = async (): Promise<string> => {
    try {
      issued = await requestToken(settings, surroundings.fetch ?? fetch, now);
    } catch (error) {
      if (!isAlive(issued)) throw error;
    } finally {
      pending = null;
    }
    return issued.token;
  };
  return {
    token: () => {
      if (issued !== null && ageOf(issued, now()) < issued.lifetimeMs * renewAfter) return issued.token;
      if (pending === null) {
        pending = renew();
        patience = delay(patienceMs);
      }
      const renewed = pending;
      if (!isAlive(issued)) return renewed;
      const old = patience!.then(() => (isAlive(issued) ? issued.token : renewed));
      return Promise.race([renewed, old]);
    },
    extensions: () => ({ ...extensions }),
  };
}

function unreferencedDelay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** Both clocks are asked: the wall clock may be set back, and the monotonic clock stands still while the machine is suspended. */
function ageOf({ askedAt }: IssuedToken, now: Instant): number {
  return Math.max(now.wall - askedAt.wall, now.monotonic - askedAt.monotonic);
}

async function requestToken(options: OidcOptions, send: typeof fetch, now: () => Instant): Promise<IssuedToken> {
  const { origin } = new URL(options.tokenEndpointUrl);
  const signal = AbortSignal.timeout(options.timeoutMs ?? defaultTimeoutMs);
  const askedAt = now();
  let status: number;
  let answer: unknown;
  try {
    // A redirect would carry the secret to wherever it points.
    const response = await send(options.tokenEndpointUrl, {
      method: 'POST',
      ...requestOf(options),
      redirect: 'error',
      signal,
    });
    status = response.status;
    answer = parsed(await boundedText(response));
  } catch (error) {
    throw new KafkaClientError(`no token from ${origin}: ${reasonOf(error, options.timeoutMs ?? defaultTimeoutMs)}`);
  }
  const { access_token: token, expires_in: lifetime, error } = (answer ?? {}) as Record<string, unknown>;
  if (status !== 200) {
    const code = isErrorCode(error, options) ? ` and error '${error}'` : '';
    throw new KafkaClientError(`no token from ${origin}: it answered with status ${status}${code}`);
  }
  if (typeof token !== 'string' || token === '')
    throw new KafkaClientError(`no token from ${origin}: its answer has no access_token`);
  const seconds = Number(lifetime);
  const lifetimeMs = lifetime !== undefined && seconds > 0 ? seconds * 1000 : defaultLifetimeMs;
  return { token, askedAt, lifetimeMs };
}

function requestOf({ clientId, clientSecret, scope, parameters, credentialsIn = 'header' }: OidcOptions) {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope === undefined ? {} : { scope }),
    ...parameters,
  });
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  };
  if (credentialsIn === 'body') {
    body.set('client_id', clientId);
    body.set('client_secret', clientSecret);
  } else {
    const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
    headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  return { headers, body: body.toString() };
}

/** Encodes as application/x-www-form-urlencoded. RFC 6749 requires this for id and secret. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}

/** Whether this is an error code like those of RFC 6749, 5.2. Free text is not, because it may repeat what was sent. A secret of this form is not. */
function isErrorCode(error: unknown, { clientId, clientSecret }: OidcOptions): boolean {
  if (typeof error !== 'string' || !/^[a-z_]{1,40}$/.test(error)) return false;
  return error !== clientId && !error.includes(clientSecret);
}

class ResponseTooLarge extends Error {}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxResponseBytes) throw new ResponseTooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof ResponseTooLarge) return `its answer is larger than ${maxResponseBytes} bytes`;
  if ((error as Error).name === 'TimeoutError') return `no answer within ${timeoutMs} ms (timeoutMs)`;
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  if (typeof cause?.code !== 'string') return 'the request failed';
  if (!untrusted.test(cause.code)) return cause.code;
  // The advice leaves out what the user has done already.
  return process.env.NODE_EXTRA_CA_CERTS
    ? `${cause.code}; its authority is not among those of NODE_EXTRA_CA_CERTS, which Node reads when the process starts`
    : `${cause.code}; name the file with its authority's certificate in NODE_EXTRA_CA_CERTS`;
}
