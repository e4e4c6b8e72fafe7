// Owns what sending asks of a transaction: whether a batch may go, and how. Types only. Network thread.

import type { PartitionState } from './partition-state.ts';

export interface TransactionGate {
  /** Whether batches of the partition may be sent now; false asks for it to be added to the transaction. */
  maySend(partition: PartitionState): boolean;
  /** Highest version of Produce: the old protocol must not let a broker add partitions by itself. */
  readonly maxProduceVersion: number | undefined;
  readonly minProduceVersion: number;
  /** A batch of the transaction has failed for good. Returns the error that its records fail with. */
  onBatchFailed(error: Error, errorCode: number, now: number): Error;
}
