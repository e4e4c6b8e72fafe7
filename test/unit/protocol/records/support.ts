// Owns what records tests share: passage of bytes through the decoder and of input through the encoder, and the golden
// record sets. Test code only.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { HeapMemory, type MessageMemory } from '../../../../src/common/memory.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { RecordsView } from '../../../../src/protocol/flat/records/record-view.ts';
import { type RecordsInput, writeRecords } from '../../../../src/protocol/flat/records/record-writer.ts';
import { RECORDS_WORDS } from '../../../../src/protocol/flat/records/records-slot.ts';
import type { DecodeOptions } from '../../../../src/protocol/wire/options.ts';
import { decodeRecords, encodeRecords } from '../../../../src/protocol/wire/records/records.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';

export const decodeOptions: DecodeOptions = {
  verifyCrc: true,
  records: 'rows',
  maxDecompressedBytes: 16 * 1024 * 1024,
};

/** Words before the slot, so that no test passes because a slot is at 0. */
const slotWord = 6;

/** A records field of the given bytes, decoded. The bytes stand within others, as in a response. */
export function decode(
  bytes: Uint8Array,
  options: Partial<DecodeOptions> = {},
  memory: MessageMemory = new HeapMemory(),
): RecordsView {
  const body = Buffer.concat([Buffer.alloc(5, 0xff), bytes, Buffer.alloc(7, 0xff)]);
  const r = new WireReader(body, 5);
  const w = new FlatWriter().reset(memory, 32);
  w.alloc(slotWord + RECORDS_WORDS);
  // What a previous message may have left there.
  w.i32.fill(0x55555555, w.wordBase + slotWord, w.wordBase + slotWord + RECORDS_WORDS);
  decodeRecords(r, bytes.length, w, slotWord, { ...decodeOptions, ...options });
  if (r.offset !== 5 + bytes.length) throw new Error(`decoder stopped at ${r.offset - 5} of ${bytes.length}`);
  return new RecordsView(finished(w, memory), slotWord);
}

/** Like a ring's memory: shared, not at the start of its buffer, moving to the heap when it is full. */
export class SharedMemory implements MessageMemory {
  i32: Int32Array;
  u8: Uint8Array;
  base = 48;
  capacity: number;

  constructor(capacity: number) {
    const buffer = new SharedArrayBuffer(48 + capacity);
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.u8.fill(0x5a);
    this.capacity = capacity;
  }

  grow(neededBytes: number, usedBytes: number): void {
    const buffer = new ArrayBuffer(16 + neededBytes);
    const u8 = new Uint8Array(buffer).fill(0x5a);
    u8.set(this.u8.subarray(this.base, this.base + usedBytes), 16);
    this.u8 = u8;
    this.i32 = new Int32Array(buffer);
    this.base = 16;
    this.capacity = neededBytes;
  }
}

/** Input written into flat memory, as an application does. */
export function write(input: RecordsInput | null, memory: MessageMemory = new HeapMemory()): FlatMessage {
  const w = new FlatWriter().reset(memory, 32);
  w.alloc(slotWord + RECORDS_WORDS);
  writeRecords(w, slotWord, input);
  return finished(w, memory);
}

/** The bytes that the encoder makes of it, as for the API and version; Produce 9 by default. */
export function encode(input: RecordsInput | null, version = 9, apiKey = 0): Buffer {
  return encodeFlat(write(input), version, apiKey);
}

export function encodeFlat(message: FlatMessage, version = 9, apiKey = 0): Buffer {
  const w = new WireWriter();
  w.describe('Produce', apiKey, version);
  w.int8(0x77);
  encodeRecords(message, slotWord, w);
  return w.finish().subarray(1);
}

function finished(w: FlatWriter, memory: MessageMemory, skipBytes = 32): FlatMessage {
  const byteLength = w.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }, skipBytes);
}

/** The records at `slotWord` of what `w` has written into `memory`. */
export function viewOf(w: FlatWriter, memory: MessageMemory, slotWord: number, skipBytes: number): RecordsView {
  return new RecordsView(finished(w, memory, skipBytes), slotWord);
}

/** Path of a file in test/fixtures, from compiled tests as from their source. */
export function fixturePath(name: string): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'test/fixtures/golden'))) {
    if (folder === dirname(folder)) throw new Error('test/fixtures is in no folder above this test');
    folder = dirname(folder);
  }
  return join(folder, 'test/fixtures', name);
}

export interface GoldenBatch {
  readonly baseOffset: string;
  readonly lastOffset: string;
  readonly magic: number;
  readonly sizeInBytes: number;
  readonly codec: string;
  readonly timestampType: string;
  readonly maxTimestamp: string;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly partitionLeaderEpoch: number;
  readonly deleteHorizonMs: string | null;
  readonly recordCount: number | null;
}

export interface GoldenRecord {
  readonly batch: number;
  readonly offset: string;
  readonly timestamp: string;
  readonly keyBase64: string | null;
  readonly valueBase64?: string | null;
  readonly valueLength?: number;
  readonly valueSha256?: string;
  readonly headers: readonly (readonly [string, string | null])[];
  readonly control?: { readonly type?: string; readonly unreadable?: true };
}

export interface GoldenSet {
  readonly name: string;
  readonly group: 'valid' | 'framing' | 'malformed' | 'tolerated';
  readonly magic: number;
  readonly codec: string;
  readonly bytes: Buffer;
  readonly expect: {
    readonly batches: readonly GoldenBatch[];
    readonly records: readonly GoldenRecord[];
    readonly trailingBytes?: number;
    readonly error?: { readonly stage: string; readonly class: string };
  };
}

/** All golden record sets; GOLDEN_DIR names another folder with records.jsonl.gz. */
export function goldenSets(): GoldenSet[] {
  const { GOLDEN_DIR } = process.env;
  const path = GOLDEN_DIR === undefined ? fixturePath('golden/records.jsonl.gz') : join(GOLDEN_DIR, 'records.jsonl.gz');
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const { hex, base64, ...set } = JSON.parse(line) as GoldenSet & { hex?: string; base64?: string };
    return { ...set, bytes: hex === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(hex, 'hex') };
  });
}
