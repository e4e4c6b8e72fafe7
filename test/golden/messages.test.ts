// Every message of every version against bytes made by Kafka's own Java classes (test/fixtures/golden/messages.jsonl.gz;
// GOLDEN_DIR names another folder with that file). One JSON object a line: name, kind, apiKey, version, case, json, hex.
// In json, int64 are decimal text, bytes and records base64, uuids 22 characters of base64url, floats may be the text
// Infinity; fields that the version lacks and tagged fields equal to their default are absent; tagged fields unknown to
// the tables are under _unknownTaggedFields.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { KafkaProtocolError } from '../../src/common/errors/errors.ts';
import { HeapMemory } from '../../src/common/memory.ts';
import type { FieldRow } from '../../src/protocol/schema/index.ts';
import {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequestHeader,
  encodeResponseHeader,
} from '../../src/protocol/wire/header.ts';
import { WireReader } from '../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../src/protocol/wire/wire-writer.ts';
import { type Passage, passage } from '../unit/protocol/support/passage.ts';
import { type Plain, structFields, type TableMessage, tableMessages } from '../unit/protocol/support/tables.ts';
import { assertOnlyVersionFields, comparable, toExpected, toInput } from './support/vector-values.ts';

interface Vector {
  readonly kind: TableMessage['kind'];
  readonly apiKey: number | null;
  readonly name: string;
  readonly version: number;
  readonly headerVersion?: number;
  readonly case: string;
  readonly json: Plain;
  readonly hex: string;
}

/** Messages with vectors but without a table: none may be missing. */
const knownGaps: readonly string[] = [];

/**
 * Vectors are cut at every byte; but with those of the case `long`, whose text and lists of some ten thousand bytes cost
 * two thirds of the time, only near both ends and at places between, unless GOLDEN_CUTS is `all` (half a minute).
 */
const cutsEveryByte = process.env.GOLDEN_CUTS === 'all';
const cutsNearEnds = 2048;
const cutsBetween = 500;

/**
 * Vectors in the fixture, so that none gets lost on the way. `npm run kafka-facts -- RELEASE --write` prints their sum for a new
 * release. Another folder has as many as it has.
 */
const fixtureCounts = { bodies: 6388, headers: 45 };

/** As much of an error is shown for each vector that fails. */
const messageMaxLength = 300;

function* cuts(length: number, isLong = false): Iterable<number> {
  const skipFrom = isLong && !cutsEveryByte ? cutsNearEnds : length;
  const skipTo = Math.max(skipFrom, length - cutsNearEnds);
  const step = Math.max(1, (skipTo - skipFrom) / cutsBetween);
  for (let at = 0; at < Math.min(skipFrom, length); at++) yield at;
  for (let at = skipFrom; at < skipTo; at += step) yield Math.floor(at);
  for (let at = skipTo; at < length; at++) yield at;
}

/** From the compiled test as from the source, the fixtures are in the source tree. */
function goldenDir(): string {
  if (process.env.GOLDEN_DIR !== undefined) return process.env.GOLDEN_DIR;
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'test/fixtures/golden');
    try {
      readFileSync(join(path, 'messages.jsonl.gz'));
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || folder === dirname(folder)) throw error;
    }
  }
}

const namesOf = new Map<readonly FieldRow[], ReadonlySet<string>>();

/** What the place of an error is made of: names of fields, of structs where the path to them is left out. */
function fieldsNamed(fields: readonly FieldRow[]): ReadonlySet<string> {
  let names = namesOf.get(fields);
  if (names === undefined) {
    const inner = [...structFields(fields)].flatMap(([struct, rows]) => [struct, ...rows.map(([name]) => name)]);
    names = new Set(['tagged fields', ...fields.map(([name]) => name), ...inner]);
    namesOf.set(fields, names);
  }
  return names;
}

const vectors: Vector[] = [];
const passages = new Map<string, Passage>();
const missing = new Set<string>();

function hasTable(vector: Vector): boolean {
  return tableMessages.has(vector.name);
}

interface Check {
  /** A row of the list of failures. */
  readonly where: string;
  run(): void;
}

