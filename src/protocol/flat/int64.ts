// Owns int64 values: of callers, in two halves as flat memory holds them, and as views give them out. Every thread. Must not
// change a value silently.

import type Long from 'long';
import { highHalf } from '../../common/numbers.ts';

export { longOf } from '../../common/shown-long.ts';

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
    parts.high = highHalf(value);
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
