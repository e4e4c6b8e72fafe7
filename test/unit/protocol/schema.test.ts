// Owns the checks on the schema tables: that each is sound in itself, that its words say something, and that it agrees
// with the facts in test/fixtures/messages.json at every version of every message. With KAFKA_MESSAGE_DIR set to a
// folder of Kafka's own message definitions, release 4.3 (older ones have other names), the tables are compared with
// those too. Runs in one thread, without sockets.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  type ApiTable,
  apis,
  type DataTable,
  dataMessages,
  type FieldRow,
} from '../../../src/protocol/schema/index.ts';

const PRIMITIVES = ['bool', 'int8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'float64', 'uuid'];
const NULLABLE_PRIMITIVES = ['string', 'bytes', 'records'];
const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};
const ENTITY_TYPES: Readonly<Record<string, string>> = {
  topicName: 'string',
  groupId: 'string',
  transactionalId: 'string',
  brokerId: 'int32',
  producerId: 'int64',
};
const EXTRAS = [
  'nullable',
  'default',
  'tag',
  'tagged',
  'ignorable',
  'flexible',
  'mapKey',
  'unaligned',
  'entity',
  'fields',
];

// ---- ranges

interface Range {
  readonly low: number;
  readonly high: number;
}

const NO_VERSIONS: Range = { low: 1, high: 0 };

function range(text: string): Range {
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  assert.ok(match, `${JSON.stringify(text)} is no range of versions`);
  const low = Number(match[1]);
  const high = match[2] === '+' ? Number.POSITIVE_INFINITY : Number(match[3] ?? match[1]);
  assert.ok(low <= high, `range ${text} is upside down`);
  return { low, high };
}

const rangeOrNone = (text: string | undefined): Range =>
  text === undefined || text === 'none' ? NO_VERSIONS : range(text);
const isEmpty = (r: Range): boolean => r.low > r.high;
const includes = (r: Range, version: number): boolean => version >= r.low && version <= r.high;
const intersect = (a: Range, b: Range): Range => ({ low: Math.max(a.low, b.low), high: Math.min(a.high, b.high) });
const covers = (outer: Range, inner: Range): boolean =>
  isEmpty(inner) || (outer.low <= inner.low && inner.high <= outer.high);

function versionsOf(r: Range): number[] {
  assert.ok(Number.isFinite(r.high), 'a message has a highest version');
  return Array.from({ length: r.high - r.low + 1 }, (_, i) => r.low + i);
}

// ---- the tables as messages

interface Message {
  readonly name: string;
  readonly versions: Range;
  readonly flexible: Range;
  readonly fields: readonly FieldRow[];
}

function tableMessages(): Message[] {
  const ofApi = (api: ApiTable): Message[] =>
    (['request', 'response'] as const).map((kind) => ({
      name: `${api.name}${kind === 'request' ? 'Request' : 'Response'}`,
      versions: range(api[kind].versions),
      flexible: rangeOrNone(api.flexible),
      fields: api[kind].fields,
    }));
  const ofData = (data: DataTable): Message => ({
    name: data.name,
    versions: range(data.versions),
    flexible: rangeOrNone(data.flexible),
    fields: data.fields,
  });
  return [...apis.flatMap(ofApi), ...dataMessages.map(ofData)];
}

const elementOf = (type: string): string => type.replace(/^\[\]/, '');
const isStruct = (type: string): boolean => /^[A-Z]/.test(elementOf(type));

/** Calls `visit` for every field with the path to it and the versions in which it is on the wire. */
function eachField(
  message: Message,
  visit: (row: FieldRow, path: string, present: Range, siblings: readonly FieldRow[], parentPresent: Range) => void,
): void {
  const walk = (rows: readonly FieldRow[], path: string, parent: Range): void => {
    for (const row of rows) {
      const present = intersect(range(row[2]), parent);
      visit(row, `${path}.${row[0]}`, present, rows, parent);
      walk(row[4]?.fields ?? [], `${path}.${row[0]}`, present);
    }
  };
  walk(message.fields, message.name, message.versions);
}

// ---- the facts

interface FactField {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly default?: unknown;
  readonly tag?: number;
  readonly taggedVersions?: string;
  readonly ignorable?: boolean;
  readonly flexibleVersions?: string;
  readonly mapKey?: boolean;
  readonly entityType?: string;
  readonly fields?: readonly FactField[];
}