/** Runs every check, and fails with a line for each that failed: one that fails must not hide the others. */
function runAll(checks: Iterable<Check>): number {
  const failed: string[] = [];
  let cause: unknown;
  let count = 0;
  for (const { where, run } of checks) {
    try {
      run();
    } catch (error) {
      cause ??= error;
      failed.push(`  ${where}: ${(error as Error).message.slice(0, messageMaxLength).replaceAll('\n', ' ')}`);
    }
    count++;
  }
  if (failed.length > 0) {
    throw new Error(`${failed.length} of ${count} vectors failed:\n${failed.join('\n')}`, { cause });
  }
  return count;
}

/** Runs `check` for every vector of bodies. Returns how many there were. */
function forEachBody(check: (vector: Vector, table: TableMessage, through: Passage) => void): number {
  const checks: Check[] = [];
  for (const vector of vectors) {
    const through = passages.get(vector.name);
    if (through === undefined) continue;
    const table = tableMessages.get(vector.name)!;
    checks.push({ where: nameOf(vector), run: () => check(vector, table, through) });
  }
  return runAll(checks);
}

function nameOf(vector: Vector): string {
  return `${vector.name} version ${vector.version}, case ${vector.case}`;
}

function thrownBy(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return 'nothing thrown';
}

describe('golden messages', () => {
  let expected = fixtureCounts;

  before(async () => {
    const lines = gunzipSync(readFileSync(join(goldenDir(), 'messages.jsonl.gz'))).toString('utf8');
    for (const line of lines.split('\n')) {
      if (line !== '') vectors.push(JSON.parse(line) as Vector);
    }
    for (const { name } of vectors) {
      const table = tableMessages.get(name);
      if (table === undefined) missing.add(name);
      else if (table.kind !== 'header' && !passages.has(name)) passages.set(name, await passage(table));
    }
    if (process.env.GOLDEN_DIR !== undefined) {
      const headers = vectors.filter(({ kind }) => kind === 'header').length;
      expected = { bodies: vectors.length - headers, headers };
    }
    assert.ok(expected.bodies > 0 && expected.headers > 0);
  });

  it('reads every vector', () => {
    assert.equal(vectors.length, expected.bodies + expected.headers);
  });

  it('finds a table for every message', () => {
    assert.deepEqual([...missing].sort(), [...knownGaps].sort());
  });

  it('has every version that has vectors', () => {
    const spoken = vectors.filter(hasTable).map((vector) => ({
      where: nameOf(vector),
      run: () => {
        const { min, max } = tableMessages.get(vector.name)!;
        assert.ok(vector.version >= min && vector.version <= max, `the table has ${min} to ${max}`);
      },
    }));
    assert.equal(runAll(spoken), expected.bodies + expected.headers);
  });

  it('decodes the bytes to the values', (t) => {
    const count = forEachBody(({ json, hex, version }, { fields }, through) => {
      const structs = structFields(fields);
      const { flat, left } = through.decode(Buffer.from(hex, 'hex'), version);
      assert.equal(left, 0, 'bytes left over');
      const plain = comparable(fields, structs, through.view(flat).toObject());
      assert.deepEqual(plain, toExpected(fields, structs, json));
      assertOnlyVersionFields(fields, structs, json, version);
    });
    t.diagnostic(`${count} vectors of ${vectors.length}, ${missing.size} messages without table`);
    assert.equal(count, expected.bodies);
  });

  it('encodes the values to the same bytes', (t) => {
    const count = forEachBody(({ json, hex, version }, { fields }, through) => {
      const input = toInput(fields, structFields(fields), json);
      assert.equal(through.encode(through.write(input), version).toString('hex'), hex);
    });
    t.diagnostic(`${count} vectors`);
    assert.equal(count, expected.bodies);
  });

  it('encodes what was decoded to the same bytes, unknown tagged fields included', (t) => {
    let unknown = 0;
    const count = forEachBody(({ hex, version, json }, _table, through) => {
      if (JSON.stringify(json).includes('_unknownTaggedFields')) unknown++;
      const { flat } = through.decode(Buffer.from(hex, 'hex'), version);
      assert.equal(through.encode(flat, version).toString('hex'), hex);
    });
    t.diagnostic(`${count} vectors, ${unknown} with unknown tagged fields`);
    assert.equal(count, expected.bodies);
    assert.ok(unknown > 0);
  });

  it('tolerates bytes after the message', () => {
    const count = forEachBody(({ hex, version }, _table, through) => {
      const { left } = through.decode(Buffer.from(`${hex}00ff`, 'hex'), version);
      assert.equal(left, 2);
    });
    assert.equal(count, expected.bodies);
  });

  it('refuses every message that is cut off with KafkaProtocolError, and takes no memory for what is missing', (t) => {
    let total = 0;
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    const { grow } = HeapMemory.prototype;
    let taken = 0;
    HeapMemory.prototype.grow = function (...sizes): void {
      grow.apply(this, sizes);
      taken = Math.max(taken, this.capacity);
    };
    t.after(() => {
      Error.stackTraceLimit = stackTraceLimit;
      HeapMemory.prototype.grow = grow;
    });
    const count = forEachBody(({ hex, version, case: name, ...vector }, { kind, fields }, through) => {
      const bytes = Buffer.from(hex, 'hex');
      const of = `${kind === 'data' ? vector.name : vector.name.replace(/(Request|Response)$/, '')} version ${version}, `;
      const known = fieldsNamed(fields);
      taken = 0;
      through.decode(bytes, version);
      // Memory grows by doubling, and the whole may have needed the last doubling where a part guessed better.
      const maxTaken = 2 * taken + 1024;
      taken = 0;
      for (const length of cuts(bytes.length, name === 'long')) {
        total++;
        const error = thrownBy(() => through.decode(bytes.subarray(0, length), version));
        if (!(error instanceof KafkaProtocolError)) throw new Error(`cut to ${length} bytes: ${error}`);
        if (!(error.offset! >= 0 && error.offset! <= length)) throw new Error(`offset ${error.offset} of ${length}`);
        if (!error.message.startsWith(of)) throw new Error(`cut to ${length} bytes: ${error.message}`);
        if (!error.field?.split('.').every((name) => known.has(name)))
          throw new Error(`cut to ${length} bytes: field ${error.field}, ${error.message}`);
        if (kind !== 'data' && error.apiKey !== vector.apiKey) throw new Error(`API key ${error.apiKey}`);
        if (taken > maxTaken)
          throw new Error(`cut to ${length} bytes: ${taken} bytes of memory, expected ${maxTaken} at most`);
      }
    });
    t.diagnostic(`${total} cuts of ${count} vectors`);
    assert.equal(count, expected.bodies);
  });

  it('reads and writes headers', (t) => {
    const headers = vectors.filter(({ kind }) => kind === 'header');
    const count = runAll(headers.map((vector) => ({ where: nameOf(vector), run: () => assertHeader(vector) })));
    t.diagnostic(`${count} vectors`);
    assert.equal(count, expected.headers);
  });

  it('names every vector that fails, not only the first', () => {
    const fail = (text: string) => (): void => assert.fail(text);
    const checks = [
      { where: 'first', run: fail('one reason') },
      { where: 'second', run: () => {} },
      { where: 'third', run: fail('another') },
    ];
    assert.throws(() => runAll(checks), /2 of 3 vectors failed:\n {2}first: one reason\n {2}third: another$/);
  });
});

