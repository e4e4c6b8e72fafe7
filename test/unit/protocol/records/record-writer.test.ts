// Records in every form that callers may pass, to the batch on the wire and back; and what is refused.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Long from 'long';
import { IllegalStateError, InvalidRequestError } from '../../../../src/common/errors/errors.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import type { RecordInput, RecordsInput, RecordWriter } from '../../../../src/protocol/flat/records/record-writer.ts';
import { decode, encode, encodeFlat, SharedMemory, write } from './support.ts';

type Read = [key: string | null, value: string | null, timestamp: string, headers: [string, string | null][]];

function read(input: RecordsInput): Read[] {
  const view = decode(encode(input));
  assert.equal(view.error, null);
  return view.map(({ key, value, timestamp, headers }) => [
    key?.toString() ?? null,
    value?.toString() ?? null,
    timestamp.toString(),
    headers.map((header) => [header.key, header.value?.toString() ?? null]),
  ]);
}

function refused(input: unknown, field: string | undefined, message: RegExp): void {
  assert.throws(
    () => write(input as RecordsInput),
    (error: unknown) => {
      assert.ok(error instanceof InvalidRequestError, String(error));
      assert.equal(error.field, field);
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('writing records', () => {
  it('accepts a list, a generator and a callback, bytes and text, null keys and values', () => {
    const records: RecordInput[] = [
      { key: 'k', value: Buffer.from('v'), timestamp: 5 },
      { key: Uint8Array.of(0x6b), value: 'v', timestamp: 5n },
      { value: null, timestamp: Long.fromNumber(-1) },
      { key: null, value: '', timestamp: 0 },
      { key: '', value: new Uint8Array(0), timestamp: 1_700_000_000_000 },
    ];
    const expected: Read[] = [
      ['k', 'v', '5', []],
      ['k', 'v', '5', []],
      [null, null, '-1', []],
      [null, '', '0', []],
      ['', '', '1700000000000', []],
    ];
    function* generated() {
      yield* records;
    }
    assert.deepEqual(read(records), expected);
    assert.deepEqual(read(generated()), expected);
    assert.deepEqual(read({ records: generated() }), expected);
    assert.deepEqual(
      read((writer) => {
        for (const { key, value, timestamp } of records) writer.append(key, value, timestamp);
      }),
      expected,
    );
  });

  it('accepts headers as pairs, as objects and as one object, with repeated names in a list', () => {
    const expected: [string, string | null][] = [
      ['a', '1'],
      ['b', null],
      ['é', ''],
    ];
    const timestamp = 1;
    const lists = [
      [
        ['a', '1'],
        ['b', null],
        ['é', Buffer.alloc(0)],
      ],
      [
        { key: 'a', value: Buffer.from('1') },
        { key: 'b', value: null },
        { key: 'é', value: '' },
      ],
      { a: '1', b: null, é: '' },
      new Map<string, string | null>([
        ['a', '1'],
        ['b', null],
        ['é', ''],
      ]),
    ] as NonNullable<RecordInput['headers']>[];
    for (const headers of lists) assert.deepEqual(read([{ value: 'v', timestamp, headers }])[0]![3], expected);
    const repeated = read([
      {
        value: 'v',
        timestamp,
        headers: [
          ['x', '1'],
          ['x', '2'],
        ],
      },
    ])[0]![3];
    assert.deepEqual(repeated, [
      ['x', '1'],
      ['x', '2'],
    ]);
    assert.deepEqual(
      read([
        { value: 'v', timestamp, headers: [] },
        { value: 'w', timestamp, headers: {} },
      ]).length,
      2,
    );
  });

  it('uses the time of the call if no timestamp is given', () => {
    const before = Date.now();
    const times = read((writer) => {
      for (let i = 0; i < 100; i++) writer.append(null, 'v');
    }).map(([, , timestamp]) => Number(timestamp));
    const after = Date.now();
    assert.equal(times.length, 100);
    for (const time of times) assert.ok(time >= before && time <= after, `${before} ${time} ${after}`);
  });

  it('keeps given timestamps and the time of the call apart', () => {
    const now = Date.now();
    const times = read((writer) => {
      writer.append(null, 'a', 0);
      writer.append(null, 'b');
      writer.append(null, 'c', 7);
      writer.append(null, 'd', Long.fromNumber(7));
      writer.append(null, 'e', -(2n ** 63n));
      writer.append(null, 'f');
    }).map(([, , timestamp]) => timestamp);
    assert.deepEqual([times[0], times[2], times[3], times[4]], ['0', '7', '7', '-9223372036854775808']);
    assert.ok(Number(times[1]) >= now && Number(times[5]) >= now);
  });

  it('writes text of any length and script as UTF-8', () => {
    const texts = [
      'é',
      '日本語',
      '😀'.repeat(70),
      'a'.repeat(300),
      `${'x'.repeat(9_000)}ü`,
      '€'.repeat(20_000),
      'ascii é',
    ];
    assert.deepEqual(
      read((writer) => {
        for (const text of texts) writer.append(text, text, 1);
      }).map(([key, value]) => [key, value]),
      texts.map((text) => [text, text]),
    );
  });

  it('grows in a ring and on the heap without losing a byte', () => {
    const records = Array.from({ length: 3_000 }, (_, i) => ({
      key: i % 3 === 0 ? null : `key ${i}`,
      value: 'v'.repeat((i * 7) % 90),
      timestamp: i,
      headers: i % 10 === 0 ? { i: String(i) } : null,
    }));
    const expected = encode(records);
    for (const memory of [new HeapMemory(64), new SharedMemory(512), new SharedMemory(1 << 20)]) {
      assert.deepEqual(encodeFlat(write(records, memory)), expected);
    }
  });

  it('sends bytes unchanged, null as null, and an empty list as no bytes', () => {
    const bytes = Buffer.from('ready batches');
    assert.deepEqual(encode(bytes), bytes);
    assert.equal(encode(null).length, 0);
    assert.equal(encode([]).length, 0);
    assert.equal(encode(() => {}).length, 0);
    assert.equal(encode({ records: [], compression: 'gzip', producerId: 7 }).length, 0);
  });

  it('puts the settings of the batch into its header', () => {
    const view = decode(
      encode({
        records: [
          { value: 'a', timestamp: 9 },
          { value: 'b', timestamp: 3 },
        ],
        producerId: 2n ** 40n + 5n,
        producerEpoch: 6,
        baseSequence: 2 ** 31 - 1,
        isTransactional: true,
        baseOffset: Long.fromString('9007199254740993'),
        partitionLeaderEpoch: 4,
      }),
    );
    const { firstRecord, deleteHorizonMs, sizeInBytes, ...batch } = view.batches.at(0).toObject();
    assert.deepEqual(JSON.parse(JSON.stringify(batch)), {
      recordCount: 2,
      baseOffset: '9007199254740993',
      lastOffset: '9007199254740994',
      magic: 2,
      compression: 'none',
      timestampType: 'CreateTime',
      isTransactional: true,
      isControl: false,
      controlType: -1,
      partitionLeaderEpoch: 4,
      producerId: 1099511627781,
      producerEpoch: 6,
      baseSequence: 2147483647,
      maxTimestamp: 9,
      countOnWire: 2,
    });
    assert.equal(firstRecord, 0);
    assert.equal(deleteHorizonMs, null);
    assert.ok((sizeInBytes as number) > 61);
    assert.deepEqual(
      view.map(({ timestamp }) => timestamp.toNumber()),
      [9, 3],
    );
  });

  it('tells a callback how many records and bytes there are already', () => {
    const seen: [number, number][] = [];
    encode((writer) => {
      writer.append('key', 'value', 1);
      seen.push([writer.count, writer.byteLength]);
      writer.append(null, null, 1);
      seen.push([writer.count, writer.byteLength]);
    });
    assert.deepEqual(seen, [
      [1, 28],
      [2, 48],
    ]);
  });
});

describe('refused records', () => {
  it('are named by index and field in the error', () => {
    const good = { value: 'v' };
    refused([good, { key: 'k' }], '[1].value', /record 1, value: missing/);
    refused([good, { value: 5 }], '[1].value', /5 is not a Uint8Array, a string or null/);
    refused([{ key: {}, value: 'v' }], '[0].key', /an object is not/);
    refused([{ value: new DataView(new ArrayBuffer(3)) }], '[0].value', /a DataView is not/);
    refused([{ value: 'v', timestamp: 1.5 }], '[0].timestamp', /1\.5 is not/);
    refused([{ value: 'v', timestamp: 2n ** 63n }], '[0].timestamp', /9223372036854775808 is not/);
    refused([{ value: 'v', timestamp: null }], '[0].timestamp', /null is not/);
    refused([{ value: 'v', timestamp: new Date() }], '[0].timestamp', /a Date is not/);
    refused([{ value: 'v', headers: 'x' }], '[0].headers', /"x" is not a list or an object/);
    refused([{ value: 'v', headers: [['a', 'b'], 'c'] }], '[0].headers[1]', /"c" is not a pair/);
    refused([{ value: 'v', headers: [[null, 'b']] }], '[0].headers[0].key', /null is not a string/);
    refused([{ value: 'v', headers: { a: 5 } }], '[0].headers[0].value', /5 is not/);
    refused([{ value: 'v', headers: [{ key: 'a' }] }], '[0].headers[0].value', /missing/);
    refused([good, 'text'], '[1]', /"text" is not an object/);
    refused([{ value: 'half \ud800' }], '[0].value', /half surrogate pairs/);
    refused([{ value: 'v', headers: { '\udc00': 'x' } }], '[0].headers[0].key', /half surrogate pairs/);
  });

  it('include inputs of unknown form and settings out of range', () => {
    refused('text', undefined, /"text" is not bytes/);
    refused(5, undefined, /5 is not bytes/);
    refused(undefined, undefined, /missing/);
    refused({}, 'records', /missing/);
    refused({ records: 'text' }, 'records', /"text" is not a list/);
    refused({ records: [], compression: 'brotli' }, 'compression', /"brotli" is not one of none, gzip/);
    refused({ records: [], level: 1.5 }, 'level', /1\.5 is not an integer/);
    refused({ records: [], producerEpoch: 40_000 }, 'producerEpoch', /40000 is not an integer from -1 to 32767/);
    refused({ records: [], baseSequence: -2 }, 'baseSequence', /-2 is not/);
    refused({ records: [], producerId: 'x' }, 'producerId', /"x" is not a Long/);
    refused({ records: [], isTransactional: 1 }, 'isTransactional', /1 is not true or false/);
  });

  it('include callbacks that append later', async () => {
    const late: Promise<void>[] = [];
    refused(
      (writer: RecordWriter) => {
        const later = Promise.resolve().then(() => writer.append(null, 'late'));
        late.push(later);
        return later;
      },
      undefined,
      /must append before it returns/,
    );
    await assert.rejects(late[0]!, IllegalStateError);
  });

  it('leave nothing behind when the callback continues', () => {
    const records = read((writer) => {
      writer.append('k1', 'v1', 1, { a: 'b' });
      assert.throws(() => writer.append('k2', 'v2', 2, { a: 'long enough to be seen', b: 7 as unknown as string }));
      assert.throws(() => writer.append('k3', 5 as unknown as string, 3));
      writer.append('k4', 'v4', 4);
    });
    assert.deepEqual(records, [
      ['k1', 'v1', '1', [['a', 'b']]],
      ['k4', 'v4', '4', []],
    ]);
  });

  it('pass on the error of a callback or a generator', () => {
    const own = new Error('mine');
    assert.throws(
      () =>
        write(() => {
          throw own;
        }),
      own,
    );
  });
});
