// Owns the generated functions that read a message off the wire into flat memory. Development only, runs in the
// generator. Must check every count and length through WireReader, and leave in flat memory what the writers would.

import { Code, parameters, plus } from './code.ts';
import { type ElementType, elementWords, type Field, type Message, type Struct } from './model.ts';
import { defaultFunctions, storeDefault } from './values.ts';
import { condition, intersect, type Range } from './versions.ts';
import { minBytesExpression } from './wire-sizes.ts';

/** One function for each struct, those it needs first. */
export function decodeFunctions(code: Code, message: Message): void {
  const decoders = new Code();
  structDecoders(decoders, message);
  code.append(defaultFunctions(message.structs, decoders.toString())).append(decoders.toString());
}

function structDecoders(code: Code, message: Message): void {
  for (const struct of message.structs) {
    const body = new Code();
    body.indented((inner) => new StructDecoder(inner, message, struct).print());
    const list = parameters(body.toString(), [
      ['r', 'WireReader'],
      ['w', 'FlatWriter'],
      ['word', 'number'],
      ['v', 'number'],
      ['o', 'DecodeOptions'],
    ]);
    code.line(`function decode${struct.typeName}(${list}): void {`);
    code.append(body.toString()).line('}').line();
  }
}

class StructDecoder {
  readonly #code: Code;
  readonly #message: Message;
  readonly #struct: Struct;
  readonly #flexible: string;

  constructor(code: Code, message: Message, struct: Struct) {
    this.#code = code;
    this.#message = message;
    this.#struct = struct;
    this.#flexible = condition(message.flexible, struct.presence);
  }

  print(): void {
    const code = this.#code;
    for (const field of this.#struct.fields) {
      if (field.tag >= 0) storeDefault(code, field, 'word');
      else this.#conditional(field);
    }
    if (this.#struct.unknownTagsWord < 0) return;
    code.when(this.#flexible, (body) => {
      body.line(`r.field = '${this.#path('tagged fields')}';`);
      if (this.#struct.fields.some((field) => field.tag >= 0)) this.#knownTags(body);
      else body.line(`r.unknownTaggedFields(w, ${plus('word', this.#struct.unknownTagsWord)});`);
    });
  }

  #conditional(field: Field): void {
    this.#code.when(
      condition(field.versions, this.#struct.presence),
      (then) => {
        then.line(`r.field = '${this.#path(field.name)}';`);
        this.#read(then, field, intersect(field.versions, this.#struct.presence)!);
      },
      (otherwise) => storeDefault(otherwise, field, 'word'),
    );
  }