function assertHeader({ name, version, json, hex }: Vector): void {
  const w = new WireWriter();
  const bytes = Buffer.from(hex, 'hex');
  const r = new WireReader(bytes);
  const hasUnknownTags = json._unknownTaggedFields !== undefined;
  if (name === 'RequestHeader') {
    const header = decodeRequestHeader(r, version);
    assert.equal(header.apiKey, json.requestApiKey);
    assert.equal(header.apiVersion, json.requestApiVersion);
    assert.equal(header.correlationId, json.correlationId);
    assert.equal(header.clientId, json.clientId ?? null);
    const { apiKey, apiVersion, correlationId, clientId } = header;
    encodeRequestHeader(w, apiKey, apiVersion, version, correlationId, clientId);
  } else {
    assert.equal(name, 'ResponseHeader');
    const correlationId = decodeResponseHeader(r, version);
    assert.equal(correlationId, json.correlationId);
    encodeResponseHeader(w, version, correlationId);
  }
  assert.equal(r.remaining, 0);
  const written = w.finish().toString('hex');
  if (!hasUnknownTags) assert.equal(written, hex);
  for (let length = 0; length < bytes.length; length++) {
    const cut = new WireReader(bytes.subarray(0, length));
    const decode = name === 'RequestHeader' ? decodeRequestHeader : decodeResponseHeader;
    assert.throws(() => decode(cut, version), KafkaProtocolError);
  }
}
