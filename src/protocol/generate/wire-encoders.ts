// Owns the generated functions that write a flat message to the wire. Development only, runs in the generator. Must
// refuse what the version cannot carry, and never drop a value that the tables do not call ignorable.

import { Code, parameters, plus } from './code.ts';
import { type ElementType, elementWords, type Field, type Message, type Struct } from './model.ts';
import { describeValue, differsFromDefault, isDefaultFunctionName } from './values.ts';
import { condition, intersect, type Range } from './versions.ts';

/**
 * Arrays whose null goes out as empty where the version has no null. Metadata 0 has no null topic list: there the empty
 * list means all topics, which null means in later versions.
 */
const emptyForNull = new Set(['MetadataRequest.topics']);

/** One function for each struct, those it needs first. */
export function encodeFunctions(code: Code, message: Message): void {
  const compared = comparedStructs(message);
  for (const struct of message.structs) {
    if (compared.has(struct)) isDefaultFunction(code, struct);
    const body = new Code();
    body.indented((inner) => new StructEncoder(inner, message, struct).print());
    const list = parameters(body.toString(), [
      ['m', 'FlatMessage'],
      ['w', 'WireWriter'],
      ['word', 'number'],
      ['v', 'number'],
      ['o', 'EncodeOptions'],
    ]);
    code.line(`function encode${struct.typeName}(${list}): void {`);
    code.append(body.toString()).line('}').line();
  }
}

/** Structs that are compared with a struct of defaults: tagged ones, and those some version must not drop. */
function comparedStructs(message: Message): Set<Struct> {
  const compared = new Set<Struct>();
  for (const struct of [...message.structs].reverse()) {
    for (const field of struct.fields) {
      if (field.type.kind !== 'struct') continue;
      const isChecked = !field.ignorable && condition(field.versions, struct.presence) !== 'true';
      const isCompared = field.tag >= 0 || isChecked || compared.has(struct);
      if (isCompared && (field.nullable === null || field.default !== 'null')) compared.add(field.type.struct);
    }
  }
  return compared;
}

function isDefaultFunction(code: Code, struct: Struct): void {
  const differences = struct.fields.map((field) => differsFromDefault(field, 'word'));
  if (struct.unknownTagsWord >= 0) differences.push(`m.lengthAt(${plus('word', struct.unknownTagsWord)}) > 0`);
  code.block(`function ${isDefaultFunctionName(struct)}(m: FlatMessage, word: number): boolean`, (body) =>
    body.line(`return !(${differences.join(' || ') || 'false'});`),
  );
  code.line();
}

class StructEncoder {
  readonly #code: Code;
  readonly #message: Message;
  readonly #struct: Struct;

  constructor(code: Code, message: Message, struct: Struct) {
    this.#code = code;
    this.#message = message;
    this.#struct = struct;
  }

  print(): void {
    const code = this.#code;
    const { presence, unknownTagsWord, fields } = this.#struct;
    for (const field of fields) {
      const has = condition(field.versions, presence);
      code.when(
        has,
        (then) => {
          if (field.tag < 0) this.#write(then, field, intersect(field.versions, presence)!);
        },
        (otherwise) => {
          if (!field.ignorable)
            this.#refuse(otherwise, field.name, differsFromDefault(field, 'word'), describeValue(field, 'word'));
        },
      );
    }
    if (unknownTagsWord < 0) return;
    const word = plus('word', unknownTagsWord);
    code.when(
      condition(this.#message.flexible, presence),
      (then) => this.#tags(then, word),
      (otherwise) =>
        this.#refuse(otherwise, 'unknownTaggedFields', `m.lengthAt(${word}) > 0`, `'unknown tagged fields'`),
    );
  }

  #refuse(code: Code, name: string, test: string, value: string): void {
    code.line(`if (${test}) throw w.missingField('${this.#path(name)}', ${value});`);
  }

