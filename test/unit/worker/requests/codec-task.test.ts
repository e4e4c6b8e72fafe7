// A thread of the codec pool gives exactly the result that the network thread would give.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { InvalidRequestError, KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { Fetch, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';
import type {
  CodecTaskResult,
  DecodedBody,
  DecodeTask,
  EncodedFrame,
} from '../../../../src/worker/requests/codec-work.ts';
import { perform } from '../../../../src/worker/requests/codec-work.ts';
import { decodeOptions } from '../../../../src/worker/requests/decode-options.ts';
import { encodeFrame } from '../../../../src/worker/requests/encode.ts';
import { assertRecords, fetchResponse, KiB, noisyBatch, produceRequest } from '../support/big-messages.ts';
import { fetchBody, flatOf } from '../support/codec-messages.ts';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const prefixBytes = 32;
const version = 12;
const options = decodeOptions(parseConfig({}));

before(() => prepareCodecs());

function decodeTask(body: Buffer, changes: Partial<DecodeTask> = {}): DecodeTask {
  // As in a received frame: something stands before the body, and memory behind it.
  const frame = Buffer.alloc(body.length + 40, 0xee);
  body.copy(frame, 9);
  const place = { frame, start: 9, end: 9 + body.length };
  return { kind: 'decode', ...place, apiKey: Fetch.key, version, prefixBytes, options, ...changes };
}

function errorOf(result: CodecTaskResult): Error {
  assert.ok('error' in result, 'it succeeded');
  return fromPlainError(result.error);
}

function viewOf({ buffer, usedBytes }: DecodedBody) {
  const bytes = { i32: new Int32Array(buffer), u8: new Uint8Array(buffer), base: 0, byteLength: usedBytes };
  return Fetch.readResponse(new FlatMessage(bytes, prefixBytes));
}

for (const codec of codecs) {
  test(`decodes ${codec} to the same values as the network thread does`, () => {
    const batches = [noisyBatch(50 * KiB, 1, codec), noisyBatch(10, 2), noisyBatch(50 * KiB, 3, codec)];
    const body = fetchBody(version, fetchResponse(batches, 77));
    const result = perform(decodeTask(body)) as DecodedBody;
    assertRecords(viewOf(result), batches);
    assert.equal(result.throttleTimeMs, 77);
    const memory = new HeapMemory(64);
    const writer = new FlatWriter().reset(memory, prefixBytes);
    wireCodec(Fetch.key).decodeResponse(new WireReader(body), writer, version, options);
    const byteLength = writer.finish();
    const { i32, u8, base } = memory;
    const expected = Fetch.readResponse(new FlatMessage({ i32, u8, base, byteLength }, prefixBytes));
    assert.equal(result.usedBytes, byteLength);
    assert.deepEqual(viewOf(result).toObject(), expected.toObject());
  });

  test(`encodes ${codec} to the same bytes as the network thread does`, () => {
    const flat = flatOf(Produce, produceRequest([noisyBatch(50 * KiB, 1, codec), noisyBatch(20, 2)]));
    const header = { apiKey: Produce.key, version, correlationId: 123, clientId: 'client' };
    const message = new FlatMessage({
      i32: new Int32Array(flat),
      u8: new Uint8Array(flat),
      base: 0,
      byteLength: flat.byteLength,
    });
    const expected = Buffer.from(encodeFrame(new WireWriter(), header, message, {}));
    const result = perform({ kind: 'encode', flat, header }) as EncodedFrame;
    assert.ok(Buffer.from(result.buffer, 0, result.usedBytes).equals(expected));
    assert.equal(expected.readInt32BE(0), expected.length - 4);
  });
}

test('the memory of a result is a multiple of 8, and most of it is used', () => {
  const batch = noisyBatch(100 * KiB, 1);
  const body = fetchBody(version, fetchResponse([batch]));
  const tags = Buffer.alloc(600 * KiB);
  // Bytes that are read and not kept: what the reader has left behind the response.
  const { buffer, usedBytes } = perform(decodeTask(Buffer.concat([body, tags]))) as DecodedBody;
  assert.ok(usedBytes >= buffer.byteLength / 2, `${usedBytes} of ${buffer.byteLength}`);
  assert.equal(buffer.byteLength % 8, 0);
  assert.ok(usedBytes <= buffer.byteLength);
});

test('a body that cannot be read is an error as data, with its class and place', () => {
  const body = fetchBody(version, fetchResponse([noisyBatch(100, 1)]));
  const error = errorOf(perform(decodeTask(body.subarray(0, -2))));
  assert.ok(error instanceof KafkaProtocolError);
  assert.equal(error.apiKey, Fetch.key);
  assert.ok(error.offset! > 0);
});

test('a request that cannot be written is an error as data', () => {
  const flat = flatOf(Produce, produceRequest([noisyBatch(100, 1, 'zstd')]));
  const header = { apiKey: Produce.key, version: 3, correlationId: 1, clientId: 'client' };
  const error = errorOf(perform({ kind: 'encode', flat, header }));
  assert.ok(error instanceof InvalidRequestError);
  assert.match(error.message, /zstd/);
});

test('the next task works after a failure', () => {
  const batch = noisyBatch(1000, 4);
  const body = fetchBody(version, fetchResponse([batch]));
  errorOf(perform(decodeTask(body.subarray(0, 20))));
  assertRecords(viewOf(perform(decodeTask(body)) as DecodedBody), [batch]);
});

test('limits travel with the task', () => {
  const batch = noisyBatch(100 * KiB, 1);
  const body = fetchBody(version, fetchResponse([batch]));
  const small = { ...options, maxDecompressedBytes: 1024 };
  const view = viewOf(perform(decodeTask(body, { options: small })) as DecodedBody);
  assert.match(view.responses.at(0).partitions.at(0).records.error!.message, /1024/);
  const error = errorOf(perform(decodeTask(body, { options: { ...options, maxFlatBytes: 200 } })));
  assert.ok(error instanceof KafkaProtocolError);
});
