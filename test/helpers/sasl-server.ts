// Owns the server's part of SASL for an embedded broker: PLAIN, SCRAM by the formulas of RFC 5802, and OAUTHBEARER that takes
// one token. Runs in the thread of the test's rules. Real brokers prove the mechanisms. This server can give wrong answers.

import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { SaslAuthenticate, SaslHandshake } from '../../src/index.ts';
import type { EmbeddedBroker, Reply } from './embedded-broker.ts';

export type ScramHash = 'sha256' | 'sha512';
export type SaslStep = 'handshake' | 'first' | 'second';

export interface SaslRules {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512' | 'OAUTHBEARER';
  readonly username: string;
  /** The token for OAUTHBEARER. */
  readonly password: string;
  readonly sessionLifetimeMs?: number;
  /** Replaces the right answer to that step of a login. */
  readonly instead?: Partial<Record<SaslStep, Reply>>;
  /** Changes SCRAM's messages. */
  readonly alter?: (message: string) => string;
}

const iterations = 4096;
const salt = Buffer.from('salt of this server');

/** One SCRAM login as a server sees it. */
export class ScramServer {
  readonly first: string;
  readonly #hash: ScramHash;
  readonly #clientFirstBare: string;
  readonly #nonce: string;

  constructor(hash: ScramHash, clientFirst: string) {
    this.#hash = hash;
    this.#clientFirstBare = clientFirst.slice('n,,'.length);
    this.#nonce = `${/r=([^,]*)/.exec(clientFirst)![1]}more`;
    this.first = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
  }

  /** The proof of a client that knows the prepared password, and the proof of the server. */
  finals(password: string): { readonly client: string; readonly server: string } {
    const hash = this.#hash;
    const salted = pbkdf2Sync(password, salt, iterations, hash === 'sha256' ? 32 : 64, hash);
    const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
    const withoutProof = `c=biws,r=${this.#nonce}`;
    const message = `${this.#clientFirstBare},${this.first},${withoutProof}`;
    const key = hmac(salted, 'Client Key');
    const signature = hmac(createHash(hash).update(key).digest(), message);
    const proof = Buffer.from(key.map((byte, i) => byte ^ signature[i]!)).toString('base64');
    return {
      client: `${withoutProof},p=${proof}`,
      server: `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}`,
    };
  }
}

/** Makes every node require logins. The broker's `apiVersions` must announce both APIs. */
export async function wantLogins(broker: EmbeddedBroker, rules: SaslRules): Promise<void> {
  const { mechanism, instead = {} } = rules;
  await broker.control(SaslHandshake, ({ body }) => {
    if (instead.handshake !== undefined) return instead.handshake;
    const isKnown = (body as { mechanism: string }).mechanism === mechanism;
    return { body: { errorCode: isKnown ? 0 : 33, mechanisms: [mechanism] } };
  });
  const logins = new Map<number, ScramServer>();
  await broker.control(SaslAuthenticate, ({ body, connectionId }) => {
    const token = (body as { authBytes: Buffer }).authBytes.toString();
    const isScram = mechanism.startsWith('SCRAM');
    const login = logins.get(connectionId);
    const wanted = instead[login === undefined ? 'first' : 'second'];
    if (wanted !== undefined) return wanted;
    if (!isScram) return outcome(rules, token.includes(rules.password) && token.includes(rules.username));
    if (login !== undefined) {
      logins.delete(connectionId);
      const { client, server } = login.finals(rules.password);
      return token === client ? answer(rules, server) : outcome(rules, false);
    }
    const begun = new ScramServer(mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512', token);
    logins.set(connectionId, begun);
    return answer(rules, begun.first);
  });
}

/** For the `apiVersions` of an embedded broker. */
export const saslApis = { [SaslHandshake.key]: [0, 1], [SaslAuthenticate.key]: [0, 2] } as const;

function outcome({ sessionLifetimeMs = 0 }: SaslRules, isRight: boolean): Reply {
  if (isRight) return { body: { sessionLifetimeMs } };
  return { body: { errorCode: 58, errorMessage: 'Authentication failed: Invalid username or password' } };
}

function answer({ sessionLifetimeMs = 0, alter = (message) => message }: SaslRules, message: string): Reply {
  return { body: { authBytes: Buffer.from(alter(message)), sessionLifetimeMs } };
}
