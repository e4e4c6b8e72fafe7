// Owns what is known of the age of metadata: per partition the newest leader epoch, per topic the newest id. An answer that
// a broker lagging behind gave is mended before anybody sees it, so that no application goes back to an older leader.
// Network thread. Must not send, nor decide when metadata is asked for.
// Source: KIP-320 (leader epochs), KIP-516 (topic ids), KIP-951 (leaders named by other responses); epochs of Metadata
// below version 9 cannot be trusted (KAFKA-9212).

import type {
  MetadataResponse,
  MetadataResponsePartition,
  MetadataResponsePartitionView,
  MetadataResponseTopic,
  MetadataResponseTopicView,
  MetadataResponseView,
} from '../protocol/flat/generated/metadata.ts';
import type { ClusterHints } from '../protocol/flat/leader-hints.ts';
import { zeroUuid } from '../protocol/flat/uuid.ts';

const reliableEpochsVersion = 9;
/** Ids that a topic has had before and is remembered to have had: it would have to be made anew this often within one stale answer. */
const maxFormerIds = 16;
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
  readonly row: MetadataResponseTopicView;
  readonly partitions: Map<number, KnownPartition>;
}

export class LeaderEpochs {
  #topics = new Map<string, KnownTopic>();
  #clusterId: string | null = null;

  /**
   * Takes over a successful answer. Returns it mended, or null when it can stay as it is.
   * @param version of the answer: leader epochs count from 9 on
   */
  update(response: MetadataResponseView, version: number): MetadataResponse | null {
    const { clusterId } = response;
    if (clusterId !== null) {
      // What was known of another cluster says nothing about this one.
      if (this.#clusterId !== null && this.#clusterId !== clusterId) this.#topics.clear();
      this.#clusterId = clusterId;
    }
    const known = this.#topics;
    this.#topics = new Map();
    const mended = new Map<number, MetadataResponseTopic>();
    let index = 0;
    for (const row of response.topics) {
      const { name } = row;
      if (name !== null) {
        const topic = this.#topicOf(row, known.get(name), version, (better) => mended.set(index, better));
        if (topic !== undefined) this.#topics.set(name, topic);
      }
      index++;
    }
    if (mended.size === 0) return null;
    const topics = response.topics.map((topic, i) => mended.get(i) ?? topic.toObject());
    return { ...response.toObject(), topics };
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
    version: number,
    mend: (better: MetadataResponseTopic) => void,
  ): KnownTopic | undefined {
    // An error says nothing about age.
    if (row.errorCode !== 0) return known;
    const { topicId } = row;
    if (known?.formerIds.includes(topicId)) {
      mend(asKnown(known));
      return known;
    }
    const isRecreated = known !== undefined && topicId !== zeroUuid && known.id !== zeroUuid && topicId !== known.id;
    const id = topicId === zeroUuid && known !== undefined ? known.id : topicId;
    const formerIds = isRecreated ? [...known.formerIds, known.id].slice(-maxFormerIds) : (known?.formerIds ?? []);
    const comparable = isRecreated ? undefined : known?.partitions;
    const partitions = new Map<number, KnownPartition>();
    let isMended = id !== topicId;
    for (const partition of row.partitions) {
      const { partitionIndex, leaderId } = partition;
      const leaderEpoch = version >= reliableEpochsVersion ? partition.leaderEpoch : unknownEpoch;
      const before = comparable?.get(partitionIndex);
      const isOlder = before !== undefined && leaderEpoch !== unknownEpoch && leaderEpoch < before.leaderEpoch;
      partitions.set(partitionIndex, isOlder ? before : { leaderId, leaderEpoch, row: partition });
      if (isOlder || leaderEpoch !== partition.leaderEpoch) isMended = true;
    }
    const topic = { id, formerIds, row, partitions };
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
