// Owns the check whether the group takes this member: one that waits for long has no partitions that could say so. Network thread. Must not
// give anything up: the member goes on trying.

import { KafkaTimeoutError } from '../../common/errors/errors.ts';
import type { Group } from './group.ts';
import type { Partition } from './partition.ts';

/** The states of both protocols in which nobody waits: it is in the group, or is out of it and knows why. */
const settled = new Set(['STABLE', 'LEFT', 'STALE', 'LEAVING', 'PREPARE_LEAVING', 'FATAL']);

export class MembershipWatch {
  readonly #group: Group | null;
  readonly #limitMs: number;
  readonly #onWaiting: (error: Error) => void;
  #since: number | null = null;
  #isTold = false;

  /** @param onWaiting called once for each wait that lasts for `limitMs` */
  constructor(group: Group | null, limitMs: number, onWaiting: (error: Error) => void) {
    this.#group = group;
    this.#limitMs = limitMs;
    this.#onWaiting = onWaiting;
  }

  poll(partitions: readonly Partition[], now: number): void {
    const group = this.#group;
    if (group?.isManaged !== true || !this.#isWaiting(group, partitions)) {
      this.#since = null;
      this.#isTold = false;
      return;
    }
    this.#since ??= now;
    if (this.#isTold || now - this.#since < this.#limitMs) return;
    this.#isTold = true;
    const cause = group.coordinator.whyNotReady() ?? undefined;
    const text = `the group ${group.id} has given this member no assignment for ${this.#limitMs} ms: the member is ${stateOf(group)}`;
    this.#onWaiting(new KafkaTimeoutError(cause === undefined ? text : `${text}; ${cause.message}`, { cause }));
  }

  /** For so many ms nobody could hear of an assignment. */
  wasLate(lateMs: number): void {
    if (this.#since !== null) this.#since += lateMs;
  }

  nextDeadline(): number {
    return this.#since === null || this.#isTold ? Number.POSITIVE_INFINITY : this.#since + this.#limitMs;
  }

  /** A release waits for the application, or for a commit that has its own limit. */
  #isWaiting(group: Group, partitions: readonly Partition[]): boolean {
    return !settled.has(stateOf(group)) && !partitions.some(({ isReleasing }) => isReleasing);
  }
}

/** Before the protocol is chosen there is no membership. */
function stateOf({ membership }: Group): string {
  return membership?.state ?? 'UNJOINED';
}
