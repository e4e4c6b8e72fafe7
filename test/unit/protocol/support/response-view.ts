// Owns the way from a plain response to the view an application gets. Test thread.

import { HeapMemory } from '../../../../src/common/memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';

export function responseView<Response, Data>(api: Api<never, Response, Data>, response: Data): Response {
  return api.readResponse(flat((writer) => api.writeResponse(writer, response)));
}

/** The same by way of the bytes that a broker sends, with the records as they came: what is told of them is computed from the bytes. */
export function receivedView<Response, Data>(
  api: Api<never, Response, Data>,
  response: Data,
  version: number,
): Response {
  const codec = wireCodec(api.key);
  const wire = new WireWriter();
  codec.encodeResponse(
    flat((writer) => api.writeResponse(writer, response)),
    wire,
    version,
  );
  const reader = new WireReader(wire.finish());
  const options = { verifyCrc: false, records: 'raw', maxDecompressedBytes: 0 } as const;
  return api.readResponse(flat((writer) => codec.decodeResponse(reader, writer, version, options)));
}

function flat(write: (writer: FlatWriter) => void): FlatMessage {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  write(writer);
  const byteLength = writer.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength });
}
