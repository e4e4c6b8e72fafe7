// Owns records as lines of JSON: what `consume --json` writes, `produce --json` reads. Main thread.

import { isUtf8 } from 'node:buffer';
import { isWellFormed } from '../../common/text.ts';
import type { BytesInput, ProducerRecord } from '../../index.ts';
import { InputError } from '../exit-codes.ts';
import type { Writer } from './format.ts';
import { parseJson } from './json.ts';

/** Bytes that are UTF-8 are a JSON string; others are `{ "base64": "..." }`. */
type JsonBytes = string | { readonly base64: string } | null;

export const writeJson: Writer = (out, { topic, partition, record }) => {
  const { offset, timestamp, key, value, headers } = record;
  const line = {
    topic,
    partition,
    offset: exact(offset),
    timestamp: exact(timestamp),
    key: jsonBytes(key),
    value: jsonBytes(value),
    ...(headers.length > 0 && { headers: headers.map((one) => [one.key, jsonBytes(one.value)]) }),
  };
  out.line(JSON.stringify(line));
};

function exact(value: { toNumber(): number; toString(): string }): number | string {
  const number = value.toNumber();
  return Number.isSafeInteger(number) ? number : value.toString();
}

function jsonBytes(bytes: Buffer | null): JsonBytes {
  if (bytes === null) return null;
  return isUtf8(bytes) ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
}

const fields: readonly string[] = ['topic', 'partition', 'offset', 'timestamp', 'key', 'value', 'headers'];

/** @param name of the input @param line its number, from 1 on. Throws InputError with line, and column or field */
export function parseRecord(text: string, name: string, line: number): ProducerRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Slower, but it knows the place of the error.
    parsed = parseJson(text, name, line);
  }
  const wrong = (problem: string): InputError => new InputError(`${name}, line ${line}: ${problem}`);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw wrong('a record must be an object');
  const given = parsed as Record<string, unknown>;
  for (const key of Object.keys(given))
    if (!fields.includes(key)) throw wrong(`no such field '${key.slice(0, 80)}'; fields are ${fields.join(', ')}`);
  const { partition, timestamp, headers = null } = given;
  if (partition !== undefined && !(Number.isInteger(partition) && (partition as number) >= 0))
    throw wrong('partition must be an integer from 0 on');
  if (timestamp !== undefined && !Number.isSafeInteger(timestamp)) throw wrong('timestamp must be an integer, in ms');
  return {
    key: bytesOf(given.key, 'key', wrong),
    value: bytesOf(given.value, 'value', wrong),
    headers: headersOf(headers, wrong),
    partition: partition as number | undefined,
    timestamp: timestamp as number | undefined,
  };
}

type Wrong = (problem: string) => InputError;

/** A text, bytes in base64, or any other JSON, which is written as JSON. */
function bytesOf(value: unknown, field: string, wrong: Wrong): BytesInput | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') {
    if (!isWellFormed(value)) throw wrong(`${field} has half of a surrogate pair, which UTF-8 cannot carry`);
    return value;
  }
  const entries = Object.entries(value);
  if (typeof value === 'object' && entries.length === 1 && entries[0]![0] === 'base64') {
    const text = entries[0]![1] as unknown;
    if (typeof text !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw wrong(`${field} is not base64`);
    return Buffer.from(text, 'base64');
  }
  return JSON.stringify(value);
}

function headersOf(headers: unknown, wrong: Wrong): readonly (readonly [string, BytesInput | null])[] | null {
  if (headers === null) return null;
  if (typeof headers !== 'object') throw wrong('headers must be an object, or a list of [name, value]');
  const list: unknown[] = Array.isArray(headers) ? headers : Object.entries(headers as object);
  return list.map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== 'string')
      throw wrong('headers must be an object, or a list of [name, value]');
    return [pair[0], bytesOf(pair[1], `header '${pair[0].slice(0, 80)}'`, wrong)] as const;
  });
}
