// Owns the make-up of one file in flat/generated: types, writers, views and the functions the rest of the client calls.
// Development only, runs in the generator. Must not know how each part is made.

import { Code, fileHeader, importLines, type Offer } from './code.ts';
import { inputInterfaces } from './flat-types.ts';
import { viewClasses, viewInterfaces } from './flat-views.ts';
import { writeMethod, writerFunctions } from './flat-writers.ts';
import type { Api, DataMessage, Message } from './model.ts';

const offers: readonly Offer[] = [
  ['long', ['type Long']],
  ['../api.ts', ['type Api', 'type ApiMessages', 'type DataMessages', 'GeneratedApi']],
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
  for (const [message, isRequest] of [
    [api.request, true],
    [api.response, false],
  ] as const) {
    inputInterfaces(code, message, isRequest);
    viewInterfaces(code, message);
  }
  const { request, response } = api;
  const types = rootTypes(api).join(', ');
  const { versions, flexible } = request;
  const unstable = api.table.latestUnstable === true ? ', latestUnstable: true' : '';
  const legacy = api.table.legacy === undefined ? '' : ` Brokers from 4.0 on do not accept ${api.table.legacy}.`;
  const about = `{ min: ${versions.min}, max: ${versions.max}, flexible: ${flexible?.min ?? -1}${unstable} }`;
  code.doc(`${api.table.doc} API key ${api.key}, versions ${versions.min}-${versions.max}.${legacy}`);
  code.line(`export const ${api.name}: Api<${types}> =`);
  const loaders = 'loadClientMessages, loadBrokerMessages';
  code
    .indented((body) => body.line(`/* @__PURE__ */ new GeneratedApi(${api.key}, '${api.name}', ${about}, ${loaders});`))
    .line();
  // Named here, since the classes inside the functions hide the interfaces of the same names.
  code.line(`type Messages = ApiMessages<${types}>;`).line();
  code.doc('Makes the functions that clients need. They are made at the first use, and so the package loads fast.');
  code.block(`function loadClientMessages(): Pick<Messages, 'writeRequest' | 'readResponse'>`, (body) => {
    writerFunctions(body, request, true);
    viewClasses(body, response);
    body.block(
      'return',
      (members) => {
        writeMethod(members, 'writeRequest', request, `${api.name} request`, api.key);
        readMethod(members, 'readResponse', response);
      },
      '};',
    );
  });
  code.line();
  code.doc('Makes the functions that brokers in tests need.');
  code.block(`function loadBrokerMessages(): Pick<Messages, 'readRequest' | 'writeResponse'>`, (body) => {
    viewClasses(body, request);
    writerFunctions(body, response, false);
    body.block(
      'return',
      (members) => {
        readMethod(members, 'readRequest', request);
        writeMethod(members, 'writeResponse', response, `${api.name} response`, api.key);
      },
      '};',
    );
  });
  const owns = `${api.name}, API key ${api.key}: plain objects, flat writers and views of both messages. Runs on every thread.`;
  return assemble(api.file, owns, code);
}

export function flatDataFile(data: DataMessage): string {
  const code = new Code();
  const { message } = data;
  inputInterfaces(code, message, false);
  viewInterfaces(code, message);
  const type = message.root.typeName;
  code.doc('Made at the first use, and so the package loads fast.');
  code.line(`let loaded: DataMessages<${type}, ${type}View> | undefined;`).line();
  code.block(`function load(): DataMessages<${type}, ${type}View>`, (body) => {
    writerFunctions(body, message, false);
    viewClasses(body, message);
    body.block(
      'return',
      (members) => {
        writeMethod(members, 'write', message, data.name, -1);
        readMethod(members, 'read', message);
      },
      '};',
    );
  });
  code.line();
  code.block(`export function write(w: FlatWriter, value: ${type}): void`, (body) => {
    body.line('loaded ??= load();').line('loaded.write(w, value);');
  });
  code.line();
  code.block(`export function read(message: FlatMessage): ${type}View`, (body) => {
    body.line('loaded ??= load();').line('return loaded.read(message);');
  });
  return assemble(data.file, `${data.name}: plain object, flat writer and view. Runs on every thread.`, code);
}

function readMethod(code: Code, name: string, message: Message): void {
  const view = `${message.root.typeName}View`;
  code.block(`${name}(message: FlatMessage): ${view}`, (body) => body.line(`return new ${view}(message);`), '},');
}

function assemble(file: string, owns: string, code: Code): string {
  const body = `${code.toString().trimEnd()}\n`;
  return fileHeader(`${file}.ts`, owns) + importLines(body, offers) + body;
}

/** The types of an API, in the order of the parameters of `Api`. */
function rootTypes(api: Api): string[] {
  const request = api.request.root.typeName;
  const response = api.response.root.typeName;
  return [request, `${response}View`, response, `${request}View`];
}

/** Every exported type of a file, for lists of re-exports. */
export function exportedTypes(messages: readonly Message[]): string[] {
  const names: string[] = [];
  for (const message of messages) {
    for (const struct of [...message.structs].reverse()) names.push(struct.typeName, `${struct.typeName}View`);
  }
  return names;
}
