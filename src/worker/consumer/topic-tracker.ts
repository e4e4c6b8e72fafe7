// Owns which topics metadata must cover for this consumer: subscribed topics, assigned topics, and all topics for a pattern. Network
// thread.

import type { Subscription } from '../../common/config/consumer-config.ts';
import type { ClusterView } from '../client/cluster-view.ts';

export class TopicTracker {
  readonly #cluster: ClusterView;
  readonly #role: object;
  readonly #mayCreate: boolean;
  #subscribed: ReadonlySet<string> = new Set();
  #assigned: ReadonlySet<string> = new Set();
  #tracked = new Set<string>();

  constructor(cluster: ClusterView, role: object, mayCreate: boolean) {
    this.#cluster = cluster;
    this.#role = role;
    this.#mayCreate = mayCreate;
  }

  /** The names that were subscribed. */
  get subscribed(): ReadonlySet<string> {
    return this.#subscribed;
  }

  subscribe(subscription: Subscription): void {
    this.#subscribed = new Set('names' in subscription ? subscription.names : []);
    // This also holds for patterns of the broker, because its answers name topics by id.
    this.#cluster.setNeedsAllTopics(this.#role, !('names' in subscription));
    this.#update();
  }

  assigned(topics: readonly string[]): void {
    this.#assigned = new Set(topics);
    this.#update();
  }

  close(): void {
    this.#cluster.forget(this.#role);
  }

  #update(): void {
    const wanted = new Set([...this.#subscribed, ...this.#assigned]);
    for (const topic of wanted) {
      if (this.#tracked.has(topic)) continue;
      this.#cluster.addTopic(this.#role, topic, { mayCreate: this.#mayCreate && this.#subscribed.has(topic) });
    }
    for (const topic of this.#tracked) if (!wanted.has(topic)) this.#cluster.removeTopic(this.#role, topic);
    this.#tracked = wanted;
  }
}
