// Owns what the sticky assignors know of racks: whether racks can make a difference, which members are near which partitions. Network
// thread.
// Source: KIP-881. Results are compared with those of Kafka's Java classes (test/fixtures/sticky-racks.jsonl.gz).

import type { TopicPartition } from '../../../common/config/consumer-config.ts';
import type { AssignorMember, ReplicaRacks } from './assignor.ts';

const noRacks: ReadonlySet<string> = new Set();

export class StickyRacks {
  /** Whether racks count: some member is near a replica, and not every partition has replicas in the same racks. */
  readonly isUsed: boolean;
  readonly #replicaRacks: ReplicaRacks;
  readonly #rackOf = new Map<string, string>();
  readonly #membersIn = new Map<string, number>();

  constructor(
    members: readonly AssignorMember[],
    partitionCounts: ReadonlyMap<string, number>,
    replicaRacks: ReplicaRacks | undefined,
  ) {
    const cache = new Map<string, ReadonlySet<string>>();
    this.#replicaRacks = (topic, partition) => cache.get(`${partition} ${topic}`) ?? noRacks;
    this.isUsed = false;
    for (const { id, rackId } of members) {
      if (rackId === null || rackId === '') continue;
      this.#rackOf.set(id, rackId);
      this.#membersIn.set(rackId, (this.#membersIn.get(rackId) ?? 0) + 1);
    }
    if (replicaRacks === undefined || this.#rackOf.size === 0) return;
    const all = new Set<string>();
    for (const [topic, count] of partitionCounts)
      for (let partition = 0; partition < count; partition++) {
        const racks = replicaRacks(topic, partition);
        cache.set(`${partition} ${topic}`, racks);
        for (const rack of racks) all.add(rack);
      }
    const isMixed = [...cache.values()].some((racks) => racks.size !== all.size);
    this.isUsed = isMixed && [...this.#membersIn.keys()].some((rack) => all.has(rack));
  }

  /** Whether the member has a rack in which the partition has no replica. */
  isFar(id: string, { topic, partition }: TopicPartition): boolean {
    const rack = this.#rackOf.get(id);
    return this.isUsed && rack !== undefined && !this.#replicaRacks(topic, partition).has(rack);
  }

  /** Whether the partition has a replica in the member's rack. */
  isNear(id: string, { topic, partition }: TopicPartition): boolean {
    const rack = this.#rackOf.get(id);
    return this.isUsed && rack !== undefined && this.#replicaRacks(topic, partition).has(rack);
  }

  /** Those that few members are near come first. */
  sorted<T extends TopicPartition>(partitions: readonly T[]): T[] {
    if (!this.isUsed) return [...partitions];
    const near = ({ topic, partition }: T): number => {
      let count = 0;
      for (const rack of this.#replicaRacks(topic, partition)) count += this.#membersIn.get(rack) ?? 0;
      return count;
    };
    return partitions
      .map((row) => ({ row, count: near(row) }))
      .sort((a, b) => a.count - b.count)
      .map(({ row }) => row);
  }
}
