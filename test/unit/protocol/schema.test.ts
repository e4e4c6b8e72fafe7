// Owns the checks on the schema tables: that each is sound in itself, and that its words say something. schema-facts.test.ts compares
// them with Kafka's own definitions. Runs in one thread, without sockets.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';
import { apis, dataMessages, type FieldRow } from '../../../src/protocol/schema/index.ts';
import {
  covers,
  eachField,
  elementOf,
  includes,
  intersect,
  isEmpty,
  isStruct,
  messageByName,
  messages,
  range,
  rangeOrNone,
  versionsOf,
} from './support/schema-messages.ts';

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
    const files = readdirSync(join(projectFolder, 'src/protocol/schema'));
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

  it('uses a struct name for the same struct everywhere in a message', () => {
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

  it('has only known extras', () => {
    for (const message of messages) {
      eachField(message, ([, , , , extras = {}], path) => {
        for (const key of Object.keys(extras)) assert.ok(EXTRAS.includes(key), `${path}: extra ${key}`);
      });
    }
  });

  it('is nullable only in versions in which it exists, and only if its type allows it', () => {
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

  it('opts out of the compact form only if there is one, and has keys only in arrays of structs', () => {
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

  it('describe every field', () => {
    for (const message of messages) eachField(message, (row, path) => checkWords(row[3], row[0], path));
  });

  it('describe every API and data message', () => {
    for (const { name, doc } of [...apis, ...dataMessages]) {
      checkWords(doc, name, name);
      assert.ok(words(doc).length >= 5, `${name}: ${doc}`);
    }
  });
});
