// Measures the work on records: decoding of wire records to rows against a minimal decoder, reading of rows against a bare loop, writing
// of records against a bare copy, making of batches against their checksum alone.

import { crc32c, crc32cImplementation } from '../../src/codec/crc32c.ts';
import { HeapMemory } from '../../src/common/memory.ts';
import { FlatMessage } from '../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../src/protocol/flat/flat-writer.ts';
import { RecordsView } from '../../src/protocol/flat/records/record-view.ts';
import { type RecordsInput, writeRecords } from '../../src/protocol/flat/records/record-writer.ts';
import { RECORD_ROW_WORDS, RECORDS_WORDS, ROWS_WORD } from '../../src/protocol/flat/records/records-slot.ts';
import type { DecodeOptions } from '../../src/protocol/wire/options.ts';
import { decodeRecords, encodeRecords } from '../../src/protocol/wire/records/records.ts';
import { WireReader } from '../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../src/protocol/wire/wire-writer.ts';
import type { BenchRow } from '../support/rows.ts';
import { bestInTurns } from './support/in-turns.ts';

const rounds = 60;
const options: DecodeOptions = { verifyCrc: true, records: 'rows', maxDecompressedBytes: 2 ** 27 };
const fieldBytes = 2 ** 20;
const batchBytes = 2 ** 16;
/** So many passes that each measured time includes the collection of the views. */
const valuePasses = 40;

/** Keeps results alive, so that no loop is optimized away. */
let sink = 0;

function flat(input: RecordsInput, memory = new HeapMemory(4096)): FlatMessage {
  const w = new FlatWriter().reset(memory);
  w.alloc(RECORDS_WORDS);
  writeRecords(w, 0, input);
  const byteLength = w.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
}

function encodeInto(w: WireWriter, message: FlatMessage): void {
  w.describe('Produce', 0, 9);
  encodeRecords(message, 0, w);
}

/** A records field, as in a broker's response. */
function field(valueBytes: number): { bytes: Buffer; count: number } {
  const w = new WireWriter();
  const value = new Uint8Array(valueBytes).fill(0x61);
  const key = new Uint8Array(8).fill(0x6b);
  const perBatch = Math.floor(batchBytes / (valueBytes + 20));
  let count = 0;
  while (w.offset < fieldBytes) {
    const message = flat({
      baseOffset: count,
      records: (writer) => {
        for (let i = 0; i < perBatch; i++) writer.append(key, value, 1_700_000_000_000 + (i >> 2));
      },
    });
    encodeInto(w, message);
    count += perBatch;
  }
  return { bytes: w.finish(), count };
}

function decodeToRows(bytes: Uint8Array): FlatMessage {
  const memory = new HeapMemory(256);
  const w = new FlatWriter().reset(memory);
  w.alloc(RECORDS_WORDS);
  decodeRecords(new WireReader(bytes), bytes.length, w, 0, options);
  const byteLength = w.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
}

let varintAt = 0;

function varint(bytes: Uint8Array): number {
  let byte = bytes[varintAt++]!;
  let value = byte & 127;
  for (let shift = 7; byte > 127; shift += 7) {
    byte = bytes[varintAt++]!;
    value |= (byte & 127) << shift;
  }
  return (value >>> 1) ^ -(value & 1);
}

