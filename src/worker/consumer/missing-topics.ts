// Owns the question whether the cluster has a topic or partition that somebody asks for, and the news to the application when it has
// not. Network thread. Must not give anything up: topics may be created at any time, so they are looked for as long as they are wanted.

import type { BrokerError } from '../../common/errors/errors.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import type { RoleHost } from '../client/role.ts';
import { codes } from './codes.ts';
import { errorAbout } from './named-errors.ts';
import { keyOf, type Partition } from './partition.ts';

/** Brokers may need so long until all of them know a topic that was just created. */
export const newTopicMs = 1000;
const firstRetryMs = 250;
const maxRetryMs = 5000;

/** Why metadata names no leader that can ever be asked; null if it names one, or may soon. @param index null: of the whole topic */
export function whyMissing(
  cluster: Pick<ClusterView, 'topicError' | 'partitionCount'>,
  topic: string,
  index: number | null,
): BrokerError | null {
  const errorCode = cluster.topicError(topic);
  if (errorCode !== null && errorCode !== codes.none && errorCode !== codes.leaderNotAvailable)
    return errorAbout(errorCode, index === null ? topic : keyOf(topic, index));
  const count = cluster.partitionCount(topic);
  if (index === null || count === null || index < count) return null;
  return errorAbout(codes.unknownTopicOrPartition, `${keyOf(topic, index)}; ${topic} has ${count} partitions`);
}

/** How long an answer of metadata must stand before it is believed. */
export function patienceMs(error: BrokerError): number {
  return error.errorCode === codes.unknownTopicOrPartition ? newTopicMs : 0;
}

interface Doubt {
  readonly since: number;
  isTold: boolean;
}

export class MissingTopics {
  readonly #host: RoleHost;
  readonly #onMissing: (error: BrokerError) => void;
  readonly #doubts = new Map<string, Doubt>();
  #seenUpdateId = -1;
  #seenTopics: ReadonlySet<string> | null = null;
  #seenPartitions: readonly Partition[] | null = null;
  #failures = 0;
  #retryAt = Number.POSITIVE_INFINITY;
  #tellAt = Number.POSITIVE_INFINITY;

  constructor(host: RoleHost, onMissing: (error: BrokerError) => void) {
    this.#host = host;
    this.#onMissing = onMissing;
  }

  /**
   * @param topics     those of the subscription by names; another set after each change
   * @param partitions another list after each change
   */
  poll(topics: ReadonlySet<string>, partitions: readonly Partition[], now: number): void {
    const { cluster } = this.#host;
    if (now >= this.#retryAt) {
      this.#failures++;
      this.#retryAt = now + Math.min(maxRetryMs, firstRetryMs * 2 ** this.#failures);
      cluster.requestUpdate();
    }
    const isSame = topics === this.#seenTopics && partitions === this.#seenPartitions;
    if (isSame && cluster.updateId === this.#seenUpdateId && now < this.#tellAt) return;
    this.#seenUpdateId = cluster.updateId;
    this.#seenTopics = topics;
    this.#seenPartitions = partitions;
    this.#look(topics, partitions, now);
  }

  nextDeadline(): number {
    return Math.min(this.#retryAt, this.#tellAt);
  }

  #look(topics: ReadonlySet<string>, partitions: readonly Partition[], now: number): void {
    const missing = new Map<string, BrokerError>();
    for (const topic of topics) this.#note(missing, topic, null);
    for (const { topic, index } of partitions) if (!missing.has(topic)) this.#note(missing, topic, index);
    for (const key of this.#doubts.keys()) if (!missing.has(key)) this.#doubts.delete(key);
    this.#tellAt = Number.POSITIVE_INFINITY;
    for (const [key, error] of missing) {
      const doubt: Doubt = this.#doubts.get(key) ?? { since: now, isTold: false };
      this.#doubts.set(key, doubt);
      if (doubt.isTold) continue;
      const believedAt = doubt.since + patienceMs(error);
      if (now < believedAt) {
        this.#tellAt = Math.min(this.#tellAt, believedAt);
        continue;
      }
      doubt.isTold = true;
      this.#onMissing(error);
    }
    if (missing.size === 0) {
      this.#failures = 0;
      this.#retryAt = Number.POSITIVE_INFINITY;
    } else if (this.#retryAt === Number.POSITIVE_INFINITY) {
      this.#retryAt = now + firstRetryMs;
    }
  }

  #note(missing: Map<string, BrokerError>, topic: string, index: number | null): void {
    const error = whyMissing(this.#host.cluster, topic, index);
    if (error !== null) missing.set(index === null ? topic : keyOf(topic, index), error);
  }
}
