// Owns the reading of record headers, which keep their wire form in flat memory. Runs on the application's thread. Must
// not check counts and lengths again: the decoder has.

import type { FlatMessage } from '../flat-view.ts';
import { readSigned, varintEnd } from '../varints.ts';

export interface RecordHeader {
  readonly key: string;
  /** A slice of the message, no copy. */
  readonly value: Buffer | null;
}

/** The `count` headers at byte `offset` of the message. */
export function readHeaders(message: FlatMessage, offset: number, count: number): RecordHeader[] {
  const { u8, byteBase, buffer } = message;
  const headers: RecordHeader[] = [];
  let at = byteBase + offset;
  const length = (): number => {
    const value = readSigned(u8, at);
    at = varintEnd;
    return value;
  };
  for (let i = 0; i < count; i++) {
    const keyLength = length();
    const key = buffer.toString('utf8', at, at + keyLength);
    at += keyLength;
    const valueLength = length();
    headers.push({ key, value: valueLength < 0 ? null : message.slice(at - byteBase, valueLength) });
    if (valueLength > 0) at += valueLength;
  }
  return headers;
}
