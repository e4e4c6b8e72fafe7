// Owns the expressions that compare flat fields with their defaults and store those defaults. Development only, runs in
// the generator. Must not know files.

import { Code, plus } from './code.ts';
import type { Field, Struct } from './model.ts';

/** The low and high word of a decimal int64. */
export function int64Words(text: string): readonly [low: number, high: number] {
  const value = BigInt(text);
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

/** Whether the default is something other than zeroed words. */
export function hasNonzeroDefault(field: Field): boolean {
  const { type, default: text } = field;
  if (type.kind === 'struct') return field.nullable === null ? structHasNonzeroDefault(type.struct) : text !== 'null';
  if (type.kind === 'primitive' && type.name === 'records') return false;
  if (text === undefined) return false;
  if (text === 'null') return true;
  if (type.kind === 'primitive' && type.name === 'bool') return text === 'true';
  return text !== '' && Number(text) !== 0;
}

export function structHasNonzeroDefault(struct: Struct): boolean {
  return struct.fields.some(hasNonzeroDefault);
}

export function defaultFunctionName(struct: Struct): string {
  return `default${struct.typeName}`;
}

export function isDefaultFunctionName(struct: Struct): string {
  return `isDefault${struct.typeName}`;
}

/** Stores the default into zeroed words at `word`; nothing when zero is the default. */
export function storeDefault(code: Code, field: Field, base: string): void {
  if (!hasNonzeroDefault(field)) return;
  const { type, default: text } = field;
  const word = plus(base, field.word);
  if (type.kind === 'struct') {
    const inner = plus(base, field.word + (field.nullable === null ? 0 : 1));
    if (field.nullable !== null) code.line(`w.setInt32(${word}, 1);`);
    if (structHasNonzeroDefault(type.struct)) code.line(`${defaultFunctionName(type.struct)}(w, ${inner});`);
  } else if (text === 'null') {
    code.line(`w.setNull(${word});`);
  } else if (type.kind === 'primitive' && type.name === 'bool') {
    code.line(`w.setInt32(${word}, 1);`);
  } else if (type.kind === 'primitive' && type.name === 'int64') {
    const [low, high] = int64Words(text!);
    code.line(`w.setInt64(${word}, ${low}, ${high});`);
  } else if (type.kind === 'primitive' && type.name === 'float64') {
    code.line(`w.setFloat64(${word}, ${Number(text)});`);
  } else {
    code.line(`w.setInt32(${word}, ${Number(text)});`);
  }
}

/** An expression that is true when the field of `m` differs from its default. */
export function differsFromDefault(field: Field, base: string): string {
  const { type, default: text } = field;
  const word = plus(base, field.word);
  if (type.kind === 'struct') {
    if (field.nullable === null) return `!${isDefaultFunctionName(type.struct)}(m, ${word})`;
    if (text === 'null') return `m.int32(${word}) !== 0`;
    return `!(m.int32(${word}) !== 0 && ${isDefaultFunctionName(type.struct)}(m, ${plus(base, field.word + 1)}))`;
  }
  if (type.kind === 'array' || type.name === 'string' || type.name === 'bytes') {
    return text === 'null' ? `!m.isNull(${word})` : `m.lengthAt(${word}) !== 0`;
  }
  switch (type.name) {
    case 'records':
      return `m.int32(${word}) !== 0`;
    case 'bool':
      return text === 'true' ? `!m.bool(${word})` : `m.bool(${word})`;
    case 'int64': {
      const [low, high] = int64Words(text ?? '0');
      return `(m.int32(${word}) !== ${low} || m.int32(${plus(base, field.word + 1)}) !== ${high})`;
    }
    case 'float64':
      return `!Object.is(m.float64(${word}), ${Number(text ?? '0')})`;
    case 'uuid':
      return `m.uuid(${word}) !== 'AAAAAAAAAAAAAAAAAAAAAA'`;
    case 'uint32':
      return `m.uint32(${word}) !== ${Number(text ?? '0')}`;
    default:
      return `m.int32(${word}) !== ${Number(text ?? '0')}`;
  }
}

/** An expression for the value of the field of `m`, for error messages. */
export function describeValue(field: Field, base: string): string {
  const { type } = field;
  const word = plus(base, field.word);
  if (type.kind === 'struct') return `'a struct'`;
  if (type.kind === 'array') return `\`array of \${m.lengthAt(${word})}\``;
  switch (type.name) {
    case 'records':
      return `'records'`;
    case 'bytes':
      return `\`\${m.lengthAt(${word})} bytes\``;
    case 'string':
      return `m.nullableString(${word})`;
    case 'bool':
    case 'int64':
    case 'float64':
    case 'uuid':
    case 'uint32':
      return `m.${type.name}(${word})`;
    default:
      return `m.int32(${word})`;
  }
}

/**
 * Functions that store the nonzero defaults of those structs for which `body`, or another of them, calls one; each after
 * those it calls.
 */
export function defaultFunctions(structs: readonly Struct[], body: string): string {
  let functions = '';
  for (const struct of [...structs].reverse()) {
    const name = defaultFunctionName(struct);
    if (!`${functions}${body}`.includes(`${name}(w, `)) continue;
    const code = new Code();
    code.block(`function ${name}(w: FlatWriter, word: number): void`, (inner) => {
      for (const field of struct.fields) storeDefault(inner, field, 'word');
    });
    functions = `${code}\n${functions}`;
  }
  return functions;
}
