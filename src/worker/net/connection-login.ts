// Owns the interface through which a connection uses its login: deadlines, tokens and the reasons of failures. Network thread.
// The logins themselves are in worker/sasl, which this room must not import.

/** The login of one connection. It may be repeated. */
export interface ConnectionLogin {
  /** The time at which `expire` has something to do, in ms on the monotonic clock. Infinity for never. */
  readonly deadline: number;
  expire(now: number): void;
  /** The connection is read again. The broker's time begins at `from`, in ms. */
  onReadAgain(from: number): void;
  /** A token came without a header, as after SaslHandshake 0. */
  onBareToken(token: Uint8Array): void;
  /** The reason why the connection ended during its login. */
  describeEnd(where: string, cause: Error | null): Error;
  /** The error to report when the setup deadline has passed while the login waited for this side. Null when the broker was late. */
  describeTimeout(): Error | null;
}
