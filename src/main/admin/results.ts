// Owns what administration calls answer about many items: a Map of outcomes, one for each item. Application thread.

import Long from 'long';
import type { PlainOutcome, PlainResults } from '../../common/admin/outcome.ts';
import { fromPlainError, type PlainError } from '../../common/errors/plain-error.ts';

/** What became of one item. */
export type Outcome<V> =
  | { readonly ok: true; readonly value: V }
  | {
      readonly ok: false;
      readonly error: Error;
      /**
       * An earlier attempt was lost on its way, and the broker may have carried it out: then `TOPIC_ALREADY_EXISTS` may mean that
       * this call created the topic.
       */
      readonly maybeApplied: boolean;
    };

/** Outcomes by item, in the order in which the items were given. An item's error is no error of the call. */
export class Results<K, V> extends Map<K, Outcome<V>> {
  /** The values by item. Throws: AggregateError with the error of every item that failed. */
  orThrow(): Map<K, V> {
    const errors: Error[] = [];
    const values = new Map<K, V>();
    for (const [key, outcome] of this) {
      if (outcome.ok) values.set(key, outcome.value);
      else errors.push(outcome.error);
    }
    if (errors.length === 0) return values;
    const first = errors[0]!.message;
    throw new AggregateError(errors, `${errors.length} of ${this.size} items failed; the first one: ${first}`);
  }
}

export function resultsOf<K, V>(plain: PlainResults<K, V>): Results<K, V> {
  return new Results(plain.map(([key, outcome]) => [key, outcomeOf(outcome)] as const));
}

/** The same with the callers' own objects as keys: results come in the order of the items. */
export function resultsFor<K, V>(items: readonly K[], plain: PlainResults<unknown, V>): Results<K, V> {
  return new Results(plain.map(([, outcome], i) => [items[i]!, outcomeOf(outcome)] as const));
}

export function outcomeOf<V>(plain: PlainOutcome<V>): Outcome<V> {
  if (plain.ok) return plain;
  return { ok: false, error: fromPlainError(plain.error), maybeApplied: plain.maybeApplied };
}

/** What went wrong at brokers, by broker id. */
export function errorsByBroker(
  errors: readonly { readonly brokerId: number; readonly error: PlainError }[],
): ReadonlyMap<number, Error> {
  return new Map(errors.map(({ brokerId, error }) => [brokerId, fromPlainError(error)]));
}

/** Structured clone carries a Long as its three fields; this makes it a Long again, wherever it stands in `value`. */
export function withLongs<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withLongs) as T;
  const { low, high, unsigned } = value as { low?: unknown; high?: unknown; unsigned?: unknown };
  if (typeof low === 'number' && typeof high === 'number' && typeof unsigned === 'boolean') {
    return Long.fromBits(low, high, unsigned) as T;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withLongs(inner)])) as T;
}
