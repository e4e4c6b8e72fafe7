// Records of the command line: format strings, lines and their parts, JSON lines, cutting of input.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, test } from 'node:test';
import Long from 'long';
import { InputError, UsageError } from '../../../src/cli/exit-codes.ts';
import { Output } from '../../../src/cli/io/output.ts';
import { type Placed, parseFormat, unescapeText } from '../../../src/cli/records/format.ts';
import { parseRecord, writeJson } from '../../../src/cli/records/json-lines.ts';
import { fileChunks, lineBlocks } from '../../../src/cli/records/line-blocks.ts';
import { piecesOf } from '../../../src/cli/records/line-reader.ts';
import { type ReaderSettings, recordReader } from '../../../src/cli/records/record-reader.ts';

function placed(key: string | null, value: string | Buffer | null, headers: [string, string | null][] = []): Placed {
  const bytes = (one: string | Buffer | null): Buffer | null => (one === null ? null : Buffer.from(one));
  const record = {
    offset: Long.fromNumber(17),
    timestamp: Long.fromNumber(1_700_000_000_000),
    key: bytes(key),
    value: bytes(value),
    headers: headers.map(([name, text]) => ({ key: name, value: bytes(text) })),
  };
  return { topic: 't', partition: 3, record: record as unknown as Placed['record'] };
}

async function written(write: (out: Output) => void): Promise<Buffer> {
  const stream = new PassThrough();
  const out = new Output(stream, () => {});
  write(out);
  await out.flush();
  return (stream.read() as Buffer | null) ?? Buffer.alloc(0);
}

describe('format strings', () => {
  const cases: readonly (readonly [format: string, text: string])[] = [
    ['%t-%p@%o %T\\n', 't-3@17 1700000000000\n'],
    ['%k=%s (%K,%S)', 'key=välue (3,6)'],
    ['%h|%%\\t\\x41', 'a=1,b=NULL|%\tA'],
    ['', ''],
  ];
  for (const [format, text] of cases) {
    test(JSON.stringify(format), async () => {
      const record = placed('key', 'välue', [
        ['a', '1'],
        ['b', null],
      ]);
      const bytes = await written((out) => parseFormat(format)(out, record));
      assert.equal(bytes.toString(), text);
    });
  }

  test('null is written as nothing, with length -1', async () => {
    const bytes = await written((out) => parseFormat('[%k|%s|%K|%S]%R')(out, placed(null, null)));
    assert.equal(bytes.toString('latin1'), '[||-1|-1]\xff\xff\xff\xff');
  });

  test('bytes that are not text are not changed', async () => {
    const value = Buffer.from([0xff, 0x00, 0xfe]);
    assert.deepEqual(await written((out) => parseFormat('%s')(out, placed(null, value))), value);
  });

  test('an unknown format is refused', () => {
    for (const format of ['%x', '%', '\\q', '\\']) assert.throws(() => parseFormat(format), UsageError);
    assert.equal(unescapeText('--delimiter', '\\x00a\\t'), '\0a\t');
    assert.throws(() => unescapeText('--delimiter', ''), UsageError);
  });
});

describe('JSON lines', () => {
  test('what is written can be read back', async () => {
    const bytes = Buffer.from([0xff, 0xfe]);
    const line = await written((out) => writeJson(out, placed('k', bytes, [['h', 'x']])));
    const read = parseRecord(line.toString(), 'input', 1);
    assert.deepEqual(read, {
      key: 'k',
      value: bytes,
      headers: [['h', 'x']],
      partition: 3,
      timestamp: 1_700_000_000_000,
    });
  });

  test('other JSON is sent as JSON, a missing value as null', () => {
    assert.equal(parseRecord('{"value":{"a":[1]}}', 'input', 1).value, '{"a":[1]}');
    assert.equal(parseRecord('{"key":"k"}', 'input', 1).value, null);
  });

  const faults: readonly (readonly [line: string, problem: RegExp])[] = [
    ['{"value":}', /line 5, column 10/],
    ['[]', /line 5: a record must be an object/],
    ['{"valeu":"x"}', /no such field 'valeu'/],
    ['{"value":"x","partition":-1}', /partition/],
    ['{"value":"x","timestamp":"now"}', /timestamp/],
    ['{"value":"x","headers":[1]}', /headers/],
    ['{"value":{"base64":"%"}}', /not base64/],
    ['{"value":"\\ud800"}', /surrogate/],
  ];
  for (const [line, problem] of faults) {
    test(`${line} is refused`, () => {
      assert.throws(
        () => parseRecord(line, 'input', 5),
        (error) => error instanceof InputError && problem.test(error.message),
      );
    });
  }
});

describe('lines of input', () => {
  const piecesIn = async (chunks: readonly string[], delimiter = '\n'): Promise<string[]> => {
    const found: string[] = [];
    const input = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
    for await (const pieces of piecesOf(input, delimiter, new AbortController().signal))
      found.push(...pieces.map((piece) => piece.toString()));
    return found;
  };

  test('do not depend on how the input is cut', async () => {
    const text = 'one\r\ntwo\n\nthree';
    const whole = ['one', 'two', '', 'three'];
    for (let size = 1; size <= text.length; size++) {
      const chunks = text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g'))!;
      assert.deepEqual(await piecesIn(chunks), whole);
    }
  });

  test('a delimiter of several bytes may lie across chunks', async () => {
    for (let size = 1; size < 12; size++) {
      const chunks = 'a<->b<-<->c'.match(new RegExp(`.{1,${size}}`, 'g'))!;
      assert.deepEqual(await piecesIn(chunks, '<->'), ['a', 'b<-', 'c']);
    }
  });

  test('no input gives no lines', async () => {
    assert.deepEqual(await piecesIn([]), []);
  });
});

