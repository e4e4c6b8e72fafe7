// Owns the OAUTHBEARER mechanism. Network thread. Must not keep tokens: each login asks the provider.
// Source: RFC 7628, KIP-255, KIP-342.

import { isTextMap } from '../../common/config/oidc-options.ts';
import { SaslAuthenticationFailedError } from '../../common/errors/errors.ts';
import type { AskForToken, ProvidedToken } from '../../common/token-provider.ts';
import { BaseMechanism } from './mechanism.ts';

const separator = '\x01';

export class OAuthBearer extends BaseMechanism {
  readonly #askForToken: AskForToken;
  #step: 'token' | 'answer' | 'refused' = 'token';

  constructor(askForToken: AskForToken) {
    super();
    this.#askForToken = askForToken;
  }

  async respond(token: Buffer): Promise<Buffer | null> {
    switch (this.#step) {
      case 'token':
        this.#step = 'answer';
        return this.#first();
      case 'answer':
        if (token.length === 0) return null;
        this.#step = 'refused';
        this.refusal = this.conceal(token.toString());
        // The broker sends its error code only after this answer.
        return Buffer.from(separator);
      case 'refused':
        throw failure(`the broker refused the token: ${this.refusal}`);
    }
  }

  async #first(): Promise<Buffer> {
    const { token, extensions } = await this.#ask();
    if (typeof token !== 'string')
      throw failure(`the token provider returned a value of type ${typeof token}, not a string`);
    // This also keeps a token from adding fields to the message. RFC 6750 allows even fewer characters.
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw failure(
        token === ''
          ? 'the token provider returned an empty token'
          : "the provider's token holds characters that are not allowed: use printable ASCII without spaces",
      );
    }
    this.keepSecret(token);
    const fields = [`auth=Bearer ${token}`, ...extensionFields(extensions)];
    return Buffer.from(`n,,${separator}${fields.join(separator)}${separator}${separator}`);
  }

  async #ask(): Promise<ProvidedToken> {
    try {
      return await this.#askForToken();
    } catch (cause) {
      if (cause instanceof SaslAuthenticationFailedError) throw cause;
      const text = `the token provider failed: ${cause instanceof Error ? cause.message : 'for an unknown reason'}`;
      throw new SaslAuthenticationFailedError(text, { cause });
    }
  }
}

function extensionFields(extensions: unknown): string[] {
  if (!isTextMap(extensions))
    throw failure('the extensions of the token provider must be an object whose values are strings');
  return Object.entries(extensions).map(([name, value]) => {
    if (!/^[A-Za-z]+$/.test(name) || name.toLowerCase() === 'auth') {
      throw failure(`the extension name '${name.slice(0, 80)}' is not allowed: use letters only, and not 'auth'`);
    }
    if (!/^[\x20-\x7e\t\r\n]*$/.test(value))
      throw failure(`the value of extension '${name}' holds control or non-ASCII characters`);
    return `${name}=${value}`;
  });
}

function failure(text: string): SaslAuthenticationFailedError {
  return new SaslAuthenticationFailedError(text);
}
