// Owns the messages and memory between the yardstick's two threads. Any thread.

/** The number of words of a row: offset, timestamp, key, value and headers have two each. */
export const rowWords = 10;

/** A batch of rows. */
export interface YardstickFrame {
  readonly buffer: ArrayBuffer;
  readonly count: number;
}

export interface YardstickJob {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly partitions: number;
  readonly endOffset: number;
  readonly maxBytes: number;
  /** Word 0 is the number of frames that are moved but not read. Word 1 says that the worker waits until there are fewer. */
  readonly control: Int32Array;
  readonly limit: number;
}
