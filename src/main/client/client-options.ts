// Owns the shapes of what methods of the client take and give. Application thread. Types only.

export interface SendOptions {
  /** API version to use; default: the highest that broker and client both know. */
  version?: number;
  /** Integer ms > 0; default `requestTimeoutMs`. */
  timeoutMs?: number;
}

export interface CheckVersionOptions {
  /** Integer ms > 0; default `apiVersionAutoTimeoutMs`. */
  timeoutMs?: number;
  /** The first failure ends the call. */
  strict?: boolean;
}

export interface PollOptions {
  /** Ends the wait early when aborted; the call then gives what has arrived. */
  signal?: AbortSignal;
}

/** Lowest and highest version of an API that a broker supports. */
export interface ApiVersionRange {
  readonly min: number;
  readonly max: number;
}