interface FactMessage {
  readonly apiKey?: number;
  readonly type: string;
  readonly name: string;
  readonly validVersions: string;
  readonly legacyVersions?: string;
  readonly flexibleVersions: string;
  readonly listeners?: readonly string[];
  readonly latestVersionUnstable?: boolean;
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly FactField[] }[];
  readonly fields: readonly FactField[];
}

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Folder of the checkout: found from below, because tests run from a build folder inside it. */
function checkoutRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'test/fixtures/messages.json'))) {
    const parent = dirname(folder);
    assert.notEqual(parent, folder, 'test/fixtures/messages.json is not in any folder above the test');
    folder = parent;
  }
  return folder;
}

const root = checkoutRoot();
const facts = JSON.parse(readFileSync(join(root, 'test/fixtures/messages.json'), 'utf8')) as {
  readonly messages: readonly FactMessage[];
  readonly legacy: readonly FactMessage[];
};

/** The layout of a message at one version: a line for each field on the wire, in order. Both sides print the same. */
interface Line {
  readonly depth: number;
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly default: string | undefined;
  readonly tag: number | undefined;
  readonly ignorable: boolean;
  readonly neverFlexible: boolean;
  readonly mapKey: boolean;
  readonly entity: string | undefined;
}

function print(line: Line): string {
  const notes = [
    line.nullable ? 'nullable' : '',
    line.default === undefined ? '' : `default=${JSON.stringify(line.default)}`,
    line.tag === undefined ? '' : `tag=${line.tag}`,
    line.ignorable ? 'ignorable' : '',
    line.neverFlexible ? 'never flexible' : '',
    line.mapKey ? 'map key' : '',
    line.entity ?? '',
  ];
  return [`${'  '.repeat(line.depth)}${line.name} ${line.type}`, ...notes.filter((note) => note !== '')].join(', ');
}

function tableLayout(rows: readonly FieldRow[], version: number, depth = 0): string[] {
  return rows.flatMap(([name, type, versions, , extras = {}]) => {
    if (!includes(range(versions), version)) return [];
    const line = print({
      depth,
      name,
      type,
      nullable: includes(rangeOrNone(extras.nullable), version),
      default: extras.default,
      tag: includes(rangeOrNone(extras.tagged), version) ? extras.tag : undefined,
      ignorable: extras.ignorable === true,
      neverFlexible: extras.flexible === 'none',
      mapKey: extras.mapKey === true,
      entity: extras.entity,
    });
    return [line, ...tableLayout(extras.fields ?? [], version, depth + 1)];
  });
}

function factLayout(message: FactMessage, version: number, fields = message.fields, depth = 0): string[] {
  return fields.flatMap((field) => {
    if (!includes(range(field.versions), version)) return [];
    const common = message.commonStructs?.find((struct) => struct.name === elementOf(field.type));
    const line = print({
      depth,
      name: lowerFirst(field.name),
      type: field.type,
      nullable: includes(rangeOrNone(field.nullableVersions), version),
      default: field.default === undefined ? undefined : String(field.default),
      tag: includes(rangeOrNone(field.taggedVersions), version) ? field.tag : undefined,
      ignorable: field.ignorable === true,
      neverFlexible: field.flexibleVersions === 'none',
      mapKey: field.mapKey === true,
      entity: field.entityType,
    });
    return [line, ...factLayout(message, version, field.fields ?? common?.fields ?? [], depth + 1)];
  });
}

// ---- tests

const messages = tableMessages();
const messageByName = new Map(messages.map((message) => [message.name, message]));

