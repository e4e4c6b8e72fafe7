// Owns small checks of what callers give for records. Runs on the caller's thread. Must not know flat memory.

import type Long from 'long';
import { InvalidRequestError } from '../../../common/errors/errors.ts';

export interface Int64Parts {
  low: number;
  high: number;
}

/** Reused: read it before the next call. */
const parts: Int64Parts = { low: 0, high: 0 };

/** The value in two halves; null if it is no Long, bigint or number, or out of range. */
export function int64Parts(value: unknown): Readonly<Int64Parts> | null {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) return null;
    parts.high = Math.floor(value / 4294967296);
    parts.low = value | 0;
    return parts;
  }
  if (typeof value === 'bigint') {
    if (BigInt.asIntN(64, value) !== value) return null;
    parts.high = Number(value >> 32n);
    parts.low = Number(BigInt.asIntN(32, value));
    return parts;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { low, high, unsigned } = value as Partial<Long>;
  if (typeof low !== 'number' || (low | 0) !== low || typeof high !== 'number' || (high | 0) !== high) return null;
  if (unsigned === true && high < 0) return null;
  parts.low = low;
  parts.high = high;
  return parts;
}

/** Whether UTF-8 can carry the text: it has no half of a surrogate pair. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** The value for an error message, short. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const type = (value as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof type === 'string' && type !== 'Object' ? `a ${type}` : 'an object';
}

/** The error for a wrong value. `field` is relative to the records field; empty means that field itself. */
export function wrongInput(field: string, value: unknown, expected: string): InvalidRequestError {
  const at = field === '' ? '' : `${field}: `;
  const what = value === undefined ? `missing, must be ${expected}` : `${shown(value)} is not ${expected}`;
  return new InvalidRequestError(`${at}${what}`, field === '' ? {} : { field });
}
