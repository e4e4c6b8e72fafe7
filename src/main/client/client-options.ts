// Owns the shapes of what methods of the client take and give. Application thread. Types, and the names that are checked.

import type { ConnectionChoice } from '../../common/control.ts';
import type { Logger } from '../../common/logger.ts';

export type { ClientHandle } from '../thread/client-handle.ts';

export interface SendOptions {
  /** API version to use; default: the highest that broker and client both know. */
  version?: number | undefined;
  /** Integer ms > 0; default `requestTimeoutMs`. */
  timeoutMs?: number | undefined;
  /**
   * Name of a connection of its own to the same broker, 1 to 32 characters of a-z A-Z 0-9 . _ -; default: the connection that is
   * for everything. A broker answers in order: what may wait there, such as a Fetch, belongs on a lane of its own.
   */
  lane?: string | undefined;
  /**
   * Fails the Future with AbortError when aborted. What was sent stays sent, and its answer, which is dropped, still takes its
   * place among the requests in flight on that connection.
   */
  signal?: AbortSignal | undefined;
}

export interface AwaitOptions {
  /** Integer ms > 0; default `requestTimeoutMs`. */
  timeoutMs?: number | undefined;
  /** Ends the wait with AbortError when aborted. */
  signal?: AbortSignal | undefined;
}

export interface AwaitReadyOptions extends AwaitOptions {
  /** As of SendOptions. */
  lane?: string | undefined;
}

export interface StartOptions {
  /** Gives the start up when aborted: it fails with AbortError, and leaves nothing behind. */
  signal?: AbortSignal | undefined;
}

export interface AttachOptions {
  /**
   * `own`: this client and its producers and consumers have connections of their own, with their own limit of requests in flight;
   * docs/threads.md says what they cost. Default `shared`: the connections of all threads.
   */
  connections?: ConnectionChoice | undefined;
  /** As of the configuration, which cannot carry one to another thread; default: process warnings. */
  logger?: Logger | undefined;
}

export interface CheckVersionOptions {
  /** Integer ms > 0; default `apiVersionAutoTimeoutMs`. */
  timeoutMs?: number | undefined;
  /** The first failure ends the call. */
  strict?: boolean | undefined;
}

export interface PollOptions {
  /** When it is aborted, the wait ends early, and the call returns what has arrived. */
  signal?: AbortSignal | undefined;
}

/** What each call may be given. */
export const optionNames = {
  send: ['version', 'timeoutMs', 'lane', 'signal'],
  attach: ['logger', 'connections'],
  awaitReady: ['timeoutMs', 'lane', 'signal'],
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
