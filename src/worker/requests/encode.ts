// Owns the encoding of a whole request frame: size, header, body. Network thread and pool threads.

import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import { encodeRequestHeader } from '../../protocol/wire/header.ts';
import type { EncodeOptions } from '../../protocol/wire/options.ts';
import type { WireWriter } from '../../protocol/wire/wire-writer.ts';

/** The fields of a request's header. */
export interface FrameHeader {
  readonly apiKey: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string;
}

/**
 * The bytes of the frame for the socket. Throws: InvalidRequestError, CodecTaskNeeded.
 * @param memory a large frame may be written into it
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

/** Size and header of a frame. The caller sends the body of `bodyBytes` bytes separately. Throws: InvalidRequestError. */
export function encodeHead(writer: WireWriter, header: FrameHeader, bodyBytes: number): Buffer {
  const sizeAt = begin(writer, header);
  writer.patchInt32(sizeAt, writer.offset - sizeAt - 4 + bodyBytes);
  return writer.finish();
}

/** Writes the header. Returns the position of the size, which is written later. */
function begin(writer: WireWriter, { apiKey, version, correlationId, clientId }: FrameHeader, memory?: Buffer): number {
  writer.reset(memory);
  const sizeAt = writer.reserve(4);
  const headerVersion = wireCodec(apiKey).requestHeaderVersion(version);
  encodeRequestHeader(writer, apiKey, version, headerVersion, correlationId, clientId);
  return sizeAt;
}
