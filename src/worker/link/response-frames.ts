// Owns the writing of single frames into a response link. Network thread. Must not decide what happens when there is no room: each
// function then returns false and has written nothing.

import { toPlainError } from '../../common/errors/plain-error.ts';
import { Metadata } from '../../protocol/flat/generated/apis.ts';
import {
  FAILURE,
  METADATA,
  type POLLED,
  type RESPONSE,
  RESPONSE_API_KEY_WORD,
  RESPONSE_PREFIX_BYTES,
  RESPONSE_VERSION_WORD,
} from '../../ring/frames.ts';
import type { LinkWriter } from '../../ring/link.ts';
import type { MetadataUpdate } from '../client/metadata.ts';
import type { InFlightRequest, RequestName } from '../requests/request-owner.ts';

/** A frame that waits for room in the link. */
export type Held =
  | { readonly kind: 'aside'; readonly request: InFlightRequest; readonly body: Uint8Array }
  | { readonly kind: typeof FAILURE; readonly request: RequestName; readonly error: Error }
  | { readonly kind: typeof RESPONSE; readonly request: RequestName }
  | { readonly kind: typeof POLLED; readonly pollId: number };

/** Writes the fields before the flat message that is open in the link. */
export function writePrefix({ i32, base }: LinkWriter, apiKey: number, version: number): void {
  const word = base >>> 2;
  i32.fill(0, word, word + (RESPONSE_PREFIX_BYTES >>> 2));
  i32[word + RESPONSE_API_KEY_WORD] = apiKey;
  i32[word + RESPONSE_VERSION_WORD] = version;
}

export function commitFailure(responses: LinkWriter, { requestId, nodeId }: RequestName, error: Error): boolean {
  const text = Buffer.from(JSON.stringify(toPlainError(error)), 'utf8');
  if (!responses.begin(text.length)) return false;
  responses.u8.set(text, responses.base);
  if (responses.commit(FAILURE, requestId, nodeId, text.length)) return true;
  responses.abandon();
  return false;
}

export function commitMetadata(responses: LinkWriter, { updateId, nodeId, version, bytes }: MetadataUpdate): boolean {
  const usedBytes = RESPONSE_PREFIX_BYTES + bytes.byteLength;
  if (!responses.begin(usedBytes)) return false;
  writePrefix(responses, Metadata.key, version);
  responses.u8.set(
    bytes.u8.subarray(bytes.base, bytes.base + bytes.byteLength),
    responses.base + RESPONSE_PREFIX_BYTES,
  );
  if (responses.commit(METADATA, updateId, nodeId, usedBytes)) return true;
  responses.abandon();
  return false;
}
