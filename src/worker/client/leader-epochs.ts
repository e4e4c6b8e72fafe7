// Owns what is known about the age of metadata: the newest leader epoch of each partition and the newest id of each
// topic. If a broker lags behind, its response is corrected before anybody sees it, so that no application goes back
// to an older leader. Network thread. Must not send, nor decide when metadata is asked for. Source: KIP-320 (leader
// epochs), KIP-516 (topic ids), KIP-951 (leaders named by other responses).
//
// Epochs only grow while a topic exists. In these cases they may still go back, or be missing:
//
//   seen                                                why                                  what is done
//   a lower epoch, topic id known and the same          the broker lags behind               corrected
//     in 10 answers in a row                            the cluster was restored             believed
//   a lower epoch, topic id unknown on either side      the broker lags behind               corrected
//     (brokers before 2.8, or answers below version 10)
//     in 3 answers in a row                             topic deleted and made again         believed, the id is unknown
//   another topic id                                    topic deleted and made again         all epochs begin anew
//   an id that was replaced before                      the broker lags behind               corrected
//     in 3 answers in a row                             the replacement was out of date      believed
//   error 3, topic id unknown                           topic deleted                        forgotten
//   error 3, topic id known                             deleted, or the broker lags behind   kept: the id will tell
//   another error of the topic                          says nothing about age               kept
//   topic not in the answer                             deleted, or not asked for any more   forgotten
//   partition not in the answer                         the broker lags behind, or the       forgotten
//                                                       topic was made again
//   epoch -1                                            broker before 2.4, or its answer     taken as it is; the epoch
//                                                       has no epochs that can be trusted    known goes on to count
//   topic id of zeros                                   broker before 2.8                    the id known stays
//   an epoch far ahead, in another response             the broker knows better, or lies     counts, as long as answers
//                                                                                            do not deny it, as above
//   another cluster id, start over, error 129           nothing known counts any more        all is forgotten

import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import type {
  MetadataResponsePartition,
  MetadataResponsePartitionView,
  MetadataResponseTopicView,
  MetadataResponseView,
} from '../../protocol/flat/generated/metadata.ts';
import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { MetadataCorrections } from './metadata-corrections.ts';

/** How many replaced ids of a topic are remembered. */
const maxFormerIds = 16;
/**
 * How many responses in a row have to name a replaced id, or a lower epoch of what may be another topic, before they
 * are believed.
 */
const maxDoubts = 3;
/** The same for a lower epoch with the same topic id: in a healthy cluster the epochs of one topic never go back. */
const maxDoubtsOfSameId = 10;
/** Of more than these nothing is remembered: what is answered about them is taken as it is. */
const maxPartitions = 500_000;
const unknownEpoch = -1;

interface KnownPartition {
  leaderId: number;
  leaderEpoch: number;
  /** Id of the topic that the epoch belongs to, if the response that named the epoch had one. */
  topicId: string;
  /** How many responses in a row named a lower epoch. */
  doubts: number;
  /** Where the other fields of the partition lie: in the newest response, or in a copy. */
  readonly row: MetadataResponsePartitionView | MetadataResponsePartition;
}

interface KnownTopic {
  readonly id: string;
  readonly formerIds: readonly string[];
  /** How many responses in a row named one of those. */
  readonly doubts: number;
  readonly partitions: Map<number, KnownPartition>;
  /** None of its rows lies in a response, since such a row would keep the whole response in memory. */
  readonly isDetached: boolean;
}

export class LeaderEpochs {
  #topics = new Map<string, KnownTopic>();
  #namesById = new Map<string, string>();
  #clusterId: string | null = null;
  /** The last response seemed out of date, but that is not certain: another response has to confirm or correct it. */
  isInDoubt = false;
  /** A partition that the last response named twice; null if there was none. */
  repeated: string | null = null;

