// Owns the checks of values that callers put into plain request objects, and their way into flat memory. Runs on the
// caller's thread, inside the call. Must not let a value through that the wire cannot carry, or change one silently.

import type Long from 'long';
import { InvalidRequestError, KafkaClientError } from '../../common/errors/errors.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { isWellFormed, nearestName, shown } from '../../common/text.ts';
import type { UnknownTaggedField } from './flat-view.ts';
import { FlatLimitError, type FlatWriter } from './flat-writer.ts';
import { int64Parts } from './int64.ts';
import { isUuid, uuidBytes } from './uuid.ts';
import { putUnsigned, sizeOfUnsigned } from './varints.ts';

/** What callers may give for an int64: a Long, a bigint, or a number that is a safe integer. */
export type Int64 = Long | bigint | number;

/** Kafka's limit for text, also where the length is compact. */
const maxText = 32767;

/** What is wrong with a value, before it is known where in the request it stands. Internal. */
class InputProblem extends Error {
  path: string;

  constructor(path: string, message: string) {
    super(message);
    this.name = 'InputProblem';
    this.path = path;
  }
}

function problem(name: string, value: unknown, expected: string): InputProblem {
  if (value === undefined) return new InputProblem(name, `missing, must be ${expected}`);
  return new InputProblem(name, `${shown(value)} is not ${expected}`);
}

/** `error` as seen from the struct that has the field. */
export function within(error: unknown, name: string, index = -1): unknown {
  const step = index < 0 ? name : `${name}[${index}]`;
  if (error instanceof InputProblem) {
    error.path = joined(step, error.path);
  } else if (error instanceof InvalidRequestError) {
    return Object.assign(new InputProblem(joined(step, error.field ?? ''), error.message), { cause: error });
  }
  return error;
}

/** An index follows its list without a dot: `topics[0].name`. */
function joined(step: string, path: string): string {
  if (path === '') return step;
  return path.startsWith('[') ? step + path : `${step}.${path}`;
}

/** What the caller gets for an error that a writer threw. */
export function invalidMessage(error: unknown, title: string, apiKey: number): unknown {
  const api = apiKey < 0 ? {} : { apiKey };
  if (error instanceof InputProblem) {
    const at = error.path === '' ? '' : `, ${error.path}`;
    return new InvalidRequestError(`${title}${at}: ${error.message}`, {
      ...api,
      ...(error.path === '' ? {} : { field: error.path }),
      ...(error.cause === undefined ? {} : { cause: error.cause }),
    });
  }
  if (error instanceof FlatLimitError)
    return new InvalidRequestError(`${title}: ${error.message}`, { ...api, cause: error });
  if (error instanceof KafkaClientError) error.apiKey ??= apiKey;
  return error;
}

/**
 * Throws unless `value` is an object all of whose enumerable properties are among `keys`. Properties that other code has added to
 * `Object.prototype` are nobody's fields.
 */
export function checkObject(value: unknown, keys: ReadonlySet<string>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem('', value, 'an object');
  for (const key in value) {
    if (keys.has(key) || (value as Record<string, unknown>)[key] === undefined) continue;
    if (key in Object.prototype && !Object.hasOwn(value, key)) continue;
    throw unknownProperty(key, keys);
  }
}

function unknownProperty(key: string, keys: ReadonlySet<string>): InputProblem {
  const closest = nearestName(key, keys, Math.max(2, key.length >> 1));
  const hint = closest === undefined ? `fields are ${[...keys].join(', ') || 'none'}` : `did you mean ${closest}?`;
  return new InputProblem(key, `no such field; ${hint}`);
}

/** Length of an array; throws for anything else. */
export function checkArray(name: string, value: unknown): number {
  if (!Array.isArray(value)) throw problem(name, value, 'an array');
  return value.length;
}

type Put = (w: FlatWriter, word: number, name: string, value: unknown) => void;

/** An array of primitives. */
export function putArray(w: FlatWriter, word: number, name: string, value: unknown, rowWords: number, put: Put): void {
  const count = checkArray(name, value);
  const rows = w.array(word, count, rowWords);
  let i = 0;
  try {
    for (; i < count; i++) put(w, rows + i * rowWords, '', (value as unknown[])[i]);
  } catch (error) {
    throw within(error, name, i);
  }
}

function putInteger(w: FlatWriter, word: number, name: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw problem(name, value, `an integer from ${min} to ${max}`);
  }
  w.setInt32(word, value as number);
}

