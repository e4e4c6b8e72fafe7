// Owns this client's encoding and decoding of the compared messages: the code of its threads, run in one thread. Main thread.

import { HeapMemory } from '../../../src/common/memory.ts';
import { FlatMessage } from '../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../src/protocol/flat/flat-writer.ts';
import { Fetch, Produce } from '../../../src/protocol/flat/generated/apis.ts';
import type { RecordsView } from '../../../src/protocol/flat/records/record-view.ts';
import type { RecordsInput } from '../../../src/protocol/flat/records/record-writer.ts';
import { wireCodec } from '../../../src/protocol/wire/codecs.ts';
import type { DecodeOptions } from '../../../src/protocol/wire/options.ts';
import { WireReader } from '../../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../../src/protocol/wire/wire-writer.ts';
import { fetchVersion, produceVersion } from './peers.ts';

const options: DecodeOptions = { verifyCrc: true, records: 'rows', maxDecompressedBytes: 2 ** 27 };
const reader = new WireReader();
const flatWriter = new FlatWriter();
const wireWriter = new WireWriter();

function messageOf({ i32, u8, base }: HeapMemory, byteLength: number): FlatMessage {
  return new FlatMessage({ i32, u8, base, byteLength });
}

/** Network thread: the body of a Fetch response to flat, checksums verified. */
export function decodeFetch(body: Buffer): FlatMessage {
  const memory = new HeapMemory(body.length);
  flatWriter.reset(memory);
  wireCodec(Fetch.key).decodeResponse(reader.reset(body), flatWriter, fetchVersion, options);
  return messageOf(memory, flatWriter.finish());
}

export function recordsOf(message: FlatMessage): RecordsView {
  return Fetch.readResponse(message).responses.at(0).partitions.at(0).records;
}

/** Application thread: writes the flat request into memory that exists already, as in a ring. */
export function writeProduce(records: RecordsInput, memory: HeapMemory): FlatMessage {
  flatWriter.reset(memory);
  const partitionData = [{ index: 0, records }];
  Produce.writeRequest(flatWriter, { acks: -1, timeoutMs: 1000, topicData: [{ name: 'topic', partitionData }] });
  return messageOf(memory, flatWriter.finish());
}

/** Network thread: the body of the request. */
export function encodeProduce(message: FlatMessage): Buffer {
  wireWriter.reset();
  wireCodec(Produce.key).encodeRequest(message, wireWriter, produceVersion);
  return wireWriter.finish();
}

/** The records of a Produce body, whichever client has made it. */
export function decodeProduce(body: Buffer): RecordsView {
  const memory = new HeapMemory(body.length);
  flatWriter.reset(memory);
  wireCodec(Produce.key).decodeRequest(reader.reset(body), flatWriter, produceVersion, options);
  const message = messageOf(memory, flatWriter.finish());
  return Produce.readRequest(message).topicData.at(0).partitionData.at(0).records;
}

/** The body of a Fetch response with these record batches. */
export function fetchBody(batches: Uint8Array): Buffer {
  const memory = new HeapMemory(batches.length);
  flatWriter.reset(memory);
  const partitions = [{ partitionIndex: 0, errorCode: 0, highWatermark: 1, records: batches }];
  Fetch.writeResponse(flatWriter, { responses: [{ topic: 'topic', partitions }] });
  wireWriter.reset();
  wireCodec(Fetch.key).encodeResponse(messageOf(memory, flatWriter.finish()), wireWriter, fetchVersion);
  return wireWriter.finish();
}
