// Owns one member of a KIP-848 group: its subscription, its assignment, and the next step towards its target. Runs in the broker's
// thread. Must not know other members.

import type { PartitionKey } from './assignors.ts';
import type { MemberProtocol } from './classic-member.ts';

export type MemberState = 'stable' | 'unrevoked' | 'unreleased';

/** What a member of the classic protocol has brought. */
export interface ClassicPart {
  readonly sessionTimeoutMs: number;
  readonly protocols: readonly MemberProtocol[];
}

export interface ConsumerMemberOptions {
  readonly id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
}

export const leftButStatic = -2;

export class ConsumerMember {
  readonly id: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  rackId: string | null = null;
  rebalanceTimeoutMs = -1;
  topicNames: readonly string[] = [];
  /** '' for none. */
  regex = '';
  serverAssignor: string | null = null;
  classic: ClassicPart | null = null;
  epoch = 0;
  previousEpoch = -1;
  state: MemberState = 'stable';
  /** Each partition with the epoch in which it was assigned. */
  assigned = new Map<PartitionKey, number>();
  /** Partitions that were revoked but are not given up yet. */
  revoking = new Set<PartitionKey>();
  forgetSession: () => void = () => {};
  forgetRebalance: () => void = () => {};

  constructor({ id, instanceId, clientId }: ConsumerMemberOptions) {
    this.id = id;
    this.instanceId = instanceId;
    this.clientId = clientId;
  }

  /** True when the member is not done with that partition. */
  holds(key: PartitionKey): boolean {
    return this.assigned.has(key) || this.revoking.has(key);
  }

  /**
   * @param owned  the partitions that the member says it owns; null if it does not say
   * @param isFree  whether nobody else holds a partition
   */
  reconcile(
    target: ReadonlySet<PartitionKey>,
    targetEpoch: number,
    owned: ReadonlySet<PartitionKey> | null,
    isFree: (key: PartitionKey) => boolean,
  ): void {
    const owns = (keys: ReadonlySet<PartitionKey>): boolean =>
      owned === null || [...keys].some((key) => owned.has(key));
    if (this.state === 'stable' && this.epoch === targetEpoch) return;
    if (this.state === 'unrevoked' && owns(this.revoking)) return;
    this.#next(target, targetEpoch, owns, isFree);
  }

  endTimers(): void {
    this.forgetSession();
    this.forgetRebalance();
  }

  #next(
    target: ReadonlySet<PartitionKey>,
    targetEpoch: number,
    owns: (keys: ReadonlySet<PartitionKey>) => boolean,
    isFree: (key: PartitionKey) => boolean,
  ): void {
    const kept = new Map([...this.assigned].filter(([key]) => target.has(key)));
    const revoking = new Set([...this.assigned.keys()].filter((key) => !target.has(key)));
    if (revoking.size > 0 && owns(revoking)) {
      // It stays in its epoch until it has given up the revoked partitions.
      this.state = 'unrevoked';
      this.previousEpoch = this.epoch;
      this.assigned = kept;
      this.revoking = revoking;
      return;
    }
    this.revoking = new Set();
    const wanted = [...target].filter((key) => !kept.has(key));
    const free = wanted.filter(isFree);
    for (const key of free) kept.set(key, targetEpoch);
    this.assigned = kept;
    this.state = free.length < wanted.length ? 'unreleased' : 'stable';
    this.previousEpoch = this.epoch;
    this.epoch = targetEpoch;
  }
}
