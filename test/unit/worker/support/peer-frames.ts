// Owns the frames that fake brokers send. Test thread.

import { HeapMemory } from '../../../../src/common/memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../../src/protocol/flat/flat-writer.ts';
import { allApis } from '../../../../src/protocol/flat/generated/apis.ts';
import { encodeResponseHeader } from '../../../../src/protocol/wire/header.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';
import type { FakeRequest } from './fake-peer.ts';

export const apiByKey = new Map<number, Api>(allApis.map((api) => [api.key, api as Api]));

/** A whole response frame, size prefix included. */
export function responseFrame(
  request: Pick<FakeRequest, 'codec' | 'version' | 'correlationId'>,
  response: object,
  { version = request.version, correlationId = request.correlationId } = {},
): Buffer {
  const { codec } = request;
  const memory = new HeapMemory();
  const flat = new FlatWriter().reset(memory);
  apiByKey.get(codec.apiKey)!.writeResponse(flat, response);
  const byteLength = flat.finish();
  const wire = new WireWriter();
  const sizeAt = wire.reserve(4);
  encodeResponseHeader(wire, codec.responseHeaderVersion(version), correlationId);
  codec.encodeResponse(
    new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }),
    wire,
    version,
  );
  wire.patchInt32(sizeAt, wire.offset - sizeAt - 4);
  return wire.finish();
}

/** Size prefix and bytes, whatever they mean. */
export function frameOf(...bytes: number[]): Buffer {
  return Buffer.concat([int32(bytes.length), Buffer.from(bytes)]);
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
