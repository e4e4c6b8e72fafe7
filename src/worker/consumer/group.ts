// Owns the consumer's membership in a group: the choice of the protocol, the coordinator, the member, its offsets. Network thread.
// Must not know applications.

import type { ConsumerConfig, Subscription } from '../../common/config/consumer-config.ts';
import { KafkaClientError, KafkaTimeoutError } from '../../common/errors/errors.ts';
import { ConsumerGroupHeartbeat } from '../../protocol/flat/generated/apis.ts';
import type { RoleHost } from '../client/role.ts';
import { ClassicGroupMember } from './classic-group-member.ts';
import type { Tenure } from './commit-job.ts';
import { ConsumerGroupMember } from './consumer-group-member.ts';
import { Coordinator } from './coordinator.ts';
import { type CommittedOffset, GroupOffsets } from './group-offsets.ts';
import type { LogPlace } from './log-questions.ts';
import {
  type Fencing,
  type Identity,
  type LeaveMode,
  type Membership,
  type MembershipHost,
  noIdentity,
} from './membership.ts';
import { keyOf } from './partition.ts';
import { RebalanceTimer } from './rebalance-timer.ts';

/** The feature whose level says whether brokers have KIP-848 groups. */
const groupFeature = 'group.version';
const defaultSessionMs = 45_000;
const defaultHeartbeatMs = 3000;

export interface GroupSettings {
  readonly config: ConsumerConfig;
  readonly groupId: string;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly newMemberId: () => string;
}

interface CommittedQuestion {
  readonly places: readonly LogPlace[];
  readonly askedAt: number;
  readonly deadline: number;
  readonly done: (outcome: ReadonlyMap<string, CommittedOffset> | Error) => void;
  retryAt: number;
  error: Error | null;
  isAsked: boolean;
}

export class Group {
  readonly coordinator: Coordinator;
  readonly offsets: GroupOffsets;
  readonly #host: RoleHost;
  readonly #parts: MembershipHost;
  readonly #settings: GroupSettings;
  readonly #questions: CommittedQuestion[] = [];
  readonly #timer: RebalanceTimer;
  #membership: Membership | null = null;
  /** The subscription that waits until the protocol is chosen. */
  #subscription: Subscription | null = null;
  /** The member is about to leave: what is subscribed now is for a later membership. */
  #isPreparingLeave = false;
  /** The consumer is being closed. */
  #isClosing = false;
  /** That membership has, or had, the partitions that are assigned. */
  #wasManaged = false;
  /** The application is blocked, and there is to be no member until it asks for records. */
  #isSlow = false;

  constructor(host: RoleHost, parts: MembershipHost, tenure: Tenure, settings: GroupSettings) {
    this.#host = host;
    this.#parts = parts;
    this.#settings = settings;
    this.#timer = new RebalanceTimer(parts.report);
    const { groupId, requestTimeoutMs, retryBackoffMs } = settings;
    this.coordinator = new Coordinator(host, { groupId, requestTimeoutMs, retryBackoffMs }, (error) =>
      parts.onFatal(error),
    );
    const source = {
      identity: () => this.identity,
      isHeldUp: (now: number) => this.#isHeldUp(now),
      tenure,
      onFenced: (epoch: number, why: Fencing, now: number) => this.#membership?.onFenced(epoch, why, now),
      onFencedInstance: (epoch: number) => this.#membership?.onFencedInstance(epoch),
    };
    this.offsets = new GroupOffsets(host, this.coordinator, groupId, source, {
      requestTimeoutMs,
      retryBackoffMs,
      report: parts.report,
    });
  }

  get id(): string {
    return this.#settings.groupId;
  }

  get membership(): Membership | null {
    return this.#membership;
  }

  get identity(): Identity {
    return this.#membership?.identity ?? noIdentity;
  }

  /** Whether the partitions that are assigned now, if any, come from the group. */
  get hasAssigned(): boolean {
    return this.#subscription !== null || this.#wasManaged;
  }

  /** Whether there may be a subscription. */
  get isManaged(): boolean {
    return this.#subscription !== null || this.#isPreparingLeave;
  }

