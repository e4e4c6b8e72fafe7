// Owns the connections for fetches that are begun while a member still joins its group, so that they are ready when it has partitions. Network
// thread. Must not send anything.

import type { RoleHost } from '../client/role.ts';
import { fetchLane } from './log-questions.ts';

/** With more leaders than this, a member of a group would not need most of the connections. */
const maxLeaders = 3;

export class ConnectAhead {
  readonly #host: RoleHost;
  #subscribed: ReadonlySet<string> | null = null;
  #seenUpdateId = -1;

  constructor(host: RoleHost) {
    this.#host = host;
  }

  /** Begins them once for each subscription. @param topics of the subscription by names; another set after each change */
  poll(topics: ReadonlySet<string>, now: number): void {
    const { cluster, requests } = this.#host;
    if (topics === this.#subscribed || cluster.updateId === this.#seenUpdateId) return;
    this.#seenUpdateId = cluster.updateId;
    const leaders = new Set<number>();
    for (const topic of topics) {
      const count = cluster.partitionCount(topic);
      if (count === null) return;
      for (let index = 0; index < count && leaders.size <= maxLeaders; index++) {
        const leaderId = cluster.leader(topic, index)?.leaderId ?? -1;
        if (leaderId >= 0) leaders.add(leaderId);
      }
    }
    this.#subscribed = topics;
    if (leaders.size > maxLeaders) return;
    for (const brokerId of leaders) requests.isReady({ brokerId, lane: fetchLane }, now);
  }
}
