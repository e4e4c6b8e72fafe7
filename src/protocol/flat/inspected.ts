// Owns the text that printing shows of views. Any thread. Must not fail because memory went back: printing is for finding faults.

import { IllegalStateError } from '../../common/errors/errors.ts';

export const inspectCustom = Symbol.for('nodejs.util.inspect.custom');
export type Inspect = (value: unknown, options: object) => string;

/** What `read` returns, printed. If it cannot be read any more, the reason. */
export function inspected(read: () => unknown, options: object, inspect: Inspect): string {
  let value: unknown;
  try {
    value = read();
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
    return `(${error.message})`;
  }
  return inspect(value, options);
}
