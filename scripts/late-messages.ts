// Owns how application threads of the package come to the code of APIs' messages. The constant of an API is there at once, because applications
// import it by name. The functions of its messages are in one file with those of all others.
//
// Node itself loads that file late: a client awaits it while its network thread starts. In a bundle it is there from the beginning, because
// bundlers that inline it would run it after code that waits for it. `imports` of package.json tells the two apart by a condition that Node has
// and bundlers do not have.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';

/** Every client reads these. */
const early = ['metadata'];
const apiModule = /\/protocol\/flat\/generated\/([a-z0-9-]+)\.js$/;
const loaderModule = /\/protocol\/flat\/late-messages\.js$/;
const suffix = '?messages';
const all = '\0all-messages';
/** A name of `imports` in package.json. */
const loader = '#messages';
const constant =
  /export const (\w+) =\s*(\/\* @__PURE__ \*\/ new GeneratedApi\(.*), loadClientMessages, loadBrokerMessages\);/;

const loaders: Readonly<Record<string, string>> = {
  '\0late-messages': `
let modules = null;
export function messagesOf(file) {
  if (modules === null) throw new Error('the messages of ' + file + ' are not loaded: start a KafkaClient first');
  return modules.get(file);
}
export async function loadMessages() {
  modules ??= (await import('\\0all-messages')).modules;
}
`,
  '\0early-messages': `
import { modules } from '\\0all-messages';
export function messagesOf(file) {
  return modules.get(file);
}
export async function loadMessages() {}
`,
};

/** Entries beside those of the package: what `imports` of package.json names. */
export const messageLoaders: Readonly<Record<string, string>> = {
  'shared/late-messages': '\0late-messages',
  'shared/early-messages': '\0early-messages',
};

/** Whether a module of the bundle has messages that may come late. */
export function isLate(id: string): boolean {
  return id === all || id.endsWith(suffix);
}

export function lateMessages(dist: string): Plugin {
  const folder = join(dist, 'protocol', 'flat', 'generated');
  return {
    name: 'late-messages',
    resolveId: (id) => (isLate(id) || id in loaders ? id : null),
    load(id) {
      if (id === all) return allMessages(folder);
      return id.endsWith(suffix) ? codeOf(id.slice(0, -suffix.length)) : (loaders[id] ?? null);
    },
    transform(code, id) {
      const path = id.replaceAll('\\', '/');
      if (loaderModule.test(path)) return `export { loadMessages } from '${loader}';`;
      const file = apiModule.exec(path)?.[1];
      if (file === undefined || !hasLateMessages(file, code)) return null;
      const [, name, made] = constant.exec(code)!;
      const functions = ['loadClientMessages', 'loadBrokerMessages'].map(
        (part) => `() => messagesOf('${file}').${part}()`,
      );
      return `import { GeneratedApi } from '../api.js';
import { messagesOf } from '${loader}';
export const ${name} = ${made}, ${functions.join(', ')});
`;
    },
  };
}

/** Data messages have no such constant. */
function hasLateMessages(file: string, code: string): boolean {
  if (!code.includes('new GeneratedApi(') || early.includes(file)) return false;
  if (!constant.test(code)) throw new Error(`${file}: the generated code of an API has another form now`);
  return true;
}

/** The functions of the messages of one API, without its constant. */
function codeOf(path: string): string {
  return `${readFileSync(path, 'utf8').replace(constant, '')}\nexport { loadClientMessages, loadBrokerMessages };\n`;
}

function allMessages(folder: string): string {
  const list = readFileSync(join(folder, 'apis.js'), 'utf8');
  const files = [...list.matchAll(/^import \{ \w+ \} from '\.\/([a-z0-9-]+)\.js';$/gm)]
    .map(([, file]) => file!)
    .filter((file) => hasLateMessages(file, readFileSync(join(folder, `${file}.js`), 'utf8')));
  if (files.length < 80)
    throw new Error(`${files.length} APIs were found in the generated list, which must have another form now`);
  const imports = files.map(
    (file, i) => `import * as api${i} from ${JSON.stringify(join(folder, `${file}.js`) + suffix)};`,
  );
  return `${imports.join('\n')}
export const modules = new Map([${files.map((file, i) => `['${file}', api${i}]`).join(', ')}]);
`;
}
