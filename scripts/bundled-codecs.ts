// Owns how the network thread of the package comes to its wire codecs. A module that uses an API has the codec of that API beside it. Those
// of all other APIs, which only requests of applications need, are loaded at the first request.

import type { Plugin } from 'rolldown';

const lists = /\/protocol\/wire\/generated\/index\.js$/;
const flatModule = /\/protocol\/flat\/generated\/([a-z0-9-]+)\.js$/;
const loadersFrom = 'const loaders = {';
const brokersHalf = ', loadBrokerMessages);';

export const codecsByNeed = codecsBeside('codecs-by-need', withImporters, withCodec);

/** For a broker that has the module of an API before it needs the API's codec: no codec is loaded by itself. */
export const codecsOfBroker = codecsBeside('codecs-of-broker', withoutImporters, withWholeCodec);

function codecsBeside(
  name: string,
  rest: (files: readonly string[]) => string,
  withOwn: (code: string, file: string) => string,
): Plugin {
  return {
    name,
    transform(code, id) {
      const path = id.replaceAll('\\', '/');
      if (lists.test(path)) return withRegister(code, rest);
      const file = flatModule.exec(path)?.[1];
      return file === undefined || file === 'apis' ? null : withOwn(code, file);
    },
  };
}

function withWholeCodec(code: string, file: string): string {
  return `${code}
import * as wireModule from '../../wire/generated/${file}.js';
import { registerWireModule } from '../../wire/generated/index.js';
registerWireModule('${file}', wireModule);
`;
}

/** The network thread is a client: it writes requests and reads responses. It reads one request, to see whether an answer will come. */
const readAsRequest = ['produce'];

function withCodec(code: string, file: string): string {
  const isApi = code.includes('new GeneratedApi(');
  const names = isApi ? 'encodeRequest, decodeResponse' : 'encode, decode';
  const isClientsOnly = isApi && !readAsRequest.includes(file);
  if (isApi && !code.includes(brokersHalf))
    throw new Error(`${file}: the generated code of an API has another form now`);
  return `${isClientsOnly ? code.replace(brokersHalf, ', noBroker);') : code}
import { ${names} } from '../../wire/generated/${file}.js';
import { registerWireModule } from '../../wire/generated/index.js';
registerWireModule('${file}', { ${names} });
${isClientsOnly ? "function noBroker() { throw new Error('the network thread is no broker'); }" : ''}
`;
}

/** The lists stay. What follows them loads each module by `require`, which bundlers of applications do not follow. */
function withRegister(code: string, rest: (files: readonly string[]) => string): string {
  const files = [...code.matchAll(/\(\) => require\('\.\/([^']+)\.js'\)/g)].map(([, file]) => file!);
  const at = code.indexOf(loadersFrom);
  if (at < 0 || files.length < 90)
    throw new Error(`${files.length} wire codecs were found in the generated list, which must have another form now`);
  const head = code
    .slice(0, at)
    .replaceAll(/^(?:import \{ (?:createRequire|requireFrom) \}|const require =).*\n/gm, '');
  return `${head}
const modules = new Map();

export function registerWireModule(file, module) {
  modules.set(file, module);
}

export function loadWireModule(file) {
  return modules.get(file) ?? null;
}
${rest(files)}`;
}

function withImporters(files: readonly string[]): string {
  return `
const importers = {
${files.map((file) => `  '${file}': () => import('./${file}.js'),`).join('\n')}
};

export async function importWireModule(file) {
  registerWireModule(file, await importers[file]());
}
`;
}

function withoutImporters(): string {
  return `
export async function importWireModule(file) {
  throw new Error(file + ' is not there');
}
`;
}
