// Owns the encoding and decoding of SaslHandshake and SaslAuthenticate. Network thread.

import { HeapMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { SaslAuthenticate, SaslHandshake } from '../../protocol/flat/generated/apis.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';
import type { InFlightRequest } from '../requests/request-owner.ts';

export type SaslRequest =
  | { readonly api: typeof SaslHandshake; readonly body: { readonly mechanism: string } }
  | { readonly api: typeof SaslAuthenticate; readonly body: { readonly authBytes: Buffer } };

/** The fields of both responses. Fields that an API does not have are empty. */
export interface SaslResponse {
  readonly api: typeof SaslHandshake | typeof SaslAuthenticate;
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly mechanisms: readonly string[];
  readonly authBytes: Buffer;
  readonly sessionLifetimeMs: number;
}

const writer = new FlatWriter();

export function encodeSaslRequest({ api, body }: SaslRequest): FlatMessage {
  const memory = new HeapMemory();
  writer.reset(memory);
  if (api === SaslHandshake) SaslHandshake.writeRequest(writer, body as { mechanism: string });
  else SaslAuthenticate.writeRequest(writer, body as { authBytes: Buffer });
  const byteLength = writer.finish();
  return new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
}

/** Throws KafkaProtocolError when the body cannot be decoded. */
export function decodeSaslResponse({ codec, version }: InFlightRequest, reader: WireReader): SaslResponse {
  const memory = new HeapMemory(4096);
  writer.reset(memory);
  codec.decodeResponse(reader, writer, version, { verifyCrc: false, records: 'raw', maxDecompressedBytes: 0 });
  const byteLength = writer.finish();
  const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength });
  const none = { errorMessage: null, mechanisms: [], authBytes: Buffer.alloc(0), sessionLifetimeMs: 0 };
  if (codec.apiKey === SaslHandshake.key) {
    const { errorCode, mechanisms } = SaslHandshake.readResponse(message);
    return { ...none, api: SaslHandshake, errorCode, mechanisms: [...mechanisms] };
  }
  const { errorCode, errorMessage, authBytes, sessionLifetimeMs } = SaslAuthenticate.readResponse(message);
  return {
    ...none,
    api: SaslAuthenticate,
    errorCode,
    errorMessage,
    authBytes,
    sessionLifetimeMs: sessionLifetimeMs.toNumber(),
  };
}