describe('schema tables: the list', () => {
  it('names every API and message once', () => {
    assert.equal(new Set(apis.map((api) => api.key)).size, apis.length, 'an API key occurs twice');
    assert.equal(messageByName.size, messages.length, 'a message name occurs twice');
    for (const name of [...apis, ...dataMessages].map((table) => table.name)) assert.match(name, /^[A-Z][A-Za-z0-9]+$/);
  });

  it('contains every table file, and each file has the name of its table', () => {
    const kebab = (name: string): string =>
      name.replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$1$3-$2').toLowerCase();
    const listed = [...apis, ...dataMessages].map((table) => `${kebab(table.name)}.ts`);
    const files = readdirSync(join(root, 'src/protocol/schema'));
    const others = ['errors.ts', 'index.ts', 'schema.ts'];
    assert.deepEqual(files.filter((file) => !others.includes(file)).sort(), listed.sort());
  });

  it('gives both messages of an API the same versions, the legacy ones at the low end', () => {
    for (const api of apis) {
      assert.equal(api.request.versions, api.response.versions, api.name);
      const spoken = range(api.request.versions);
      assert.ok(Number.isFinite(spoken.high), `${api.name} has no highest version`);
      if (api.legacy === undefined) continue;
      assert.equal(range(api.legacy).low, spoken.low, `${api.name}: legacy versions begin elsewhere`);
      assert.ok(covers(spoken, range(api.legacy)), `${api.name}: legacy versions outside of its versions`);
    }
  });

  it('gives flexible versions as none or from some version on, and known listeners', () => {
    for (const { name, flexible } of [...apis, ...dataMessages]) assert.match(flexible, /^(none|\d+\+)$/, name);
    for (const { name, listeners = [] } of apis) {
      assert.ok(listeners.length > 0, `${name}: nobody answers it`);
      for (const listener of listeners) assert.ok(['broker', 'controller', 'zkBroker'].includes(listener), name);
    }
  });
});

describe('schema tables: every field', () => {
  it('has a camelCase name, unique among the fields of its struct', () => {
    for (const message of messages) {
      eachField(message, (row, path, _present, siblings) => {
        assert.match(row[0], /^[a-z][A-Za-z0-9]*$/, path);
        assert.equal(siblings.filter((other) => other[0] === row[0]).length, 1, `${path} occurs twice`);
      });
    }
  });

  it('has a known type; structs have fields and nothing else has', () => {
    for (const message of messages) {
      eachField(message, ([, type, , , extras], path) => {
        if (isStruct(type)) {
          assert.ok((extras?.fields?.length ?? 0) > 0, `${path}: struct ${type} without fields`);
        } else {
          assert.ok([...PRIMITIVES, ...NULLABLE_PRIMITIVES].includes(elementOf(type)), `${path}: type ${type}`);
          assert.equal(extras?.fields, undefined, `${path}: fields, but no struct`);
        }
      });
    }
  });

  it('means the same by a struct name everywhere in a message', () => {
    for (const message of messages) {
      const structs = new Map<string, readonly FieldRow[] | undefined>();
      eachField(message, ([, type, , , extras], path) => {
        if (!isStruct(type)) return;
        const known = structs.get(elementOf(type));
        if (known !== undefined) assert.deepEqual(extras?.fields, known, path);
        structs.set(elementOf(type), extras?.fields);
      });
    }
  });

  it('is on the wire in some version, within those of the message', () => {
    for (const message of messages) {
      const seen = new Map<FieldRow, boolean>();
      eachField(message, (row, path, present, _siblings, parent) => {
        seen.set(row, seen.get(row) === true || !isEmpty(present));
        const from = range(row[2]);
        assert.ok(isEmpty(parent) || from.low <= message.versions.high, `${path}: ${row[2]} is never spoken`);
      });
      for (const [row, used] of seen) assert.ok(used, `${message.name}: ${row[0]} is in no version`);
    }
  });

  it('has only extras that are known', () => {
    for (const message of messages) {
      eachField(message, ([, , , , extras = {}], path) => {
        for (const key of Object.keys(extras)) assert.ok(EXTRAS.includes(key), `${path}: extra ${key}`);
      });
    }
  });

  it('is null only where it exists and its type can be', () => {
    for (const message of messages) {
      eachField(message, ([, type, versions, , extras], path) => {
        if (extras?.nullable === undefined) return;
        assert.ok(covers(range(versions), range(extras.nullable)), `${path}: nullable in ${extras.nullable}`);
        const can = type.startsWith('[]') || isStruct(type) || NULLABLE_PRIMITIVES.includes(type);
        assert.ok(can, `${path}: ${type} cannot be null`);
      });
    }
  });

  it('has a default that its type can hold', () => {
    for (const message of messages) {
      eachField(message, ([, type, , , extras], path, present) => {
        const text = extras?.default;
        if (text === undefined) return;
        const limits = INTEGERS[type];
        if (text === 'null' && !PRIMITIVES.includes(type)) {
          assert.ok(covers(rangeOrNone(extras?.nullable), present), `${path}: default null, but not always nullable`);
        } else if (limits !== undefined) {
          assert.match(text, /^(0|-?[1-9]\d*)$/, path);
          assert.ok(BigInt(text) >= limits[0] && BigInt(text) <= limits[1], `${path}: ${text} is out of range`);
        } else if (type === 'bool') {
          assert.ok(text === 'true' || text === 'false', `${path}: ${text}`);
        } else {
          assert.equal(type, 'string', `${path}: a default for ${type}`);
        }
      });
    }
  });

  it('is tagged in flexible versions only, with tags that count up from 0 in its struct', () => {
    for (const message of messages) {
      eachField(message, ([, , versions, , extras], path, present) => {
        assert.equal(extras?.tag === undefined, extras?.tagged === undefined, `${path}: tag without its versions`);
        if (extras?.tagged === undefined) return;
        assert.ok(covers(range(versions), range(extras.tagged)), `${path}: tagged in ${extras.tagged}`);
        assert.ok(covers(message.flexible, intersect(range(extras.tagged), present)), `${path}: tagged, not flexible`);
      });
      const structs = new Set<readonly FieldRow[]>([message.fields]);
      eachField(message, (row) => row[4]?.fields && structs.add(row[4].fields));
      for (const rows of structs) {
        for (const version of versionsOf(message.versions)) {
          const tags = rows.flatMap(([, , , , extras]) =>
            includes(rangeOrNone(extras?.tagged), version) ? [extras?.tag] : [],
          );
          assert.deepEqual(tags, [...tags.keys()], `${message.name} ${version}: tags ${tags}`);
        }
      }
    }
  });

  it('leaves the compact form out only where there is one, and keys only arrays of structs', () => {
    for (const message of messages) {
      eachField(message, ([, type, , , extras], path) => {
        if (extras?.flexible !== undefined) assert.ok(['string', 'bytes'].includes(type), path);
        for (const [, inner, , , innerExtras] of extras?.fields ?? []) {
          if (innerExtras?.mapKey === undefined) continue;
          assert.ok(type.startsWith('[]'), `${path}: a map key, but no array around it`);
          assert.ok(!inner.startsWith('[]'), `${path}: an array as a map key`);
        }
      });
      for (const [name, , , , extras] of message.fields) assert.equal(extras?.mapKey, undefined, name);
    }
  });

  it('names an entity of its type', () => {
    for (const message of messages) {
      eachField(message, ([, type, , , extras], path) => {
        if (extras?.entity !== undefined) assert.equal(ENTITY_TYPES[extras.entity], elementOf(type), path);
      });
    }
  });
});

