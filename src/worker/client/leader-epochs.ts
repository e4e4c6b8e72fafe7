// Owns what is known of the age of metadata: per partition the newest leader epoch, per topic the newest id. An answer that
// a broker lagging behind gave is mended before anybody sees it, so that no application goes back to an older leader.
// Network thread. Must not send, nor decide when metadata is asked for.
// Source: KIP-320 (leader epochs), KIP-516 (topic ids), KIP-951 (leaders named by other responses).

import type {
  MetadataResponse,
  MetadataResponsePartition,
  MetadataResponsePartitionView,
  MetadataResponseTopic,
  MetadataResponseTopicView,
  MetadataResponseView,
} from '../../protocol/flat/generated/metadata.ts';
import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';

/** Ids of a topic that are remembered to have been replaced. */
const maxFormerIds = 16;
/**
 * Answers in a row that may name a replaced id before it is believed: ids have no order, so the replacement may have been what
 * was out of date.
 */
const maxDoubts = 3;
const unknownEpoch = -1;

interface KnownPartition {
  leaderId: number;
  leaderEpoch: number;
  /** Where the rest of what is known of it lies. */
  readonly row: MetadataResponsePartitionView;
}

interface KnownTopic {
  readonly id: string;
  readonly formerIds: readonly string[];
  /** Answers in a row that named one of those. */
  readonly doubts: number;
  readonly row: MetadataResponseTopicView;
  readonly partitions: Map<number, KnownPartition>;
}

export class LeaderEpochs {
  #topics = new Map<string, KnownTopic>();
  #clusterId: string | null = null;
  /** The last answer named an id that was taken to be out of date: another one has to confirm or correct that. */
  isInDoubt = false;
  /** A partition that the last answer named twice; null for none. */
  repeated: string | null = null;

  /** Takes over a successful answer. Returns it mended, or null when it can stay as it is. */
  update(response: MetadataResponseView): MetadataResponse | null {
    const { clusterId } = response;
    if (clusterId !== null) {
      // What was known of another cluster says nothing about this one.
      if (this.#clusterId !== null && this.#clusterId !== clusterId) this.#topics.clear();
      this.#clusterId = clusterId;
    }
    const known = this.#topics;
    this.#topics = new Map();
    this.isInDoubt = false;
    this.repeated = null;
    const mended = new Map<number, MetadataResponseTopic>();
    let index = 0;
    for (const row of response.topics) {
      const { name } = row;
      if (name !== null) {
        const topic = this.#topicOf(row, known.get(name), (better) => mended.set(index, better));
        if (topic !== undefined) this.#topics.set(name, topic);
      }
      index++;
    }
    if (mended.size === 0) return null;
    const topics = response.topics.map((topic, i) => mended.get(i) ?? topic.toObject());
    return { ...response.toObject(), topics };
  }

  /** Whoever answers next may know less, and is believed. */
  clear(): void {
    this.#topics.clear();
  }

  /** Leaders that other responses named; newer ones count. */
  learn({ leaders }: ClusterHints): void {
    for (const { topic, topicId, partition, leaderId, leaderEpoch } of leaders) {
      const known = topic === '' ? this.#topicById(topicId) : this.#topics.get(topic);
      const row = known?.partitions.get(partition);
      if (row === undefined || leaderEpoch <= row.leaderEpoch) continue;
      row.leaderId = leaderId;
      row.leaderEpoch = leaderEpoch;
    }
  }

  #topicOf(
    row: MetadataResponseTopicView,
    known: KnownTopic | undefined,
    mend: (better: MetadataResponseTopic) => void,
  ): KnownTopic | undefined {
    // An error says nothing about age.
    if (row.errorCode !== 0) return known;
    const { topicId } = row;
    if (known?.formerIds.includes(topicId) && known.doubts < maxDoubts) {
      this.isInDoubt = true;
      mend(asKnown(known));
      return { ...known, doubts: known.doubts + 1 };
    }
    const isRecreated = known !== undefined && topicId !== zeroUuid && known.id !== zeroUuid && topicId !== known.id;
    const id = topicId === zeroUuid && known !== undefined ? known.id : topicId;
    const others = known?.formerIds.filter((former) => former !== id) ?? [];
    const formerIds = isRecreated ? [...others, known.id].slice(-maxFormerIds) : others;
    const comparable = isRecreated ? undefined : known?.partitions;
    const partitions = new Map<number, KnownPartition>();
    let isMended = id !== topicId;
    for (const partition of row.partitions) {
      const { partitionIndex, leaderId, leaderEpoch } = partition;
      // The first counts, here as for applications (main/client/cluster-snapshot.ts).
      if (partitions.has(partitionIndex)) {
        this.repeated ??= `${row.name}-${partitionIndex}`;
        continue;
      }
      const before = comparable?.get(partitionIndex);
      const isOlder = before !== undefined && leaderEpoch !== unknownEpoch && leaderEpoch < before.leaderEpoch;
      partitions.set(partitionIndex, isOlder ? before : { leaderId, leaderEpoch, row: partition });
      if (isOlder) isMended = true;
    }
    const topic = { id, formerIds, doubts: 0, row, partitions };
    if (isMended) mend(asKnown(topic));
    return topic;
  }

  #topicById(id: string): KnownTopic | undefined {
    for (const topic of this.#topics.values()) if (topic.id === id) return topic;
    return undefined;
  }
}

function asKnown({ id, row, partitions }: KnownTopic): MetadataResponseTopic {
  return { ...row.toObject(), topicId: id, partitions: [...partitions.values()].map(partitionAsKnown) };
}

function partitionAsKnown({ leaderId, leaderEpoch, row }: KnownPartition): MetadataResponsePartition {
  const plain: MetadataResponsePartition = row.toObject();
  // Whoever leads it since, the error of an earlier state is over.
  return row.leaderId === leaderId ? { ...plain, leaderEpoch } : { ...plain, errorCode: 0, leaderId, leaderEpoch };
}
