// Owns which partitions a member of the classic protocol releases before it joins, and what it takes and releases by an assignment.
// Network thread. Must not know the state of the membership.
// Source: KIP-429 (cooperative members keep their partitions while they join).

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import { assignors } from './assignors/index.ts';
import type { ClassicSettings, JoinContent } from './classic-requests.ts';
import type { MembershipHost } from './membership.ts';
import { differenceOf } from './partition-difference.ts';
import { releaseLimitMs } from './release-limit.ts';

export class ClassicPartitions {
  /** The last assignment. A sticky member that has released everything asks for it again. */
  assigned: readonly TopicPartition[] = [];
  readonly #parts: Pick<MembershipHost, 'owned' | 'release' | 'take'>;
  readonly #isCooperative: boolean;
  readonly #limitMs: number;

  constructor(parts: Pick<MembershipHost, 'owned' | 'release' | 'take'>, settings: ClassicSettings) {
    this.#parts = parts;
    this.#isCooperative = settings.assignors.every((name) => assignors[name].isCooperative);
    this.#limitMs = releaseLimitMs(settings.rebalanceTimeoutMs);
  }

  /** What a join says. @param topics those that the member subscribes to */
  contentOf(topics: readonly string[]): JoinContent {
    return { topics, owned: this.#parts.owned(), lastOwned: this.assigned };
  }

  /**
   * Releases what the member must not have while it joins. `released` is called once, later.
   * @param topics as above
   * @returns false when there is nothing to release; then `released` is not called
   */
  releaseToJoin(topics: readonly string[], released: (now: number) => void, now: number): boolean {
    const owned = this.#parts.owned();
    const wanted = new Set(topics);
    const toRelease = this.#isCooperative ? owned.filter(({ topic }) => !wanted.has(topic)) : owned;
    if (toRelease.length === 0) return false;
    this.#parts.release(toRelease, now + this.#limitMs, released, now);
    return true;
  }

  /** Takes what the assignment adds, and releases what it lacks. `released` is called once, later, if there is anything to release. */
  takeOver(released: (now: number) => void, now: number): void {
    const owned = this.#parts.owned();
    const { toRelease, toTake } = differenceOf(owned, this.assigned);
    if (toTake.length > 0 || owned.length === 0) this.#parts.take(toTake, now);
    if (toRelease.length > 0) this.#parts.release(toRelease, now + this.#limitMs, released, now);
  }

  /** Takes what the assignment has and the member lacks, because it was still being released when the assignment came. */
  takeMissing(now: number): void {
    this.#parts.take(differenceOf(this.#parts.owned(), this.assigned).toTake, now);
  }
}
