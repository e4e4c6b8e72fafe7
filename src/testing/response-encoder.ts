// Owns the way from an answer as a plain object to the chunks that are written: flat, wire, header, size prefix, and the
// stored records that are put in without being copied. Runs in the broker's thread.

import { append } from '../common/lists.ts';
import { HeapMemory } from '../common/memory.ts';
import type { Api } from '../protocol/flat/api.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { FlatWriter } from '../protocol/flat/flat-writer.ts';
import { putUnsigned, sizeOfUnsigned } from '../protocol/flat/varints.ts';
import { wireCodec } from '../protocol/wire/codecs.ts';
import { encodeResponseHeader } from '../protocol/wire/header.ts';
import { WireWriter } from '../protocol/wire/wire-writer.ts';
import { someBytes } from './node-modules.ts';

// A records field is encoded with a placeholder, unique in this process, and then replaced together with its length.
const placeholderMark = someBytes(12);
const placeholderBytes = 16;
/** As a compact length, which is one more than the length. */
const compactLength = placeholderBytes + 1;
const keptMemoryBytes = 1024 * 1024;

/** Stored bytes that one answer carries. */
export class Attachments {
  readonly #all: (readonly Buffer[])[] = [];

  /** What to put in the records field of the answer. */
  add(slices: readonly Buffer[]): Uint8Array {
    const placeholder = Buffer.alloc(placeholderBytes);
    placeholderMark.copy(placeholder);
    placeholder.writeInt32BE(this.#all.length, placeholderMark.length);
    this.#all.push(slices);
    return placeholder;
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  at(index: number): readonly Buffer[] {
    return this.#all[index]!;
  }
}

const flatWriter = new FlatWriter();
const wireWriter = new WireWriter();
let memory = new HeapMemory();

/** The frame in chunks; the first 8 bytes, size prefix and correlation id, are in the first chunk. */
export function encodeResponse(
  api: Api,
  version: number,
  correlationId: number,
  response: object,
  attachments: Attachments,
): Buffer[] {
  if (memory.capacity > keptMemoryBytes) memory = new HeapMemory();
  flatWriter.reset(memory);
  api.writeResponse(flatWriter, response);
  const byteLength = flatWriter.finish();
  const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength });
  const codec = wireCodec(api.key);
  wireWriter.reset();
  wireWriter.reserve(4);
  encodeResponseHeader(wireWriter, codec.responseHeaderVersion(version), correlationId);
  codec.encodeResponse(message, wireWriter, version);
  const chunks = attach(wireWriter.finish(), codec.responseHeaderVersion(version) >= 1, attachments);
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0) - 4;
  chunks[0]!.writeInt32BE(size, 0);
  return chunks;
}

function attach(frame: Buffer, isCompact: boolean, attachments: Attachments): Buffer[] {
  if (attachments.isEmpty) return [frame];
  const chunks: Buffer[] = [];
  let from = 0;
  for (let at = frame.indexOf(placeholderMark); at !== -1; at = frame.indexOf(placeholderMark, from)) {
    const slices = attachments.at(frame.readInt32BE(at + placeholderMark.length));
    const length = slices.reduce((sum, slice) => sum + slice.length, 0);
    const lengthAt = at - (isCompact ? 1 : 4);
    if (isCompact) {
      if (frame[lengthAt] !== compactLength) throw new Error('a placeholder without its length before it');
      chunks.push(frame.subarray(from, lengthAt), uvarint(length + 1));
    } else {
      frame.writeInt32BE(length, lengthAt);
      chunks.push(frame.subarray(from, at));
    }
    append(chunks, slices);
    from = at + placeholderBytes;
  }
  chunks.push(frame.subarray(from));
  return chunks;
}

function uvarint(value: number): Buffer {
  const bytes = Buffer.alloc(sizeOfUnsigned(value));
  putUnsigned(bytes, 0, value);
  return bytes;
}
