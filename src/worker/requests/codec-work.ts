// Owns the work of the codec pool: to decode one big response or the records of a fetch, to encode one big request, or to compress one
// big batch of records. It uses the same code as the network
// thread uses for small ones. Pool threads, and the network thread if there are none. Must not know connections.

import { compress } from '../../codec/index.ts';
import { type PlainError, toPlainError } from '../../common/errors/plain-error.ts';
import { alignTo8, HeapMemory, unfilledMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { ATTRIBUTE_CODEC_MASK, RECORD_ROW_WORDS, RECORDS_WORDS } from '../../protocol/flat/records/records-slot.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';
import {
  BATCH_ATTRIBUTES_AT,
  BATCH_COUNT_AT,
  ENTRY_HEAD_BYTES,
  ENTRY_SIZE_AT,
  MAGIC_AT,
} from '../../protocol/wire/records/entry-head.ts';
import { BATCH_HEADER_BYTES, MIN_RECORD_BYTES } from '../../protocol/wire/records/record-batch.ts';
import { readInt32 } from '../../protocol/wire/records/record-bytes.ts';
import { decodeRecords } from '../../protocol/wire/records/records.ts';
import { WireReader } from '../../protocol/wire/wire-reader.ts';
import { WireWriter } from '../../protocol/wire/wire-writer.ts';
import { responseThrottleTimeMs } from './decode-options.ts';
import { encodeFrame, type FrameHeader } from './encode.ts';

export interface DecodeTask {
  readonly kind: 'decode';
  /** The memory of the response; its body is `[start, end)`. The memory is moved. */
  readonly frame: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly apiKey: number;
  readonly version: number;
  /** How many bytes are kept free before the flat response. */
  readonly prefixBytes: number;
  readonly options: DecodeOptions;
  /** Memory that was used before, for the result. It may be too small. It is moved. */
  readonly into?: ArrayBuffer | undefined;
}

export interface EncodeTask {
  readonly kind: 'encode';
  /** The flat request, from byte 0 on. The memory is moved. */
  readonly flat: ArrayBuffer;
  readonly header: FrameHeader;
}

export interface CompressTask {
  readonly kind: 'compress';
  readonly codec: number;
  readonly level: number;
  /** All of their memory is moved. */
  readonly bytes: Uint8Array;
}

export interface RecordsTask {
  readonly kind: 'records';
  /** Whole batches of records. All of their memory is moved. */
  readonly bytes: Uint8Array;
  /** How many bytes are kept free before the flat records. */
  readonly prefixBytes: number;
  readonly options: DecodeOptions;
}

/** Flat records behind a prefix. */
export interface DecodedRecords {
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
  /** The word of the records' slot, counted from behind the prefix. */
  readonly slot: number;
}

export interface DecodedBody {
  /** Its size is a multiple of 8 bytes. The first `usedBytes` are the prefix and the response. */
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
  readonly throttleTimeMs: number;
  /** How many bytes of the frame follow the body. */
  readonly extraBytes: number;
  /** The memory of the frame, which nobody needs any more. */
  readonly spent?: ArrayBuffer;
}

export interface EncodedFrame {
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
}

export interface CompressedBytes {
  readonly buffer: ArrayBuffer;
}

export type CodecTask = DecodeTask | EncodeTask | CompressTask | RecordsTask;
export type CodecTaskResult =
  | DecodedBody
  | EncodedFrame
  | CompressedBytes
  | DecodedRecords
  | { readonly error: PlainError };

const reader = new WireReader();
const flatWriter = new FlatWriter();
const wireWriter = new WireWriter();

/** Does the task in this thread. `prepareCodecs` must have been awaited. Never throws. */
export function perform(task: CodecTask): CodecTaskResult {
  try {
    if (task.kind === 'compress') return packed(task);
    if (task.kind === 'records')
      return decodeRecordRows(task.bytes, 0, task.bytes.length, task.prefixBytes, task.options);
    return task.kind === 'decode' ? decode(task) : encode(task);
  } catch (error) {
    return { error: toPlainError(error) };
  }
}

/** What the flat form adds to each batch, generously. */
const flatPerBatch = 256;
/** How many times larger than their bytes flat records are expected to be when their number is not known. */
const flatPerWire = 2;
const beginBytes = 4096;
const maxBeginBytes = 2 ** 30;

/** Verifies, decompresses and decodes the batches in `[start, end)`. What is wrong with a batch is in the records. */
export function decodeRecordRows(
  bytes: Uint8Array,
  start: number,
  end: number,
  prefixBytes: number,
  options: DecodeOptions,
  takeMemory: (byteCount: number) => ArrayBuffer = unfilledMemory,
): DecodedRecords {
  const length = end - start;
  const flatBytes = expectedFlatBytes(bytes, start, end);
  const expectedBytes = alignTo8(Math.min(prefixBytes + beginBytes + flatBytes, maxBeginBytes));
  const memory = new HeapMemory(expectedBytes, takeMemory(expectedBytes));
  flatWriter.reset(memory, prefixBytes);
  if (options.maxFlatBytes !== undefined) flatWriter.limitTo(options.maxFlatBytes);
  const slot = flatWriter.alloc(RECORDS_WORDS);
  decodeRecords(reader.reset(bytes, start, end), length, flatWriter, slot, options);
  const usedBytes = flatWriter.finish();
  return { buffer: memory.u8.buffer as ArrayBuffer, usedBytes, slot };
}

/**
 * Memory that is much too large makes the collector work: it counts toward the external memory of the thread. The numbers in heads may be
 * wrong; then the memory grows, or a part of it stays unused.
 */
function expectedFlatBytes(bytes: Uint8Array, start: number, end: number): number {
  let flatBytes = 0;
  for (let at = start; at < end; ) {
    const left = end - at;
    const size = left < BATCH_HEADER_BYTES ? -1 : ENTRY_HEAD_BYTES + readInt32(bytes, at + ENTRY_SIZE_AT);
    const isPlain =
      size >= BATCH_HEADER_BYTES &&
      bytes[at + MAGIC_AT] === 2 &&
      (bytes[at + BATCH_ATTRIBUTES_AT]! & ATTRIBUTE_CODEC_MASK) === 0;
    if (!isPlain || size > left) return flatBytes + left * flatPerWire;
    const count = Math.min(Math.max(0, readInt32(bytes, at + BATCH_COUNT_AT)), size / MIN_RECORD_BYTES);
    flatBytes += size + count * RECORD_ROW_WORDS * 4 + flatPerBatch;
    at += size;
  }
  return Math.ceil(flatBytes);
}

function decode(task: DecodeTask): DecodedBody {
  const { apiKey, version, prefixBytes } = task;
  // The decoder knows the size better when it needs the room.
  const memory = new HeapMemory(prefixBytes + beginBytes, task.into);
  reader.reset(task.frame, task.start, task.end);
  flatWriter.reset(memory, prefixBytes);
  wireCodec(apiKey).decodeResponse(reader, flatWriter, version, task.options);
  const usedBytes = flatWriter.finish();
  const { i32, u8, base } = memory;
  const message = new FlatMessage({ i32, u8, base, byteLength: usedBytes }, prefixBytes);
  const throttleTimeMs = responseThrottleTimeMs(apiKey, message);
  const whole = u8.buffer as ArrayBuffer;
  // A buffer that is mostly unused is copied here. Otherwise the link would copy it, in the network thread.
  const buffer = usedBytes < whole.byteLength / 2 ? whole.slice(0, usedBytes) : whole;
  const spent = task.frame.buffer as ArrayBuffer;
  return { buffer, usedBytes, throttleTimeMs, extraBytes: reader.remaining, spent };
}

function encode(task: EncodeTask): EncodedFrame {
  const flat = new Uint8Array(task.flat);
  const message = new FlatMessage({ i32: new Int32Array(task.flat), u8: flat, base: 0, byteLength: flat.length });
  const bytes = encodeFrame(wireWriter, task.header, message, {});
  // The writer keeps its memory for the next request, so the frame is copied out.
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return { buffer: copy, usedBytes: copy.byteLength };
}

function packed({ codec, level, bytes }: CompressTask): CompressedBytes {
  const { buffer, byteOffset, byteLength } = compress(codec, level, bytes, 0, bytes.length);
  // Codecs may return a part of a larger buffer, which is not theirs to give away.
  return { buffer: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer };
}
