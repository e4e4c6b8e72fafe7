// Owns what callers may give for an offset or a place in a log, and its plain form. Every thread.

import type { StartAt } from './consumer-config.ts';

/** A Long, as far as it is needed here. */
interface LongLike {
  readonly low: number;
  readonly high: number;
}

/** What callers may give for an offset. */
export type OffsetLike = LongLike | bigint | number;

const maxOffset = 2n ** 63n - 1n;

/** The offset; null for what is none: negative, not whole, beyond int64, or a number that is not exact. */
export function parseOffset(value: unknown): bigint | null {
  let offset: bigint;
  if (typeof value === 'bigint') offset = value;
  else if (typeof value === 'number' && Number.isSafeInteger(value)) offset = BigInt(value);
  else if (isLong(value)) offset = BigInt.asIntN(64, (BigInt(value.high) << 32n) | BigInt(value.low >>> 0));
  else return null;
  return offset < 0n || offset > maxOffset ? null : offset;
}

/** Where to begin, as plain data; undefined for what is no place. */
export function parseStart(value: unknown): StartAt | undefined {
  if (value === 'earliest' || value === 'latest') return value;
  const offset = parseOffset(value);
  if (offset !== null) return { offset: String(offset) };
  if (typeof value !== 'object' || value === null) return undefined;
  const { timestampMs } = value as { timestampMs?: unknown };
  return Number.isSafeInteger(timestampMs) && (timestampMs as number) >= 0
    ? { timestampMs: timestampMs as number }
    : undefined;
}

function isLong(value: unknown): value is LongLike {
  if (typeof value !== 'object' || value === null) return false;
  const { low, high } = value as Partial<LongLike>;
  return Number.isInteger(low) && Number.isInteger(high);
}
