// Owns access tokens for tests: unsecured ones, and signed ones with the key set a broker checks them by. Any thread.

import { generateKeyPairSync, sign } from 'node:crypto';

export interface TokenClaims {
  readonly subject?: string;
  /** Seconds from now until it expires; negative: it has expired. Default 300. */
  readonly lifetime?: number;
  readonly audience?: string;
}

/** A token with `"alg":"none"`, which a broker accepts only if it is configured so. */
export function unsecuredToken(claims: TokenClaims = {}): string {
  return `${part({ alg: 'none' })}.${part(claimsOf(claims))}.`;
}

/** A key pair of an issuer. */
export class TokenIssuer {
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

  /** The content for a broker's `jwks.endpoint.url`. */
  jwks(): string {
    const jwk = this.#keys.publicKey.export({ format: 'jwk' });
    return JSON.stringify({ keys: [{ ...jwk, kid: 'k1', use: 'sig', alg: 'RS256' }] });
  }

  token(claims: TokenClaims = {}): string {
    const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${part(claimsOf(claims))}`;
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), this.#keys.privateKey).toString('base64url')}`;
  }
}

function claimsOf({ subject = 'alice', lifetime = 300, audience = 'kafka' }: TokenClaims): object {
  const now = Math.floor(Date.now() / 1000);
  return { iss: 'issuer.test', aud: audience, sub: subject, scope: 'kafka', iat: now - 10, exp: now + lifetime };
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