  #path(name: string): string {
    return this.#struct.path === '' ? name : `${this.#struct.path}.${name}`;
  }

  /** `within`: versions the code printed here runs in. */
  #write(code: Code, field: Field, within: Range): void {
    const { type } = field;
    const word = plus('word', field.word);
    const flexible = field.neverCompact ? 'false' : condition(this.#message.flexible, within);
    const nullable = condition(field.nullable, within);
    if (type.kind === 'struct') {
      this.#nested(code, field, type.struct, nullable);
      return;
    }
    if (type.kind === 'primitive' && type.name === 'records') {
      this.#records(code, word, flexible, nullable);
      return;
    }
    if (type.kind === 'array' || type.name === 'string' || type.name === 'bytes') {
      code.line(`w.field = '${this.#path(field.name)}';`);
    }
    if (type.kind === 'array') this.#array(code, field, type.element, flexible, nullable);
    else if (type.name === 'string' || type.name === 'bytes') {
      const orNull = type.name === 'string' ? 'nullableString' : 'nullableBytes';
      code.when(
        nullable,
        (then) => then.line(`w.${orNull}(${flexible}, m, ${word});`),
        (otherwise) => otherwise.line(`w.${type.name}Field(${flexible}, m, ${word});`),
      );
    } else code.line(writeElement(type, word, flexible));
  }

  #nested(code: Code, field: Field, struct: Struct, nullable: string): void {
    const word = plus('word', field.word);
    const inner = plus('word', field.word + (field.nullable === null ? 0 : 1));
    const write = `encode${struct.typeName}(m, w, ${inner}, v, o);`;
    if (field.nullable === null) {
      code.line(write);
      return;
    }
    const withPresence = (body: Code): void => {
      body.block(`if (m.int32(${word}) === 0)`, (isNull) => isNull.line('w.int8(-1);'), '} else {');
      body.indented((present) => present.line('w.int8(1);').line(write)).line('}');
    };
    code.when(nullable, withPresence, (otherwise) => {
      otherwise.line(`w.field = '${this.#path(field.name)}';`);
      otherwise.line(`if (m.int32(${word}) === 0) throw w.notNullable();`).line(write);
    });
  }

  /** Compact lengths come before bytes whose number is not known yet; the guess makes moving them rare. */
  #records(code: Code, word: string, flexible: string, nullable: string): void {
    const nullLength = nullable === 'true' ? '-1' : nullable === 'false' ? '0' : `${nullable} ? -1 : 0`;
    code.block(
      `if (m.int32(${word}) === 0)`,
      (isNull) => isNull.line(`w.length(${flexible}, ${nullLength});`),
      '} else {',
    );
    code.indented((body) =>
      body.when(
        flexible,
        (then) => {
          then.line(`const guess = w.recordsGuess(m, ${word});`);
          then.line('const from = w.beginSized(guess);');
          then.line(`encodeRecords(m, ${word}, w, o);`);
          then.line('w.endSized(from, guess, 1);');
        },
        (otherwise) => {
          otherwise.line('const from = w.reserve(4);');
          otherwise.line(`encodeRecords(m, ${word}, w, o);`);
          otherwise.line('w.patchInt32(from, w.offset - from - 4);');
        },
      ),
    );
    code.line('}');
  }

  #array(code: Code, field: Field, element: ElementType, flexible: string, nullable: string): void {
    const word = plus('word', field.word);
    const words = elementWords(element);
    code.block('', (body) => {
      const hasEmpty = emptyForNull.has(`${this.#message.name}.${this.#path(field.name)}`);
      const plain = hasEmpty ? 'arrayLengthOrEmpty' : 'arrayLength';
      const call = (method: string): string => `w.${method}(${flexible}, m, ${word}, ${words})`;
      const count =
        nullable === 'true'
          ? call('nullableArrayLength')
          : nullable === 'false'
            ? call(plain)
            : `${nullable} ? ${call('nullableArrayLength')} : ${call(plain)}`;
      body.line(`const count = ${count};`);
      body.line(`let at = m.int32(${word});`);
      body.line(`for (let i = 0; i < count; i++, at += ${words}) ${writeElement(element, 'at', flexible)}`);
    });
  }

  #tags(code: Code, word: string): void {
    const within = intersect(this.#message.flexible, this.#struct.presence)!;
    const tagged = this.#struct.fields.filter((field) => field.tag >= 0).sort((a, b) => a.tag - b.tag);
    if (tagged.length === 0) {
      code.line(`w.unknownTags(m, ${word});`);
      return;
    }
    for (const field of tagged) {
      const known = condition(field.versions, within);
      const differs = differsFromDefault(field, 'word');
      code.line(`const has${field.tag} = ${known === 'true' ? '' : `${known} && `}${differs};`);
    }
    const count = tagged.map((field) => `(has${field.tag} ? 1 : 0)`).join(' + ');
    code.line(`w.tagCount(m, ${word}, ${count});`);
    let from = 0;
    for (const field of tagged) {
      if (field.tag > from) code.line(`w.unknownTaggedFields(m, ${word}, ${from}, ${field.tag});`);
      from = field.tag;
      code.block(`if (has${field.tag})`, (body) => {
        body.line(`w.uvarint(${field.tag});`).line('const from = w.beginSized(0);');
        this.#write(body, field, intersect(field.versions, within)!);
        body.line('w.endSized(from, 0, 0);');
      });
    }
    code.line(`w.unknownTaggedFields(m, ${word}, ${from}, 2147483648);`);
  }
}

/** A statement that writes the array element or scalar at `word`. */
function writeElement(type: ElementType, word: string, flexible: string): string {
  if (type.kind === 'struct') return `encode${type.struct.typeName}(m, w, ${word}, v, o);`;
  switch (type.name) {
    case 'bool':
      return `w.bool(m.bool(${word}));`;
    case 'int8':
      return `w.int8(m.int32(${word}));`;
    case 'int16':
    case 'uint16':
      return `w.int16(m.int32(${word}));`;
    case 'int32':
    case 'uint32':
      return `w.int32(m.int32(${word}));`;
    case 'int64':
    case 'float64':
      return `w.int64Field(m, ${word});`;
    case 'uuid':
      return `w.uuidField(m, ${word});`;
    case 'string':
    case 'bytes':
      return `w.${type.name}Field(${flexible}, m, ${word});`;
    case 'records':
      throw new Error('records stand alone');
  }
}
