// Owns the reading, for reports, of how much memory of moved bodies is in a link. Another thread writes those counters, and something may
// have overwritten them: a report must neither fail nor believe that. Network thread. Must not end a link: whoever uses it next does.

import { RingCorruptError } from '../../common/errors/errors.ts';
import type { LinkReader, LinkWriter } from '../../ring/link.ts';

/** Bytes of bodies that the application has not released. 0 if that cannot be told: whoever writes to the link next meets the same, and ends it. */
export function movedBytesTo(responses: Pick<LinkWriter, 'spilledBytesOutstanding'>): number {
  try {
    return responses.spilledBytesOutstanding;
  } catch (error) {
    if (!(error instanceof RingCorruptError)) throw error;
    return 0;
  }
}

/** Bytes of bodies that the application has sent and that were not handled. @param maxBytes more than that is not possible */
export function movedBytesFrom(requests: Pick<LinkReader, 'spilledBytesOutstanding'>, maxBytes: number): number {
  return Math.min(requests.spilledBytesOutstanding, maxBytes);
}
