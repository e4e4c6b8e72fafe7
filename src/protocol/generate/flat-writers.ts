// Owns the generated functions that check a plain object and write it into flat memory. Development only, runs in the
// generator. Must agree with the views in flat-views.ts: both take words from the model.

import { Code, capitalized, plus } from './code.ts';
import { type ElementType, elementWords, type Field, type Message } from './model.ts';
import { defaultFunctions, hasNonzeroDefault, storeDefault } from './values.ts';

/** One function for each struct, those it needs first. */
export function writerFunctions(code: Code, message: Message, isRequest: boolean): void {
  const writers = new Code();
  structWriters(writers, message, isRequest);
  code.append(defaultFunctions(message.structs, writers.toString())).append(writers.toString());
}

function structWriters(code: Code, message: Message, isRequest: boolean): void {
  for (const struct of message.structs) {
    const keys = struct.fields.map((field) => `'${field.name}'`);
    if (struct.unknownTagsWord >= 0) keys.push(`'unknownTaggedFields'`);
    code.line(`const keysOf${struct.typeName}: ReadonlySet<string> = new Set([${keys.join(', ')}]);`);
    code.block(
      `function write${struct.typeName}(w: FlatWriter, word: number, value: ${struct.typeName}): void`,
      (body) => {
        body.line(`checkObject(value, keysOf${struct.typeName});`);
        for (const field of struct.fields) writeField(body, field, isRequest);
        if (struct.unknownTagsWord >= 0) {
          const known = struct.fields.filter((field) => field.tag >= 0).map((field) => field.tag);
          const word = plus('word', struct.unknownTagsWord);
          body.block('if (value.unknownTaggedFields !== undefined)', (then) =>
            then.line(`putUnknownTaggedFields(w, ${word}, value.unknownTaggedFields, [${known.join(', ')}]);`),
          );
        }
      },
    );
    code.line();
  }
}

function writeField(code: Code, field: Field, isRequest: boolean): void {
  const value = `value.${field.name}`;
  if (isRequest && field.required) {
    putField(code, field, value);
    return;
  }
  code.when(
    `${value} !== undefined`,
    (then) => putField(then, field, value),
    hasNonzeroDefault(field) ? (otherwise) => storeDefault(otherwise, field, 'word') : undefined,
  );
}

function putField(code: Code, field: Field, value: string): void {
  const word = plus('word', field.word);
  const { type } = field;
  if (type.kind === 'struct') {
    const inner = plus('word', field.word + (field.nullable === null ? 0 : 1));
    const put = (body: Code): void => {
      if (field.nullable !== null) body.line(`w.setInt32(${word}, 1);`);
      body.block(
        'try',
        (tried) => tried.line(`write${type.struct.typeName}(w, ${inner}, ${value});`),
        '} catch (error) {',
      );
      body.indented((caught) => caught.line(`throw within(error, '${field.name}');`)).line('}');
    };
    if (field.nullable === null) put(code);
    else code.when(`${value} !== null`, put);
    return;
  }
  if (type.kind === 'primitive' && type.name === 'records') {
    const put = (body: Code): void => {
      body.block('try', (tried) => tried.line(`writeRecords(w, ${word}, ${value});`), '} catch (error) {');
      body.indented((caught) => caught.line(`throw within(error, '${field.name}');`)).line('}');
    };
    put(code);
    return;
  }
  const put = (body: Code): void => {
    if (type.kind === 'array') putArray(body, field, type.element, value, word);
    else body.line(`put${capitalized(type.name)}(w, ${word}, '${field.name}', ${value});`);
  };
  if (field.nullable === null) put(code);
  else code.when(`${value} === null`, (then) => then.line(`w.setNull(${word});`), put);
}

function putArray(code: Code, field: Field, element: ElementType, value: string, word: string): void {
  const words = elementWords(element);
  if (element.kind === 'primitive') {
    code.line(`putArray(w, ${word}, '${field.name}', ${value}, ${words}, put${capitalized(element.name)});`);
    return;
  }
  code.block('', (body) => {
    body.line(`const count = checkArray('${field.name}', ${value});`);
    body.line(`const rows = w.array(${word}, count, ${words});`);
    body.line('let i = 0;');
    const each = `write${element.struct.typeName}(w, rows + i * ${words}, ${value}[i]!)`;
    body.block('try', (tried) => tried.line(`for (; i < count; i++) ${each};`), '} catch (error) {');
    body.indented((caught) => caught.line(`throw within(error, '${field.name}', i);`)).line('}');
  });
}

/** `writeRequest` and the like: the whole message, with typed errors. */
export function writeMethod(code: Code, name: string, message: Message, title: string, apiKey: number): void {
  const { typeName, words } = message.root;
  const body = (method: Code): void => {
    method.block(
      'try',
      (tried: Code) => tried.line(`write${typeName}(w, w.alloc(${words}), value);`),
      '} catch (error) {',
    );
    method.indented((caught) => caught.line(`throw invalidMessage(error, '${title}', ${apiKey});`)).line('}');
  };
  code.block(`${name}(w: FlatWriter, value: ${typeName}): void`, body, '},');
}
