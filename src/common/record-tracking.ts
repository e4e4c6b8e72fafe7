// Owns the constants that both sides of a producer use for a record: how its outcome is reported, and how long it may wait. Every thread.

/** How a record's outcome is reported to its owner. */
export const TrackKind = {
  /** Only counted. A failure is also reported. */
  NONE: 0,
  /** The record has a Future of its own. Its id is `trackId`. */
  SINGLE: 1,
  /** Many records share one Future. `trackId` is the id of all. */
  GROUP: 2,
} as const;
export type TrackKind = (typeof TrackKind)[keyof typeof TrackKind];

/** A special value of a record's `lingerMs`: the configured time. */
export const LINGER_AS_CONFIGURED = -1;
/** A special value of a record's `lingerMs`: the record does not wait, unless a batch of its partition is under way. */
export const LINGER_WHILE_BUSY = -2;
