// Owns the PLAIN mechanism. Network thread. The password crosses as it is, so only SASL_SSL keeps it secret.
// Source: RFC 4616.

import { SaslAuthenticationFailedError } from '../../common/errors/errors.ts';
import { BaseMechanism } from './mechanism.ts';

export class Plain extends BaseMechanism {
  readonly #message: string;
  #isSent = false;

  constructor(username: string, password: string) {
    super();
    this.keepSecret(password);
    // Authorization id, authentication id, password: Kafka wants the first two to be the same.
    this.#message = `${username}\0${username}\0${password}`;
    this.keepSecret(this.#message);
  }

  async respond(token: Buffer): Promise<Buffer | null> {
    if (!this.#isSent) {
      this.#isSent = true;
      return Buffer.from(this.#message);
    }
    if (token.length === 0) return null;
    throw new SaslAuthenticationFailedError(`PLAIN ends with an empty answer, the broker sent ${token.length} bytes`);
  }
}
