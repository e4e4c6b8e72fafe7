// Owns what the yardstick's two threads agree on. Any thread.

/** Words of a row: offset, timestamp, key, value, headers, two each. */
export const rowWords = 10;

/** What a batch of rows looks like when it arrives. */
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
  /** Word 0: frames moved but not read. Word 1: the worker waits for them to become fewer. */
  readonly control: Int32Array;
  readonly limit: number;
}
