// Owns what a coordinator wants a member of KIP-848 to have: by topic id as it was said, by name as far as metadata knows. Network
// thread.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import { textOf } from './heartbeat-content.ts';
import { type Difference, differenceOf } from './partition-difference.ts';

export interface TargetRow {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export class AssignmentTarget {
  /** Only the newest counts. */
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

  /** `isWhole` false: metadata does not know all topics of the target yet. */
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
