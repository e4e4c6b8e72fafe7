// Owns the way from a piece of input to a record: key and value of a line, headers, nulls, or JSON. Main thread. The properties are
// those of kafka-console-producer.

import { nearestName } from '../../common/text.ts';
import type { ProducerRecord } from '../../index.ts';
import { InputError, UsageError } from '../exit-codes.ts';
import { parseRecord } from './json-lines.ts';

export interface ReaderSettings {
  readonly isJson: boolean;
  /** Null: unless a property says so, there are no keys. */
  readonly keySeparator: string | null;
  readonly delimiter: string;
  readonly isEmptyNull: boolean;
  readonly properties: ReadonlyMap<string, string>;
}

/** Null for a line that is not sent, such as an empty one among JSON. Throws InputError. */
export type ReadRecord = (piece: Buffer) => ProducerRecord | null;

const known = [
  'parse.key',
  'key.separator',
  'parse.headers',
  'headers.delimiter',
  'headers.separator',
  'headers.key.separator',
  'ignore.error',
  'null.marker',
];

/** @param name of the input, for errors. Throws UsageError for an unknown property. */
export function recordReader(settings: ReaderSettings, name: string): ReadRecord {
  return settings.isJson ? jsonReader(name) : lineReader(settings, name);
}

function jsonReader(name: string): ReadRecord {
  let line = 0;
  return (piece) => {
    line++;
    const text = piece.toString('utf8');
    return text.trim() === '' ? null : parseRecord(text, name, line);
  };
}

function lineReader({ keySeparator, isEmptyNull, properties }: ReaderSettings, name: string): ReadRecord {
  for (const key of properties.keys()) {
    if (known.includes(key)) continue;
    const near = nearestName(key, known, 4) ?? known.join(', ');
    throw new UsageError(`--reader-property: there is no '${key.slice(0, 80)}'; known is ${near}`);
  }
  const flag = (key: string): boolean => properties.get(key) === 'true';
  const hasKey = keySeparator !== null || flag('parse.key');
  const separator = Buffer.from(keySeparator ?? properties.get('key.separator') ?? '\t');
  const hasHeaders = flag('parse.headers');
  const headersDelimiter = Buffer.from(properties.get('headers.delimiter') ?? '\t');
  const marker = properties.get('null.marker');
  const nullMarker = marker === undefined ? null : Buffer.from(marker);
  const ignoresErrors = flag('ignore.error');
  const orNull = (part: Buffer): Buffer | null =>
    (isEmptyNull && part.length === 0) || nullMarker?.equals(part) === true ? null : part;
  let line = 0;
  return (piece) => {
    line++;
    let rest = piece;
    let headers: (readonly [string, Buffer])[] | null = null;
    if (hasHeaders) {
      const at = rest.indexOf(headersDelimiter);
      if (at >= 0) {
        headers = headersOf(rest.subarray(0, at), properties, name, line);
        rest = rest.subarray(at + headersDelimiter.length);
      } else if (!ignoresErrors) throw missing(name, line, 'headers.delimiter', headersDelimiter);
    }
    if (!hasKey) return { value: orNull(rest), headers };
    const at = rest.indexOf(separator);
    if (at >= 0) {
      const [key, value] = [rest.subarray(0, at), rest.subarray(at + separator.length)];
      return { key: orNull(key), value: orNull(value), headers };
    }
    // A line without the separator: kcat sends it without a key, and Kafka's tool refuses it.
    if (keySeparator !== null || ignoresErrors) return { value: orNull(rest), headers };
    throw missing(name, line, 'key.separator', separator);
  };
}

function headersOf(
  part: Buffer,
  properties: ReadonlyMap<string, string>,
  name: string,
  line: number,
): (readonly [string, Buffer])[] {
  const text = part.toString('utf8');
  const keySeparator = properties.get('headers.key.separator') ?? ':';
  if (text === '') return [];
  return text.split(properties.get('headers.separator') ?? ',').map((pair) => {
    const at = pair.indexOf(keySeparator);
    if (at < 0) throw missing(name, line, 'headers.key.separator', Buffer.from(keySeparator));
    return [pair.slice(0, at), Buffer.from(pair.slice(at + keySeparator.length))] as const;
  });
}

function missing(name: string, line: number, property: string, mark: Buffer): InputError {
  return new InputError(`${name}, line ${line}: no ${property} ${JSON.stringify(mark.toString('utf8'))} in it`);
}
