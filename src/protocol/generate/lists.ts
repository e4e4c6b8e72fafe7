// Owns the generated files that list others: API exports, wire look-up, error classes. Development only, runs in the
// generator.

import { errorRows } from '../schema/errors.ts';
import { Code, capitalized, fileHeader } from './code.ts';
import { exportedTypes } from './flat-file.ts';
import type { Api, DataMessage } from './model.ts';

/** Static, since that is what every bundler and test runner follows. */
function moduleImport(file: string): string {
  return `import { loadMessages as ${loaderName(file)} } from './${file}.ts';`;
}

function loaderName(file: string): string {
  return `load${capitalized(file).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}`;
}

export function apisFile(apis: readonly Api[]): string {
  const code = new Code();
  code.line(`import { type Api, GeneratedApi } from '../api.ts';`);
  for (const api of apis) code.line(moduleImport(api.file));
  for (const api of apis) code.line(`import type { ${rootTypes(api).join(', ')} } from './${api.file}.ts';`);
  code.line();
  for (const api of apis) {
    const types = exportedTypes([api.request, api.response]).sort();
    code.line(`export type { ${types.join(', ')} } from './${api.file}.ts';`);
  }
  code.line();
  for (const api of apis) {
    const { versions, flexible } = api.request;
    const unstable = api.table.latestUnstable === true ? ', latestUnstable: true' : '';
    const legacy = api.table.legacy === undefined ? '' : ` Brokers from 4.0 on do not accept ${api.table.legacy}.`;
    const about = `{ min: ${versions.min}, max: ${versions.max}, flexible: ${flexible?.min ?? -1}${unstable} }`;
    code.doc(`${api.table.doc} API key ${api.key}, versions ${versions.min}-${versions.max}.${legacy}`);
    code.line(`export const ${api.name}: Api<${rootTypes(api).join(', ')}> =`);
    code
      .indented((body) =>
        body.line(`/* @__PURE__ */ new GeneratedApi(${api.key}, '${api.name}', ${about}, ${loaderName(api.file)});`),
      )
      .line();
  }
  code.doc('Every API this client speaks, in no particular order.');
  code.line(
    `export const allApis: readonly Api<never, unknown, never, unknown>[] = [${apis.map((api) => api.name).join(', ')}];`,
  );
  return fileHeader('index.ts', 'One export for each API. Runs on every thread.') + code;
}

function rootTypes(api: Api): string[] {
  const request = api.request.root.typeName;
  const response = api.response.root.typeName;
  return [request, `${response}View`, response, `${request}View`];
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
    for (const { key, name, file, request } of [...apis].sort((a, b) => a.key - b.key)) {
      const { versions, flexible } = request;
      const range = `minVersion: ${versions.min}, maxVersion: ${versions.max}, flexibleVersion: ${flexible?.min ?? -1}`;
      body.line(`[${key}, { key: ${key}, name: '${name}', ${range}, file: '${file}' }],`);
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
  code.doc('The module of one row of the lists above.');
  code.block('export function loadWireModule(file: string): unknown', (body) => {
    body.line(`if (import.meta.url.endsWith('.ts')) return requireFrom(import.meta.url)(\`./\${file}.ts\`);`);
    body.line('return loaders[file]!();');
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
