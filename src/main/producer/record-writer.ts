// Owns the writing of records into a producer's link: straight into shared memory, in wire format from the length of the key on,
// without an object for each record. Application thread. Must not wait.

import { RecordTooLargeError } from '../../common/errors/errors.ts';
import { frameHeaderBytes } from '../../common/ring-sizes.ts';
import { putLength, putSigned, sizeOfLength } from '../../protocol/flat/varints.ts';
import { commitRecord, RECORD_PREFIX_BYTES, type RecordFields } from '../../ring/frames/record-frames.ts';
import type { LinkWriter } from '../../ring/link-writer.ts';
import { type BytesInput, boundOf, boundOfHeaders, exactBytes, type HeaderPair } from './record-input.ts';

/** The size of the varints (lengths of key and value, number of headers) and of up to 7 unused bytes. */
export const lengthsBytes = 24;
/** Up to this many units, a loop is faster than a call into native code. */
const shortText = 24;
/** Up to this many bytes, a loop is faster than a call into native code. */
const shortBytes = 16;
/** From this size on, a value is written at the same alignment as its source, because that makes the copy faster. */
const minAlignedBytes = 32;
/** The key before the value must be moved for that. Only a key of up to this size is moved. */
const maxMovedBytes = 64;
/** Before Node 22, to read `byteOffset` costs a tenth of a small record (bench/macro/produce.ts). */
const isOffsetSlow = Number(process.versions.node.split('.', 1)[0]) < 22;
/** A value of up to this size is copied fast enough even if its alignment is guessed wrong. */
const maxGuessedBytes = 512;
/** After so many values in a row at a multiple of 8 bytes, only one of so many is looked at. */
const alignedInRow = 16;

export class RecordWriter {
  /** The size of the last record, with its frame. */
  lastBytes = 0;
  readonly #requests: LinkWriter;
  readonly #maxRecordBytes: number;
  /** A Buffer over the memory that is written. It is made when a text needs it. */
  #text: Buffer = Buffer.alloc(0);
  #textOf: Uint8Array | null = null;
  /** The size of the last written part. -1 for null. */
  #lastLength = -1;
  /** Of the record that is being written. */
  #keyLength = -1;
  #padBytes = 0;
  /** How many values at a multiple of 8 bytes came one after the other. Those that were not looked at count. */
  #alignedValues = 0;

  /** @param maxRecordBytes limit of a record with its lengths: `maxRequestSizeBytes` */
  constructor(requests: LinkWriter, maxRecordBytes: number) {
    this.#requests = requests;
    this.#maxRecordBytes = maxRecordBytes;
  }

