// Owns the shape of what waits for room in a response link, and its writing. Network thread. Must not decide what happens when there is no
// room.

import { toPlainError } from '../../common/errors/plain-error.ts';
import { writeFailure, writePolled, writeSent } from '../../ring/frames/client-frames.ts';
import type { LinkWriter } from '../../ring/link.ts';
import type { InFlightRequest, RequestName } from '../requests/request-owner.ts';

/** A small frame. */
export type HeldFrame =
  | { readonly kind: 'failure'; readonly request: RequestName; readonly error: Error }
  | { readonly kind: 'sent'; readonly request: RequestName }
  | { readonly kind: 'polled'; readonly pollId: number };

/** What found no room, kept until there is some: a small frame, or a response that has not been decoded. */
export type Held = HeldFrame | { readonly kind: 'aside'; readonly request: InFlightRequest; readonly body: Uint8Array };

/** @returns false when there is no room; then nothing was written */
export function writeHeld(link: LinkWriter, held: HeldFrame): boolean {
  if (held.kind === 'polled') return writePolled(link, held.pollId);
  const { requestId, nodeId } = held.request;
  if (held.kind === 'sent') return writeSent(link, requestId);
  return writeFailure(link, { requestId, nodeId, error: toPlainError(held.error) });
}
