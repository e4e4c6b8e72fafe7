// Owns the schema tables as the tests on them see them: messages of both kinds in one list, ranges of versions, the walk over every
// field. Test code only.

import assert from 'node:assert/strict';
import {
  type ApiTable,
  apis,
  type DataTable,
  dataMessages,
  type FieldRow,
} from '../../../../src/protocol/schema/index.ts';

export interface Range {
  readonly low: number;
  readonly high: number;
}

export const NO_VERSIONS: Range = { low: 1, high: 0 };

export function range(text: string): Range {
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  assert.ok(match, `${JSON.stringify(text)} is no range of versions`);
  const low = Number(match[1]);
  const high = match[2] === '+' ? Number.POSITIVE_INFINITY : Number(match[3] ?? match[1]);
  assert.ok(low <= high, `range ${text} is upside down`);
  return { low, high };
}

export const rangeOrNone = (text: string | undefined): Range =>
  text === undefined || text === 'none' ? NO_VERSIONS : range(text);
export const isEmpty = (r: Range): boolean => r.low > r.high;
export const includes = (r: Range, version: number): boolean => version >= r.low && version <= r.high;
export const intersect = (a: Range, b: Range): Range => ({
  low: Math.max(a.low, b.low),
  high: Math.min(a.high, b.high),
});
export const covers = (outer: Range, inner: Range): boolean =>
  isEmpty(inner) || (outer.low <= inner.low && inner.high <= outer.high);

export function versionsOf(r: Range): number[] {
  assert.ok(Number.isFinite(r.high), 'a message has a highest version');
  return Array.from({ length: r.high - r.low + 1 }, (_, i) => r.low + i);
}

export interface Message {
  readonly name: string;
  readonly versions: Range;
  readonly flexible: Range;
  readonly fields: readonly FieldRow[];
}

function tableMessages(): Message[] {
  const ofApi = (api: ApiTable): Message[] =>
    (['request', 'response'] as const).map((kind) => ({
      name: `${api.name}${kind === 'request' ? 'Request' : 'Response'}`,
      versions: range(api[kind].versions),
      flexible: rangeOrNone(api.flexible),
      fields: api[kind].fields,
    }));
  const ofData = (data: DataTable): Message => ({
    name: data.name,
    versions: range(data.versions),
    flexible: rangeOrNone(data.flexible),
    fields: data.fields,
  });
  return [...apis.flatMap(ofApi), ...dataMessages.map(ofData)];
}

export const elementOf = (type: string): string => type.replace(/^\[\]/, '');
export const isStruct = (type: string): boolean => /^[A-Z]/.test(elementOf(type));

/** Calls `visit` for every field with the path to it and the versions in which it is on the wire. */
export function eachField(
  message: Message,
  visit: (row: FieldRow, path: string, present: Range, siblings: readonly FieldRow[], parentPresent: Range) => void,
): void {
  const walk = (rows: readonly FieldRow[], path: string, parent: Range): void => {
    for (const row of rows) {
      const present = intersect(range(row[2]), parent);
      visit(row, `${path}.${row[0]}`, present, rows, parent);
      walk(row[4]?.fields ?? [], `${path}.${row[0]}`, present);
    }
  };
  walk(message.fields, message.name, message.versions);
}

export const messages = tableMessages();
export const messageByName = new Map(messages.map((message) => [message.name, message]));
