// Owns the choice of records that readers of committed data may see. Runs on the application's thread. Must not copy
// records: it only says which of a view's rows they are.

import type Long from 'long';
import { CorruptRecordError } from '../../../common/errors/errors.ts';
import { CONTROL_ABORT, type RecordBatchView } from './record-batch-view.ts';
import type { RecordsView, RecordView } from './record-view.ts';

/** As a Fetch response lists them for a partition. */
export interface AbortedTransaction {
  readonly producerId: Long;
  /** Of its first record in the partition. */
  readonly firstOffset: Long;
}

/** Records that follow each other in a records view: `count` from index `first` on. */
export interface RecordRange {
  readonly first: number;
  readonly count: number;
}

/**
 * The records of a Fetch response with `isolationLevel` 1 that belong to no aborted transaction, as ranges of indexes in
 * ascending order.
 *
 *     for (const range of committedRanges(partition.records, partition.abortedTransactions)) {
 *       for (const cursor = partition.records.cursorOver(range); cursor.next(); ) ...
 *
 * @param aborted  the partition's list from the same response; null means none
 * Throws: CorruptRecordError for a marker whose type cannot be read: nobody can say then what was aborted
 * Source: KIP-98, "Consumer"
 */
export function committedRanges(records: RecordsView, aborted: Iterable<AbortedTransaction> | null): RecordRange[] {
  const open = new OpenTransactions(aborted);
  const ranges: { first: number; count: number }[] = [];
  for (const batch of records.batches) {
    if (open.isAborted(batch) || batch.recordCount === 0) continue;
    const last = ranges.at(-1);
    if (last !== undefined && last.first + last.count === batch.firstRecord) last.count += batch.recordCount;
    else ranges.push({ first: batch.firstRecord, count: batch.recordCount });
  }
  return ranges;
}

/** The same records one by one. Throws: as `committedRanges`, before the first. */
export function* committedRecords(
  records: RecordsView,
  aborted: Iterable<AbortedTransaction> | null,
): IterableIterator<RecordView> {
  for (const { first, count } of committedRanges(records, aborted)) {
    for (let i = first; i < first + count; i++) yield records.at(i);
  }
}

/** Which producers are within an aborted transaction, batch after batch. */
export class OpenTransactions {
  readonly #coming: AbortedTransaction[];
  #next = 0;
  readonly #producers = new Set<string>();

  constructor(aborted: Iterable<AbortedTransaction> | null) {
    this.#coming = [...(aborted ?? [])].sort((a, b) => a.firstOffset.comp(b.firstOffset));
  }

  /** Whether the records of the next batch are not to be seen: aborted, or markers. */
  isAborted(batch: RecordBatchView): boolean {
    if (this.#coming.length === 0 && !batch.isControl) return false;
    const { lastOffset } = batch;
    for (let next = this.#coming[this.#next]; next?.firstOffset.lte(lastOffset); next = this.#coming[++this.#next]) {
      this.#producers.add(next.producerId.toString());
    }
    if (batch.isControl) {
      if (batch.controlType < 0) {
        throw new CorruptRecordError(`control batch at offset ${batch.baseOffset}: type of its marker unreadable`);
      }
      // Removing what is not there is right: brokers may repeat a marker.
      if (batch.controlType === CONTROL_ABORT) this.#producers.delete(batch.producerId.toString());
      return true;
    }
    return batch.isTransactional && this.#producers.has(batch.producerId.toString());
  }
}