  subscribe(subscription: Subscription, now: number): void {
    this.#subscription = subscription;
    if (!this.#isPreparingLeave) this.#subscribeMember(now);
    this.poll(now);
  }

  #subscribeMember(now: number): void {
    const subscription = this.#subscription;
    if (subscription === null) return;
    this.#leaveIfSlow(now);
    this.#membership?.subscribe(subscription, now);
  }

  poll(now: number): void {
    this.coordinator.poll(now);
    if (this.#membership === null && this.#subscription !== null && !this.#isPreparingLeave) this.#choose(now);
    // Also a member that began to join before or after the application was found to be blocked.
    this.#leaveIfSlow(now);
    this.#membership?.poll(now);
    if (this.#membership !== null) this.#timer.see(this.#membership.state, now);
    this.offsets.poll(now);
    this.#askCommitted(now);
  }

  nextDeadline(now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const { deadline: end, retryAt, isAsked } of this.#questions)
      deadline = Math.min(deadline, end, !isAsked && retryAt > now ? retryAt : Number.POSITIVE_INFINITY);
    const hurriesAt = this.#hurriesAt();
    return Math.min(
      deadline,
      hurriesAt > now ? hurriesAt : Number.POSITIVE_INFINITY,
      this.coordinator.nextDeadline(now),
      this.offsets.nextDeadline(now),
      this.#membership?.nextDeadline(now) ?? Number.POSITIVE_INFINITY,
    );
  }

  /** Fails the open questions about committed offsets, and prepares to leave. */
  close(error: Error, now: number): void {
    this.#isClosing = true;
    this.prepareLeave();
    for (const question of [...this.#questions]) this.#endQuestion(question, error, now);
  }

  /** The partitions are being released, and `leave` follows. */
  prepareLeave(): void {
    this.#wasManaged ||= this.#subscription !== null;
    this.#subscription = null;
    this.#isPreparingLeave = true;
    this.#membership?.prepareLeave();
  }

  /** Whether the coordinator reads nothing now. If the member is about to leave, that ends in time. */
  #isHeldUp(now: number): boolean {
    if (now >= this.#hurriesAt()) this.#membership!.hurryLeave(now);
    return (this.#membership?.heldUpSince ?? null) !== null;
  }

  /**
   * From when on a member that is about to leave does not wait for others. A group that is not slow has a new generation within an interval of
   * heartbeats, and what is committed there counts for sure. While an application is waited for, the join keeps the membership alive.
   */
  #hurriesAt(): number {
    const since = this.#membership?.heldUpSince ?? null;
    if (since === null || !this.#isPreparingLeave || this.#parts.isReleaseWaiting()) return Number.POSITIVE_INFINITY;
    return this.#isClosing ? since : since + (this.#settings.config.heartbeatIntervalMs ?? defaultHeartbeatMs);
  }

  /** Leaves when the commits that are under way have ended: afterwards there is no member that could commit. `done` is called once. */
  leave(mode: LeaveMode, deadline: number, now: number, done: () => void): void {
    this.offsets.afterCommits(deadline, (at) => this.#leave(mode, deadline, at, done), now);
  }

  #leave(mode: LeaveMode, deadline: number, now: number, done: () => void): void {
    this.#isPreparingLeave = false;
    this.#wasManaged = false;
    const membership = this.#membership;
    if (membership === null) {
      done();
      return;
    }
    membership.leave(mode, deadline, now, done);
    this.#subscribeMember(now);
  }

  /** The application is blocked, and `whenBlocked` is `leave`. A member that is about to leave does so soon enough. */
  leaveForSlowness(now: number): void {
    this.#isSlow = true;
    this.#leaveIfSlow(now);
  }

  #leaveIfSlow(now: number): void {
    if (this.#isSlow && this.#subscription !== null && !this.#isPreparingLeave) this.#membership?.leaveForSlowness(now);
  }

  onApplicationActive(now: number): void {
    this.#isSlow = false;
    if (!this.#isPreparingLeave) this.#membership?.onApplicationActive(now);
  }

  /** Looks up committed offsets, until all are known or the time is over. `done` is called once. */
  committed(
    places: readonly LogPlace[],
    deadline: number,
    done: (outcome: ReadonlyMap<string, CommittedOffset> | Error) => void,
    now: number,
  ): void {
    this.#questions.push({ places, askedAt: now, deadline, done, retryAt: now, error: null, isAsked: false });
    this.#askCommitted(now);
  }

  #askCommitted(now: number): void {
    for (const question of [...this.#questions]) {
      if (now >= question.deadline) {
        const cause = question.error ?? this.coordinator.whyNotReady() ?? undefined;
        this.#endQuestion(question, new KafkaTimeoutError('no committed offsets in time', { cause }), now);
      } else if (!question.isAsked && now >= question.retryAt) this.#askOnce(question, now);
    }
  }

  #askOnce(question: CommittedQuestion, now: number): void {
    const found = new Map<string, CommittedOffset>();
    // A partition may be named twice.
    let open = new Set(question.places.map(({ topic, index }) => keyOf(topic, index))).size;
    question.error = null;
    if (open === 0) {
      this.#endQuestion(question, found, now);
      return;
    }
    // Before it is sent, since it may fail at once.
    question.isAsked = true;
    const isSent = this.offsets.fetch(
      question.places,
      (key, answer, at) => {
        if (answer instanceof Error) question.error = answer;
        else found.set(key, answer);
        if (--open > 0) return;
        question.isAsked = false;
        const { error } = question;
        if (error === null) this.#endQuestion(question, found, at);
        else if (!(error instanceof KafkaClientError) || !error.retriable) this.#endQuestion(question, error, at);
        else question.retryAt = at + this.#settings.retryBackoffMs;
      },
      now,
    );
    if (!isSent) question.isAsked = false;
  }

  #endQuestion(question: CommittedQuestion, outcome: ReadonlyMap<string, CommittedOffset> | Error, now: number): void {
    const at = this.#questions.indexOf(question);
    if (at < 0) return;
    this.#parts.report.committedAnswered(now - question.askedAt, now);
    this.#questions.splice(at, 1);
    question.done(outcome);
  }

  #choose(now: number): void {
    const { groupProtocol } = this.#settings.config;
    let isConsumer = groupProtocol === 'consumer';
    if (groupProtocol === 'auto') {
      const to = this.coordinator.ready(now);
      if (to === null) return;
      const { requests } = this.#host;
      const hasApi = requests.versionRange(to.brokerId, ConsumerGroupHeartbeat) !== null;
      isConsumer = hasApi && (requests.finalizedFeature(groupFeature) ?? 0) >= 1;
      const name = isConsumer ? 'consumer (KIP-848)' : 'classic';
      this.#parts.log('info', `group ${this.#settings.groupId}: groupProtocol 'auto' is ${name} here`);
    }
    this.#membership = isConsumer ? this.#newConsumerMember() : this.#newClassicMember();
    this.#subscribeMember(now);
    this.#parts.onChange();
  }

  #newConsumerMember(): Membership {
    const { config, groupId, requestTimeoutMs, retryBackoffMs, newMemberId } = this.#settings;
    return new ConsumerGroupMember(this.#host, this.#parts, this.coordinator, {
      groupId,
      instanceId: config.groupInstanceId,
      rackId: config.clientRack,
      serverAssignor: config.groupRemoteAssignor,
      rebalanceTimeoutMs: config.maxPollIntervalMs,
      requestTimeoutMs,
      retryBackoffMs,
      excludeInternalTopics: config.excludeInternalTopics,
      troubleLimitMs: config.sessionTimeoutMs ?? defaultSessionMs,
      newMemberId,
    });
  }

  #newClassicMember(): Membership {
    const { config, groupId, requestTimeoutMs, retryBackoffMs } = this.#settings;
    return new ClassicGroupMember(this.#host, this.#parts, this.coordinator, {
      groupId,
      instanceId: config.groupInstanceId,
      rackId: config.clientRack,
      assignors: config.partitionAssignmentStrategy,
      rebalanceTimeoutMs: config.maxPollIntervalMs,
      sessionTimeoutMs: config.sessionTimeoutMs ?? defaultSessionMs,
      heartbeatIntervalMs: config.heartbeatIntervalMs ?? defaultHeartbeatMs,
      requestTimeoutMs,
      retryBackoffMs,
      excludeInternalTopics: config.excludeInternalTopics,
    });
  }
}
