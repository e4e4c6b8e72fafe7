// Owns flat requests and bodies of responses as the codec pool gets them. Test thread.

import { HeapMemory } from '../../../../src/common/memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { Fetch } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchResponse } from '../../../../src/protocol/flat/generated/fetch.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';

/** The request in memory of its own, from byte 0. */
export function flatOf<Request>(api: Pick<Api<Request>, 'writeRequest'>, request: Request): ArrayBuffer {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  api.writeRequest(writer, request);
  const byteLength = writer.finish();
  return memory.u8.slice(memory.base, memory.base + byteLength).buffer;
}

/** A Fetch response as it stands behind its header. */
export function fetchBody(version: number, response: FetchResponse): Buffer {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  Fetch.writeResponse(writer, response);
  const byteLength = writer.finish();
  const { i32, u8, base } = memory;
  const wire = new WireWriter();
  wireCodec(Fetch.key).encodeResponse(new FlatMessage({ i32, u8, base, byteLength }), wire, version);
  return Buffer.from(wire.finish());
}
