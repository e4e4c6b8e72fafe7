// How message definitions of a Kafka release become facts (scripts/kafka-facts), with definitions made up for it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  differences,
  type FactMessage,
  type Facts,
  factsAfter,
  factsText,
} from '../../../scripts/kafka-facts/definitions.ts';
import { projectFolder } from '../../../scripts/project.ts';

const nothing: Facts = { format: 1, sources: [], messages: [], legacy: [], unreleased: [] };

interface Field {
  name: string;
  type?: string;
  versions?: string;
  [key: string]: unknown;
}

/** The text of a definition as Kafka has it, comments and all. */
function definition(validVersions: string, fields: readonly Field[], more: object = {}): string {
  const about = 'In a text // is no comment.';
  const whole = {
    apiKey: 7,
    type: 'request',
    name: 'PingRequest',
    validVersions,
    flexibleVersions: '2+',
    listeners: ['broker'],
    fields: fields.map((field) => ({ type: 'int32', versions: '0+', about, ...field })),
    ...more,
  };
  return `// A licence, which is left out.\n${JSON.stringify(whole, null, 1)}`;
}

function after(known: Facts, release: string, text: string): Facts {
  return factsAfter(known, release, new Map([['PingRequest.json', text]]));
}

function only(messages: readonly FactMessage[]): FactMessage {
  assert.equal(messages.length, 1);
  return messages[0]!;
}

const first = after(nothing, '1.0.0', definition('0-1', [{ name: 'A' }, { name: 'B', versions: '1+' }]));

describe('facts of a Kafka release', () => {
  it('keep names, types and versions, but no descriptions', () => {
    const text = definition('0-2', [
      { name: 'A', default: '0x10', ignorable: false, nullableVersions: 'none' },
      { name: 'Later', versions: '3+' },
      { name: 'List', type: '[]Inner', fields: [{ name: 'X', type: 'string', versions: '0+', mapKey: true }] },
    ]);
    assert.deepEqual(only(after(nothing, '1.0.0', text).messages), {
      apiKey: 7,
      type: 'request',
      name: 'PingRequest',
      validVersions: '0-2',
      flexibleVersions: '2+',
      listeners: ['broker'],
      source: 'kafka-clients-1.0.0',
      fields: [
        { name: 'A', type: 'int32', versions: '0+', default: '16' },
        {
          name: 'List',
          type: '[]Inner',
          versions: '0+',
          fields: [{ name: 'X', type: 'string', versions: '0+', mapKey: true }],
        },
      ],
    });
  });

  it('stay unchanged with their source if a release says the same', () => {
    const again = after(first, '1.1.0', definition('0-1', [{ name: 'A' }, { name: 'B', versions: '1-1' }]));
    assert.deepEqual(again, first);
    assert.deepEqual(differences(first, again), []);
  });

  it('name a new version and its new fields', () => {
    const text = definition('0-2', [{ name: 'A' }, { name: 'B', versions: '1+' }, { name: 'C', versions: '2+' }]);
    const second = after(first, '2.0.0', text);
    assert.equal(only(second.messages).source, 'kafka-clients-2.0.0');
    assert.deepEqual(differences(first, second), [
      'PingRequest: versions 0-1 before, 0-2 now',
      '  + C int32 {"nullable":false} in 2',
    ]);
  });

  it('keep versions that a release dropped, in the same definition if it describes them', () => {
    const dropped = after(first, '2.0.0', definition('1-2', [{ name: 'A' }, { name: 'B', versions: '1+' }]));
    const message = only(dropped.messages);
    assert.deepEqual([message.validVersions, message.legacyVersions], ['1-2', '0']);
    assert.deepEqual(dropped.legacy, []);
  });

  it('keep dropped versions in a separate definition if it does not describe them', () => {
    const dropped = after(first, '2.0.0', definition('1-2', [{ name: 'New', versions: '0+' }]));
    assert.deepEqual(only(dropped.messages).validVersions, '1-2');
    const legacy = only(dropped.legacy);
    assert.deepEqual([legacy.validVersions, legacy.source], ['0', 'kafka-clients-1.0.0']);
    assert.deepEqual(
      legacy.fields.map(({ name }) => name),
      ['A', 'B'],
    );
  });

  it('keep a message that a release removed', () => {
    const gone = after(first, '2.0.0', definition('none', []));
    assert.deepEqual(gone.messages, []);
    assert.equal(only(gone.legacy).name, 'PingRequest');
    assert.deepEqual(differences(first, gone), ['PingRequest: gone']);
  });

  it('refuse what they do not know', () => {
    assert.throws(
      () => after(nothing, '1.0.0', definition('0', [{ name: 'A', colour: 'red' }])),
      /A: unknown keys colour/,
    );
    assert.throws(() => after(nothing, '1.0.0', definition('0', [], { shape: 1 })), /PingRequest: unknown keys shape/);
    assert.throws(
      () => factsAfter(nothing, '1.0.0', new Map([['Pong.json', definition('0', [])]])),
      /Pong.json defines/,
    );
  });

  it('are printed in the form of the fixture', () => {
    const text = readFileSync(join(projectFolder, 'test/fixtures/messages.json'), 'utf8');
    assert.equal(factsText(JSON.parse(text) as Facts), text);
  });
});
