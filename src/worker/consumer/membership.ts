// Owns the interfaces between the consumer and its membership in a group, for both protocols. Network thread. Must not hold state.

import type { Subscription, TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerReport } from './consumer-report.ts';

/** The identity of the member in a commit. */
export interface Identity {
  readonly memberId: string;
  /** The member epoch, or the generation in the classic protocol. -1 outside of a group. */
  readonly epoch: number;
  readonly instanceId: string | null;
}

export const noIdentity: Identity = { memberId: '', epoch: -1, instanceId: null };

/** The answer that says that the membership is over. */
export interface Fencing {
  /** Name of the API that was asked. */
  readonly api: string;
  readonly errorCode: number;
}

/** `leave`: static members leave too. `remain`: no leave request is sent. */
export type LeaveMode = 'default' | 'leave' | 'remain';

export interface Membership {
  readonly protocol: 'consumer' | 'classic';
  /** Kafka's name of the state. */
  readonly state: string;
  readonly identity: Identity;
  /** Whether offsets can be committed as a member of the group. */
  readonly isMember: boolean;
  subscribe(subscription: Subscription, now: number): void;
  poll(now: number): void;
  nextDeadline(now: number): number;
  /** The application asks for records again, after a time in which it did not. */
  onApplicationActive(now: number): void;
  /**
   * The application is blocked, and `whenBlocked` is `leave`: the member leaves, or does not join, until `onApplicationActive`. It may be
   * called again and again, but not while the application wants no membership.
   */
  leaveForSlowness(now: number): void;
  /** Since when its coordinator reads nothing that is sent to it: it keeps a request of this member until other members have sent theirs. Null: it reads. */
  readonly heldUpSince: number | null;
  /** `leave` follows, when all partitions are released. Until then the membership lasts, but takes no partitions and does not join again. */
  prepareLeave(): void;
  /** Ends what holds a member up that is about to leave, so that commits and the leave do not wait for other members. */
  hurryLeave(now: number): void;
  /** Leaves the group. All partitions must have been released. The coordinator is told until it answers. `done` is called once, at the latest at the deadline. */
  leave(mode: LeaveMode, deadline: number, now: number, done: () => void): void;
  /** A commit or another request was answered with an error that ends the membership of this epoch. */
  onFenced(epoch: number, why: Fencing, now: number): void;
  /** The same of another process that has taken this static member's place, which is for good. */
  onFencedInstance(epoch: number): void;
  /** The consumer has ended by a fault: metadata need not cover any topic for this member. Must do nothing else. */
  forgetTopics(): void;
}

/** The functions that a membership needs from its consumer. */
export interface MembershipHost {
  readonly report: ConsumerReport;
  /** The partitions that are assigned now. */
  owned(): readonly TopicPartition[];
  /**
   * Releases partitions in order: waits for handed-out batches (by `whenRevoked`), commits offsets, tells the application. `done` is
   * called once, later, at the latest at the deadline.
   */
  release(partitions: readonly TopicPartition[], deadline: number, done: (now: number) => void, now: number): void;
  /** The partitions belong to another member already. They are given up at once, and nothing is committed. */
  lose(partitions: readonly TopicPartition[], now: number): void;
  take(partitions: readonly TopicPartition[], now: number): void;
  /** Whether a release waits for batches that the application has. */
  isReleaseWaiting(): boolean;
  onFatal(error: Error): void;
  onError(error: Error): void;
  log(level: 'debug' | 'info' | 'warn', text: string): void;
  /** The state, the member id or the epoch has changed. */
  onChange(): void;
}