export function putInt8(w: FlatWriter, word: number, name: string, value: unknown): void {
  putInteger(w, word, name, value, -128, 127);
}

export function putInt16(w: FlatWriter, word: number, name: string, value: unknown): void {
  putInteger(w, word, name, value, -32768, 32767);
}

export function putUint16(w: FlatWriter, word: number, name: string, value: unknown): void {
  putInteger(w, word, name, value, 0, 65535);
}

export function putInt32(w: FlatWriter, word: number, name: string, value: unknown): void {
  if (typeof value === 'number' && (value | 0) === value) w.setInt32(word, value);
  else throw problem(name, value, 'an integer from -2147483648 to 2147483647');
}

export function putUint32(w: FlatWriter, word: number, name: string, value: unknown): void {
  putInteger(w, word, name, value, 0, 4294967295);
}

const expectedInt64 = 'an int64: a Long, a bigint, or a safe integer';

export function putInt64(w: FlatWriter, word: number, name: string, value: unknown): void {
  const parts = int64Parts(value);
  if (parts === null) throw problem(name, value, expectedInt64);
  w.setInt64(word, parts.low, parts.high);
}

export function putFloat64(w: FlatWriter, word: number, name: string, value: unknown): void {
  if (typeof value !== 'number') throw problem(name, value, 'a number');
  w.setFloat64(word, value);
}

export function putBool(w: FlatWriter, word: number, name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw problem(name, value, 'true or false');
  w.setBool(word, value);
}

export function putUuid(w: FlatWriter, word: number, name: string, value: unknown): void {
  if (typeof value !== 'string' || !isUuid(value)) throw problem(name, value, 'a uuid of 22 characters of base64url');
  const bytes = uuidBytes(value);
  w.setUuid(word, bytes.readInt32BE(0), bytes.readInt32BE(4), bytes.readInt32BE(8), bytes.readInt32BE(12));
}

export function putString(w: FlatWriter, word: number, name: string, value: unknown): void {
  if (typeof value !== 'string') throw problem(name, value, 'a string');
  if (value.length > maxText) throw tooLongText(name, value.length, 'or more');
  const length = w.string(word, value);
  if (length === value.length) return;
  if (length > maxText) throw tooLongText(name, length, 'in UTF-8');
  if (!isWellFormed(value)) throw problem(name, value, 'well-formed text: it has half a surrogate pair');
}

function tooLongText(name: string, length: number, note: string): InputProblem {
  return new InputProblem(name, `text of ${length} bytes ${note}, limit ${maxText}`);
}

export function putBytes(w: FlatWriter, word: number, name: string, value: unknown): void {
  if (!(value instanceof Uint8Array)) throw problem(name, value, 'a Uint8Array');
  w.bytes(word, value);
}

/** @param knownTags tags that are fields of the struct and must be given as such */
export function putUnknownTaggedFields(
  w: FlatWriter,
  word: number,
  value: unknown,
  knownTags: readonly number[],
): void {
  const name = 'unknownTaggedFields';
  const count = checkArray(name, value);
  const from = w.messageBytes;
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const field = (value as unknown[])[i] as Partial<UnknownTaggedField> | null | undefined;
    const step = `${name}[${i}]`;
    if (typeof field !== 'object' || field === null) throw problem(step, field, 'an object');
    const { tag, data } = field;
    if (typeof tag !== 'number' || (tag | 0) !== tag || tag < 0) {
      throw problem(`${step}.tag`, tag, `an integer from 0 to ${maxInt32}`);
    }
    if (tag <= previous) throw new InputProblem(`${step}.tag`, `${tag} after ${previous}: tags must ascend`);
    if (knownTags.includes(tag)) throw new InputProblem(`${step}.tag`, `${tag} is the tag of a field known here`);
    if (!(data instanceof Uint8Array)) throw problem(`${step}.data`, data, 'a Uint8Array');
    previous = tag;
    putVarint(w, tag);
    putVarint(w, data.length);
    const at = w.allocBytes(data.length);
    w.u8.set(data, w.byteBase + at);
  }
  w.setInt64(word, from, w.messageBytes - from);
}

function putVarint(w: FlatWriter, value: number): void {
  const at = w.allocBytes(sizeOfUnsigned(value));
  putUnsigned(w.u8, w.byteBase + at, value);
}