describe('schema tables: the words', () => {
  const FILLERS = ['a', 'an', 'and', 'the', 'of', 'in', 'for', 'this', 'that', 'is', 'its', 'to'];
  const words = (text: string): string[] =>
    text
      .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .filter((word) => word !== '' && !FILLERS.includes(word));

  function checkWords(doc: string, name: string, where: string): void {
    assert.match(doc, /^[A-Z0-9].*\.$/, `${where}: no sentence: ${JSON.stringify(doc)}`);
    assert.doesNotMatch(doc, / {2}|\n|TODO|MISSING/, where);
    const stem = (word: string): string => word.replace(/s$/, '');
    const known = words(name).map(stem);
    const news = words(doc).filter((word) => !known.includes(stem(word)));
    assert.ok(news.length > 0, `${where}: says no more than its name: ${JSON.stringify(doc)}`);
  }

  it('say something about every field', () => {
    for (const message of messages) eachField(message, (row, path) => checkWords(row[3], row[0], path));
  });

  it('say what every API and data message is for', () => {
    for (const { name, doc } of [...apis, ...dataMessages]) {
      checkWords(doc, name, name);
      assert.ok(words(doc).length >= 5, `${name}: ${doc}`);
    }
  });
});

describe('schema tables: compared with the facts', () => {
  const definitions = [...facts.messages, ...facts.legacy];
  const definedRanges = (fact: FactMessage): Range[] =>
    [fact.legacyVersions, fact.validVersions].filter((text) => text !== undefined).map(range);

  it('have every message, at every version, and no other', () => {
    const defined = new Map<string, number[]>();
    for (const fact of definitions) {
      const known = defined.get(fact.name) ?? [];
      defined.set(fact.name, [...known, ...definedRanges(fact).flatMap(versionsOf)]);
    }
    const expected = [...defined].map(([name, versions]) => [name, versions.sort((a, b) => a - b)]);
    const spoken = messages.map((message) => [message.name, versionsOf(message.versions)]);
    const byName = (a: (string | number[])[], b: (string | number[])[]): number =>
      String(a[0]) < String(b[0]) ? -1 : 1;
    assert.deepEqual(spoken.sort(byName), expected.sort(byName));
  });

  it('agree on keys, flexible versions, listeners, legacy and unstable versions', () => {
    const legacyOnly = facts.legacy.filter((fact) => !facts.messages.some((other) => other.name === fact.name));
    for (const fact of [...facts.messages, ...legacyOnly]) {
      const table =
        apis.find((api) => api.name === fact.name.replace(/(Request|Response)$/, '')) ??
        dataMessages.find((data) => data.name === fact.name);
      assert.ok(table, fact.name);
      assert.equal(table.flexible, fact.flexibleVersions, `${fact.name}: flexible`);
      if (!('key' in table)) {
        assert.equal(table.kind, fact.type, fact.name);
        continue;
      }
      assert.equal(table.key, fact.apiKey, fact.name);
      const ownLegacy = facts.legacy.find((other) => other.name === fact.name)?.validVersions;
      assert.equal(table.legacy, fact.legacyVersions ?? ownLegacy, `${fact.name}: legacy`);
      if (fact.type !== 'request') continue;
      assert.deepEqual(table.listeners, fact.listeners, `${fact.name}: listeners`);
      assert.equal(table.latestUnstable === true, fact.latestVersionUnstable === true, `${fact.name}: unstable`);
    }
  });

  for (const fact of definitions) {
    it(`agree on every field of ${fact.name} ${fact.legacyVersions ?? ''} ${fact.validVersions}`, () => {
      const message = messageByName.get(fact.name);
      assert.ok(message, fact.name);
      for (const version of definedRanges(fact).flatMap(versionsOf)) {
        const expected = factLayout(fact, version);
        assert.deepEqual(tableLayout(message.fields, version), expected, `${fact.name} ${version}`);
      }
    });
  }
});

