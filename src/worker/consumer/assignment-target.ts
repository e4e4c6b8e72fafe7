// Owns the target assignment that the coordinator sends to a member of KIP-848: by topic ids, and by names when metadata knows them.
// Network thread.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import { textOf } from './heartbeat-content.ts';
import { type Difference, differenceOf } from './partition-difference.ts';

export interface TargetRow {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export class AssignmentTarget {
  /** The newest target. Older ones are replaced. */
  rows: readonly TargetRow[] = [];
  readonly #cluster: Pick<ClusterView, 'topicName'>;
  readonly #onResolved: (topic: string, topicId: string) => void;

  constructor(cluster: Pick<ClusterView, 'topicName'>, onResolved: (topic: string, topicId: string) => void) {
    this.#cluster = cluster;
    this.#onResolved = onResolved;
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
    let isWhole = true;
    for (const { topicId, partitions } of this.rows) {
      const topic = this.#cluster.topicName(topicId);
      if (topic === null) {
        isWhole = false;
        continue;
      }
      this.#onResolved(topic, topicId);
      for (const partition of partitions) wanted.push({ topic, partition });
    }
    return { wanted, isWhole };
  }
}
