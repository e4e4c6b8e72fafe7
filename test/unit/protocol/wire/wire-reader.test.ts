// WireReader against well-formed and broken primitives, and the codecs' guards around it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { rawRecords } from '../support/passage.ts';

const fetchKey = 1;
const metadataKey = 3;
const apiVersionsKey = 18;

function reader(hex: string): WireReader {
  return new WireReader(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function refuses(run: () => unknown, text: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof KafkaProtocolError, String(error));
    assert.match(error.message, text);
    return true;
  });
}

function read(hex: string, take: (r: WireReader, w: FlatWriter) => void): FlatMessage {
  const memory = new HeapMemory();
  const w = new FlatWriter().reset(memory);
  w.alloc(4);
  take(reader(hex), w);
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength: w.finish() });
}

function decode(apiKey: number, hex: string, version: number, maxFlatBytes?: number): FlatMessage {
  const memory = new HeapMemory();
  const w = new FlatWriter().reset(memory);
  const options = maxFlatBytes === undefined ? rawRecords : { ...rawRecords, maxFlatBytes };
  wireCodec(apiKey).decodeResponse(reader(hex), w, version, options);
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength: w.finish() });
}

describe('WireReader', () => {
  it('reads integers in network order with their signs', () => {
    const r = reader('80 7f ffff 8000 ffff 80000000 ffffffff 01 00 02');
    assert.deepEqual([r.int8(), r.int8(), r.int16(), r.int16(), r.uint16()], [-128, 127, -1, -32768, 65535]);
    assert.deepEqual([r.int32(), r.int32()], [-2147483648, -1]);
    assert.deepEqual([r.bool(), r.bool(), r.bool()], [true, false, true]);
    assert.equal(r.remaining, 0);
  });

  it('reads unsigned varints of up to 32 bits', () => {
    const cases: [string, number][] = [
      ['00', 0],
      ['7f', 127],
      ['8001', 128],
      ['ffff03', 65535],
      ['ffffffff07', 2147483647],
      ['ffffffff0f', 4294967295],
      ['8000', 0],
    ];
    for (const [hex, value] of cases) assert.equal(reader(hex).uvarint(), value);
  });

  it('refuses varints that have no end, are too long or too wide', () => {
    refuses(() => reader('ff').uvarint(), /1 bytes needed, 0 left/);
    refuses(() => reader('ffffffff').uvarint(), /needed/);
    refuses(() => reader('8080808080 01').uvarint(), /longer than 5 bytes/);
    refuses(() => reader('ffffffff10').uvarint(), /wider than 32 bits/);
    refuses(() => reader('ffffffff7f').uvarint(), /wider than 32 bits/);
  });

  it('refuses lengths below -1 or beyond the bytes left', () => {
    assert.equal(reader('ffff').stringLength(false), -1);
    assert.equal(reader('00').stringLength(true), -1);
    assert.equal(reader('01').stringLength(true), 0);
    refuses(() => reader('fffe').stringLength(false), /negative length -2/);
    refuses(() => reader('80000000').bytesLength(false), /negative length -2147483648/);
    refuses(() => reader('0003 6162').stringLength(false), /length 3, 2 bytes left/);
    refuses(() => reader('ffffffff0f').bytesLength(true), /length 4294967294, 0 bytes left/);
    refuses(() => reader('7fffffff').bytesLength(false), /length 2147483647, 0 bytes left/);
  });

  it('compares array counts with the bytes left, by the minimum size of an element', () => {
    assert.equal(reader('00000002 00000000').arrayLength(false, 2), 2);
    assert.equal(reader('ffffffff').arrayLength(false, 2), -1);
    refuses(
      () => reader('00000003 00000000').arrayLength(false, 2),
      /array of 3 elements of 2 bytes or more, 4 bytes left/,
    );
    refuses(() => reader('7fffffff 0000').arrayLength(false, 1), /array of 2147483647/);
    refuses(() => reader('ffffffff0f 00').arrayLength(true, 4), /array of 4294967294/);
    refuses(() => reader('fffffffe').arrayLength(false, 1), /negative array length -2/);
  });

  it('limits the count of elements without a size by the bytes of the body', () => {
    assert.equal(reader('00000004').arrayLength(false, 0), 4);
    refuses(() => reader('00000005').arrayLength(false, 0), /array of 5/);
  });

  it('accepts only UTF-8 text', () => {
    for (const text of ['', 'abc', 'x'.repeat(25), 'é', '日本語 🚀', `${'x'.repeat(40)}é`]) {
      const hex = Buffer.from(text).toString('hex');
      const length = (Buffer.byteLength(text) + 65536).toString(16).slice(1);
      assert.equal(read(length + hex, (r, w) => r.string(false, w, 0)).string(0), text);
    }
    const bad = ['ff', 'c0af', 'eda080', 'f4908080', 'e28a', '80', `${'61'.repeat(30)}ff`];
    for (const hex of bad) {
      const length = (hex.length / 2 + 65536).toString(16).slice(1);
      refuses(() => read(length + hex, (r, w) => r.string(false, w, 0)), /offset 2 of \d+: text is not valid UTF-8/);
    }
  });

  it('distinguishes null from empty, and refuses null if it is not allowed', () => {
    assert.equal(read('ffff', (r, w) => r.nullableString(false, w, 0)).nullableString(0), null);
    assert.equal(read('0000', (r, w) => r.nullableString(false, w, 0)).nullableString(0), '');
    assert.equal(read('00', (r, w) => r.nullableBytes(true, w, 0)).nullableBytes(0), null);
    assert.equal(read('01', (r, w) => r.nullableBytes(true, w, 0)).nullableBytes(0)?.length, 0);
    refuses(() => read('ffff', (r, w) => r.string(false, w, 0)), /null where the version allows none/);
    refuses(() => read('ffffffff', (r, w) => r.bytesField(false, w, 0)), /null where/);
  });

  it('keeps unknown tagged fields, and refuses broken ones', () => {
    const kept = read('02 05 01 aa 8101 02 bbcc', (r, w) => r.unknownTaggedFields(w, 0)).unknownTaggedFields(0);
    assert.deepEqual(
      kept.map(({ tag, data }) => [tag, Buffer.from(data).toString('hex')]),
      [
        [5, 'aa'],
        [129, 'bbcc'],
      ],
    );
    const broken = (hex: string) => () => read(hex, (r, w) => r.unknownTaggedFields(w, 0));
    refuses(broken('02 05 00 05 00'), /tag 5 after tag 5/);
    refuses(broken('02 05 00 04 00'), /tag 4 after tag 5/);
    refuses(broken('01 05 02 aa'), /tagged field of 2 bytes, 1 left/);
    refuses(broken('03 05 00 06 00'), /3 tagged fields, 4 bytes left/);
    refuses(broken('ffffffff0f 00'), /4294967295 tagged fields, 1 bytes left/);
    refuses(broken('01 8080808008 00'), /tag 2147483648 above/);
  });

  it('reads only its part of a larger buffer', () => {
    const r = new WireReader(Buffer.from('0102030405', 'hex'), 1, 3);
    assert.equal(r.int16(), 0x0203);
    refuses(() => r.int8(), /offset 2 of 2/);
    assert.equal(r.reset(Buffer.from('0a', 'hex')).int8(), 10);
  });
});

