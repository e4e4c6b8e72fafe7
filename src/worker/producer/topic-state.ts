// Owns a producer's state of one topic: its partitions, which of them may get records without a key, how well its records compress.
// Network thread.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import { PartitionState } from './partition-state.ts';
import { type PartitionLoad, StickyPartitioner, type StickyTopic } from './sticky-partitioner.ts';

/** The ratio falls slowly and rises at once, because a batch that becomes too large costs a round trip. */
const ratioStepDown = 0.005;
const ratioStepUp = 0.05;

export class TopicState implements StickyTopic {
  readonly name: string;
  readonly partitions: PartitionState[] = [];
  readonly sticky: StickyPartitioner;
  /** The expected size of compressed records divided by their size before. */
  compressionRatio = 1;
  /** Whether a batch may grow while another one of its partition waits. False after a batch was too large for the broker. */
  mayGrow = true;
  /** The time of the last record, in ms on the monotonic clock. */
  usedAt = 0;
  /** Whether metadata covers it for this producer. */
  isTracked = false;
  readonly #cluster: ClusterView;
  readonly #config: ProducerConfig;
  /** The id of the metadata update from which the partitions are. */
  #updateId = -1;
  #known = 0;

  constructor(name: string, config: ProducerConfig, cluster: ClusterView, random: () => number) {
    this.name = name;
    this.#config = config;
    this.#cluster = cluster;
    this.sticky = new StickyPartitioner(Math.max(config.batchSizeBytes, 1), random);
  }

  /** 0 if the topic is not known. */
  get partitionCount(): number {
    const { updateId } = this.#cluster;
    if (updateId !== this.#updateId) {
      this.#updateId = updateId;
      this.#known = this.#cluster.partitionCount(this.name) ?? 0;
      // A topic that was deleted and created again may have fewer partitions. Batches for the other partitions are kept.
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

  /** Notes the compression ratio of a batch. */
  observeCompression(ratio: number): void {
    const known = this.compressionRatio;
    if (ratio > known) this.compressionRatio = Math.max(known + ratioStepUp, ratio);
    else if (ratio < known) this.compressionRatio = Math.max(known - ratioStepDown, ratio);
  }

  #leaderOf(partition: number): number {
    return this.#cluster.leader(this.name, partition)?.leaderId ?? -1;
  }
}
