// Generated writers, views, encoders and decoders of every message at every version, with random values (SEED repeats a
// run) and against the rules for fields that a version lacks.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { InvalidRequestError, KafkaProtocolError, UnsupportedVersionError } from '../../../src/common/errors/errors.ts';
import type { FieldRow } from '../../../src/protocol/schema/index.ts';
import { type Passage, passage, rawRecords } from './support/passage.ts';
import { MessageValues, Random, seed } from './support/random.ts';
import {
  defaultValue,
  isIn,
  isStructName,
  type Plain,
  structFields,
  type TableMessage,
  tableMessages,
} from './support/tables.ts';

const tables = [...tableMessages.values()].filter(({ kind }) => kind !== 'header');
const passages = new Map<string, Passage>();

function forEachVersion(check: (table: TableMessage, version: number, through: Passage) => void): number {
  let count = 0;
  for (const table of tables) {
    for (let version = table.min; version <= table.max; version++) {
      try {
        check(table, version, passages.get(table.name)!);
      } catch (error) {
        throw new Error(`${table.name} version ${version}, SEED=${seed}: ${(error as Error).message}`, {
          cause: error,
        });
      }
      count++;
    }
  }
  return count;
}

/** What a view should show for a value given. */
function expected(fields: readonly FieldRow[], structs: ReadonlyMap<string, readonly FieldRow[]>, value: Plain): Plain {
  const result: Plain = {};
  const convert = (type: string, given: unknown): unknown => {
    if (given === null) return null;
    if (type.startsWith('[]')) return (given as unknown[]).map((element) => convert(type.slice(2), element));
    return isStructName(type) ? expected(structs.get(type)!, structs, given as Plain) : comparable(given);
  };
  for (const row of fields) {
    const [name, type] = row;
    result[name] = value[name] === undefined ? defaultValue(row, structs) : convert(type, value[name]);
  }
  if (value.unknownTaggedFields !== undefined) result.unknownTaggedFields = comparable(value.unknownTaggedFields);
  return result;
}

/** Long as decimal text, bytes as base64. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (Buffer.isBuffer(value)) return value.toString('base64');
  if (typeof value !== 'object' || value === null) return value;
  if ('low' in value && 'high' in value) return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, comparable(inner)]));
}

describe('generated messages', () => {
  before(async () => {
    for (const table of tables) passages.set(table.name, await passage(table));
  });

  it('keep random values unchanged through flat and wire', (t) => {
    const random = new Random(seed);
    const count = forEachVersion((table, version, through) => {
      const structs = structFields(table.fields);
      for (let round = 0; round < 3; round++) {
        const value = new MessageValues(random, table, version).message();
        const wanted = expected(table.fields, structs, value);
        const flat = through.write(value);
        assert.deepEqual(comparable(through.view(flat).toObject()), wanted, 'as written');
        const bytes = through.encode(flat, version);
        const decoded = through.decode(bytes, version);
        assert.equal(decoded.left, 0);
        assert.deepEqual(comparable(through.view(decoded.flat).toObject()), wanted, 'as received');
        assert.ok(through.encode(decoded.flat, version).equals(bytes), 'encoded again');
      }
    });
    t.diagnostic(`${count} message versions, SEED=${seed}`);
  });

  it('refuse a value that the version has no field for, unless the field is ignorable', () => {
    const random = new Random(seed);
    let refused = 0;
    forEachVersion((table, version, through) => {
      const values = new MessageValues(random, table, version);
      for (const row of table.fields) {
        const [name, type, versions, , extras] = row;
        if (isIn(versions, version)) continue;
        const value = { ...values.message(), [name]: notDefault(row, table) };
        const flat = through.write(value);
        if (extras?.ignorable === true) {
          through.encode(flat, version);
          continue;
        }
        refused++;
        assert.throws(
          () => through.encode(flat, version),
          (error) => {
            assert.ok(error instanceof InvalidRequestError);
            assert.equal(error.field, name);
            const api = table.name.replace(/(Request|Response)$/, '');
            assert.match(error.message, new RegExp(`^(${api}|${table.name}) version ${version}, ${name}: .* is set`));
            return true;
          },
          `${name} of type ${type}`,
        );
      }
    });
    assert.ok(refused > 100, `${refused}`);
  });

  it('refuse versions outside their range', () => {
    for (const table of tables) {
      const through = passages.get(table.name)!;
      const flat = through.write(new MessageValues(new Random(seed), table, table.max).message());
      for (const version of [table.min - 1, table.max + 1, 0.5, Number.NaN]) {
        assert.throws(() => through.encode(flat, version), UnsupportedVersionError);
        assert.throws(() => through.decode(Buffer.alloc(100), version), UnsupportedVersionError);
      }
    }
  });

  it('read damaged bytes as a message or fail with KafkaProtocolError, and use little memory', (t) => {
    const random = new Random(seed);
    let failed = 0;
    let read = 0;
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    forEachVersion((table, version, through) => {
      const good = through.encode(through.write(new MessageValues(random, table, version).message()), version);
      for (let round = 0; round < 12; round++) {
        const bytes = Buffer.from(good);
        for (let i = random.below(4); i >= 0 && bytes.length > 0; i--) {
          bytes[random.below(bytes.length)] = random.pick([0, 1, 127, 128, 255, random.below(256)]);
        }
        try {
          const records = round % 2 === 0 ? 'raw' : 'rows';
          const { flat } = through.decode(bytes, version, { ...rawRecords, records });
          through.view(flat).toObject();
          assert.ok(flat.byteLength <= 20_000 + bytes.length * 300, `${flat.byteLength} of ${bytes.length} bytes`);
          read++;
        } catch (error) {
          if (!(error instanceof KafkaProtocolError)) throw error;
          failed++;
        }
      }
    });
    Error.stackTraceLimit = stackTraceLimit;
    t.diagnostic(`${failed} refused, ${read} read, SEED=${seed}`);
    assert.ok(failed > 100 && read > 100);
  });
});

/** Some value for the field that its default is not. */
function notDefault(row: FieldRow, table: TableMessage): unknown {
  const [, type, versions, , extras] = row;
  const version = Number.parseInt(versions, 10);
  if (type.startsWith('[]') || isStructName(type)) {
    // An all-default struct would count as not set: fill numbers in.
    const random = new Random(7);
    const values = new MessageValues(random, table, Math.max(version, table.min));
    if (type.startsWith('[]')) return [values.value(type.slice(2))];
    for (;;) {
      const value = values.value(type) as Plain;
      const structs = structFields(table.fields);
      const plain = comparable(expected(structs.get(type)!, structs, value));
      if (JSON.stringify(plain) !== JSON.stringify(defaultValue(row, structs))) return value;
    }
  }
  switch (type) {
    case 'bool':
      return extras?.default !== 'true';
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAQ';
    case 'string':
      return 'set';
    case 'bytes':
    case 'records':
      return Buffer.from([1]);
    default:
      return extras?.default === '5' ? 6 : 5;
  }
}