/** A minimal decoder to ten words per record: no check but the CRC, no batch list, no errors, 32-bit deltas. */
function bareLoop(field: Buffer): Int32Array {
  let count = 0;
  for (let at = 0; at < field.length; at += 12 + field.readInt32BE(at + 8)) count += field.readInt32BE(at + 57);
  const memory = new ArrayBuffer(count * 40 + field.length);
  const rows = new Int32Array(memory, 0, count * 10);
  new Uint8Array(memory).set(field, count * 40);
  const shift = count * 40;
  let row = 0;
  for (let at = 0; at < field.length; ) {
    const end = at + 12 + field.readInt32BE(at + 8);
    if (crc32c(field, at + 21, end) !== field.readUInt32BE(at + 17)) throw new Error('crc');
    const baseLow = field.readInt32BE(at + 4);
    const baseHigh = field.readInt32BE(at);
    const timeLow = field.readInt32BE(at + 31);
    const timeHigh = field.readInt32BE(at + 27);
    const records = field.readInt32BE(at + 57);
    varintAt = at + 61;
    for (let i = 0; i < records; i++, row += 10) {
      const length = varint(field);
      const recordEnd = varintAt + length;
      varintAt++;
      const time = varint(field);
      const delta = varint(field);
      rows[row] = baseLow + delta;
      rows[row + 1] = baseHigh;
      rows[row + 2] = timeLow + time;
      rows[row + 3] = timeHigh;
      const keyLength = varint(field);
      rows[row + 4] = varintAt + shift;
      rows[row + 5] = keyLength;
      if (keyLength > 0) varintAt += keyLength;
      const valueLength = varint(field);
      rows[row + 6] = varintAt + shift;
      rows[row + 7] = valueLength;
      if (valueLength > 0) varintAt += valueLength;
      rows[row + 8] = varintAt + shift;
      rows[row + 9] = varint(field);
      varintAt = recordEnd;
    }
    at = end;
  }
  return rows;
}

/** Reads the offset, the timestamp, one byte of the key and two of the value of every record. */
function readByCursor(message: FlatMessage): number {
  let sum = 0;
  const cursor = new RecordsView(message, 0).cursor();
  const { bytes } = cursor;
  while (cursor.next()) {
    sum += cursor.offsetLow + cursor.timestampLow;
    if (cursor.keyLength > 0) sum += bytes[cursor.keyOffset]!;
    const at = cursor.valueOffset;
    sum += bytes[at]! + bytes[at + cursor.valueLength - 1]!;
  }
  return sum | 0;
}

/** Reads the offset, the length of the key, and the value as a Buffer, with its first and last byte. */
function readValues(message: FlatMessage): number {
  let sum = 0;
  for (const cursor = new RecordsView(message, 0).cursor(); cursor.next(); ) {
    const value = cursor.value!;
    sum += cursor.offset + cursor.keyLength + value[0]! + value[value.length - 1]!;
  }
  return sum | 0;
}

/** Reads the same without classes, with the values as plain Uint8Arrays. */
function readValuesBare(message: FlatMessage): number {
  let sum = 0;
  const first = message.wordBase + message.int32(ROWS_WORD);
  const count = message.int32(ROWS_WORD + 1);
  const rows = message.i32;
  const memory = message.u8.buffer;
  const base = message.u8.byteOffset + message.byteBase;
  for (let i = 0, row = first; i < count; i++, row += RECORD_ROW_WORDS) {
    const value = new Uint8Array(memory, base + rows[row + 6]!, rows[row + 7]!);
    sum += rows[row + 1]! * 4294967296 + (rows[row]! >>> 0) + rows[row + 5]! + value[0]! + value[value.length - 1]!;
  }
  return sum | 0;
}

function readByViews(message: FlatMessage): number {
  let sum = 0;
  for (const record of new RecordsView(message, 0)) sum += record.value!.length + record.offset.low;
  return sum | 0;
}

/** Reads the same without classes, from typed arrays over the memory. */
function readBare(message: FlatMessage): number {
  let sum = 0;
  const first = message.wordBase + message.int32(ROWS_WORD);
  const count = message.int32(ROWS_WORD + 1);
  const rows = message.i32;
  const bytes = message.u8.subarray(message.byteBase);
  for (let i = 0, row = first; i < count; i++, row += RECORD_ROW_WORDS) {
    sum += rows[row]! + rows[row + 2]!;
    if (rows[row + 5]! > 0) sum += bytes[rows[row + 4]!]!;
    const at = rows[row + 6]!;
    sum += bytes[at]! + bytes[at + rows[row + 7]! - 1]!;
  }
  return sum | 0;
}

function row(
  name: string,
  ours: number,
  comparison: string,
  theirs: number,
  count: number,
  parameters: BenchRow['parameters'],
): BenchRow {
  const rounded = (ns: number): number => Number((ns / count).toFixed(1));
  return {
    name,
    unit: 'ns/record',
    ours: rounded(ours),
    comparison,
    theirs: rounded(theirs),
    ratio: Number((ours / theirs).toFixed(2)),
    parameters,
  };
}