describe('decoders', () => {
  it('name API, version, field and offset in errors', () => {
    assert.throws(
      () => decode(metadataKey, '00000001 00000001 0001', 1),
      (error) => {
        assert.ok(error instanceof KafkaProtocolError);
        assert.equal(error.field, 'brokers');
        assert.equal(error.apiKey, metadataKey);
        assert.equal(error.offset, 4);
        assert.match(
          error.message,
          /^Metadata version 1, brokers, offset 4 of 10: array of 1 elements of 12 bytes or more/,
        );
        return true;
      },
    );
  });

  it('refuse a null array if the version does not allow it', () => {
    refuses(() => decode(apiVersionsKey, '0000 ffffffff', 0), /ApiVersions version 0, apiKeys, .*null where/);
  });

  it('refuse a tagged field that does not fill its size', () => {
    const head = '0000 01 00000000';
    assert.equal(decode(apiVersionsKey, `${head} 01 01 08 0000000000000005`, 3).int32(6), 5);
    refuses(() => decode(apiVersionsKey, `${head} 01 01 09 000000000000000500`, 3), /ended -1 bytes from where/);
    refuses(() => decode(apiVersionsKey, `${head} 01 01 07 0000000000000005`, 3), /ended 1 bytes from where/);
    refuses(
      () => decode(apiVersionsKey, `${head} 02 01 08 0000000000000005 01 08 0000000000000005`, 3),
      /tag 1 after tag 1/,
    );
  });

  it('keep unknown tagged fields between known ones', () => {
    const m = decode(apiVersionsKey, '0000 01 00000000 03 01 08 0000000000000005 03 01 01 09 01 aa', 3);
    assert.equal(m.bool(10), true);
    const kept = m.unknownTaggedFields(11).map(({ tag, data }) => [tag, [...data]]);
    assert.deepEqual(kept, [[9, [0xaa]]]);
  });

  it('stop at the memory limit instead of allocating', () => {
    const topics = 100_000;
    const body = `00000000 ${topics.toString(16).padStart(8, '0')} ${'0000 00000000'.repeat(topics)}`;
    assert.ok(decode(fetchKey, body, 1).byteLength > 3_000_000);
    refuses(
      () => decode(fetchKey, body, 1, 1_000_000),
      /Fetch version 1, .*needs \d+ bytes of flat memory or more, limit 1000000/,
    );
  });
});
