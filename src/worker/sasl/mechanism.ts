// Owns what a SASL mechanism is to the exchange that carries its tokens. Network thread. A mechanism knows tokens only: no
// request, no connection, no clock.

/** One login with one mechanism; every login makes a new one. */
export interface SaslMechanism {
  /**
   * Answers a token of the broker; an empty one begins.
   * @returns the token to send, or null when the login has succeeded and nothing is left to send
   * Rejects with SaslAuthenticationFailedError, or whatever the mechanism's library raises.
   */
  respond(token: Buffer): Promise<Buffer | null>;
  /** The token returned last needs no answer: bare tokens (SaslHandshake 0) get none, and SaslAuthenticate an empty one. */
  readonly isLastToken: boolean;
  /** What the broker said when it refused, before it did so by an error code. */
  readonly refusal: string | null;
  /** Text of the broker without the secrets it may have sent back. */
  conceal(text: string): string;
}

/** Makes the mechanism for a login at `host`, as the configuration or the broker's metadata names it. */
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
    // In one pass: a secret may be a part of another, or of what replaces it.
    const patterns = this.#secrets.toSorted((a, b) => b.length - a.length).map(escaped);
    return shownText(text.replace(new RegExp(patterns.join('|'), 'g'), '[secret]'), maxTextLength);
  }

  protected keepSecret(text: string): void {
    // A broker may send back what it cannot make sense of, and show bytes as base64.
    if (text !== '') this.#secrets.push(text, Buffer.from(text).toString('base64'));
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** Text of a broker as it may stand in a message: of bounded length, and in one line. */
export function shownText(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
  return cut.replace(/\p{Cc}/gu, ' ');
}
