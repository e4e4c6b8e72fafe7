// Owns the making of a whole request frame: size, header, body. Runs in the network thread and the codec pool.

import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import { encodeRequestHeader } from '../../protocol/wire/header.ts';
import type { EncodeOptions } from '../../protocol/wire/options.ts';
import type { WireWriter } from '../../protocol/wire/wire-writer.ts';

/** Everything of a request but its body. */
export interface FrameHeader {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string;
}

/**
 * The frame as it goes to the socket. Throws: InvalidRequestError, CodecTaskNeeded.
 * @param memory that a large frame may lie in
 */
export function encodeFrame(
  writer: WireWriter,
  header: FrameHeader,
  message: FlatMessage,
  options: EncodeOptions,
  memory?: Buffer,
): Buffer {
  const sizeAt = begin(writer, header, memory);
  wireCodec(header.apiKey).encodeRequest(message, writer, header.version, options);
  writer.patchInt32(sizeAt, writer.offset - sizeAt - 4);
  return writer.finish();
}

/** Size and header of a frame whose body of `bodyBytes` follows by itself. Throws: InvalidRequestError. */
export function encodeHead(writer: WireWriter, header: FrameHeader, bodyBytes: number): Buffer {
  const sizeAt = begin(writer, header);
  writer.patchInt32(sizeAt, writer.offset - sizeAt - 4 + bodyBytes);
  return writer.finish();
}

/** Returns where the size is to be written. */
function begin(writer: WireWriter, { apiKey, version, correlationId, clientId }: FrameHeader, memory?: Buffer): number {
  writer.reset(memory);
  const sizeAt = writer.reserve(4);
  const headerVersion = wireCodec(apiKey).requestHeaderVersion(version);
  encodeRequestHeader(writer, apiKey, version, headerVersion, correlationId, clientId);
  return sizeAt;
}
