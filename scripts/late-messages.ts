// Owns how application threads of the package come to the code of APIs' messages. The constant of an API is there at once, because applications
// import it by name. The functions of its messages are in one file with those of all others, and what only a broker needs of them is in another.
//
// Node itself loads these files late: a client awaits its own while its network thread starts. In a bundle they are there from the beginning,
// because bundlers that inline them would run them after code that waits for them. `imports` of package.json tells the two apart by a condition that Node has
// and bundlers do not have.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';

/** Every client reads these. */
const early = ['metadata'];
const apiModule = /\/protocol\/flat\/generated\/([a-z0-9-]+)\.js$/;
const loaderModule = /\/protocol\/flat\/late-messages\.js$/;
/** The function of a generated module that makes the functions for each end, and the module of all of them. */
const ends = {
  client: { made: 'loadClientMessages', all: '\0all-messages', suffix: '?messages' },
  broker: { made: 'loadBrokerMessages', all: '\0all-broker-messages', suffix: '?broker-messages' },
} as const;
type End = (typeof ends)[keyof typeof ends];
/** A name of `imports` in package.json. */
const loader = '#messages';
const constant =
  /export const (\w+) =\s*(\/\* @__PURE__ \*\/ new GeneratedApi\(.*), loadClientMessages, loadBrokerMessages\);/;

const loaders: Readonly<Record<string, string>> = {
  '\0late-messages': `
let messages = null;
let brokers = null;
export function messagesOf(file) {
  if (messages === null) throw new Error('the messages of ' + file + ' are not loaded: start a KafkaClient first');
  return messages.get(file)();
}
export function brokerMessagesOf(file) {
  if (brokers === null) throw new Error('what a broker needs of the messages of ' + file + ' is not loaded: start an EmbeddedBroker first');
  return brokers.get(file)();
}
export async function loadMessages() {
  messages ??= (await import('\\0all-messages')).messages;
}
export async function loadBrokerMessages() {
  brokers ??= (await import('\\0all-broker-messages')).messages;
}
`,
  '\0early-messages': `
import { messages } from '\\0all-messages';
import { messages as brokers } from '\\0all-broker-messages';
export function messagesOf(file) {
  return messages.get(file)();
}
export function brokerMessagesOf(file) {
  return brokers.get(file)();
}
export async function loadMessages() {}
export async function loadBrokerMessages() {}
`,
};

/** Entries beside those of the package: what `imports` of package.json names. */
export const messageLoaders: Readonly<Record<string, string>> = {
  'shared/late-messages': '\0late-messages',
  'shared/early-messages': '\0early-messages',
};

/** Whether a module of the bundle has messages that may come late, of one end or of either. */
export function isLate(id: string, end?: keyof typeof ends): boolean {
  return (end === undefined ? Object.values(ends) : [ends[end]]).some(
    ({ all, suffix }) => id === all || id.endsWith(suffix),
  );
}

export function lateMessages(dist: string): Plugin {
  const folder = join(dist, 'protocol', 'flat', 'generated');
  return {
    name: 'late-messages',
    resolveId: (id) => (isLate(id) || id in loaders ? id : null),
    load(id) {
      for (const end of Object.values(ends)) {
        if (id === end.all) return allMessages(folder, end);
        if (id.endsWith(end.suffix)) return codeOf(id.slice(0, -end.suffix.length), end);
      }
      return loaders[id] ?? null;
    },
    transform(code, id) {
      const path = id.replaceAll('\\', '/');
      if (loaderModule.test(path)) return `export { loadBrokerMessages, loadMessages } from '${loader}';`;
      const file = apiModule.exec(path)?.[1];
      if (file === undefined || !hasLateMessages(file, code)) return null;
      const [, name, made] = constant.exec(code)!;
      const functions = [`() => messagesOf('${file}')`, `() => brokerMessagesOf('${file}')`];
      return `import { GeneratedApi } from '../api.js';
import { brokerMessagesOf, messagesOf } from '${loader}';
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

/** The functions of the messages of one API, without its constant. What the other end needs is not exported, and so it is left out. */
function codeOf(path: string, { made }: End): string {
  return `${readFileSync(path, 'utf8').replace(constant, '')}\nexport { ${made} };\n`;
}

function allMessages(folder: string, { made, suffix }: End): string {
  const list = readFileSync(join(folder, 'apis.js'), 'utf8');
  const files = [...list.matchAll(/^import \{ \w+ \} from '\.\/([a-z0-9-]+)\.js';$/gm)]
    .map(([, file]) => file!)
    .filter((file) => hasLateMessages(file, readFileSync(join(folder, `${file}.js`), 'utf8')));
  if (files.length < 80)
    throw new Error(`${files.length} APIs were found in the generated list, which must have another form now`);
  const imports = files.map(
    (file, i) => `import { ${made} as api${i} } from ${JSON.stringify(join(folder, `${file}.js`) + suffix)};`,
  );
  return `${imports.join('\n')}
export const messages = new Map([${files.map((file, i) => `['${file}', api${i}]`).join(', ')}]);
`;
}
