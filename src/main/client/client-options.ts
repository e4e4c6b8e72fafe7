// Owns the shapes of what methods of the client take and give. Application thread. Types, and the names that are checked.

export interface SendOptions {
  /** API version to use; default: the highest that broker and client both know. */
  version?: number;
  /** Integer ms > 0; default `requestTimeoutMs`. */
  timeoutMs?: number;
  /**
   * Fails the Future with AbortError when aborted. What was sent stays sent, and its answer, which is dropped, still takes its
   * place among the requests in flight on that connection.
   */
  signal?: AbortSignal;
}

export interface AwaitOptions {
  /** Integer ms > 0; default `requestTimeoutMs`. */
  timeoutMs?: number;
  /** Ends the wait with AbortError when aborted. */
  signal?: AbortSignal;
}

export interface StartOptions {
  /** Gives the start up when aborted: it fails with AbortError, and leaves nothing behind. */
  signal?: AbortSignal;
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

/** What each call may be given. */
export const optionNames = {
  send: ['version', 'timeoutMs', 'signal'],
  awaitReady: ['timeoutMs', 'signal'],
  awaitTopic: ['timeoutMs', 'signal'],
  checkVersion: ['timeoutMs', 'strict'],
  poll: ['signal'],
  responses: ['signal'],
} as const;

/** Lowest and highest version of an API that a broker supports. */
export interface ApiVersionRange {
  readonly min: number;
  readonly max: number;
}
