// WireWriter, headers, and what encoders refuse.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidRequestError, UnsupportedVersionError } from '../../../../src/common/errors/errors.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import {
  Fetch,
  Metadata,
  OffsetFetch,
  Produce,
  SaslAuthenticate,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { dataCodec, wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { decodeRequestHeader, encodeRequestHeader } from '../../../../src/protocol/wire/header.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';

function flat(fill: (w: FlatWriter) => void): FlatMessage {
  const memory = new HeapMemory();
  const w = new FlatWriter().reset(memory);
  fill(w);
  const byteLength = w.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
}

function encoded(apiKey: number, message: FlatMessage, version: number): string {
  const w = new WireWriter();
  wireCodec(apiKey).encodeRequest(message, w, version);
  return w.finish().toString('hex');
}

describe('WireWriter', () => {
  it('gives away messages that stay unchanged while it writes the next', () => {
    const w = new WireWriter();
    const finished: Buffer[] = [];
    for (const size of [3, 5000, 16 * 1024, 16 * 1024 + 1, 200_000, 4]) {
      const bytes = Buffer.alloc(size, size & 255);
      w.copy(bytes, 0, size);
      finished.push(w.finish());
    }
    assert.deepEqual(
      finished.map((f) => f.length),
      [3, 5000, 16384, 16385, 200_000, 4],
    );
    for (const buffer of finished) assert.ok(buffer.every((byte) => byte === (buffer.length & 255)));
  });

  it('drops the memory of a large message that was given up', () => {
    const w = new WireWriter();
    w.reserve(10_000_000);
    w.reset();
    assert.ok(w.buffer.length < 100_000);
  });

  it('writes sizes in front of bytes whose number is known only later, whatever the guess was', () => {
    for (const length of [0, 1, 126, 127, 128, 16_383, 16_384, 70_000]) {
      for (const guess of [0, 127, 128, 20_000]) {
        for (const bias of [0, 1]) {
          const w = new WireWriter();
          w.int8(7);
          const at = w.beginSized(guess);
          w.copy(Buffer.alloc(length, 5), 0, length);
          w.endSized(at, guess, bias);
          w.int8(9);
          const plain = new WireWriter();
          plain.int8(7);
          plain.uvarint(length + bias);
          plain.copy(Buffer.alloc(length, 5), 0, length);
          plain.int8(9);
          assert.ok(w.finish().equals(plain.finish()), `${length} guessed ${guess}`);
        }
      }
    }
  });

  it('writes integers and varints at their limits', () => {
    const w = new WireWriter();
    w.int16(-2);
    w.int32(-2147483648);
    w.int64(1, -1);
    for (const value of [0, 127, 128, 2147483647, 4294967295]) w.uvarint(value);
    w.bool(true);
    const at = w.reserve(4);
    w.patchInt32(at, 0x01020304);
    assert.equal(w.finish().toString('hex'), 'fffe80000000ffffffff00000001007f8001ffffffff07ffffffff0f0101020304');
  });
});

describe('headers', () => {
  it('carry the client id in all but version 0', () => {
    for (const version of [0, 1, 2]) {
      for (const clientId of [null, '', 'me', 'é'.repeat(100)]) {
        const w = new WireWriter();
        encodeRequestHeader(w, 3, 12, version, -7, clientId);
        const r = new WireReader(w.finish());
        const expected = { apiKey: 3, apiVersion: 12, correlationId: -7, clientId: version === 0 ? null : clientId };
        assert.deepEqual(decodeRequestHeader(r, version), expected);
        assert.equal(r.remaining, 0);
      }
    }
    assert.throws(() => encodeRequestHeader(new WireWriter(), 3, 1, 1, 1, 'x'.repeat(32768)), InvalidRequestError);
  });

  it('have the header version of the API and version', () => {
    const versions = (key: number, version: number): number[] => {
      const codec = wireCodec(key);
      return [codec.requestHeaderVersion(version), codec.responseHeaderVersion(version)];
    };
    assert.deepEqual(versions(1, 11), [1, 0]);
    assert.deepEqual(versions(1, 12), [2, 1]);
    assert.deepEqual(versions(18, 2), [1, 0]);
    assert.deepEqual(versions(18, 3), [2, 0]);
    assert.deepEqual(versions(17, 1), [1, 0]);
    assert.deepEqual(versions(7, 0), [0, 0]);
    assert.deepEqual(versions(7, 1), [1, 0]);
    assert.deepEqual(versions(7, 3), [2, 1]);
  });
});

describe('encoders', () => {
  it('ask for all topics by an empty list in Metadata version 0, and by null in later versions', () => {
    const all = flat((w) => Metadata.writeRequest(w, { topics: null }));
    assert.equal(encoded(3, all, 0), '00000000');
    assert.equal(encoded(3, all, 1), 'ffffffff');
  });

  it('refuse null in a version that does not allow it, and name the field', () => {
    const message = flat((w) => OffsetFetch.writeRequest(w, { groupId: 'g', topics: null }));
    assert.throws(
      () => encoded(9, message, 1),
      (error) =>
        error instanceof InvalidRequestError &&
        error.field === 'topics' &&
        /version 1, topics: null/.test(error.message),
    );
    assert.equal(encoded(9, message, 2), '000167ffffffff');
  });

  it('refuse a set field that the version lacks, and name it with its value', () => {
    const message = flat((w) => Metadata.writeRequest(w, { topics: [{ name: 'a' }], allowAutoTopicCreation: false }));
    assert.throws(
      () => encoded(3, message, 3),
      (error) =>
        error instanceof InvalidRequestError &&
        error.field === 'allowAutoTopicCreation' &&
        error.message ===
          'Metadata version 3, allowAutoTopicCreation: false is set, but this version has no such field [KAFKA_INVALID_REQUEST]',
    );
    encoded(3, message, 4);
  });

  it('drop a set field that the version lacks if it can be ignored', () => {
    const request = { maxWaitMs: 1, minBytes: 2, topics: [] };
    const plain = flat((w) => Fetch.writeRequest(w, request));
    const withRack = flat((w) => Fetch.writeRequest(w, { ...request, rackId: 'r' }));
    assert.equal(encoded(1, withRack, 10), encoded(1, plain, 10));
    assert.notEqual(encoded(1, withRack, 11), encoded(1, plain, 11));
  });

  it('refuse unknown tagged fields in versions without tagged fields', () => {
    const unknownTaggedFields = [{ tag: 50, data: new Uint8Array(1) }];
    const message = flat((w) =>
      SaslAuthenticate.writeRequest(w, { authBytes: new Uint8Array(1), unknownTaggedFields }),
    );
    assert.throws(() => encoded(36, message, 1), InvalidRequestError);
    assert.equal(encoded(36, message, 2), '0200 01 32 01 00'.replaceAll(' ', ''));
  });

  it('put the length in front of raw records in both encodings', () => {
    const records = Buffer.alloc(300, 1);
    const message = flat((w) =>
      Produce.writeRequest(w, {
        acks: 1,
        timeoutMs: 1,
        topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
      }),
    );
    assert.ok(encoded(0, message, 8).includes(`0000012c${records.toString('hex')}`));
    assert.ok(encoded(0, message, 9).includes(`ad02${records.toString('hex')}`));
  });

  it('do not exist for keys and names without a table', () => {
    assert.throws(() => wireCodec(9999), UnsupportedVersionError);
    assert.throws(() => dataCodec('Nothing'), UnsupportedVersionError);
  });
});
