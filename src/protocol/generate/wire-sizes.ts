// Owns the least number of bytes a value takes on the wire, version by version. Development only, runs in the generator.
// Must stay a lower bound: decoders refuse array counts by it.

import type { ElementType, Field, Message, PrimitiveName } from './model.ts';
import { contains, intersect, type Range } from './versions.ts';

const fixedBytes: Record<PrimitiveName, number> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
  string: 2,
  bytes: 4,
  records: 4,
};

/** An expression of `v` for the least bytes of one array element, for versions within `within`. */
export function minBytesExpression(type: ElementType, message: Message, within: Range): string {
  const cut = intersect(within, message.versions)!;
  const runs: { bytes: number; from: number }[] = [];
  for (let version = cut.min; version <= cut.max; version++) {
    const bytes = elementBytes(type, message, version);
    if (runs.at(-1)?.bytes !== bytes) runs.push({ bytes, from: version });
  }
  let expression = String(runs[0]!.bytes);
  for (const run of runs.slice(1)) expression = `v >= ${run.from} ? ${run.bytes} : ${expression}`;
  return expression;
}

function elementBytes(type: ElementType, message: Message, version: number): number {
  const isFlexible = contains(message.flexible, version);
  if (type.kind === 'primitive') return primitiveBytes(type.name, isFlexible);
  let bytes = isFlexible ? 1 : 0;
  for (const field of type.struct.fields) bytes += fieldBytes(field, message, version);
  return bytes;
}

function fieldBytes(field: Field, message: Message, version: number): number {
  if (field.tag >= 0 || !contains(field.versions, version)) return 0;
  const isFlexible = contains(message.flexible, version) && !field.neverCompact;
  if (field.type.kind === 'array') return isFlexible ? 1 : 4;
  if (field.type.kind === 'struct' && contains(field.nullable, version)) return 1;
  return elementBytes(field.type, message, version);
}

function primitiveBytes(name: PrimitiveName, isFlexible: boolean): number {
  const hasLength = name === 'string' || name === 'bytes' || name === 'records';
  return isFlexible && hasLength ? 1 : fixedBytes[name];
}
