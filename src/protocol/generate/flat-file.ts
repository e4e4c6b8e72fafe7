// Owns the make-up of one file in flat/generated: types, writers, views and the functions the rest of the client calls.
// Development only, runs in the generator. Must not know how each part is made.

import { Code, fileHeader, importLines, type Offer } from './code.ts';
import { inputInterfaces } from './flat-types.ts';
import { viewClasses } from './flat-views.ts';
import { writeMessageFunction, writerFunctions } from './flat-writers.ts';
import type { Api, DataMessage, Message } from './model.ts';

const offers: readonly Offer[] = [
  ['long', ['type Long']],
  [
    '../flat-view.ts',
    [
      'type FlatArray',
      'type FlatMessage',
      'FlatView',
      'readBool',
      'readBytes',
      'readFloat64',
      'readInt32',
      'readInt64',
      'readString',
      'readUint32',
      'readUuid',
      'type RowReader',
      'type UnknownTaggedField',
    ],
  ],
  ['../flat-writer.ts', ['type FlatWriter']],
  [
    '../inputs.ts',
    [
      'checkArray',
      'checkObject',
      'type Int64',
      'invalidMessage',
      'putArray',
      'putBool',
      'putBytes',
      'putFloat64',
      'putInt16',
      'putInt32',
      'putInt64',
      'putInt8',
      'putString',
      'putUint16',
      'putUint32',
      'putUnknownTaggedFields',
      'putUuid',
      'within',
    ],
  ],
  ['../records/record-view.ts', ['RecordsView']],
  ['../records/record-writer.ts', ['type RecordsInput', 'writeRecords']],
];

export function flatApiFile(api: Api): string {
  const code = new Code();
  messageParts(code, api.request, true);
  messageParts(code, api.response, false);
  writeMessageFunction(code, 'writeRequest', api.request, `${api.name} request`, api.key);
  writeMessageFunction(code, 'writeResponse', api.response, `${api.name} response`, api.key);
  readFunction(code, 'readRequest', api.request);
  readFunction(code, 'readResponse', api.response);
  const owns = `${api.name}, API key ${api.key}: plain objects, flat writers and views of both messages. Runs on every thread.`;
  return assemble(api.file, owns, code);
}

export function flatDataFile(data: DataMessage): string {
  const code = new Code();
  messageParts(code, data.message, false);
  writeMessageFunction(code, 'write', data.message, data.name, -1);
  readFunction(code, 'read', data.message);
  return assemble(data.file, `${data.name}: plain object, flat writer and view. Runs on every thread.`, code);
}

function messageParts(code: Code, message: Message, isRequest: boolean): void {
  inputInterfaces(code, message, isRequest);
  writerFunctions(code, message, isRequest);
  viewClasses(code, message);
}

function readFunction(code: Code, name: string, message: Message): void {
  const view = `${message.root.typeName}View`;
  code.block(`export function ${name}(message: FlatMessage): ${view}`, (body) =>
    body.line(`return new ${view}(message);`),
  );
  code.line();
}

function assemble(file: string, owns: string, code: Code): string {
  const body = `${code.toString().trimEnd()}\n`;
  return fileHeader(`${file}.ts`, owns) + importLines(body, offers) + body;
}

/** Every exported type of a file, for lists of re-exports. */
export function exportedTypes(messages: readonly Message[]): string[] {
  const names: string[] = [];
  for (const message of messages) {
    for (const struct of [...message.structs].reverse()) names.push(struct.typeName, `${struct.typeName}View`);
  }
  return names;
}
