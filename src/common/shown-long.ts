// Owns the Longs that the public API gives out: int64 values that are shown, and put into JSON, as their number. Every thread.

import Long from 'long';

const inspectCustom = Symbol.for('nodejs.util.inspect.custom');

/** A `Long` that is shown, and put into JSON, as its number. What is computed from it is a plain `Long`. */
class ShownLong extends Long {
  /** A string where a number would lose digits. */
  toJSON(): number | string {
    const value = this.toNumber();
    return Number.isSafeInteger(value) ? value : this.toString();
  }

  [inspectCustom](_depth: number, { stylize }: { stylize(text: string, style: string): string }): string {
    return stylize(this.toString(), 'number');
  }
}

export function longOf(low: number, high: number): Long {
  return new ShownLong(low, high, false);
}

/** The value of a decimal text, or of a Long. */
export function shownLong(value: string | Long): Long {
  const { low, high } = typeof value === 'string' ? Long.fromString(value) : value;
  return longOf(low, high);
}
