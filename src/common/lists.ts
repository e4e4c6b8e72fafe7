// Owns what lists of any length need in place of a call with one argument for each item: the stack has room for some ten thousand
// arguments only, and a call with more of them throws. Every thread.

/** Appends all items. */
export function append<T>(list: T[], more: Iterable<T>): void {
  for (const item of more) list.push(item);
}

/** The greatest number, at least `atLeast`. */
export function greatest(numbers: Iterable<number>, atLeast = Number.NEGATIVE_INFINITY): number {
  let result = atLeast;
  for (const number of numbers) if (number > result) result = number;
  return result;
}

/** The least number; Infinity without any. */
export function least(numbers: Iterable<number>): number {
  let result = Number.POSITIVE_INFINITY;
  for (const number of numbers) if (number < result) result = number;
  return result;
}

/** Puts the items in the place of the one at `index`. */
export function replaceAt<T>(list: T[], index: number, items: readonly T[]): void {
  const behind = list.splice(index).slice(1);
  append(list, items);
  append(list, behind);
}
