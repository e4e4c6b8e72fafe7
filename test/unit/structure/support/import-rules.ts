// Owns which room of src may import what, and judging one file by it. The tables are the ones that the architecture page has
// under "Who may import whom"; an import that they do not allow needs a line in `exceptions`, with its reason.

import { posix } from 'node:path';
import type { Reference } from './references.ts';

interface Room {
  readonly rooms: readonly RoomName[];
  readonly packages: readonly string[];
  /** Packages whose types may be imported, and nothing else of them. */
  readonly types?: readonly string[];
  /** Packages that need not be installed: only to be tried by `require`, for which `node:module` is needed. */
  readonly optional?: readonly string[];
}

export interface Exception {
  /** File or folder under `src`. */
  readonly from: string;
  /** Package, or file under `src`; null: a module whose name the source does not tell. */
  readonly imports: string | null;
  readonly form?: Reference['form'];
  readonly reason: string;
}

export type RoomName = keyof typeof table;

const table = {
  index: { rooms: ['main', 'common', 'protocol/flat'], packages: [] },
  common: { rooms: [], packages: [], types: ['node:worker_threads'] },
  ring: { rooms: ['common'], packages: ['node:worker_threads'] },
  codec: {
    rooms: ['common'],
    packages: ['node:zlib'],
    optional: ['@node-rs/crc32', '@bokuweb/zstd-wasm', 'lz4-napi', 'snappy'],
  },
  'protocol/flat': { rooms: ['common'], packages: ['long'] },
  'protocol/wire': { rooms: ['common', 'codec', 'protocol/flat'], packages: ['long'] },
  'protocol/schema': { rooms: [], packages: [] },
  'protocol/generate': { rooms: ['protocol/schema', 'common'], packages: ['node:fs', 'node:path'] },
  main: { rooms: ['common', 'ring', 'protocol/flat'], packages: ['comlink', 'long', 'node:worker_threads'] },
  worker: {
    rooms: ['common', 'ring', 'codec', 'protocol/flat', 'protocol/wire'],
    optional: ['kerberos', 'koffi'],
    packages: [
      '@mongodb-js/saslprep',
      'comlink',
      'piscina',
      'long',
      'socks',
      'node:http',
      'node:net',
      'node:tls',
      'node:dns',
      'node:crypto',
      'node:worker_threads',
      'node:util',
    ],
  },
} as const satisfies Record<string, Omit<Room, 'rooms'> & { readonly rooms: readonly string[] }>;

const rooms: Readonly<Record<RoomName, Room>> = table;
export const roomNames = Object.keys(rooms) as RoomName[];

export const exceptions: readonly Exception[] = [
  {
    from: 'main/network-thread.ts',
    imports: 'worker/index.ts',
    form: 'url',
    reason: 'starts the worker, and so has to name its entry; no code of it is loaded on this side',
  },
  {
    from: 'worker/tls-contexts.ts',
    imports: 'node:fs',
    reason: 'reads certificates and keys, again when they are renewed',
  },
  { from: 'protocol/flat/generated', imports: 'node:module', reason: 'each API is loaded at its first use' },
  { from: 'protocol/wire/generated', imports: 'node:module', reason: 'each codec is loaded at its first use' },
  {
    from: 'worker/sasl/token-sources.ts',
    imports: null,
    reason: 'loads the module that the application names in saslOauthTokenProvider',
  },
  { from: 'protocol/wire/wire-reader.ts', imports: 'node:buffer', reason: 'isUtf8 validates without decoding' },
];

/** The room a file under `src` is in, null when the table has none for it. */
export function roomOf(path: string): RoomName | null {
  if (path === 'index.ts') return 'index';
  return roomNames.find((name) => name !== 'index' && path.startsWith(`${name}/`)) ?? null;
}

/**
 * What is wrong with the imports of one file, one line each.
 * @param path  under `src`, with `/`
 * @param used  collects the exceptions that were needed
 */
export function violations(path: string, references: readonly Reference[], used: Set<Exception> = new Set()): string[] {
  const room = roomOf(path);
  if (room === null) return [`src/${path} is in no room of the table`];
  return references.flatMap((reference) => {
    const target = targetOf(path, reference);
    const exception = exceptions.find((candidate) => excepts(candidate, path, reference, target));
    if (exception !== undefined) used.add(exception);
    const problem = exception === undefined ? problemOf(room, reference, target) : null;
    return problem === null ? [] : [`src/${path}:${reference.line} ${problem}`];
  });
}

function problemOf(room: RoomName, reference: Reference, target: string | null): string | null {
  if (target === null) return 'loads a module whose name cannot be read from the source';
  const { rooms: allowed } = rooms[room];
  if (!isInside(reference)) {
    return mayImport(rooms[room], target, reference.form) ? null : `${room} may not import the package ${target}`;
  }
  const other = roomOf(target);
  if (other === null) return `imports ${target}, which is in no room of the table`;
  if (other === room) return null;
  if (reference.form === 'url') return `names ${target} by URL, outside its own room`;
  return allowed.includes(other) ? null : `${room} may not import ${other} (${target})`;
}

function mayImport({ packages, types = [], optional = [] }: Room, target: string, form: Reference['form']): boolean {
  if (form === 'type' && types.includes(target)) return true;
  if (form === 'require' && optional.includes(target)) return true;
  return packages.includes(target) || (target === 'node:module' && optional.length > 0);
}

/** The file under `src`, or the package; null when it cannot be read from the source. */
function targetOf(path: string, reference: Reference): string | null {
  const { specifier } = reference;
  if (specifier === null) return null;
  if (isInside(reference)) return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
  if (specifier.startsWith('node:')) return specifier.split('/')[0]!;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** The packages that references need from outside of Node. */
export function packagesOf(path: string, references: readonly Reference[]): string[] {
  return references
    .filter((reference) => !isInside(reference))
    .map((reference) => targetOf(path, reference))
    .filter((target) => target !== null && !target.startsWith('node:')) as string[];
}

function isInside({ specifier }: Reference): boolean {
  return specifier?.startsWith('.') === true;
}

function excepts(exception: Exception, path: string, reference: Reference, target: string | null): boolean {
  const isFrom = path === exception.from || path.startsWith(`${exception.from}/`);
  return isFrom && target === exception.imports && (exception.form ?? reference.form) === reference.form;
}
