// Owns how the two sides of a producer name what becomes of a record: who hears of its end, and how long it may wait. Every thread.

/** How a record's outcome reaches whoever appended it. */
export const TrackKind = {
  /** Counters only; a failure is told besides. */
  NONE: 0,
  /** One Future for the record: its trackId. */
  SINGLE: 1,
  /** One Future for many records: trackId is that of all. */
  GROUP: 2,
} as const;
export type TrackKind = (typeof TrackKind)[keyof typeof TrackKind];

/** Instead of a record's `lingerMs`: that of the configuration. */
export const LINGER_AS_CONFIGURED = -1;
/** Instead of a record's `lingerMs`: none, unless a batch of the partition is on its way. */
export const LINGER_WHILE_BUSY = -2;
