// Owns the types in which callers pass an offset or a place in a log, and the parsing into plain data. Every thread.

import type { StartAt } from './consumer-config.ts';

/** The part of a Long that is needed here. */
interface LongLike {
  readonly low: number;
  readonly high: number;
}

/** The types in which callers may pass an offset. */
export type OffsetLike = LongLike | bigint | number;

const maxOffset = 2n ** 63n - 1n;

/** The offset. Null if the value is negative, not an integer, beyond int64, or a number that is not exact. */
export function parseOffset(value: unknown): bigint | null {
  let offset: bigint;
  if (typeof value === 'bigint') offset = value;
  else if (typeof value === 'number' && Number.isSafeInteger(value)) offset = BigInt(value);
  else if (isLong(value)) offset = BigInt.asIntN(64, (BigInt(value.high) << 32n) | BigInt(value.low >>> 0));
  else return null;
  return offset < 0n || offset > maxOffset ? null : offset;
}

/** The place at which to begin, as plain data. Undefined if the value is not a place. */
export function parseStart(value: unknown): StartAt | undefined {
  if (value === 'earliest' || value === 'latest') return value;
  const offset = parseOffset(value);
  if (offset !== null) return { offset: String(offset) };
  if (typeof value !== 'object' || value === null) return undefined;
  const timestampMs = parseOffset((value as { timestampMs?: unknown }).timestampMs);
  return timestampMs !== null && timestampMs <= BigInt(Number.MAX_SAFE_INTEGER)
    ? { timestampMs: Number(timestampMs) }
    : undefined;
}

function isLong(value: unknown): value is LongLike {
  if (typeof value !== 'object' || value === null) return false;
  const { low, high } = value as Partial<LongLike>;
  return Number.isInteger(low) && Number.isInteger(high);
}
