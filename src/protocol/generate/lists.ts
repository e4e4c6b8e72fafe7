// Owns the generated files that list others: API exports, wire look-up, error classes. Development only, runs in the
// generator.

import { errorRows } from '../schema/errors.ts';
import { Code, fileHeader } from './code.ts';
import { exportedTypes } from './flat-file.ts';
import type { Api, DataMessage } from './model.ts';

/** Each API stands in a file of its own, so that a bundle has only those that its program uses. */
export function apisFile(apis: readonly Api[]): string {
  const code = new Code();
  code.line(`import type { Api } from '../api.ts';`);
  for (const { name, file } of apis) code.line(`import { ${name} } from './${file}.ts';`);
  code.line();
  for (const { name, file, request, response } of apis) {
    const types = exportedTypes([request, response]).sort();
    code.line(`export { ${name} } from './${file}.ts';`);
    code.line(`export type { ${types.join(', ')} } from './${file}.ts';`);
  }
  code.line();
  code.doc('Every API this client speaks, in no particular order.');
  code.line(
    `export const allApis: readonly Api<never, unknown, never, unknown>[] = [${apis.map((api) => api.name).join(', ')}];`,
  );
  return fileHeader('index.ts', 'One export for each API. Runs on every thread.') + code;
}

export function wireIndexFile(apis: readonly Api[], data: readonly DataMessage[]): string {
  const code = new Code();
  const files = [...apis, ...data].map(({ file }) => file);
  code.line(`import { createRequire } from 'node:module';`);
  code.line(`import { requireFrom } from '../../../common/require-from.ts';`);
  code.line(`import type { WireApi, WireData } from '../codecs.ts';`).line();
  code.line('const require = createRequire(import.meta.url);').line();
  code.doc('By API key.');
  code.line('export const wireApis: ReadonlyMap<number, WireApi> = new Map([').indented((body) => {
    for (const { key, name, file, request, response } of [...apis].sort((a, b) => a.key - b.key)) {
      const { versions, flexible } = request;
      const range = `minVersion: ${versions.min}, maxVersion: ${versions.max}, flexibleVersion: ${flexible?.min ?? -1}`;
      const throttle = response.root.fields.find((field) => field.name === 'throttleTimeMs');
      body.line(
        `[${key}, { key: ${key}, name: '${name}', ${range}, throttleWord: ${throttle?.word ?? -1}, file: '${file}' }],`,
      );
    }
  });
  code.line(']);').line();
  code.doc('Data inside other messages and control records, by name.');
  code.line('export const wireData: ReadonlyMap<string, WireData> = new Map([').indented((body) => {
    for (const { name, file, message } of data) {
      const range = `minVersion: ${message.versions.min}, maxVersion: ${message.versions.max}`;
      body.line(`['${name}', { name: '${name}', ${range}, file: '${file}' }],`);
    }
  });
  code.line(']);').line();
  code.doc('By `file` of the lists above. Each name stands in full, so that bundlers follow it.');
  code.line('const loaders: Readonly<Record<string, () => unknown>> = {').indented((body) => {
    for (const file of files) body.line(`'${file}': () => require('./${file}.js'),`);
  });
  code.line('};').line();
  code.doc(
    'The module of one row of the lists above. Null: `importWireModule` must load it first, which is so in the package only.',
  );
  code.block('export function loadWireModule(file: string): unknown', (body) => {
    body.line(`if (import.meta.url.endsWith('.ts')) return requireFrom(import.meta.url)(\`./\${file}.ts\`);`);
    body.line('return loaders[file]!();');
  });
  code.line();
  code.doc('Loads the module of one row of the lists above.');
  code.block('export async function importWireModule(file: string): Promise<void>', (body) => {
    body.line('loadWireModule(file);');
  });
  return (
    fileHeader('index.ts', 'Finds the code of an API by key. Runs in the network thread and the codec pool.') + code
  );
}

export function brokerErrorsFile(): string {
  const code = new Code();
  code.line(`import { AuthorizationError, BrokerError } from '../broker-error.ts';`).line();
  const rows = errorRows.filter((row) => row.code !== 0);
  for (const { code: number, name, className, retriable, invalidMetadata, isAuthorization, message } of rows) {
    code.doc(`${message}. Error code ${number}.`);
    code.block(
      `export class ${className} extends ${isAuthorization ? 'AuthorizationError' : 'BrokerError'}`,
      (body) => {
        body.line(`static override readonly code: string = 'KAFKA_${name}';`);
        body.line(`static override readonly errorCode: number = ${number};`);
        body.line(`static override readonly errorName: string = '${name}';`);
        body.line(`static override readonly meaning: string = ${JSON.stringify(message)};`);
        if (retriable) body.line('static override readonly retriable: boolean = true;');
        if (invalidMetadata) body.line('static override readonly invalidMetadata: boolean = true;');
      },
    );
    code.line();
  }
  code.doc('By error code.');
  code.line('export const brokerErrorClasses: ReadonlyMap<number, typeof BrokerError> = new Map([').indented((body) => {
    for (const { code: number, className } of rows) body.line(`[${number}, ${className}],`);
  });
  code.line(']);');
  return fileHeader('errors.ts', 'A class for every error code a broker can send. Runs on every thread.') + code;
}

export function errorCodesFile(): string {
  const code = new Code();
  code.doc("Kafka's numbers by Kafka's names.");
  code.line('export const errorCodes = {').indented((body) => {
    for (const { code: number, name } of errorRows) body.line(`${name}: ${number},`);
  });
  code.line('} as const;');
  return fileHeader('errors.ts', 'The number of every error code a broker can send. Runs on every thread.') + code;
}
