// Owns the make-up of one file in wire/generated: encode and decode of an API's messages at every version. Development
// only, runs in the generator. Must not know how each part is made.

import { Code, fileHeader, importLines, type Offer } from './code.ts';
import type { Api, DataMessage, Message } from './model.ts';
import { decodeFunctions } from './wire-decoders.ts';
import { encodeFunctions } from './wire-encoders.ts';

const offers: readonly Offer[] = [
  ['../../flat/flat-view.ts', ['type FlatMessage']],
  ['../../flat/flat-writer.ts', ['type FlatWriter']],
  ['../options.ts', ['type DecodeOptions', 'type EncodeOptions']],
  ['../records/records.ts', ['decodeRecords', 'encodeRecords', 'keepBytes']],
  ['../wire-reader.ts', ['type WireReader']],
  ['../wire-writer.ts', ['type WireWriter']],
];

export function wireApiFile(api: Api): string {
  const code = new Code();
  messageParts(code, api.request, 'Request');
  messageParts(code, api.response, 'Response');
  const versions = `versions ${api.request.versions.min}-${api.request.versions.max}`;
  const owns = `${api.name}, API key ${api.key}, ${versions}, between flat and wire. Runs in the network thread and the codec pool.`;
  return assemble(api.file, owns, code);
}

export function wireDataFile(data: DataMessage): string {
  const code = new Code();
  messageParts(code, data.message, '');
  return assemble(
    data.file,
    `${data.name} between flat and wire. Runs in the network thread and the codec pool.`,
    code,
  );
}

function messageParts(code: Code, message: Message, suffix: string): void {
  const { typeName, words } = message.root;
  encodeFunctions(code, message);
  decodeFunctions(code, message);
  const encoded = 'm: FlatMessage, w: WireWriter, v: number, o: EncodeOptions';
  code.block(`export function encode${suffix}(${encoded}): void`, (body) =>
    body.line(`w.open(m, ${words});`).line(`encode${typeName}(m, w, 0, v, o);`),
  );
  code.line();
  const decoded = 'r: WireReader, w: FlatWriter, v: number, o: DecodeOptions';
  code.block(`export function decode${suffix}(${decoded}): void`, (body) =>
    body.line(`decode${typeName}(r, w, w.alloc(${words}), v, o);`),
  );
  code.line();
}

function assemble(file: string, owns: string, code: Code): string {
  const body = `${code.toString().trimEnd()}\n`;
  return fileHeader(`${file}.ts`, owns) + importLines(body, offers) + body;
}
