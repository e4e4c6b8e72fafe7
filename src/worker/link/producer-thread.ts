// Owns the shape of what a producer knows of one application thread that is attached to it. Network thread. Types only.

import type { Lifeline } from '../../ring/lifeline.ts';
import type { ProducerCountersWriter } from '../../state/producer-counters.ts';
import type { Attachment } from './attachments.ts';
import type { ProducerAdapter } from './producer-adapter.ts';

export interface Attached {
  readonly owner: Attachment;
  readonly adapter: ProducerAdapter;
  readonly counters: ProducerCountersWriter;
  readonly lifeline: Lifeline;
  /** What its ring and its moved records may take. */
  readonly linkBytes: number;
  /** The application thread is closing, or it has ended; its last records are being sent. */
  isLeaving: boolean;
  /** The application thread has ended, or its memory holds impossible values: nothing is written for it any more. */
  isGone: boolean;
  /** The link is not read or written any more. */
  isOver: boolean;
  /** When the thread is gone: until then its complete records may stay in the link for want of memory. */
  goneDeadline: number;
  /** The application closes, and waits for its records until then. Infinity: for as long as it takes, or that time is over. */
  closeDeadline: number;
  /** That time is over. */
  isLate: boolean;
  /** Its last answer was written, and may wait for room in the link. */
  hasLeft: boolean;
  /** Ends the wait for its last records. Null while it is not leaving. */
  leave: ((now: number) => void) | null;
}