  #path(name: string): string {
    return this.#struct.path === '' ? name : `${this.#struct.path}.${name}`;
  }

  /** `within`: versions the code printed here runs in. */
  #read(code: Code, field: Field, within: Range): void {
    const { type } = field;
    const word = plus('word', field.word);
    const flexible = field.neverCompact ? 'false' : condition(this.#message.flexible, within);
    const nullable = condition(field.nullable, within);
    if (type.kind === 'array') {
      this.#array(code, field, type.element, flexible, nullable, within);
    } else if (type.kind === 'struct') {
      this.#nested(code, field, type.struct, nullable);
    } else if (type.name === 'records') {
      code.block('', (body) => {
        body.line(`const length = r.bytesLength(${flexible});`);
        const call = field.unaligned ? `keepBytes(r, length, w, ${word})` : `decodeRecords(r, length, w, ${word}, o)`;
        body.line(`if (length >= 0) ${call};`);
      });
    } else if (type.name === 'string' || type.name === 'bytes') {
      const plain = type.name === 'string' ? 'string' : 'bytesField';
      const orNull = type.name === 'string' ? 'nullableString' : 'nullableBytes';
      code.when(
        nullable,
        (then) => then.line(`r.${orNull}(${flexible}, w, ${word});`),
        (otherwise) => otherwise.line(`r.${plain}(${flexible}, w, ${word});`),
      );
    } else {
      code.line(readElement(type, word, flexible));
    }
  }

  #nested(code: Code, field: Field, struct: Struct, nullable: string): void {
    const word = plus('word', field.word);
    const inner = plus('word', field.word + (field.nullable === null ? 0 : 1));
    const read = (body: Code): void => {
      body.line(`decode${struct.typeName}(r, w, ${inner}, v, o);`);
    };
    if (field.nullable === null) {
      read(code);
      return;
    }
    const present =
      nullable === 'true' ? 'r.isPresent()' : nullable === 'false' ? 'true' : `!(${nullable}) || r.isPresent()`;
    code.when(
      present,
      (then) => read(then.line(`w.setInt32(${word}, 1);`)),
      (otherwise) => otherwise.line(`w.setInt32(${word}, 0);`),
    );
  }

  #array(code: Code, field: Field, element: ElementType, flexible: string, nullable: string, within: Range): void {
    const word = plus('word', field.word);
    const words = elementWords(element);
    code.block('', (body) => {
      const least = minBytesExpression(element, this.#message, within);
      body.line(`const count = r.arrayLength(${flexible}, ${least});`);
      body.block(
        'if (count < 0)',
        (isNull) =>
          isNull.when(
            nullable,
            (then) => then.line(`w.setNull(${word});`),
            (otherwise) => otherwise.line('throw r.notNullable();'),
          ),
        '} else {',
      );
      body.indented((rest) => {
        const method = element.kind === 'struct' ? 'array' : 'arrayDirty';
        rest.line(`let at = w.${method}(${word}, count, ${words});`);
        const loop = `for (let i = 0; i < count; i++, at += ${words})`;
        rest.line(`${loop} ${readElement(element, 'at', flexible)}`);
      });
      body.line('}');
    });
  }

  #knownTags(code: Code): void {
    const within = intersect(this.#message.flexible, this.#struct.presence)!;
    const tagged = this.#struct.fields.filter((field) => field.tag >= 0).sort((a, b) => a.tag - b.tag);
    code.line('const tags = r.tagCount();');
    code.block('if (tags > 0)', (body) => {
      body.line('const from = r.offset;').line('let tag = -1;').line('let hasUnknown = false;');
      body.block('for (let i = 0; i < tags; i++)', (loop) => {
        loop.line('tag = r.tag(tag);').line('const end = r.tagEnd();');
        tagged.forEach((field, i) => {
          const known = condition(field.versions, within);
          const test = `tag === ${field.tag}${known === 'true' ? '' : ` && ${known}`}`;
          loop.line(`${i === 0 ? '' : '} else '}if (${test}) {`).indented((then) => {
            then.line(`r.field = '${this.#path(field.name)}';`);
            this.#read(then, field, intersect(field.versions, within)!);
          });
        });
        loop
          .line('} else {')
          .indented((otherwise) => otherwise.line('hasUnknown = true;').line('r.offset = end;'))
          .line('}');
        loop.line('r.checkTagEnd(end);');
      });
      const word = plus('word', this.#struct.unknownTagsWord);
      body.line(`if (hasUnknown) r.keepUnknownTaggedFields(w, ${word}, from, ${knownMask(tagged, within)});`);
    });
  }
}

function knownMask(tagged: readonly Field[], within: Range): string {
  let always = 0;
  const parts: string[] = [];
  for (const field of tagged) {
    const known = condition(field.versions, within);
    if (known === 'true') always |= 1 << field.tag;
    else parts.push(`(${known} ? ${1 << field.tag} : 0)`);
  }
  return [String(always), ...parts].join(' | ');
}

/** A statement that reads one array element or scalar at `word`. */
function readElement(type: ElementType, word: string, flexible: string): string {
  if (type.kind === 'struct') return `decode${type.struct.typeName}(r, w, ${word}, v, o);`;
  switch (type.name) {
    case 'bool':
      return `w.setBool(${word}, r.bool());`;
    case 'int64':
    case 'float64':
    case 'uuid':
      return `r.${type.name}(w, ${word});`;
    case 'string':
      return `r.string(${flexible}, w, ${word});`;
    case 'bytes':
      return `r.bytesField(${flexible}, w, ${word});`;
    case 'records':
      throw new Error('records stand alone');
    default:
      return `w.setInt32(${word}, r.${type.name}());`;
  }
}
