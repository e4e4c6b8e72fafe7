// Owns what a contender is told of the topic that it reads. Types only.

export interface FetchedTopic {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly partitions: number;
  /** The number of records in each partition. */
  readonly endOffset: number;
  /** Limit of an answer, and of what it has of a partition. */
  readonly maxBytes: number;
}
