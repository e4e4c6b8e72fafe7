// Owns the interface through which the sender asks the transaction whether a batch may be sent. Types only. Network thread.

import type { PartitionState } from './partition-state.ts';

export interface TransactionGate {
  /** Whether batches of the partition may be sent now. If not, the partition is going to be added to the transaction. */
  maySend(partition: PartitionState): boolean;
  /** The highest version of Produce. In the old protocol, brokers must not add partitions by themselves. */
  readonly maxProduceVersion: number | undefined;
  readonly minProduceVersion: number;
  /** A batch of the transaction has failed finally. Returns the error for its records. */
  onBatchFailed(error: Error, errorCode: number, now: number): Error;
}
