// Owns the comparison of the schema tables with the facts in test/fixtures/messages.json, at every version of every message. The
// facts are made from the definitions inside Kafka's own jar: npm run kafka-facts. Runs in one thread, without sockets.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';
import { apis, dataMessages, type FieldRow } from '../../../src/protocol/schema/index.ts';
import {
  elementOf,
  includes,
  messageByName,
  messages,
  type Range,
  range,
  rangeOrNone,
  versionsOf,
} from './support/schema-messages.ts';

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

const facts = JSON.parse(readFileSync(join(projectFolder, 'test/fixtures/messages.json'), 'utf8')) as {
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
