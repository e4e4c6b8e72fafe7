// Owns what the tables mean once parsed: messages, structs and fields with effective versions, defaults, nullability
// and their place in flat memory. Development only, runs in the generator. Must not print code.

import type { ApiTable, DataTable, FieldRow } from '../schema/schema.ts';
import { covers, envelope, intersect, parseRange, type Range } from './versions.ts';

export type PrimitiveName =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records';

export type ElementType =
  | { readonly kind: 'primitive'; readonly name: PrimitiveName }
  | { readonly kind: 'struct'; readonly struct: Struct };
export type FieldType = ElementType | { readonly kind: 'array'; readonly element: ElementType };

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly doc: string;
  /** Versions that carry it, within those that carry its struct. */
  readonly versions: Range;
  readonly nullable: Range | null;
  /** As in the table; undefined for the implicit default of the type. */
  readonly default: string | undefined;
  /** -1 for a field that is not tagged. */
  readonly tag: number;
  readonly ignorable: boolean;
  /** Keeps fixed-width lengths in flexible versions. */
  readonly neverCompact: boolean;
  /** Records that are kept as bytes. */
  readonly unaligned: boolean;
  /** Requests must give it. */
  readonly required: boolean;
  /** First word, relative to the struct. */
  word: number;
}

export interface Struct {
  readonly name: string;
  /** Unique among all messages. */
  readonly typeName: string;
  /** Versions of the message in which it can occur. */
  presence: Range;
  /** Dotted path of the only field that has it, its name when several have; empty for the root. */
  path: string;
  readonly fields: Field[];
  /** Where unknown tagged fields are kept; -1 when the message is never flexible. */
  unknownTagsWord: number;
  words: number;
}

export interface Message {
  /** Such as `FetchRequest`. */
  readonly name: string;
  readonly doc: string;
  readonly versions: Range;
  readonly flexible: Range | null;
  readonly root: Struct;
  /** All structs, the root last, each after those it contains. */
  readonly structs: readonly Struct[];
}

export interface Api {
  readonly kind: 'api';
  readonly key: number;
  readonly name: string;
  readonly file: string;
  readonly table: ApiTable;
  readonly request: Message;
  readonly response: Message;
}

export interface DataMessage {
  readonly kind: 'data';
  readonly name: string;
  readonly file: string;
  readonly message: Message;
}

const primitiveWords: Record<PrimitiveName, number> = {
  bool: 1,
  int8: 1,
  int16: 1,
  uint16: 1,
  int32: 1,
  uint32: 1,
  int64: 2,
  float64: 2,
  uuid: 4,
  string: 2,
  bytes: 2,
  records: 20,
};

/** Names that views and plain objects use themselves. */
const reservedNames = new Set([
  'flat',
  'flatWord',
  'fieldNames',
  'toObject',
  'toJSON',
  'constructor',
  'unknownTaggedFields',
]);

export function buildApi(table: ApiTable): Api {
  const message = (half: 'request' | 'response'): Message => {
    const name = table.name + (half === 'request' ? 'Request' : 'Response');
    return new MessageBuilder(name, table.doc, table[half].versions, table.flexible).build(table[half].fields);
  };
  const request = message('request');
  const response = message('response');
  const [a, b] = [request.versions, response.versions];
  if (a.min !== b.min || a.max !== b.max) throw new Error(`${table.name}: request and response versions differ`);
  return { kind: 'api', key: table.key, name: table.name, file: kebabCase(table.name), table, request, response };
}

export function buildData(table: DataTable): DataMessage {
  const builder = new MessageBuilder(table.name, table.doc, table.versions, table.flexible);
  return { kind: 'data', name: table.name, file: kebabCase(table.name), message: builder.build(table.fields) };
}

/** `FindCoordinator` as `find-coordinator`, `ConsumerProtocolSubscription` likewise. */
export function kebabCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}

export function elementWords(type: ElementType): number {
  return type.kind === 'struct' ? type.struct.words : primitiveWords[type.name];
}

interface Declaration {
  readonly name: string;
  readonly rows: readonly FieldRow[];
  presence: Range | null;
  paths: string[];
  struct: Struct | null;
}

class MessageBuilder {
  readonly #name: string;
  readonly #doc: string;
  readonly #versions: Range;
  readonly #flexible: Range | null;
  readonly #declarations = new Map<string, Declaration>();
  readonly #structs: Struct[] = [];

  constructor(name: string, doc: string, versions: string, flexible: string) {
    const all = parseRange(versions, { min: 0, max: 1000 });
    if (all === null) throw new Error(`${name}: no versions`);
    this.#name = name;
    this.#doc = doc;
    this.#versions = all;
    this.#flexible = parseRange(flexible, all);
    if (this.#flexible !== null && this.#flexible.max !== all.max)
      throw new Error(`${name}: flexible versions end early`);
  }

  build(rows: readonly FieldRow[]): Message {
    this.#declare(rows);
    this.#measure(rows, this.#versions, '', []);
    const root = this.#struct(this.#name, this.#name, rows, this.#versions, '');
    return {
      name: this.#name,
      doc: this.#doc,
      versions: this.#versions,
      flexible: this.#flexible,
      root,
      structs: this.#structs,
    };
  }

  /** Collects every struct's fields; a name met again must have the same fields or none. */
  #declare(rows: readonly FieldRow[]): void {
    for (const [name, type, , , extras] of rows) {
      const fields = extras?.fields;
      if (fields === undefined) continue;
      const structName = type.replace('[]', '');
      const known = this.#declarations.get(structName);
      if (known === undefined) {
        this.#declarations.set(structName, { name: structName, rows: fields, presence: null, paths: [], struct: null });
      } else if (known.rows !== fields && JSON.stringify(known.rows) !== JSON.stringify(fields)) {
        throw new Error(`${this.#name}: two different structs ${structName}, the second at ${name}`);
      }
      this.#declare(fields);
    }
  }

