// Owns the check of a call's options. Every thread. Must not check what the values are: the call does.

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
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw unknownName(`${call}: unknown option`, name, known);
  }
  return options;
}

/** The error for a name that nobody knows, with the one that may be meant, or all there are. @param what for example `send: unknown option` */
export function unknownName(what: string, name: string, known: readonly string[]): TypeError {
  const meant = nearestName(name, known, 2);
  const hint = meant === undefined ? `it takes ${known.join(', ')}` : `did you mean ${meant}?`;
  return new TypeError(`${what} ${shown(name)}; ${hint}`);
}
