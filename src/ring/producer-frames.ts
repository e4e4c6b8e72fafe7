// Owns the words of the bodies that the two ends of a producer's link send each other. Runs on every thread. Must not know how frames
// are stored, nor what becomes of a record.

/*
 * RECORD prefix: words relative to the body         DELIVERED: words relative to the body
 *
 *   0  partition, -1: to be chosen                    0     partition
 *   1  key length, -1: none                           1, 2  base offset: low, high; -1, -1: unknown
 *   2  linger in ms, or -1, -2 (below)                3, 4  LogAppendTime: low, high; -1, -1: records keep their own
 *   3  track kind | pad << 8                          5     bytes of the error's JSON behind the runs, 0: none
 *   4  timestamp in ms: low                           6     runs
 *   5  timestamp: high, or NO_TIMESTAMP               7     first run: trackId, kind, count, position in the batch
 *   :                                                 11    ... next run
 *   6  pad bytes, 0 to 7, then the record, from       :     error as JSON in UTF-8
 *      its key's length on
 */

export const RECORD_PREFIX_BYTES = 24;
export const RECORD_PARTITION_WORD = 0;
export const RECORD_KEY_LENGTH_WORD = 1;
export const RECORD_LINGER_WORD = 2;
export const RECORD_KIND_WORD = 3;
export const RECORD_TIMESTAMP_WORD = 4;
/** Where the value lies as its source does, to a multiple of 8, the engine copies it by words instead of bytes. */
export const RECORD_PAD_SHIFT = 8;
export const RECORD_KIND_MASK = 255;

/** High half of a record's time that the network thread is to choose: no time in ms is that far from the epoch. */
export const NO_TIMESTAMP = -2147483648;
/** Linger of the configuration. */
export const LINGER_AS_CONFIGURED = -1;
/** None, unless a batch of the partition is on its way. */
export const LINGER_WHILE_BUSY = -2;

export const TRACK_NONE = 0;
export const TRACK_SINGLE = 1;
export const TRACK_GROUP = 2;

export const DELIVERED_PARTITION_WORD = 0;
export const DELIVERED_OFFSET_WORD = 1;
export const DELIVERED_TIME_WORD = 3;
export const DELIVERED_ERROR_BYTES_WORD = 5;
export const DELIVERED_RUNS_WORD = 6;
export const DELIVERED_FIRST_RUN_WORD = 7;
export const RUN_WORDS = 4;
export const RUN_TRACK_ID = 0;
export const RUN_KIND = 1;
export const RUN_COUNT = 2;
export const RUN_FIRST = 3;

/** How the error of a batch travels, and those of single records in it. */
export interface DeliveredError<PlainError> {
  readonly error: PlainError;
  /** Position in the batch, and the error's message. */
  readonly records?: readonly (readonly [index: number, message: string])[];
}