  /** Finds the versions in which each struct can occur, and where. */
  #measure(rows: readonly FieldRow[], presence: Range, path: string, within: readonly string[]): void {
    for (const [name, type, versions] of rows) {
      const structName = type.replace('[]', '');
      if (!/^[A-Z]/.test(structName)) continue;
      const declaration = this.#declarations.get(structName);
      if (declaration === undefined) throw new Error(`${this.#name}.${path}${name}: no fields of ${structName}`);
      if (within.includes(structName)) throw new Error(`${this.#name}: ${structName} contains itself`);
      const effective = parseRange(versions, presence);
      if (effective === null) throw new Error(`${this.#name}.${path}${name}: no version of its struct carries it`);
      declaration.presence = envelope(declaration.presence, effective);
      declaration.paths.push(path + name);
      this.#measure(declaration.rows, effective, `${path}${name}.`, [...within, structName]);
    }
  }

  #struct(name: string, typeName: string, rows: readonly FieldRow[], presence: Range, path: string): Struct {
    const fields: Field[] = [];
    for (const row of rows) {
      const field = this.#field(row, presence, name);
      if (field !== null) fields.push(field);
    }
    if (new Set(fields.map((field) => field.name)).size < fields.length)
      throw new Error(`${typeName}: field named twice`);
    const struct: Struct = { name, typeName, presence, path, fields, unknownTagsWord: -1, words: 0 };
    layOut(struct, this.#flexible !== null);
    this.#structs.push(struct);
    return struct;
  }

  #field(row: FieldRow, presence: Range, structName: string): Field | null {
    const [name, type, versionsText, doc, extras = {}] = row;
    const where = `${this.#name}.${structName}.${name}`;
    if (reservedNames.has(name) || !/^[a-z][A-Za-z0-9]*$/.test(name)) throw new Error(`${where}: name not possible`);
    const versions = parseRange(versionsText, presence);
    if (versions === null) return null;
    const nullable = extras.nullable === undefined ? null : parseRange(extras.nullable, versions);
    const fieldType = this.#type(type, where);
    if (extras.tag !== undefined) {
      if (extras.tag > 30) throw new Error(`${where}: tags above 30 do not fit the decoder's mask`);
      const tagged = parseRange(extras.tagged ?? 'none', versions);
      if (!covers(tagged, versions)) throw new Error(`${where}: tagged in some of its versions only`);
      if (!covers(this.#flexible, versions)) throw new Error(`${where}: tagged in versions that are not flexible`);
    }
    checkDefault(where, fieldType, extras.default, nullable);
    return {
      name,
      type: fieldType,
      doc,
      versions,
      nullable: intersect(nullable, versions),
      default: extras.default,
      tag: extras.tag ?? -1,
      ignorable: extras.ignorable === true,
      neverCompact: extras.flexible === 'none',
      unaligned: extras.unaligned === true,
      required: extras.default === undefined && extras.tag === undefined && covers(versions, presence),
      word: 0,
    };
  }

  #type(text: string, where: string): FieldType {
    if (text.startsWith('[]')) {
      const element = this.#type(text.slice(2), where);
      if (element.kind === 'array') throw new Error(`${where}: array of arrays`);
      if (element.kind === 'primitive' && element.name === 'records') throw new Error(`${where}: array of records`);
      return { kind: 'array', element };
    }
    if (text in primitiveWords) return { kind: 'primitive', name: text as PrimitiveName };
    const declaration = this.#declarations.get(text);
    if (declaration?.presence == null) throw new Error(`${where}: unknown type ${text}`);
    const { name, rows, presence, paths } = declaration;
    const typeName = name.startsWith(this.#name) ? name : this.#name + name;
    declaration.struct ??= this.#struct(name, typeName, rows, presence, paths.length === 1 ? paths[0]! : name);
    return { kind: 'struct', struct: declaration.struct };
  }
}

/** Words in the order of the fields; a nullable struct has a word before it, 1 when present. */
function layOut(struct: Struct, hasUnknownTags: boolean): void {
  let word = 0;
  for (const field of struct.fields) {
    field.word = word;
    if (field.type.kind === 'array') word += 2;
    else word += elementWords(field.type) + (field.type.kind === 'struct' && field.nullable !== null ? 1 : 0);
  }
  if (hasUnknownTags) {
    struct.unknownTagsWord = word;
    word += 2;
  }
  struct.words = word;
}

const integerLimits: Partial<Record<PrimitiveName, readonly [bigint, bigint]>> = {
  int8: [-128n, 127n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

function checkDefault(where: string, type: FieldType, text: string | undefined, nullable: Range | null): void {
  if (text === undefined) return;
  const wrong = new Error(`${where}: default ${JSON.stringify(text)} is not possible`);
  if (text === 'null') {
    if (nullable === null) throw wrong;
    return;
  }
  if (type.kind !== 'primitive') throw wrong;
  const limits = integerLimits[type.name];
  if (limits !== undefined) {
    if (!/^-?\d+$/.test(text) || BigInt(text) < limits[0] || BigInt(text) > limits[1]) throw wrong;
  } else if (type.name === 'bool') {
    if (text !== 'true' && text !== 'false') throw wrong;
  } else if (type.name === 'float64') {
    if (!Number.isFinite(Number(text))) throw wrong;
  } else if (type.name !== 'string' || text !== '') {
    throw wrong;
  }
}
