// Owns the target assignment that the coordinator sends to a member of KIP-848: by topic ids, and by names when metadata knows them.
// Network thread.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import { GroupFatalError } from '../../common/errors/errors.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import { textOf } from './heartbeat-content.ts';
import { type Difference, differenceOf } from './partition-difference.ts';
import { tooManyPartitions } from './partition-limit.ts';

export interface TargetRow {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** A row of a response. */
interface TargetView {
  readonly topicId: string;
  readonly partitions: { readonly length: number; toArray(): number[] };
}

export class AssignmentTarget {
  /** The newest target. Older ones are replaced. */
  rows: readonly TargetRow[] = [];
  readonly #cluster: Pick<ClusterView, 'topicName'>;
  readonly #onResolved: (topic: string, topicId: string) => void;
  /** The names of the target's topics, by id. Metadata may lack a topic for a moment, which is no reason to release its partitions. */
  #names = new Map<string, string>();

  constructor(cluster: Pick<ClusterView, 'topicName'>, onResolved: (topic: string, topicId: string) => void) {
    this.#cluster = cluster;
    this.#onResolved = onResolved;
  }

  /** Takes a target over. Returns an error, and leaves the old one, if it has more partitions than a consumer may have. */
  replace(rows: Iterable<TargetView>): GroupFatalError | null {
    const views = [...rows];
    const problem = tooManyPartitions(views.reduce((sum, { partitions }) => sum + partitions.length, 0));
    if (problem !== null) return new GroupFatalError(`the coordinator has assigned ${problem}`);
    this.rows = views.map(({ topicId, partitions }) => ({ topicId, partitions: partitions.toArray() }));
    return null;
  }

  isReached(owned: readonly TopicPartition[]): boolean {
    const { wanted, isWhole } = this.#resolve();
    return isWhole && textOf(wanted) === textOf(owned);
  }

  /** The changes from `owned` to the target. `isWhole` is false while metadata does not know all topics of the target. */
  differenceTo(owned: readonly TopicPartition[]): Difference & { readonly isWhole: boolean } {
    const { wanted, isWhole } = this.#resolve();
    return { ...differenceOf(owned, wanted), isWhole };
  }

  #resolve(): { readonly wanted: TopicPartition[]; readonly isWhole: boolean } {
    const wanted: TopicPartition[] = [];
    const names = new Map<string, string>();
    let isWhole = true;
    for (const { topicId, partitions } of this.rows) {
      const topic = this.#cluster.topicName(topicId) ?? this.#names.get(topicId);
      if (topic === undefined) {
        isWhole = false;
        continue;
      }
      names.set(topicId, topic);
      this.#onResolved(topic, topicId);
      for (const partition of partitions) wanted.push({ topic, partition });
    }
    this.#names = names;
    return { wanted, isWhole };
  }
}
