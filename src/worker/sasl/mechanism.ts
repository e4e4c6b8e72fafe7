// Owns the interface of SASL mechanisms. Network thread. A mechanism only knows tokens: it must not use requests, connections or
// clocks.

/** One login with one mechanism. Every login makes a new object. */
export interface SaslMechanism {
  /**
   * Answers a token of the broker. The first call of a login has an empty token.
   * @returns the token to send, or null when the login has succeeded and nothing is left to send
   * Rejects with SaslAuthenticationFailedError, or with an error of the mechanism's library.
   */
  respond(token: Buffer): Promise<Buffer | null>;
  /** The last returned token ends the login. As a bare token (SaslHandshake 0) it gets no answer, in SaslAuthenticate an empty one. */
  readonly isLastToken: boolean;
  /** The broker's reason, if a token of the broker refused the login. The error code comes after that. */
  readonly refusal: string | null;
  /** Removes secrets from a text of the broker, which may repeat what it was sent. */
  conceal(text: string): string;
}

/** Makes the mechanism for a login at `host`. `host` is the name in the configuration or in the metadata. */
export type CreateMechanism = (host: string) => SaslMechanism;

/** Longer texts of a broker are cut. */
const maxTextLength = 1000;

export abstract class BaseMechanism implements SaslMechanism {
  isLastToken = false;
  refusal: string | null = null;
  readonly #secrets: string[] = [];

  abstract respond(token: Buffer): Promise<Buffer | null>;

  conceal(text: string): string {
    if (this.#secrets.length === 0) return shownText(text, maxTextLength);
    // All secrets are replaced in one pass, because one secret may be a part of another one or of the replacement.
    const patterns = this.#secrets.toSorted((a, b) => b.length - a.length).map(escaped);
    return shownText(text.replace(new RegExp(patterns.join('|'), 'g'), '[secret]'), maxTextLength);
  }

  protected keepSecret(text: string): void {
    // A broker may repeat what it was sent, as text or as base64.
    if (text !== '') this.#secrets.push(text, Buffer.from(text).toString('base64'));
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** A broker's text for use in a message: cut to `maxLength`, and in one line. */
export function shownText(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
  return cut.replace(/\p{Cc}/gu, ' ');
}
