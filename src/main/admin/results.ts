// Owns the results of administration calls about many items: a Map with an outcome for each item. Application thread.

import type { PlainOutcome, PlainResults } from '../../common/admin/outcome.ts';
import { fromPlainError, type PlainError } from '../../common/errors/plain-error.ts';
import { longOf } from '../../common/shown-long.ts';

/** The result of one item. */
export type Outcome<V> =
  | { readonly ok: true; readonly value: V }
  | {
      readonly ok: false;
      readonly error: Error;
      /**
       * True if an earlier attempt got no answer, or REQUEST_TIMED_OUT. The broker may have executed it. For example, `TOPIC_ALREADY_EXISTS` may then mean that
       * this call created the topic.
       */
      readonly maybeApplied: boolean;
    };

/** The outcomes by item, in the order of the items. An error of an item does not make the call reject. */
export class Results<K, V> extends Map<K, Outcome<V>> {
  /** The values by item. If items failed, throws an AggregateError with all their errors. */
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

/** Results with the caller's own objects as keys. Plain results are in the order of the items. */
export function resultsFor<K, V>(items: readonly K[], plain: PlainResults<unknown, V>): Results<K, V> {
  return new Results(plain.map(([, outcome], i) => [items[i]!, outcomeOf(outcome)] as const));
}

export function outcomeOf<V>(plain: PlainOutcome<V>): Outcome<V> {
  if (plain.ok) return plain;
  return { ok: false, error: fromPlainError(plain.error), maybeApplied: plain.maybeApplied };
}

/** The errors of brokers, by broker id. */
export function errorsByBroker(
  errors: readonly { readonly brokerId: number; readonly error: PlainError }[],
): ReadonlyMap<number, Error> {
  return new Map(errors.map(({ brokerId, error }) => [brokerId, fromPlainError(error)]));
}

/** Structured clone makes a plain object with three fields from a Long. This makes Longs again, anywhere in `value`. */
export function withLongs<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(withLongs) as T;
  const { low, high, unsigned } = value as { low?: unknown; high?: unknown; unsigned?: unknown };
  if (typeof low === 'number' && typeof high === 'number' && typeof unsigned === 'boolean') {
    return longOf(low, high) as T;
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withLongs(inner)])) as T;
}