  /** Takes over a successful response. Returns what has to be corrected in it, or null if nothing has. */
  update(response: MetadataResponseView): MetadataCorrections | null {
    const { clusterId } = response;
    if (clusterId !== null) {
      // The cluster has changed: what was known about the other cluster is forgotten.
      if (this.#clusterId !== null && this.#clusterId !== clusterId) this.#topics.clear();
      this.#clusterId = clusterId;
    }
    const known = this.#topics;
    this.#topics = new Map();
    this.#namesById = new Map();
    this.isInDoubt = false;
    this.repeated = null;
    const corrections = new MetadataCorrections();
    let partitions = 0;
    for (const row of response.topics) {
      const { name } = row;
      partitions += row.partitions.length;
      if (name === null || partitions > maxPartitions) continue;
      const topic = this.#topicOf(row, known.get(name), corrections);
      if (topic === undefined) continue;
      this.#topics.set(name, topic);
      if (topic.id !== zeroUuid) this.#namesById.set(topic.id, name);
    }
    return corrections.isEmpty ? null : corrections;
  }

  /** The next response is believed, even if it is older. */
  clear(): void {
    this.#topics.clear();
    this.#namesById.clear();
  }

  /** Takes over the leaders that other responses named, if they are newer. */
  learn({ leaders }: ClusterHints): void {
    for (const { topic, topicId, partition, leaderId, leaderEpoch } of leaders) {
      const name = topic === '' ? this.#namesById.get(topicId) : topic;
      const known = name === undefined ? undefined : this.#topics.get(name)?.partitions.get(partition);
      if (known === undefined || leaderEpoch <= known.leaderEpoch) continue;
      known.leaderId = leaderId;
      known.leaderEpoch = leaderEpoch;
      if (topic === '') known.topicId = topicId;
      known.doubts = 0;
    }
  }

  #topicOf(
    row: MetadataResponseTopicView,
    known: KnownTopic | undefined,
    corrections: MetadataCorrections,
  ): KnownTopic | undefined {
    const { errorCode, topicId } = row;
    if (errorCode !== 0) return known === undefined ? undefined : afterError(known, errorCode);
    if (known?.formerIds.includes(topicId) && known.doubts < maxDoubts) {
      this.isInDoubt = true;
      const kept = { ...detached(known), doubts: known.doubts + 1 };
      corrections.replaceTopic(row, kept.id, [...kept.partitions.values()].map(asKnown));
      return kept;
    }
    const isRecreated = known !== undefined && topicId !== zeroUuid && known.id !== zeroUuid && topicId !== known.id;
    const partitions = new Map<number, KnownPartition>();
    const comparable = isRecreated ? undefined : known?.partitions;
    const hasGoneBack = this.#comparePartitions(row, comparable, partitions, corrections);
    // A topic with lower epochs and no id is another topic, whose id is unknown.
    const id = topicId === zeroUuid && known !== undefined && !hasGoneBack ? known.id : topicId;
    const others = known?.formerIds.filter((former) => former !== id) ?? [];
    const formerIds = isRecreated ? [...others, known.id].slice(-maxFormerIds) : others;
    if (id !== topicId) corrections.setTopicId(row, id);
    return { id, formerIds, doubts: 0, partitions, isDetached: false };
  }

  /** Fills `partitions`. Returns whether a lower epoch was believed. */
  #comparePartitions(
    topic: MetadataResponseTopicView,
    known: ReadonlyMap<number, KnownPartition> | undefined,
    partitions: Map<number, KnownPartition>,
    corrections: MetadataCorrections,
  ): boolean {
    const { topicId } = topic;
    let hasGoneBack = false;
    for (const row of topic.partitions) {
      const { partitionIndex, leaderId, leaderEpoch } = row;
      // The first one is used, as in applications (main/client/cluster-snapshot.ts).
      if (partitions.has(partitionIndex)) {
        this.repeated ??= `${topic.name}-${partitionIndex}`;
        continue;
      }
      const before = known?.get(partitionIndex);
      const isSameId = topicId !== zeroUuid && before?.topicId === topicId;
      if (before === undefined || leaderEpoch >= before.leaderEpoch) {
        partitions.set(partitionIndex, { leaderId, leaderEpoch, topicId, doubts: 0, row });
      } else if (leaderEpoch === unknownEpoch) {
        partitions.set(partitionIndex, { ...before, row });
      } else if (before.doubts >= (isSameId ? maxDoubtsOfSameId : maxDoubts)) {
        hasGoneBack = true;
        partitions.set(partitionIndex, { leaderId, leaderEpoch, topicId, doubts: 0, row });
      } else {
        // With the same id the broker lags behind, and there is no need to ask again.
        if (!isSameId) this.isInDoubt = true;
        const kept = asKnown(before);
        corrections.replacePartition(row, kept);
        partitions.set(partitionIndex, { ...before, doubts: before.doubts + 1, row: kept });
      }
    }
    return hasGoneBack;
  }
}

function afterError(known: KnownTopic, errorCode: number): KnownTopic | undefined {
  return errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION && known.id === zeroUuid ? undefined : detached(known);
}

/** A copy of the partition that does not keep the response in memory. */
function detached(known: KnownTopic): KnownTopic {
  if (known.isDetached) return known;
  const partitions = new Map<number, KnownPartition>();
  for (const [index, partition] of known.partitions) partitions.set(index, { ...partition, row: asKnown(partition) });
  return { ...known, partitions, isDetached: true };
}

function asKnown({ leaderId, leaderEpoch, row }: KnownPartition): MetadataResponsePartition {
  const plain: MetadataResponsePartition = 'toObject' in row ? row.toObject() : row;
  // The partition has a new leader, so an earlier error no longer holds.
  return row.leaderId === leaderId ? { ...plain, leaderEpoch } : { ...plain, errorCode: 0, leaderId, leaderEpoch };
}
