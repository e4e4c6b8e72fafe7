// Owns the committed offsets of one group, and those that open transactions would commit. Runs in the broker's thread.

export interface CommittedOffset {
  readonly offset: number;
  /** -1 for unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
}

export class GroupOffsets {
  readonly #committed = new Map<string, Place & CommittedOffset>();
  /** By producer id. */
  readonly #pending = new Map<number, Map<string, Place & CommittedOffset>>();

  get isEmpty(): boolean {
    return this.#committed.size === 0;
  }

  commit(topic: string, partition: number, value: CommittedOffset): void {
    this.#committed.set(keyOf(topic, partition), { topic, partition, ...value });
  }

  commitInTransaction(producerId: number, topic: string, partition: number, value: CommittedOffset): void {
    const pending = this.#pending.get(producerId) ?? new Map<string, Place & CommittedOffset>();
    this.#pending.set(producerId, pending);
    pending.set(keyOf(topic, partition), { topic, partition, ...value });
  }

  endTransaction(producerId: number, isCommit: boolean): void {
    const pending = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (!isCommit || pending === undefined) return;
    for (const [key, value] of pending) this.#committed.set(key, value);
  }

  committed(topic: string, partition: number): CommittedOffset | null {
    return this.#committed.get(keyOf(topic, partition)) ?? null;
  }

  /** Whether an open transaction is about to change it. */
  isUnstable(topic: string, partition: number): boolean {
    const key = keyOf(topic, partition);
    return [...this.#pending.values()].some((pending) => pending.has(key));
  }

  /** What was ever committed, by topic. */
  places(): Map<string, number[]> {
    const byTopic = new Map<string, number[]>();
    for (const { topic, partition } of this.#committed.values()) {
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
    }
    return byTopic;
  }

  delete(topic: string, partition: number): void {
    this.#committed.delete(keyOf(topic, partition));
  }

  forgetTopic(topic: string): void {
    for (const places of [this.#committed, ...this.#pending.values()]) {
      for (const [key, place] of places) if (place.topic === topic) places.delete(key);
    }
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
