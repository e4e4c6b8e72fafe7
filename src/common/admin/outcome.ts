// Owns the form in which answers of administration calls cross between threads: one outcome for each item, as plain data. Every
// thread.

import type { PlainError } from '../errors/plain-error.ts';

/** The result of one item. */
export type PlainOutcome<V> =
  | { readonly ok: true; readonly value: V }
  | {
      readonly ok: false;
      readonly error: PlainError;
      /** True if an earlier attempt got no answer, or REQUEST_TIMED_OUT. The item may then have been changed in spite of the error. */
      readonly maybeApplied: boolean;
    };

export type PlainResult<K, V> = readonly [key: K, outcome: PlainOutcome<V>];
export type PlainResults<K, V> = readonly PlainResult<K, V>[];

/** The options of every call. */
export interface AdminCallOptions {
  /** Limit of the whole call with its retries, in ms. Default: the one of the Admin. */
  readonly timeoutMs?: number | undefined;
  /**
   * Gives up the wait: the call rejects with AbortError. What was asked of brokers is not taken back: the network thread ends the call by
   * itself, within its time limit, and changes may have been made.
   */
  readonly signal?: AbortSignal | undefined;
}
