// Owns the values of golden vectors: as input for our writers, as what a view should show, and a view's values in the form of
// the vectors. Test thread.

import assert from 'node:assert/strict';
import Long from 'long';
import type { FieldRow } from '../../../src/protocol/schema/index.ts';
import { defaultValue, isIn, isStructName, type Plain } from '../../unit/protocol/support/tables.ts';

type Structs = ReadonlyMap<string, readonly FieldRow[]>;

/** What callers would give for the vector's values. */
export function toInput(fields: readonly FieldRow[], structs: Structs, json: Plain): Plain {
  const input: Plain = {};
  for (const [name, type] of fields) {
    if (name in json) input[name] = inputValue(type, structs, json[name]);
  }
  const unknown = json._unknownTaggedFields as { tag: number; data: string }[] | undefined;
  if (unknown !== undefined) {
    input.unknownTaggedFields = unknown.map(({ tag, data }) => ({ tag, data: Buffer.from(data, 'base64') }));
  }
  return input;
}

let int64Turn = 0;

function inputValue(type: string, structs: Structs, value: unknown): unknown {
  if (value === null) return null;
  if (type.startsWith('[]')) return (value as unknown[]).map((element) => inputValue(type.slice(2), structs, element));
  if (isStructName(type)) return toInput(structs.get(type)!, structs, value as Plain);
  switch (type) {
    case 'int64': {
      const text = value as string;
      const forms = [Long.fromString(text), BigInt(text), Number(text)].filter(
        (form) => typeof form !== 'number' || Number.isSafeInteger(form),
      );
      return forms[int64Turn++ % forms.length];
    }
    case 'float64':
      return Number(value);
    case 'bytes':
    case 'records':
      return Buffer.from(value as string, 'base64');
    default:
      return value;
  }
}

/** What a view should show for the vector's values: absent fields hold defaults. */
export function toExpected(fields: readonly FieldRow[], structs: Structs, json: Plain): Plain {
  const expected: Plain = {};
  for (const row of fields) {
    const [name, type] = row;
    if (name in json) expected[name] = expectedValue(type, structs, json[name]);
    else expected[name] = defaultValue(row, structs);
  }
  if (json._unknownTaggedFields !== undefined) expected.unknownTaggedFields = json._unknownTaggedFields;
  return expected;
}

function expectedValue(type: string, structs: Structs, value: unknown): unknown {
  if (value === null) return null;
  if (type.startsWith('[]')) return (value as unknown[]).map((e) => expectedValue(type.slice(2), structs, e));
  if (isStructName(type)) return toExpected(structs.get(type)!, structs, value as Plain);
  return type === 'float64' ? Number(value) : value;
}

/** A view's plain object in the form of the vectors: int64 as decimal text, bytes and records as base64. */
export function comparable(fields: readonly FieldRow[], structs: Structs, plain: Plain): Plain {
  const result: Plain = {};
  for (const [name, type] of fields) result[name] = comparableValue(type, structs, plain[name]);
  const unknown = plain.unknownTaggedFields as { tag: number; data: Buffer }[] | undefined;
  if (unknown !== undefined) {
    result.unknownTaggedFields = unknown.map(({ tag, data }) => ({ tag, data: data.toString('base64') }));
  }
  assert.deepEqual(Object.keys(plain).sort(), Object.keys(result).sort());
  return result;
}

function comparableValue(type: string, structs: Structs, value: unknown): unknown {
  if (value === null) return null;
  if (type.startsWith('[]')) return (value as unknown[]).map((e) => comparableValue(type.slice(2), structs, e));
  if (isStructName(type)) return comparable(structs.get(type)!, structs, value as Plain);
  if (type === 'int64') {
    assert.ok(Long.isLong(value));
    return value.toString();
  }
  return Buffer.isBuffer(value) ? value.toString('base64') : value;
}

/** Fields as far as the struct they are in has them in this version; the struct's own presence is the caller's. */
export function assertOnlyVersionFields(
  fields: readonly FieldRow[],
  structs: Structs,
  json: Plain,
  version: number,
): void {
  for (const [name, type, versions] of fields) {
    if (!(name in json)) continue;
    assert.ok(isIn(versions, version), `${name} is in the vector but not in the table's version ${version}`);
    const value = json[name];
    const struct = structs.get(type.replace('[]', ''));
    if (struct === undefined || value === null) continue;
    for (const inner of Array.isArray(value) ? value : [value]) {
      assertOnlyVersionFields(struct, structs, inner as Plain, version);
    }
  }
}
