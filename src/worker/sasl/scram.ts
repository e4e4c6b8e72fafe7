// Owns the SCRAM mechanisms. Network thread. The slow part is in salted-password.ts.
// Source: RFC 5802, RFC 7677; KIP-48 for delegation tokens.
//
//   client: n,,n=USER,r=NONCE                                  client-first
//   server: r=NONCE+MORE,s=SALT,i=ITERATIONS                   server-first
//   client: c=biws,r=NONCE+MORE,p=PROOF                        client-final
//   server: v=SIGNATURE, or e=ERROR                            server-final: proves that the broker knows the password too

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { SaslAuthenticationFailedError } from '../../common/errors/errors.ts';
import { BaseMechanism } from './mechanism.ts';
import { type SaltPassword, saltPassword } from './salted-password.ts';

export interface ScramOptions {
  readonly hash: 'sha256' | 'sha512';
  readonly username: string;
  readonly password: string;
  readonly isDelegationToken: boolean;
  /** Computes the salted password. Default: computes it for each login. */
  readonly salted?: SaltPassword;
  /** Printable, without comma. Default: 32 random hexadecimal digits. */
  readonly nonce?: string;
}

/** The least number that RFC 7677 and Kafka allow. With fewer, an eavesdropper could guess passwords quickly. */
export const minIterations = 4096;
/** A limit, so that a broker cannot keep this side busy for long. */
export const maxIterations = 1_000_000;

const gs2Header = 'n,,';
const utf8 = new TextDecoder('utf-8', { fatal: true });

interface ServerFirst {
  readonly nonce: string;
  readonly salt: Buffer;
  readonly iterations: number;
}

export class Scram extends BaseMechanism {
  readonly #options: ScramOptions;
  readonly #nonce: string;
  #step: 'client-first' | 'client-final' | 'server-final' = 'client-first';
  #clientFirstBare = '';
  #serverSignature: Buffer = Buffer.alloc(0);

  constructor(options: ScramOptions) {
    super();
    this.#options = options;
    this.#nonce = options.nonce ?? randomBytes(16).toString('hex');
    this.keepSecret(options.password);
  }

  async respond(token: Buffer): Promise<Buffer | null> {
    switch (this.#step) {
      case 'client-first':
        this.#step = 'client-final';
        return this.#clientFirst();
      case 'client-final':
        this.#step = 'server-final';
        return this.#clientFinal(textOf(token));
      case 'server-final':
        this.#checkServerFinal(attributesOf(textOf(token)));
        return null;
    }
  }

  async #clientFirst(): Promise<Buffer> {
    const username = escapeName(await prepare(this.#options.username, 'saslPlainUsername'));
    const extensions = this.#options.isDelegationToken ? ',tokenauth=true' : '';
    this.#clientFirstBare = `n=${username},r=${this.#nonce}${extensions}`;
    return Buffer.from(gs2Header + this.#clientFirstBare);
  }

  async #clientFinal(serverFirst: string): Promise<Buffer> {
    const { nonce, salt, iterations } = this.#parseServerFirst(attributesOf(serverFirst));
    const { hash } = this.#options;
    const password = await prepare(this.#options.password, 'saslPlainPassword');
    const salted = await (this.#options.salted ?? saltPassword)({ hash, password, salt, iterations });
    const hmac = (key: Buffer, text: string): Buffer => createHmac(hash, key).update(text).digest();
    const withoutProof = `c=${Buffer.from(gs2Header).toString('base64')},r=${nonce}`;
    const authMessage = `${this.#clientFirstBare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const clientSignature = hmac(createHash(hash).update(clientKey).digest(), authMessage);
    const proof = Buffer.from(clientKey.map((byte, i) => byte ^ clientSignature[i]!));
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), authMessage);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  #parseServerFirst(attributes: ReadonlyMap<string, string>): ServerFirst {
    this.#throwIfRefused(attributes);
    if (attributes.has('m')) throw failure('the broker demands a SCRAM extension that this client does not know');
    const nonce = attributes.get('r') ?? '';
    if (!nonce.startsWith(this.#nonce)) throw failure("the nonce in the broker's answer is not that of this login");
    if (nonce.length === this.#nonce.length) throw failure("the broker did not extend the client's nonce");
    const salt = base64(attributes.get('s'));
    if (salt === null) throw failure("the salt in the broker's answer is missing or not base64");
    const digits = attributes.get('i') ?? '';
    const iterations = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
    if (!(iterations >= minIterations && iterations <= maxIterations)) {
      const seen = digits === '' ? 'no iteration count' : `iteration count ${this.conceal(digits.slice(0, 20))}`;
      throw failure(`the broker sent ${seen}; from ${minIterations} to ${maxIterations} are accepted`);
    }
    return { nonce, salt, iterations };
  }

  #checkServerFinal(attributes: ReadonlyMap<string, string>): void {
    this.#throwIfRefused(attributes);
    const signature = base64(attributes.get('v'));
    const expected = this.#serverSignature;
    const isRight = signature?.length === expected.length && timingSafeEqual(signature, expected);
    if (!isRight)
      throw failure(
        "the broker's signature is wrong: the server does not know the password, so it may not be the real broker",
      );
  }

  #throwIfRefused(attributes: ReadonlyMap<string, string>): void {
    const error = attributes.get('e');
    if (error !== undefined) throw failure(`the broker refused: ${this.conceal(error)}`);
  }
}

/** SASLprep (RFC 4013), which RFC 5802 requires for names and passwords. The first login that needs its tables loads them. */
async function prepare(text: string, key: string): Promise<string> {
  // SASLprep does not change printable ASCII.
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const { saslprep } = await import('@mongodb-js/saslprep');
  try {
    return saslprep(text, { allowUnassigned: true });
  } catch {
    // The library's message is not used: it shows characters of the secret.
    throw failure(`${key} holds characters that SASLprep (RFC 4013) forbids`);
  }
}

function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** Parses `a=1,b=2`. If a name comes twice, the first one counts. */
function attributesOf(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const part of text.split(',')) {
    if (!/^[A-Za-z]=/.test(part)) throw failure("the broker's SCRAM message is malformed");
    if (!attributes.has(part[0]!)) attributes.set(part[0]!, part.slice(2));
  }
  return attributes;
}

function textOf(token: Buffer): string {
  try {
    return utf8.decode(token);
  } catch {
    throw failure("the broker's SCRAM message is not UTF-8");
  }
}

function base64(text: string | undefined): Buffer | null {
  if (text === undefined || text === '' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  return Buffer.from(text, 'base64');
}

function failure(text: string): SaslAuthenticationFailedError {
  return new SaslAuthenticationFailedError(text);
}