describe('schema tables: compared with the definitions in KAFKA_MESSAGE_DIR', () => {
  const folder = process.env.KAFKA_MESSAGE_DIR;
  const skip = folder === undefined ? 'KAFKA_MESSAGE_DIR is not set' : false;

  it('agree on every field, in the versions that both have', { skip }, () => {
    const differences: string[] = [];
    let compared = 0;
    for (const file of readdirSync(folder ?? '').filter((name) => name.endsWith('.json'))) {
      const text = readFileSync(join(folder ?? '', file), 'utf8');
      const fact = JSON.parse(withoutComments(text)) as FactMessage;
      const message = messageByName.get(fact.name);
      if (message === undefined || fact.validVersions === 'none') continue;
      for (const version of versionsOf(intersect(range(fact.validVersions), message.versions))) {
        const expected: string[] = factLayout(fact, version).map(normalDefault);
        const actual: string[] = tableLayout(message.fields, version).map(normalDefault);
        const odd = [
          ...onlyIn(expected, actual, `${fact.name} ${version}: Kafka has`),
          ...onlyIn(actual, expected, `${fact.name} ${version}: the table has`),
        ];
        if (odd.length === 0) assert.deepEqual(actual, expected, `${fact.name} ${version}: order`);
        differences.push(...odd);
        compared += 1;
      }
    }
    assert.deepEqual(
      differences.filter((text) => !KNOWN_DIFFERENCE.test(text)),
      [],
    );
    assert.ok(compared > 300, `only ${compared} message versions found in ${folder}`);
  });

  // Version 0 of the header, which lacks the field and has to ignore it, is in the tables, but no longer in Kafka 4.3.
  const KNOWN_DIFFERENCE = /^RequestHeader [12]: .* clientId string, nullable, (ignorable, )?never flexible$/;
  const withoutComments = (text: string): string => text.replace(/("(?:[^"\\]|\\.)*")|\/\/.*$/gm, '$1');
  const onlyIn = (lines: readonly string[], others: readonly string[], what: string): string[] =>
    lines.filter((line) => !others.includes(line)).map((line) => `${what} ${line.trim()}`);
  // Kafka's files write some defaults in hexadecimal, and some that a field of that type has anyway.
  const normalDefault = (line: string): string =>
    line
      .replace(/default="(0x[0-9a-f]+)"/, (_, digits: string) => `default="${BigInt(digits)}"`)
      .replace(/, default="(0|false|)"/, '');
});
