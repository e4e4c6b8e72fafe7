// Messages as the schema tables describe them, for tests that walk values generically: which fields a version has, what
// the defaults are. Shared by the golden test and the unit tests of generated code.

import { apis, dataMessages, type FieldRow } from '../../../../src/protocol/schema/index.ts';

export interface TableMessage {
  readonly name: string;
  readonly apiKey: number;
  readonly kind: 'request' | 'response' | 'header' | 'data';
  readonly min: number;
  readonly max: number;
  /** First flexible version, or Infinity. */
  readonly flexible: number;
  readonly fields: readonly FieldRow[];
}

export type Plain = Record<string, unknown>;

function bounds(text: string): [number, number] {
  if (text === 'none') return [Number.POSITIVE_INFINITY, -1];
  const [from, to] = text.split('-');
  if (text.endsWith('+')) return [Number.parseInt(text, 10), Number.POSITIVE_INFINITY];
  return [Number(from), Number(to ?? from)];
}

export function isIn(text: string | undefined, version: number): boolean {
  if (text === undefined) return false;
  const [min, max] = bounds(text);
  return version >= min && version <= max;
}

function message(
  name: string,
  apiKey: number,
  kind: TableMessage['kind'],
  versions: string,
  flexible: string,
  fields: readonly FieldRow[],
): TableMessage {
  const [min, max] = bounds(versions);
  return { name, apiKey, kind, min, max, flexible: bounds(flexible)[0], fields };
}

/** By name, such as `FetchRequest`. */
export const tableMessages: ReadonlyMap<string, TableMessage> = new Map(
  [
    ...apis.flatMap(({ key, name, flexible, request, response }) => [
      message(`${name}Request`, key, 'request', request.versions, flexible, request.fields),
      message(`${name}Response`, key, 'response', response.versions, flexible, response.fields),
    ]),
    ...dataMessages.map(({ name, kind, versions, flexible, fields }) =>
      message(name, -1, kind, versions, flexible, fields),
    ),
  ].map((table) => [table.name, table]),
);

/** Fields of every struct of a message, by the struct's name. */
export function structFields(fields: readonly FieldRow[], found = new Map<string, readonly FieldRow[]>()) {
  for (const [, type, , , extras] of fields) {
    if (extras?.fields === undefined) continue;
    found.set(type.replace('[]', ''), extras.fields);
    structFields(extras.fields, found);
  }
  return found;
}

export function isStructName(type: string): boolean {
  return /^[A-Z]/.test(type);
}

/** The value an absent field has, in the form of `toObject`, with int64 as decimal text and bytes as base64. */
export function defaultValue(row: FieldRow, structs: ReadonlyMap<string, readonly FieldRow[]>): unknown {
  const [, type, , , extras] = row;
  const text = extras?.default;
  if (text === 'null') return null;
  if (type.startsWith('[]')) return [];
  if (isStructName(type)) {
    return Object.fromEntries(structs.get(type)!.map((field) => [field[0], defaultValue(field, structs)]));
  }
  switch (type) {
    case 'bool':
      return text === 'true';
    case 'int64':
      return text ?? '0';
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA';
    case 'string':
      return text ?? '';
    case 'bytes':
      return '';
    case 'records':
      return null;
    default:
      return Number(text ?? '0');
  }
}
