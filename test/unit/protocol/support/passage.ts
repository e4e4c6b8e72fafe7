// The passage of messages through the code under test, by name: plain object to flat to wire and back, through the same
// public functions for requests, responses and data.

import { HeapMemory } from '../../../../src/common/memory.ts';
import { FlatMessage, type FlatView } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { allApis } from '../../../../src/protocol/flat/generated/apis.ts';
import { kebabCase } from '../../../../src/protocol/generate/model.ts';
import { dataCodec, wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { wireData } from '../../../../src/protocol/wire/generated/index.ts';
import type { DecodeOptions } from '../../../../src/protocol/wire/options.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';
import type { Plain, TableMessage } from './tables.ts';

export const rawRecords: DecodeOptions = { verifyCrc: false, records: 'raw', maxDecompressedBytes: 2 ** 27 };

export interface Passage {
  /** Throws what the public writer throws. */
  write(value: Plain): FlatMessage;
  encode(flat: FlatMessage, version: number): Buffer;
  /** @returns the flat message and how many bytes were left over */
  decode(bytes: Uint8Array, version: number, options?: DecodeOptions): { flat: FlatMessage; left: number };
  view(flat: FlatMessage): FlatView;
}

const reader = new WireReader();
const wire = new WireWriter();
const writer = new FlatWriter();

function filled(fill: (w: FlatWriter) => void): FlatMessage {
  const memory = new HeapMemory();
  fill(writer.reset(memory, 8));
  const byteLength = writer.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }, 8);
}

interface DataModule {
  write(w: FlatWriter, value: Plain): void;
  read(message: FlatMessage): FlatView;
}

/** For a request, response or data message. */
export async function passage(table: TableMessage): Promise<Passage> {
  if (table.kind === 'data') return dataPassage(table);
  const api = allApis.find(({ key }) => key === table.apiKey)!;
  const codec = wireCodec(table.apiKey);
  const isRequest = table.kind === 'request';
  return {
    write: (value) =>
      filled((w) => (isRequest ? api.writeRequest(w, value as never) : api.writeResponse(w, value as never))),
    view: (flat) => (isRequest ? api.readRequest(flat) : api.readResponse(flat)) as FlatView,
    encode(flat, version) {
      wire.reset();
      if (isRequest) codec.encodeRequest(flat, wire, version);
      else codec.encodeResponse(flat, wire, version);
      return wire.finish();
    },
    decode(bytes, version, options = rawRecords) {
      reader.reset(bytes);
      const flat = filled((w) =>
        isRequest
          ? codec.decodeRequest(reader, w, version, options)
          : codec.decodeResponse(reader, w, version, options),
      );
      return { flat, left: reader.remaining };
    },
  };
}

async function dataPassage(table: TableMessage): Promise<Passage> {
  const codec = dataCodec(table.name);
  if (!wireData.has(table.name)) throw new Error(`no data ${table.name}`);
  const path = `../../../../src/protocol/flat/generated/${kebabCase(table.name)}.js`;
  const { write, read } = (await import(path)) as DataModule;
  return {
    write: (value) => filled((w) => write(w, value)),
    view: read,
    encode(flat, version) {
      wire.reset();
      codec.encode(flat, wire, version);
      return wire.finish();
    },
    decode(bytes, version) {
      reader.reset(bytes);
      const flat = filled((w) => codec.decode(reader, w, version));
      return { flat, left: reader.remaining };
    },
  };
}
