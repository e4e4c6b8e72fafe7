// Owns how answers of administration calls cross between threads: one outcome for each item, as plain data. Every thread.

import type { PlainError } from '../errors/plain-error.ts';

/** What became of one item. */
export type PlainOutcome<V> =
  | { readonly ok: true; readonly value: V }
  | {
      readonly ok: false;
      readonly error: PlainError;
      /** An earlier attempt was lost on its way, so the item may have been changed all the same. */
      readonly maybeApplied: boolean;
    };

export type PlainResult<K, V> = readonly [key: K, outcome: PlainOutcome<V>];
export type PlainResults<K, V> = readonly PlainResult<K, V>[];

/** Options of every call. */
export interface AdminCallOptions {
  /** Limit of the whole call with its retries, ms. Default: that of the Admin. */
  readonly timeoutMs?: number | undefined;
}
