// Owns how many bytes a fetch may bring: of each partition and in all, so that what is read ahead stays within `prefetchBytes`. Network
// thread. Must not choose the partitions that are fetched: fetcher.ts does.
//
// Each partition has an equal share of the memory. A broker gives a batch that is larger than what was asked for only as the first of an
// answer; the other partitions then get nothing. With many partitions a share is smaller than a batch, and each fetch would bring one batch.
// So a partition is asked for a whole batch as soon as its topic's size of batches is known, and the room that is left limits the answer.
// Source: KIP-74.

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { FetchRow } from './fetch-session.ts';
import type { Partition } from './partition.ts';

/** With less room than this for a partition it is not fetched, unless nothing of it is kept at all. */
const minRoomBytes = 16 * 1024;
/**
 * With less of the memory free than this part, a fetch waits so long for more: otherwise each batch that the application takes would be followed
 * by a fetch of one batch. It does not wait longer, because the memory may be kept by partitions that are not read at all.
 */
const minFreeShare = 1 / 8;
const maxHoldMs = 10;

type Limits = Pick<ConsumerConfig, 'prefetchBytes' | 'fetchMaxBytes' | 'maxPartitionFetchBytes'>;

export class FetchLimits {
  readonly #config: Limits;
  #partitions: readonly Partition[] = [];
  #shareBytes = 0;
  /** Fetches wait for memory until then. Infinity: none waits. */
  #heldUntil = Number.POSITIVE_INFINITY;

  constructor(config: Limits) {
    this.#config = config;
  }

  /** A round begins, with these partitions. */
  begin(partitions: readonly Partition[]): void {
    this.#partitions = partitions;
    this.#shareBytes = Math.max(1, Math.floor(this.#config.prefetchBytes / Math.max(1, partitions.length)));
  }

  hasRoom({ bufferedBytes }: Partition): boolean {
    const shareBytes = this.#shareBytes;
    return bufferedBytes === 0 || shareBytes - bufferedBytes >= Math.min(minRoomBytes, shareBytes / 2);
  }

  /** How much of a partition is asked for. */
  ofPartition({ bufferedBytes, batchBytes }: Partition): number {
    const wanted = Math.max(1, this.#shareBytes - bufferedBytes, batchBytes);
    return Math.min(this.#config.maxPartitionFetchBytes, wanted);
  }

  get nextDeadline(): number {
    return this.#heldUntil;
  }

  /**
   * How much a request may bring. Null: it waits for memory until `nextDeadline`.
   * @param wanted      the partitions of the request
   * @param brokers     how many brokers are asked in this round
   * @param connections those whose requests are under way may bring `askedBytes`
   */
  ofRequest(
    wanted: readonly Partition[],
    brokers: number,
    connections: Iterable<{ readonly askedBytes: number }>,
    now: number,
  ): number | null {
    const { prefetchBytes, fetchMaxBytes, maxPartitionFetchBytes } = this.#config;
    const most = Math.min(fetchMaxBytes, prefetchBytes);
    // Shares alone keep within the memory.
    if (wanted.every(({ batchBytes }) => Math.min(batchBytes, maxPartitionFetchBytes) <= this.#shareBytes)) return most;
    let freeBytes = prefetchBytes;
    for (const { askedBytes } of connections) freeBytes -= askedBytes;
    for (const { bufferedBytes } of this.#partitions) freeBytes -= bufferedBytes;
    if (freeBytes < prefetchBytes * minFreeShare) {
      if (this.#heldUntil === Number.POSITIVE_INFINITY) this.#heldUntil = now + maxHoldMs;
      if (now < this.#heldUntil) return null;
    }
    this.#heldUntil = Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(most, Math.floor(freeBytes / brokers)));
  }
}

/**
 * A broker gives more than it was asked for when the first batch is larger. The topic's other batches may be, too.
 * @param byteLength what came for the partition of this row
 * @param sent       the partitions of the request
 */
export function noteBatchBytes(
  { topic, maxBytes }: FetchRow,
  byteLength: number,
  sent: Iterable<{ readonly partition: Partition }>,
): void {
  if (byteLength <= maxBytes) return;
  for (const { partition } of sent)
    if (partition.topic === topic && partition.batchBytes < byteLength) partition.batchBytes = byteLength;
}
