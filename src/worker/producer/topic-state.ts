// Owns what a producer knows of one topic: its partitions, which of them may get records without a key, how well its records
// compress. Network thread.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import { PartitionState } from './partition-state.ts';
import { type PartitionLoad, StickyPartitioner, type StickyTopic } from './sticky-partitioner.ts';

/** The ratio falls slowly and rises at once: a batch that turns out too large costs a round trip. */
const ratioStepDown = 0.005;
const ratioStepUp = 0.05;

export class TopicState implements StickyTopic {
  readonly name: string;
  readonly partitions: PartitionState[] = [];
  readonly sticky: StickyPartitioner;
  /** Expected size of compressed records as a part of their size before. */
  compressionRatio = 1;
  /** Batches may grow while others of their partition wait; until one is too large for the broker. */
  mayGrow = true;
  /** When a record came last, ms on the monotonic clock. */
  usedAt = 0;
  /** Whether metadata covers it for this producer. */
  isTracked = false;
  readonly #cluster: ClusterView;
  readonly #config: ProducerConfig;
  /** The metadata update that the partitions are those of. */
  #updateId = -1;
  #known = 0;

  constructor(name: string, config: ProducerConfig, cluster: ClusterView, random: () => number) {
    this.name = name;
    this.#config = config;
    this.#cluster = cluster;
    this.sticky = new StickyPartitioner(Math.max(config.batchSizeBytes, 1), random);
  }

  /** 0 for a topic that is not known. */
  get partitionCount(): number {
    const { updateId } = this.#cluster;
    if (updateId !== this.#updateId) {
      this.#updateId = updateId;
      this.#known = this.#cluster.partitionCount(this.name) ?? 0;
      // One that was deleted and made anew may have fewer; what is queued for the others is not forgotten.
      while (this.partitions.length < this.#known)
        this.partitions.push(new PartitionState(this, this.partitions.length));
    }
    return this.#known;
  }

  get isIdle(): boolean {
    return this.partitions.every((partition) => partition.isIdle);
  }

  withLeader(): readonly number[] {
    const led: number[] = [];
    for (let partition = 0; partition < this.partitionCount; partition++) {
      if (this.#leaderOf(partition) >= 0) led.push(partition);
    }
    if (!this.#config.partitionerRackAware) return led;
    const near = led.filter((partition) => this.#cluster.rack(this.#leaderOf(partition)) === this.#config.clientRack);
    return near.length > 0 ? near : led;
  }

  load(): PartitionLoad | null {
    if (!this.#config.partitionerAdaptivePartitioningEnable) return null;
    const limitMs = this.#config.partitionerAvailabilityTimeoutMs;
    const partitions = this.withLeader().filter((index) => {
      const { refusedSince } = this.partitions[index]!;
      return limitMs === 0 || refusedSince < 0 || this.usedAt - refusedSince <= limitMs;
    });
    return { partitions, lengths: partitions.map((index) => this.partitions[index]!.queue.length) };
  }

  /** Takes over how large a batch became when it was compressed. */
  observeCompression(ratio: number): void {
    const known = this.compressionRatio;
    if (ratio > known) this.compressionRatio = Math.max(known + ratioStepUp, ratio);
    else if (ratio < known) this.compressionRatio = Math.max(known - ratioStepDown, ratio);
  }

  #leaderOf(partition: number): number {
    return this.#cluster.leader(this.name, partition)?.leaderId ?? -1;
  }
}
