// Owns what the consumer and its membership in a group, of either protocol, say to each other. Network thread. Must not hold state.

import type { Subscription, TopicPartition } from '../../common/config/consumer-config.ts';

/** What a commit is signed with. */
export interface Identity {
  readonly memberId: string;
  /** Member epoch, or generation of the classic protocol; -1 outside of a group. */
  readonly epoch: number;
  readonly instanceId: string | null;
}

export const noIdentity: Identity = { memberId: '', epoch: -1, instanceId: null };

/** `leave`: static members give up their place, too. `remain`: the group is told nothing. */
export type LeaveMode = 'default' | 'leave' | 'remain';

/** What giving up in good order must leave of the rebalance timeout. */
const releaseMargin = 0.1;
const maxReleaseMarginMs = 5000;

/** How long partitions may take to be given up, so that the group hears of it before it takes the member for dead. */
export function releaseLimitMs(rebalanceTimeoutMs: number): number {
  return rebalanceTimeoutMs - Math.min(rebalanceTimeoutMs * releaseMargin, maxReleaseMarginMs);
}

export interface Membership {
  readonly protocol: 'consumer' | 'classic';
  /** Kafka's name of it, as in the reference of the protocol. */
  readonly state: string;
  readonly identity: Identity;
  /** Whether offsets can be committed as a member. */
  readonly isMember: boolean;
  subscribe(subscription: Subscription, now: number): void;
  poll(now: number): void;
  nextDeadline(now: number): number;
  /** The application asked for records, after a while in which it did not. */
  onApplicationActive(now: number): void;
  /** The application is blocked, and the policy is to leave. */
  leaveForSlowness(now: number): void;
  /** Everything has been released. Tells the group; `done` is called once, without it when it takes too long. */
  leave(mode: LeaveMode, now: number, done: () => void): void;
  /** What a request of somebody else has found out about the membership. */
  onFenced(epoch: number, now: number): void;
}

/** What a membership asks of the consumer it belongs to. */
export interface MembershipHost {
  /** What is assigned now. */
  owned(): readonly TopicPartition[];
  /**
   * Gives partitions up in good order: batches that are out are waited for as the policy says, offsets committed, the
   * application told. `done` is called once, later, by `deadline` at the latest.
   */
  release(partitions: readonly TopicPartition[], deadline: number, done: (now: number) => void, now: number): void;
  /** They are another's already: given up at once, nothing is committed. */
  lose(partitions: readonly TopicPartition[], now: number): void;
  take(partitions: readonly TopicPartition[], now: number): void;
  onFatal(error: Error): void;
  onError(error: Error): void;
  log(level: 'debug' | 'info' | 'warn', text: string): void;
  /** State, id or epoch changed. */
  onChange(): void;
}
