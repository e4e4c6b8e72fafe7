// Owns the generated views: the interfaces that applications see, and the classes behind them. Development only, runs in the
// generator. Must agree with the writers in flat-writers.ts and the decoders: all take words from the model.

import { type Code, capitalized, plus } from './code.ts';
import { fieldDoc, structDoc } from './flat-types.ts';
import { type ElementType, elementWords, type Field, type Message, type PrimitiveName, type Struct } from './model.ts';

const outputTypes: Record<PrimitiveName, string> = {
  bool: 'boolean',
  int8: 'number',
  int16: 'number',
  uint16: 'number',
  int32: 'number',
  uint32: 'number',
  int64: 'Long',
  float64: 'number',
  uuid: 'string',
  string: 'string',
  bytes: 'Buffer',
  records: 'RecordsView',
};

/** int8 to uint16 are words like any int32. */
const accessors: Record<PrimitiveName, string> = {
  bool: 'bool',
  int8: 'int32',
  int16: 'int32',
  uint16: 'int32',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  float64: 'float64',
  uuid: 'uuid',
  string: 'string',
  bytes: 'bytes',
  records: '',
};

/** One interface for each struct, the root first. It has the documentation, which costs nothing at run time there. */
export function viewInterfaces(code: Code, message: Message): void {
  for (const struct of [...message.structs].reverse()) {
    code.doc(structDoc(message, struct));
    code.block(`export interface ${struct.typeName}View extends FlatView`, (body) => {
      for (const field of struct.fields) {
        body.doc(fieldDoc(field, struct));
        body.line(`readonly ${field.name}: ${getter(field)[0]};`);
      }
      if (struct.unknownTagsWord >= 0) {
        body.doc('Tagged fields this client does not know, tags ascending; empty if there were none.');
        body.line('readonly unknownTaggedFields: UnknownTaggedField[];');
      }
    });
    code.line();
  }
}

/** One class for each struct, those it needs first. Each has the name of its interface. */
export function viewClasses(code: Code, message: Message): void {
  const elements = arrayElements(message);
  for (const struct of message.structs) {
    const names = struct.fields.map((field) => `'${field.name}'`);
    if (struct.unknownTagsWord >= 0) names.push(`'unknownTaggedFields'`);
    code.line(`const fieldsOf${struct.typeName}: readonly string[] = [${names.join(', ')}];`);
    code.block(`class ${struct.typeName}View extends FlatView`, (body) => {
      body.block('constructor(message: FlatMessage, word = 0)', (assign) =>
        assign.line('super();').line('this.flat = message;').line('this.flatWord = word;'),
      );
      body.line();
      for (const field of struct.fields) {
        const [type, expression] = getter(field);
        body.block(`get ${field.name}(): ${type}`, (get) => get.line(`return ${expression};`));
        body.line();
      }
      if (struct.unknownTagsWord >= 0) {
        body.block('get unknownTaggedFields(): UnknownTaggedField[]', (get) =>
          get.line(`return this.flat.unknownTaggedFields(${plus('this.flatWord', struct.unknownTagsWord)});`),
        );
        body.line();
      }
      body.block('protected override fieldNames(): readonly string[]', (get) =>
        get.line(`return fieldsOf${struct.typeName};`),
      );
    });
    const make = `(message, word) => new ${struct.typeName}View(message, word)`;
    if (elements.has(struct))
      code.line(`const read${struct.typeName}View: RowReader<${struct.typeName}View> = ${make};`);
    code.line();
  }
}

/** Structs that some array has as elements. */
function arrayElements(message: Message): Set<Struct> {
  const elements = new Set<Struct>();
  for (const { fields } of message.structs) {
    for (const { type } of fields) {
      if (type.kind === 'array' && type.element.kind === 'struct') elements.add(type.element.struct);
    }
  }
  return elements;
}

function getter(field: Field): readonly [type: string, expression: string] {
  const { type, nullable } = field;
  const word = plus('this.flatWord', field.word);
  if (type.kind === 'array') {
    const words = elementWords(type.element);
    const method = nullable === null ? 'array' : 'nullableArray';
    const array = `FlatArray<${outputType(type.element)}>`;
    return [orNull(array, field), `this.flat.${method}(${word}, ${words}, ${rowReader(type.element)})`];
  }
  if (type.kind === 'struct') {
    const view = `${type.struct.typeName}View`;
    if (nullable === null) return [view, `new ${view}(this.flat, ${word})`];
    const inner = plus('this.flatWord', field.word + 1);
    return [`${view} | null`, `this.flat.int32(${word}) === 0 ? null : new ${view}(this.flat, ${inner})`];
  }
  if (type.name === 'records') return ['RecordsView', `new RecordsView(this.flat, ${word})`];
  const accessor = accessors[type.name];
  const method = nullable === null ? accessor : `nullable${capitalized(accessor)}`;
  return [orNull(outputTypes[type.name], field), `this.flat.${method}(${word})`];
}

function orNull(type: string, field: Field): string {
  return field.nullable === null ? type : `${type} | null`;
}

function outputType(type: ElementType): string {
  return type.kind === 'struct' ? `${type.struct.typeName}View` : outputTypes[type.name];
}

function rowReader(type: ElementType): string {
  return type.kind === 'struct' ? `read${type.struct.typeName}View` : `read${capitalized(accessors[type.name])}`;
}
