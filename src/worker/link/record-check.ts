// Owns the check that the bytes of a posted record are a record: they are written in a thread that may have gone wrong, and go into a batch
// together with the records of others. Network thread. Must not allocate.

import { readSigned, varintEnd } from '../../protocol/flat/varints.ts';

/**
 * Whether `bytes[from, to)` is a record in wire format from its key's length on: key, value, headers, and nothing behind them.
 * @param keyLength of its key, -1 for none
 */
export function isRecord(bytes: Uint8Array, from: number, to: number, keyLength: number): boolean {
  if (keyLength < -1 || readSigned(bytes, from) !== keyLength) return false;
  let at = varintEnd + Math.max(keyLength, 0);
  if (at > to) return false;
  const valueLength = readSigned(bytes, at);
  at = varintEnd + Math.max(valueLength, 0);
  if (valueLength < -1 || at > to) return false;
  const headers = readSigned(bytes, at);
  at = varintEnd;
  if (headers < 0) return false;
  for (let i = 0; i < headers; i++) {
    if (at >= to) return false;
    const nameLength = readSigned(bytes, at);
    at = varintEnd + nameLength;
    if (nameLength < 0 || at > to) return false;
    const length = readSigned(bytes, at);
    at = varintEnd + Math.max(length, 0);
    if (length < -1) return false;
  }
  return at === to;
}
