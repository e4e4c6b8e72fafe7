// Owns the messages and memory between the yardstick's two threads. Any thread.

import type { FetchedTopic } from './fetched-topic.ts';

/** The number of words of a row: offset, timestamp, key, value and headers have two each. */
export const rowWords = 10;

/** A batch of rows. */
export interface YardstickFrame {
  readonly buffer: ArrayBuffer;
  readonly count: number;
}

export interface YardstickJob extends FetchedTopic {
  /** Word 0 is the number of frames that are moved but not read. Word 1 says that the worker waits until there are fewer. */
  readonly control: Int32Array;
  readonly limit: number;
}
