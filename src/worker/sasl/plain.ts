// Owns the PLAIN mechanism. Network thread. The password is sent as it is, so only SASL_SSL keeps it secret.
// Source: RFC 4616.

import { SaslAuthenticationFailedError } from '../../common/errors/errors.ts';
import { BaseMechanism } from './mechanism.ts';

export class Plain extends BaseMechanism {
  readonly #message: string;
  #isSent = false;

  constructor(username: string, password: string) {
    super();
    this.keepSecret(password);
    // The parts are authorization id, authentication id and password. Kafka requires the first two to be the same.
    this.#message = `${username}\0${username}\0${password}`;
    this.keepSecret(this.#message);
  }

  async respond(token: Buffer): Promise<Buffer | null> {
    if (!this.#isSent) {
      this.#isSent = true;
      return Buffer.from(this.#message);
    }
    if (token.length === 0) return null;
    throw new SaslAuthenticationFailedError(
      `the broker sent ${token.length} bytes where PLAIN ends with an empty answer`,
    );
  }
}
