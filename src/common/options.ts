// Owns the checks of names and lists in what applications give to a call: options, fields of items. Every thread. Must not check what the
// values are: the call does.

import { nearestName, shown } from './text.ts';

const noOptions = Object.freeze({});

/**
 * The options as given, none for undefined. Throws TypeError for what is no object, and for a name that the call does not know:
 * an option that is misspelt would be one that is missing.
 */
export function checkOptions<T extends object>(call: string, options: T | undefined, known: readonly string[]): T {
  if (options === undefined) return noOptions as T;
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`${call}: options must be an object, not ${shown(options)}`);
  }
  checkNames(`${call}: unknown option`, options, known);
  return options;
}

/** Throws TypeError for a property that is not known: one that is misspelt would be one that is missing. @param what as for `unknownName` */
export function checkNames(what: string, given: object, known: readonly string[]): void {
  for (const name of Object.keys(given)) if (!known.includes(name)) throw unknownName(what, name, known);
}

/** Throws TypeError for anything but a list. */
export function checkList(call: string, name: string, given: unknown): asserts given is readonly unknown[] {
  if (!Array.isArray(given)) throw new TypeError(`${call}: ${name} must be a list, not ${shown(given)}`);
}

/** The error for a name that nobody knows, with the one that may be meant, or all there are. @param what for example `send: unknown option` */
export function unknownName(what: string, name: string, known: readonly string[]): TypeError {
  const meant = nearestName(name, known, 2);
  const hint = meant === undefined ? `it takes ${known.join(', ')}` : `did you mean ${meant}?`;
  return new TypeError(`${what} ${shown(name)}; ${hint}`);
}
