// Owns the frames and responses that wait for room in a response link, and the writing of the frames. Network thread. Must not decide
// what happens when there is no room.

import { toPlainError } from '../../common/errors/plain-error.ts';
import { writeFailure, writePolled, writeSent } from '../../ring/frames/client-frames.ts';
import type { LinkWriter } from '../../ring/link.ts';
import type { InFlightRequest, RequestName } from '../requests/request-owner.ts';

/** When so many frames wait for a thread that does not read, its requests are not taken until it reads. */
export const maxHeldFrames = 4096;
/** The same for the waiting frames of a producer or consumer, in bytes. */
export const maxHeldBytes = 1024 * 1024;
/**
 * When so many times `spillBudgetBytes` of responses wait for a thread that does not read, connections are not read either, although other
 * threads have to wait then. At one `spillBudgetBytes` its requests are not taken any more, so these are answers to what was in flight.
 */
export const maxAsideBudgets = 4;

/** A small frame. */
export type HeldFrame =
  | { readonly kind: 'failure'; readonly request: RequestName; readonly error: Error }
  | { readonly kind: 'sent'; readonly request: RequestName }
  | { readonly kind: 'polled'; readonly pollId: number };

/** A small frame, or a response that is not decoded yet. It is kept until there is room. */
export type Held = HeldFrame | { readonly kind: 'aside'; readonly request: InFlightRequest; readonly body: Uint8Array };

/** @returns false when there is no room; nothing was written then */
export function writeHeld(link: LinkWriter, held: HeldFrame): boolean {
  if (held.kind === 'polled') return writePolled(link, held.pollId);
  const { requestId, nodeId } = held.request;
  if (held.kind === 'sent') return writeSent(link, requestId);
  return writeFailure(link, { requestId, nodeId, error: toPlainError(held.error) });
}
