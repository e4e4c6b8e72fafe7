// Measures the passage of records: wire to rows against a bare loop that does the least a decoder can, rows read on the
// application's side, records written there, batches made of them. Prints one JSON line per measurement.
//
//   node build/bench/micro/records.js [rounds, default 30]
//
// Ratios compare measurements of one run, taken in turns, the best of all rounds each: on a shared machine they hold
// where times do not.

import os from 'node:os';
import { crc32c, crc32cImplementation } from '../../src/codec/crc32c.ts';
import { HeapMemory } from '../../src/common/memory.ts';
import { FlatMessage } from '../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../src/protocol/flat/flat-writer.ts';
import { RecordsView } from '../../src/protocol/flat/record-view.ts';
import { type RecordsInput, writeRecords } from '../../src/protocol/flat/record-writer.ts';
import { RECORDS_WORDS } from '../../src/protocol/flat/records-slot.ts';
import type { DecodeOptions } from '../../src/protocol/wire/options.ts';
import { decodeRecords, encodeRecords } from '../../src/protocol/wire/records.ts';
import { WireReader } from '../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../src/protocol/wire/wire-writer.ts';

const rounds = Number(process.argv[2] ?? 30);
const options: DecodeOptions = { verifyCrc: true, records: 'rows', maxDecompressedBytes: 2 ** 27 };
const fieldBytes = 2 ** 20;
const batchBytes = 2 ** 16;

/** Keeps results alive, so that no loop is optimized away. */
let sink = 0;

const environment = {
  node: process.version,
  cpu: os.cpus()[0]?.model ?? '',
  cpus: os.cpus().length,
  crc32cImplementation,
};

/** Runs every measured function once a round, in turns, and returns the best time of each in ns. */
function best(measured: Record<string, () => void>): Record<string, number> {
  const times: Record<string, number> = {};
  for (let round = -5; round < rounds; round++) {
    for (const [name, run] of Object.entries(measured)) {
      const start = process.hrtime.bigint();
      run();
      const ns = Number(process.hrtime.bigint() - start);
      if (round >= 0) times[name] = Math.min(times[name] ?? Number.POSITIVE_INFINITY, ns);
    }
  }
  return times;
}

function report(bench: string, parameters: object, nsPerRecord: Record<string, number>, ratios: object): void {
  const rounded = Object.fromEntries(Object.entries(nsPerRecord).map(([name, ns]) => [name, Number(ns.toFixed(1))]));
  console.log(JSON.stringify({ bench, ...parameters, nsPerRecord: rounded, ...ratios, ...environment }));
}

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

/** A records field as a broker sends it. */
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

/** The least that turns a field into ten words a record: no check but the CRC, no batch list, no error, 32-bit deltas. */
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

/** Offset, timestamp, one byte of the key and two of the value of every record. */
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

function readByViews(message: FlatMessage): number {
  let sum = 0;
  for (const record of new RecordsView(message, 0)) sum += record.value!.length + record.offset.low;
  return sum | 0;
}

function perRecord(times: Record<string, number>, count: number): Record<string, number> {
  return Object.fromEntries(Object.entries(times).map(([name, ns]) => [name, ns / count]));
}

for (const valueBytes of [100, 1024]) {
  const { bytes, count } = field(valueBytes);
  const decoded = decodeToRows(bytes);
  const decode = perRecord(
    best({
      bareLoop: () => {
        sink += bareLoop(bytes)[0]!;
      },
      decodeRecords: () => {
        sink += decodeToRows(bytes).byteLength;
      },
    }),
    count,
  );
  report('records decode', { valueBytes, fieldBytes: bytes.length, count }, decode, {
    shareOfBareLoop: Number((decode.bareLoop! / decode.decodeRecords!).toFixed(2)),
  });
  const read = perRecord(
    best({
      cursor: () => {
        sink += readByCursor(decoded);
      },
      recordViews: () => {
        sink += readByViews(decoded);
      },
      decodingInstead: () => {
        sink += readByCursor(decodeToRows(bytes));
      },
    }),
    count,
  );
  report('records read', { valueBytes, count }, read, {
    cursorShareOfDecodingInstead: Number((read.cursor! / read.decodingInstead!).toFixed(3)),
  });
}

for (const valueBytes of [100, 1024]) {
  const count = Math.floor(fieldBytes / valueBytes);
  const value = new Uint8Array(valueBytes).fill(0x61);
  const text = 'a'.repeat(valueBytes);
  const key = 'key-1';
  const list = Array.from({ length: count }, () => ({ key, value }));
  const w = new FlatWriter();
  const memory = new HeapMemory(4 * fieldBytes);
  const write = (input: RecordsInput) => (): void => {
    w.reset(memory);
    w.alloc(RECORDS_WORDS);
    writeRecords(w, 0, input);
    sink += w.finish();
  };
  const written = perRecord(
    best({
      callbackBytes: write((writer) => {
        for (let i = 0; i < count; i++) writer.append(null, value);
      }),
      callbackText: write((writer) => {
        for (let i = 0; i < count; i++) writer.append(null, text);
      }),
      callbackKeyAndBytes: write((writer) => {
        for (let i = 0; i < count; i++) writer.append(key, value);
      }),
      listOfObjects: write(list),
    }),
    count,
  );
  report('records write', { valueBytes, count }, written, {});
  const message = flat((writer) => {
    for (let i = 0; i < count; i++) writer.append(key, value, 1_700_000_000_000 + i);
  });
  const wire = new WireWriter();
  const encoded = perRecord(
    best({
      encodeRecords: () => {
        wire.reset();
        encodeInto(wire, message);
        sink += wire.offset;
      },
      crcAlone: () => {
        sink += crc32c(wire.buffer, 21, wire.offset);
      },
    }),
    count,
  );
  report('records encode', { valueBytes, count, keyBytes: key.length }, encoded, {});
}

if (sink === 0.5) console.log(sink);
