// Owns small checks of what callers give for records. Runs on the caller's thread. Must not know flat memory.

import { InvalidRequestError } from '../../../common/errors/errors.ts';
import { shown } from '../../../common/text.ts';

/** The error for a wrong value. `field` is relative to the records field; empty means that field itself. */
export function wrongInput(field: string, value: unknown, expected: string): InvalidRequestError {
  const at = field === '' ? '' : `${field}: `;
  const what = value === undefined ? `missing, must be ${expected}` : `${shown(value)} is not ${expected}`;
  return new InvalidRequestError(`${at}${what}`, field === '' ? {} : { field });
}