function decoding(valueBytes: number): BenchRow[] {
  const { bytes, count } = field(valueBytes);
  const decoded = decodeToRows(bytes);
  const times = bestInTurns(
    {
      bareLoop: () => {
        sink += bareLoop(bytes)[0]!;
      },
      decode: () => {
        sink += decodeToRows(bytes).byteLength;
      },
      bareRows: () => {
        sink += readBare(decoded);
      },
      cursor: () => {
        sink += readByCursor(decoded);
      },
      bareValues: () => {
        for (let pass = 0; pass < valuePasses; pass++) sink += readValuesBare(decoded);
      },
      values: () => {
        for (let pass = 0; pass < valuePasses; pass++) sink += readValues(decoded);
      },
      views: () => {
        sink += readByViews(decoded);
      },
    },
    rounds,
  );
  const parameters = {
    valueBytes,
    keyBytes: 8,
    count,
    fieldBytes: bytes.length,
    batchBytes,
    crc32cImplementation: crc32cImplementation(),
  };
  return [
    row('decode to rows', times.decode, 'bare loop without checks', times.bareLoop, count, parameters),
    row('read five fields by cursor', times.cursor, 'bare loop over rows', times.bareRows, count, parameters),
    row('read five fields by cursor', times.cursor, 'decoding here', times.decode, count, parameters),
    row(
      'read offset, key length and a Buffer of the value by cursor',
      times.values,
      'bare loop with Uint8Arrays',
      times.bareValues,
      count * valuePasses,
      parameters,
    ),
    row('read offset and value by record views', times.views, 'decoding here', times.decode, count, parameters),
  ];
}

function producing(valueBytes: number): BenchRow[] {
  const count = Math.floor(fieldBytes / valueBytes);
  const value = new Uint8Array(valueBytes).fill(0x61);
  const text = 'a'.repeat(valueBytes);
  const key = 'key-1';
  const list = Array.from({ length: count }, () => ({ key, value }));
  const w = new FlatWriter();
  const memory = new HeapMemory(4 * fieldBytes);
  const target = Buffer.alloc(4 * fieldBytes);
  const write = (input: RecordsInput) => (): void => {
    w.reset(memory);
    w.alloc(RECORDS_WORDS);
    writeRecords(w, 0, input);
    sink += w.finish();
  };
  const message = flat((writer) => {
    for (let i = 0; i < count; i++) writer.append(key, value, 1_700_000_000_000 + i);
  });
  const wire = new WireWriter();
  const times = bestInTurns(
    {
      copyBytes: () => {
        for (let i = 0; i < count; i++) target.set(value, i * valueBytes);
      },
      copyText: () => {
        for (let i = 0; i < count; i++) sink += target.write(text, i * valueBytes);
      },
      bytes: write((writer) => {
        for (let i = 0; i < count; i++) writer.append(null, value);
      }),
      text: write((writer) => {
        for (let i = 0; i < count; i++) writer.append(null, text);
      }),
      list: write(list),
      encode: () => {
        wire.reset();
        encodeInto(wire, message);
        sink += wire.offset;
      },
      crc: () => {
        sink += crc32c(wire.buffer, 21, wire.offset);
      },
    },
    rounds,
  );
  const parameters = { valueBytes, count };
  return [
    row('append bytes by callback', times.bytes, 'copy of the bytes alone', times.copyBytes, count, parameters),
    row('append text by callback', times.text, 'write of the text alone', times.copyText, count, parameters),
    row(
      'list of objects with key and bytes',
      times.list,
      'copy of the bytes alone',
      times.copyBytes,
      count,
      parameters,
    ),
    row('make a batch', times.encode, 'its checksum alone', times.crc, count, { ...parameters, keyBytes: key.length }),
  ];
}

export async function run(): Promise<BenchRow[]> {
  const rows = [100, 1024].flatMap((valueBytes) => [...decoding(valueBytes), ...producing(valueBytes)]);
  if (Number.isNaN(sink)) throw new Error('a loop read no numbers');
  return rows;
}