  /**
   * Writes one record.
   * @returns false when there is no room
   * Throws TypeError for anything but bytes, text and null, and RecordTooLargeError for more than `maxRequestSizeBytes`
   */
  write(
    route: RecordFields,
    key: BytesInput | null,
    value: BytesInput | null,
    headers: readonly HeaderPair[] | null,
  ): boolean {
    if (headers === null && isBytesOrNull(key) && isBytesOrNull(value)) return this.#writeBytes(route, key, value);
    const requests = this.#requests;
    const headersBound = headers === null ? 0 : boundOfHeaders(headers);
    const boundBytes =
      RECORD_PREFIX_BYTES + lengthsBytes + boundOf(key, 'key') + boundOf(value, 'value') + headersBound;
    if (boundBytes > this.#maxRecordBytes) this.#checkSize(key, value, headers);
    if (!requests.begin(boundBytes) && !requests.begin(RECORD_PREFIX_BYTES + exactBytes(key, value, headers)))
      return false;
    try {
      const usedBytes = this.#fill(key, value, headers);
      if (commitRecord(requests, route, this.#keyLength, this.#padBytes, usedBytes)) {
        this.lastBytes = usedBytes + frameHeaderBytes;
        return true;
      }
    } catch (error) {
      requests.abandon();
      throw error;
    }
    requests.abandon();
    return false;
  }

  /** The same for bytes without headers, which is the usual case: in one piece, because calls and checks cost more than the copy. */
  #writeBytes(route: RecordFields, key: Uint8Array | null, value: Uint8Array | null): boolean {
    const requests = this.#requests;
    const keyBytes = key === null ? 0 : key.length;
    const valueBytes = value === null ? 0 : value.length;
    const boundBytes = RECORD_PREFIX_BYTES + lengthsBytes + keyBytes + valueBytes;
    if (boundBytes > this.#maxRecordBytes) this.#checkSize(key, value, null);
    if (!requests.begin(boundBytes) && !requests.begin(RECORD_PREFIX_BYTES + exactBytes(key, value, null)))
      return false;
    const { u8, base } = requests;
    let at = base + RECORD_PREFIX_BYTES;
    let padBytes = 0;
    if (valueBytes >= minAlignedBytes) {
      const headBytes = (key === null ? 1 : sizeOfLength(keyBytes) + keyBytes) + sizeOfLength(valueBytes);
      padBytes = (this.#alignmentOf(value!, valueBytes) - at - headBytes) & 7;
      at += padBytes;
    }
    at = key === null ? putNull(u8, at) : putBytes(u8, at, key, keyBytes);
    at = value === null ? putNull(u8, at) : putBytes(u8, at, value, valueBytes);
    // No headers.
    u8[at++] = 0;
    const usedBytes = at - base;
    if (!commitRecord(requests, route, key === null ? -1 : keyBytes, padBytes, usedBytes)) {
      requests.abandon();
      return false;
    }
    this.lastBytes = usedBytes + frameHeaderBytes;
    return true;
  }

  /** Where the value begins, modulo 8. If it is a guess and wrong, the copy takes longer. Memory that Node makes begins at a multiple of 8. */
  #alignmentOf(value: Uint8Array, byteCount: number): number {
    const count = this.#alignedValues;
    if (isOffsetSlow && byteCount <= maxGuessedBytes && count >= alignedInRow && count % alignedInRow !== 0) {
      this.#alignedValues = count + 1;
      return 0;
    }
    const alignment = value.byteOffset & 7;
    this.#alignedValues = alignment === 0 ? (count + 1) & 0xffff : 0;
    return alignment;
  }

  /** Writes the record into the open message, and returns how much of that was used. */
  #fill(key: BytesInput | null, value: BytesInput | null, headers: readonly HeaderPair[] | null): number {
    const { u8, base } = this.#requests;
    const start = base + RECORD_PREFIX_BYTES;
    let at = this.#put(u8, start, key);
    this.#keyLength = this.#lastLength;
    let padBytes = 0;
    const isKeyShort = at - start <= maxMovedBytes;
    if (isKeyShort && value !== null && typeof value !== 'string' && value.length >= minAlignedBytes) {
      padBytes = (value.byteOffset - at - sizeOfLength(value.length)) & 7;
      // The key is moved from its end on, because the places overlap. A loop is used because keys are short, and a call into native code
      // costs as much as a whole record.
      if (padBytes > 0) for (let i = at - 1; i >= start; i--) u8[i + padBytes] = u8[i]!;
      at += padBytes;
    }
    this.#padBytes = padBytes;
    at = this.#put(u8, at, value);
    if (headers === null || headers.length === 0) u8[at++] = 0;
    else at = this.#putHeaders(u8, at, headers);
    return at - base;
  }

  #put(u8: Uint8Array, to: number, bytes: BytesInput | null): number {
    if (bytes === null) {
      this.#lastLength = -1;
      // -1 as a zigzag varint.
      u8[to] = 1;
      return to + 1;
    }
    if (typeof bytes === 'string') return this.#putText(u8, to, bytes);
    const { length } = bytes;
    this.#lastLength = length;
    const at = putSigned(u8, to, length);
    u8.set(bytes, at);
    return at + length;
  }

  #putText(u8: Uint8Array, to: number, text: string): number {
    const { length } = text;
    // The text is written as if each unit were one byte, because that is the usual case.
    const at = to + sizeOfLength(length);
    let written = 0;
    if (length <= shortText) {
      for (; written < length; written++) {
        const unit = text.charCodeAt(written);
        if (unit > 127) break;
        u8[at + written] = unit;
      }
    }
    if (written < length) written = this.#over(u8).write(text, at, 'utf8');
    this.#lastLength = written;
    const start = to + sizeOfLength(written);
    if (start !== at) u8.copyWithin(start, at, at + written);
    putSigned(u8, to, written);
    return start + written;
  }

  #putHeaders(u8: Uint8Array, to: number, headers: readonly HeaderPair[]): number {
    let at = putSigned(u8, to, headers.length);
    for (const [name, value] of headers) {
      at = this.#putText(u8, at, name);
      at = this.#put(u8, at, value);
    }
    return at;
  }

  #over(u8: Uint8Array): Buffer {
    if (this.#textOf !== u8) {
      this.#text = Buffer.from(u8.buffer as ArrayBuffer, u8.byteOffset, u8.length);
      this.#textOf = u8;
    }
    return this.#text;
  }

  #checkSize(key: BytesInput | null, value: BytesInput | null, headers: readonly HeaderPair[] | null): void {
    const bytes = exactBytes(key, value, headers);
    if (bytes <= this.#maxRecordBytes) return;
    throw new RecordTooLargeError(`the record takes ${bytes} bytes, maxRequestSizeBytes is ${this.#maxRecordBytes}`);
  }
}

function isBytesOrNull(bytes: BytesInput | null): bytes is Uint8Array | null {
  return bytes === null || bytes instanceof Uint8Array;
}

/** Returns where it ends. */
function putNull(u8: Uint8Array, to: number): number {
  // -1 as a zigzag varint.
  u8[to] = 1;
  return to + 1;
}

/** Returns where they end. */
function putBytes(u8: Uint8Array, to: number, bytes: Uint8Array, length: number): number {
  const at = putLength(u8, to, length);
  if (length <= shortBytes) for (let i = 0; i < length; i++) u8[at + i] = bytes[i]!;
  else u8.set(bytes, at);
  return at + length;
}
