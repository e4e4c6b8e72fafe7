// Owns the work that the codec pool is for: one big response decoded, or one big request encoded, by the same code that the
// network thread runs for small ones. Pool threads, and the network thread where those cannot run. Must not know connections.

import { type PlainError, toPlainError } from '../../common/errors/plain-error.ts';
import { HeapMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';
import { WireReader } from '../../protocol/wire/wire-reader.ts';
import { WireWriter } from '../../protocol/wire/wire-writer.ts';
import { responseThrottleTimeMs } from './decode-options.ts';
import { encodeFrame, type FrameHeader } from './encode.ts';

export interface DecodeTask {
  readonly kind: 'decode';
  /** The response's body at `[start, end)`; moved. */
  readonly frame: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly apiKey: number;
  readonly version: number;
  /** Kept free before the flat response. */
  readonly prefixBytes: number;
  readonly options: DecodeOptions;
}

export interface EncodeTask {
  readonly kind: 'encode';
  /** The flat request from byte 0; moved. */
  readonly flat: ArrayBuffer;
  readonly header: FrameHeader;
}

export interface DecodedBody {
  /** A multiple of 8 bytes, of which `usedBytes` count, prefix included. */
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
  readonly throttleTimeMs: number;
  /** Behind the body, in the frame. */
  readonly extraBytes: number;
}

export interface EncodedFrame {
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
}

export type CodecTask = DecodeTask | EncodeTask;
export type CodecTaskResult = DecodedBody | EncodedFrame | { readonly error: PlainError };

const reader = new WireReader();
const flatWriter = new FlatWriter();
const wireWriter = new WireWriter();

/** Does it in this thread, where `prepareCodecs` has been awaited. Never throws. */
export function perform(task: CodecTask): CodecTaskResult {
  try {
    return task.kind === 'decode' ? decode(task) : encode(task);
  } catch (error) {
    return { error: toPlainError(error) };
  }
}

function decode(task: DecodeTask): DecodedBody {
  const { apiKey, version, prefixBytes } = task;
  const memory = new HeapMemory(prefixBytes + (task.end - task.start));
  reader.reset(task.frame, task.start, task.end);
  flatWriter.reset(memory, prefixBytes);
  wireCodec(apiKey).decodeResponse(reader, flatWriter, version, task.options);
  const usedBytes = flatWriter.finish();
  const { i32, u8, base } = memory;
  const message = new FlatMessage({ i32, u8, base, byteLength: usedBytes }, prefixBytes);
  const throttleTimeMs = responseThrottleTimeMs(apiKey, message);
  const whole = u8.buffer as ArrayBuffer;
  // The link would copy a buffer that is mostly waste, in the network thread.
  const buffer = usedBytes < whole.byteLength / 2 ? whole.slice(0, usedBytes) : whole;
  return { buffer, usedBytes, throttleTimeMs, extraBytes: reader.remaining };
}

function encode(task: EncodeTask): EncodedFrame {
  const flat = new Uint8Array(task.flat);
  const message = new FlatMessage({ i32: new Int32Array(task.flat), u8: flat, base: 0, byteLength: flat.length });
  const bytes = encodeFrame(wireWriter, task.header, message, {});
  // The writer's memory is its own to reuse; what travels is exactly the frame.
  const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return { buffer: copy, usedBytes: copy.byteLength };
}
