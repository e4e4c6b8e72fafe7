// Owns the fetch sessions of one node (KIP-227): the partitions of each, and what its client last got of them. Runs in the broker's
// thread. There are at most 1000, as in brokers. A session that was not used for two minutes gives its place to another.

/** One partition of a session, as it was last asked for and answered. */
export interface SessionPartition {
  readonly name: string;
  readonly topicId: string;
  readonly index: number;
  offset: number;
  maxBytes: number;
  leaderEpoch: number;
  lastFetchedEpoch: number;
  /** -1 so that the next answer has to name the partition. */
  toldHighWatermark: number;
  toldStartOffset: number;
}

export interface FetchSession {
  readonly id: number;
  readonly usesTopicIds: boolean;
  /** Of the next request. */
  epoch: number;
  usedAt: number;
  /** In the order in which they are answered. */
  readonly partitions: Map<string, SessionPartition>;
}

const maxSessions = 1000;
const evictableAfterMs = 120_000;
const maxId = 0x7fff_ffff;

export class FetchSessions {
  /** Least recently used first. */
  readonly #sessions = new Map<number, FetchSession>();

  get size(): number {
    return this.#sessions.size;
  }

  /** Null when there is no room. */
  open(usesTopicIds: boolean, now: number): FetchSession | null {
    if (this.#sessions.size >= maxSessions) {
      const oldest = [...this.#sessions.values()][0]!;
      if (now - oldest.usedAt <= evictableAfterMs) return null;
      this.#sessions.delete(oldest.id);
    }
    let id = 0;
    do id = 1 + Math.floor(Math.random() * (maxId - 1));
    while (this.#sessions.has(id));
    const session: FetchSession = { id, usesTopicIds, epoch: 1, usedAt: now, partitions: new Map() };
    this.#sessions.set(id, session);
    return session;
  }

  find(id: number): FetchSession | undefined {
    return this.#sessions.get(id);
  }

  /** Counts one more request. The epoch after 2147483647 is 1. */
  use(session: FetchSession, now: number): void {
    session.epoch = session.epoch === maxId ? 1 : session.epoch + 1;
    session.usedAt = now;
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  close(id: number): void {
    this.#sessions.delete(id);
  }

  clear(): void {
    this.#sessions.clear();
  }
}