describe('blocks of lines', () => {
  const newLine = 10;
  async function* chunked(chunks: readonly string[]): AsyncGenerator<Buffer, void, void> {
    const memory = Buffer.alloc(64);
    for (const chunk of chunks) {
      // The same memory for each chunk, as in a file that is read.
      memory.fill(0x2a);
      yield memory.subarray(0, memory.write(chunk));
    }
  }
  const blocksIn = async (chunks: AsyncIterable<Buffer>): Promise<[text: string, isUnended: boolean][]> => {
    const found: [string, boolean][] = [];
    for await (const { bytes, isUnended } of lineBlocks(chunks, newLine)) found.push([bytes.toString(), isUnended]);
    return found;
  };

  test('are whole lines, however the input is cut', async () => {
    const text = 'one\r\ntwo\n\nthree';
    for (let size = 1; size <= text.length; size++) {
      const blocks = await blocksIn(chunked(text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g'))!));
      assert.equal(blocks.map(([part]) => part).join(''), text);
      assert.deepEqual(blocks.at(-1), ['three', true]);
      for (const [part, isUnended] of blocks.slice(0, -1)) assert.ok(part.endsWith('\n') && !isUnended, part);
    }
  });

  test('an input that ends with a line break has no other line behind it', async () => {
    assert.deepEqual(await blocksIn(chunked(['a\nb', '\n'])), [
      ['a\n', false],
      ['b\n', false],
    ]);
    assert.deepEqual(await blocksIn(chunked([])), []);
  });

  test('a file is read from its beginning to its end', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cli-lines-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'lines.txt');
    // More than two reads, and a line that is longer than one.
    const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 100)}`);
    lines.push('y'.repeat(2_500_000), 'the last one');
    writeFileSync(path, lines.join('\n'));
    const blocks = await blocksIn(fileChunks(path, new AbortController().signal));
    assert.equal(blocks.map(([part]) => part).join(''), lines.join('\n'));
    assert.deepEqual(blocks.at(-1), ['the last one', true]);
    const aborted = new AbortController();
    aborted.abort();
    assert.deepEqual(await blocksIn(fileChunks(path, aborted.signal)), []);
    await assert.rejects(blocksIn(fileChunks(join(folder, 'none'), new AbortController().signal)), { code: 'ENOENT' });
  });
});

describe('parts of a line', () => {
  const settings = {
    isJson: false,
    keySeparator: null,
    delimiter: '\n',
    isEmptyNull: false,
    properties: new Map<string, string>(),
  };
  const text = (part: unknown): string | null => (part === null || part === undefined ? null : String(part));
  const read = (line: string, given: Partial<ReaderSettings>): (string | null)[] => {
    const record = recordReader({ ...settings, ...given }, 'input')(Buffer.from(line))!;
    return [text(record.key), text(record.value)];
  };

  test('without a separator there is no key', () => {
    assert.deepEqual(read('a:b', {}), [null, 'a:b']);
  });

  test('a separator as in kcat may be missing', () => {
    assert.deepEqual(read('a:b:c', { keySeparator: ':' }), ['a', 'b:c']);
    assert.deepEqual(read('abc', { keySeparator: ':' }), [null, 'abc']);
  });

  test("a separator as in Kafka's tool must be there unless errors are ignored", () => {
    const properties = new Map([['parse.key', 'true']]);
    assert.deepEqual(read('a\tb', { properties }), ['a', 'b']);
    assert.throws(() => read('ab', { properties }), /line 1: no key\.separator/);
    assert.deepEqual(read('ab', { properties: new Map([...properties, ['ignore.error', 'true']]) }), [null, 'ab']);
  });

  test('empty parts and a marker may stand for null', () => {
    assert.deepEqual(read(':', { keySeparator: ':', isEmptyNull: true }), [null, null]);
    assert.deepEqual(read('k:NULL', { keySeparator: ':', properties: new Map([['null.marker', 'NULL']]) }), [
      'k',
      null,
    ]);
  });

  test('headers come first', () => {
    const properties = new Map([
      ['parse.headers', 'true'],
      ['parse.key', 'true'],
    ]);
    const record = recordReader({ ...settings, properties }, 'input')(Buffer.from('a:1,b:2\tk\tv'))!;
    assert.deepEqual(
      [...(record.headers as Iterable<readonly [string, Buffer]>)].map(([name, value]) => [name, String(value)]),
      [
        ['a', '1'],
        ['b', '2'],
      ],
    );
    assert.deepEqual([text(record.key), text(record.value)], ['k', 'v']);
  });

  test('an unknown property is refused, and the error suggests the nearest one', () => {
    assert.throws(() => read('a', { properties: new Map([['parse.kye', 'true']]) }), /known is parse\.key/);
  });
});
