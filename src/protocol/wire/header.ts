// Owns the headers in front of every body. Runs in the network thread and in brokers of the tests. Must not know which
// API has which header version: codecs do.
//
//   request  0  apiKey int16 | apiVersion int16 | correlationId int32
//            1  ... | clientId nullable string
//            2  ... | clientId nullable string, never compact | tagged fields
//   response 0  correlationId int32
//            1  ... | tagged fields

import { InvalidRequestError } from '../../common/errors/errors.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

export interface RequestHeader {
  apiKey: number;
  apiVersion: number;
  correlationId: number;
  /** Null where the sender gave none or the header version has none. */
  clientId: string | null;
}

/** @param clientId dropped silently by header version 0, which only ControlledShutdown 0 has */
export function encodeRequestHeader(
  w: WireWriter,
  apiKey: number,
  apiVersion: number,
  headerVersion: number,
  correlationId: number,
  clientId: string | null,
): void {
  w.int16(apiKey);
  w.int16(apiVersion);
  w.int32(correlationId);
  if (headerVersion >= 1) {
    if (clientId === null) {
      w.int16(-1);
    } else {
      const at = w.reserve(2);
      w.text(clientId);
      const length = w.offset - at - 2;
      if (length > 32767)
        throw new InvalidRequestError(`clientId of ${length} bytes, limit 32767`, { field: 'clientId' });
      w.buffer[at] = length >>> 8;
      w.buffer[at + 1] = length;
    }
  }
  if (headerVersion >= 2) w.uvarint(0);
}

export function decodeRequestHeader(r: WireReader, headerVersion: number): RequestHeader {
  r.field = 'request header';
  const apiKey = r.int16();
  const apiVersion = r.int16();
  const correlationId = r.int32();
  let clientId: string | null = null;
  if (headerVersion >= 1) {
    const length = r.stringLength(false);
    if (length >= 0) {
      const from = r.skip(length);
      clientId = Buffer.from(r.bytes.buffer, r.bytes.byteOffset + from, length).toString('utf8');
    }
  }
  if (headerVersion >= 2) skipTaggedFields(r);
  return { apiKey, apiVersion, correlationId, clientId };
}

export function encodeResponseHeader(w: WireWriter, headerVersion: number, correlationId: number): void {
  w.int32(correlationId);
  if (headerVersion >= 1) w.uvarint(0);
}

/** Returns the correlation id; tagged fields are checked and skipped. */
export function decodeResponseHeader(r: WireReader, headerVersion: number): number {
  r.field = 'response header';
  const correlationId = r.int32();
  if (headerVersion >= 1) skipTaggedFields(r);
  return correlationId;
}

function skipTaggedFields(r: WireReader): void {
  let tag = -1;
  for (let count = r.tagCount(); count > 0; count--) {
    tag = r.tag(tag);
    r.offset = r.tagEnd();
  }
}
