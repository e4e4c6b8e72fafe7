// Owns which room of src may import what, and judging one file by it. The architecture page prints this table; an import that
// it does not allow needs a line in `exceptions`, with its reason.

import { posix } from 'node:path';
import type { Reference } from './references.ts';

interface Room {
  readonly rooms: readonly RoomName[];
  readonly packages: readonly string[];
  /** Packages whose types may be imported, and nothing else of them. */
  readonly types?: readonly string[];
  /** Packages that need not be installed: only to be tried by `require`, for which `node:module` is needed. */
  readonly optional?: readonly string[];
  /** Our own native code by its source. It is in a folder beside the running file, if it was built for the platform. */
  readonly addons?: readonly string[];
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
  index: {
    rooms: [
      'main',
      'main/admin',
      'main/client',
      'main/consumer',
      'main/link',
      'main/producer',
      'main/metrics',
      'main/thread',
      'common',
      'protocol/flat',
    ],
    packages: [],
  },
  entries: { rooms: ['main/metrics', 'common', 'protocol/flat', 'protocol/wire'], packages: [] },
  testing: {
    rooms: ['common', 'codec', 'protocol/flat', 'protocol/wire'],
    packages: ['node:crypto', 'node:net', 'node:timers', 'node:tls', 'node:worker_threads'],
  },
  common: { rooms: [], packages: ['long', 'node:module', 'node:net'], types: ['node:worker_threads'] },
  cli: {
    rooms: ['index', 'common'],
    packages: [
      'commander',
      'console-table-printer',
      'cli-progress',
      'node:buffer',
      'node:events',
      'node:fs',
      'node:module',
      'node:net',
      'node:stream',
      'node:timers',
      'node:tty',
    ],
  },
  state: { rooms: ['common'], packages: [] },
  ring: { rooms: ['common', 'state'], packages: ['node:worker_threads'] },
  codec: {
    rooms: ['common'],
    packages: ['node:zlib'],
    optional: ['@node-rs/crc32', '@bokuweb/zstd-wasm', 'lz4-napi', 'snappy'],
    addons: ['native/crc32c.c'],
  },
  'protocol/flat': { rooms: ['common'], packages: ['long'] },
  'protocol/wire': { rooms: ['common', 'codec', 'protocol/flat'], packages: ['long'] },
  'protocol/schema': { rooms: [], packages: [] },
  'protocol/generate': { rooms: ['protocol/schema', 'common'], packages: ['node:fs', 'node:path'] },
  'main/link': {
    rooms: ['common', 'ring', 'state', 'protocol/flat'],
    packages: ['node:async_hooks'],
    types: ['node:worker_threads'],
  },
  'main/thread': {
    rooms: ['common', 'ring', 'state'],
    packages: [
      'node:module',
      'node:path',
      'comlink',
      'node:diagnostics_channel',
      'node:worker_threads',
      'worker_threads',
      'node:tls',
    ],
  },
  'main/metrics': { rooms: ['common', 'ring', 'state'], packages: ['node:diagnostics_channel'] },
  'main/consumer': {
    rooms: ['common', 'main/link', 'ring', 'state', 'protocol/flat'],
    packages: ['long', 'node:diagnostics_channel', 'node:stream'],
    types: ['node:stream/web', 'node:worker_threads'],
  },
  'main/producer': {
    rooms: ['common', 'main/link', 'main/metrics', 'ring', 'state', 'protocol/flat'],
    packages: ['long', 'node:diagnostics_channel', 'node:stream'],
    types: ['node:worker_threads'],
  },
  'main/client': {
    rooms: ['common', 'main/link', 'main/thread', 'state', 'protocol/flat'],
    packages: [],
    types: ['node:worker_threads'],
  },
  'main/admin': { rooms: ['common'], packages: ['long'] },
  main: {
    rooms: [
      'common',
      'main/admin',
      'main/client',
      'main/consumer',
      'main/link',
      'main/producer',
      'main/thread',
      'main/metrics',
      'ring',
      'state',
      'protocol/flat',
    ],
    packages: ['long', 'node:stream'],
    types: ['node:stream/web'],
  },
  'worker/net': {
    rooms: ['common'],
    optional: ['koffi'],
    packages: [
      'socks',
      'node:http',
      'node:net',
      'node:tls',
      'node:dns',
      'node:dns/promises',
      'node:crypto',
      'node:util',
    ],
  },
  'worker/requests': { rooms: ['common', 'codec', 'protocol/flat', 'protocol/wire'], packages: ['piscina'] },
  'worker/report': { rooms: ['common', 'state'], packages: [] },
  'worker/client': {
    rooms: ['common', 'worker/net', 'worker/requests', 'worker/report', 'state', 'protocol/flat', 'protocol/wire'],
    packages: [],
  },
  'worker/producer': {
    rooms: ['common', 'codec', 'worker/client', 'worker/requests', 'worker/report', 'protocol/flat', 'protocol/wire'],
    packages: ['long'],
  },
  'worker/admin': {
    rooms: ['common', 'worker/client', 'protocol/flat', 'protocol/wire'],
    packages: ['long', 'node:crypto'],
  },
  'worker/sasl': {
    rooms: ['common', 'worker/client', 'worker/net', 'worker/requests', 'protocol/flat', 'protocol/wire'],
    optional: ['kerberos'],
    packages: [
      '@mongodb-js/saslprep',
      'node:crypto',
      'node:http',
      'node:https',
      'node:stream',
      'node:util',
      'node:worker_threads',
    ],
    types: ['node:net', 'node:stream/web'],
  },
  'worker/consumer': {
    rooms: ['common', 'worker/client', 'worker/requests', 'protocol/flat', 'protocol/wire'],
    packages: [],
  },
  'worker/telemetry': {
    rooms: ['common', 'codec', 'worker/client', 'worker/report', 'state', 'protocol/flat'],
    packages: [],
  },
  'worker/link': {
    rooms: [
      'common',
      'worker/client',
      'worker/consumer',
      'worker/requests',
      'worker/producer',
      'worker/report',
      'worker/telemetry',
      'ring',
      'state',
      'protocol/flat',
      'protocol/wire',
    ],
    packages: ['node:worker_threads'],
  },
  worker: {
    rooms: [
      'common',
      'worker/admin',
      'worker/net',
      'worker/requests',
      'worker/report',
      'worker/client',
      'worker/sasl',
      'worker/link',
      'worker/producer',
      'worker/telemetry',
      'ring',
      'state',
      'codec',
      'protocol/flat',
      'protocol/wire',
    ],
    packages: ['comlink', 'node:worker_threads'],
  },
} as const satisfies Record<string, Omit<Room, 'rooms'> & { readonly rooms: readonly string[] }>;

