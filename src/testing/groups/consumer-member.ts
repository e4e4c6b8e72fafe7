// Owns one member of a KIP-848 group: what it subscribed to, what it was given, and the next step towards what it shall
// have. Runs in the broker's thread. Knows no other member.

import type { PartitionKey } from './assignors.ts';
import type { MemberProtocol } from './classic-member.ts';

export type MemberState = 'stable' | 'unrevoked' | 'unreleased';

/** What a member of the classic protocol brought along. */
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
  /** With the epoch in which it was given. */
  assigned = new Map<PartitionKey, number>();
  /** Taken away, but not given up yet. */
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
   * @param owned  what the member says it owns, null for no word about it
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
      // It stays in its epoch until it has given up what it shall not have.
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
