// Owns the GSSAPI mechanism: Kerberos with the optional package `kerberos`, which calls the system's library. Network thread;
// the library's calls run in Node's thread pool. The library finds its ticket cache and configuration by itself (KRB5CCNAME,
// KRB5_CONFIG).
// Source: RFC 4752.

import { KafkaConfigurationError, SaslAuthenticationFailedError } from '../../common/errors/errors.ts';
import { requireFrom } from '../../common/require-from.ts';
import { BaseMechanism } from './mechanism.ts';

/** The functions of the package that are used. All tokens are base64. */
export interface Kerberos {
  initializeClient(service: string, options: object): Promise<KerberosClient>;
}

export interface KerberosClient {
  readonly username: string | null;
  readonly contextComplete: boolean;
  step(challenge: string): Promise<string | null>;
  unwrap(challenge: string): Promise<string>;
  wrap(challenge: string, options: { readonly user?: string; readonly protect?: boolean }): Promise<string>;
}

const require = requireFrom(import.meta.url);

/** Throws KafkaConfigurationError when the package is not installed, or does not run here. */
export function loadKerberos(): Kerberos {
  try {
    return require('kerberos') as Kerberos;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    const text = isMissing
      ? "saslMechanism GSSAPI needs the package 'kerberos', which is not installed: npm install kerberos"
      : `saslMechanism GSSAPI needs the package 'kerberos', which cannot be loaded: ${(cause as Error).message}`;
    throw new KafkaConfigurationError(text, { cause });
  }
}

/** The number for no security layer. Kafka offers this one, and this client accepts no other. */
const authOnly = 1;

export class Gssapi extends BaseMechanism {
  readonly #kerberos: Kerberos;
  readonly #service: string;
  #client: KerberosClient | null = null;
  #step: 'context' | 'layer' | 'done' = 'context';

  /** @param service such as `kafka@broker.example.com` */
  constructor(kerberos: Kerberos, service: string) {
    super();
    this.#kerberos = kerberos;
    this.#service = service;
  }

  async respond(token: Buffer): Promise<Buffer | null> {
    try {
      return await this.#respond(token);
    } catch (cause) {
      if (cause instanceof SaslAuthenticationFailedError) throw cause;
      const text = `Kerberos login for service ${this.#service} failed: ${(cause as Error).message}`;
      throw new SaslAuthenticationFailedError(text, { cause });
    }
  }

  async #respond(token: Buffer): Promise<Buffer | null> {
    switch (this.#step) {
      case 'context': {
        this.#client ??= await this.#kerberos.initializeClient(this.#service, {});
        const next = await this.#client.step(token.toString('base64'));
        if (this.#client.contextComplete) this.#step = 'layer';
        return Buffer.from(next ?? '', 'base64');
      }
      case 'layer':
        this.#step = 'done';
        this.isLastToken = true;
        return this.#chooseLayer(token);
      case 'done':
        if (token.length === 0) return null;
        throw new SaslAuthenticationFailedError(
          `the broker sent ${token.length} bytes where GSSAPI ends with an empty answer`,
        );
    }
  }

  /** The broker's offer has one byte of layers and three bytes of size. The answer is the layer, the same size and the user. */
  async #chooseLayer(token: Buffer): Promise<Buffer> {
    const offer = Buffer.from(await this.#client!.unwrap(token.toString('base64')), 'base64');
    if (offer.length !== 4 || (offer[0]! & authOnly) === 0) {
      const seen = offer.length === 4 ? `layers ${offer[0]}` : `${offer.length} bytes`;
      throw new SaslAuthenticationFailedError(
        `the broker offers ${seen} where authentication without a security layer was expected`,
      );
    }
    const answer = Buffer.concat([
      Buffer.from([authOnly]),
      offer.subarray(1),
      Buffer.from(this.#client!.username ?? ''),
    ]);
    const wrapped = await this.#client!.wrap(answer.toString('base64'), { protect: false });
    return Buffer.from(wrapped, 'base64');
  }
}