const rooms: Readonly<Record<RoomName, Room>> = table;
export const roomNames = Object.keys(rooms) as RoomName[];

export const exceptions: readonly Exception[] = [
  {
    from: 'main/thread/new-thread.ts',
    imports: 'worker/index.ts',
    form: 'url',
    reason: 'starts the worker, and so has to name its entry; no code of it is loaded on this side',
  },
  {
    from: 'cli/index.ts',
    imports: 'main/thread/new-thread.ts',
    reason: 'has the network thread started while the rest of the program is loaded; applications have no such call',
  },
  {
    from: 'worker/net/tls-files.ts',
    imports: 'node:fs',
    reason: 'reads certificates and keys, again when they are renewed',
  },
  {
    from: 'worker/net/name-servers.ts',
    imports: 'node:fs',
    reason: 'reads the hosts file and resolv.conf where the look-up of the system is late',
  },
  { from: 'protocol/wire/generated', imports: 'node:module', reason: 'each codec is loaded at its first use' },
  {
    from: 'codec/native-crc32c.ts',
    imports: null,
    form: 'require',
    reason: 'loads our addon, which is named for the platform',
  },
  {
    from: 'codec/native-blocks.ts',
    imports: null,
    form: 'require',
    reason: 'loads the one of two optional packages that it is asked for',
  },
  {
    from: 'worker/sasl/token-sources.ts',
    imports: null,
    reason: 'loads the module that the application names in saslOauthTokenProvider',
  },
  {
    from: 'testing/broker-cluster.ts',
    imports: null,
    reason: 'loads the module that a test names in addModuleRule',
  },
  { from: 'protocol/wire/wire-reader.ts', imports: 'node:buffer', reason: 'isUtf8 validates without decoding' },
];

/** The table in Markdown, for the architecture page. */
export function roomTable(): string {
  const rows = roomNames.map((name) => {
    const { rooms: allowed, packages, types = [], optional = [], addons = [] } = rooms[name];
    const others = [
      ...packages,
      ...types.map((type) => `types of ${type}`),
      ...addons.map((source) => `the addon of ${source} if built`),
      ...optional.map((one) => `${one} if installed`),
    ];
    const list = (names: readonly string[]): string => (names.length === 0 ? '-' : names.join(', '));
    return `| ${name} | ${list(allowed)} | ${list(others)} |`;
  });
  return ['| room | may import | packages |', '|---|---|---|', ...rows].join('\n');
}

/** A way through the table that comes back to the room where it began. Null: there is none. */
export function cycleOf(allowed: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const way: string[] = [];
  const search = (room: string): string[] | null => {
    if (way.includes(room)) return [...way.slice(way.indexOf(room)), room];
    if (done.has(room)) return null;
    way.push(room);
    for (const other of allowed.get(room) ?? []) {
      const found = search(other);
      if (found !== null) return found;
    }
    way.pop();
    done.add(room);
    return null;
  };
  for (const room of allowed.keys()) {
    const found = search(room);
    if (found !== null) return found;
  }
  return null;
}

/** The table: each room with the rooms that it may import. */
export const allowedRooms: ReadonlyMap<string, readonly string[]> = new Map(
  roomNames.map((name) => [name, rooms[name].rooms]),
);

/** The room a file under `src` is in, null when the table has none for it. */
export function roomOf(path: string): RoomName | null {
  if (path === 'index.ts') return 'index';
  // A room within another is the smaller one.
  const around = roomNames.filter((name) => name !== 'index' && path.startsWith(`${name}/`));
  return around.toSorted((a, b) => b.length - a.length)[0] ?? null;
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
