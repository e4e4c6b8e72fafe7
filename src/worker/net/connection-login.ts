// Owns what a connection has to know of its login: how it tells time and ends. Network thread. The logins themselves are in
// worker/sasl, which this room does not know.

/** The login of one connection, and its repetition. */
export interface ConnectionLogin {
  /** When `expire` has something to do, ms on the monotonic clock; Infinity for never. */
  readonly deadline: number;
  expire(now: number): void;
  /** The connection is read again after it was muted. */
  onUnmuted(now: number): void;
  /** A token that came without a header: SaslHandshake 0. */
  onBareToken(token: Uint8Array): void;
  /** Why a connection that ended during its login did so. */
  describeEnd(where: string, cause: Error | null): Error;
  /** What the connection's setup deadline ended, if it was this side that was late. */
  describeTimeout(): Error | null;
}
