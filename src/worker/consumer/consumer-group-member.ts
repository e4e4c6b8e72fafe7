// Owns a membership in the protocol of KIP-848: states, heartbeats, the changes from owned partitions to the target assignment, what
// each error means. Network thread. Must not fetch or commit: the host does when it releases partitions.
// Source: KIP-848, KIP-1092 (leaving), protocol guide, ConsumerGroupHeartbeat.

import type { Subscription } from '../../common/config/consumer-config.ts';
import { GroupFatalError, UnsupportedVersionError } from '../../common/errors/errors.ts';
import { ConsumerGroupHeartbeat } from '../../protocol/flat/generated/apis.ts';
import type { ConsumerGroupHeartbeatResponseView } from '../../protocol/flat/generated/consumer-group-heartbeat.ts';
import type { RoleHost } from '../client/role.ts';
import { AssignmentTarget } from './assignment-target.ts';
import { codes } from './codes.ts';
import type { Coordinator } from './coordinator.ts';
import { HeartbeatContent, type HeartbeatKind, textOf } from './heartbeat-content.ts';
import { HeartbeatPace } from './heartbeat-pace.ts';
import { InstanceWait } from './instance-wait.ts';
import { LeaveCall, LeaveLimit, leaveAction, notToldLeave } from './leaving.ts';
import type { MemberSettings } from './member-settings.ts';
import type { MemberState } from './member-states.ts';
import type { Fencing, Identity, LeaveMode, Membership, MembershipHost } from './membership.ts';
import { deniedTopics, refusedBy, unsupportedMembership } from './named-errors.ts';
import { releaseLimitMs } from './release-limit.ts';
import { type TopicMatcher, topicMatcher } from './topic-matcher.ts';
import { Trouble } from './trouble.ts';

const joinEpoch = 0;
const unreleasedRetryMs = 1000;

export class ConsumerGroupMember implements Membership {
  readonly protocol = 'consumer';
  readonly heldUpSince = null;
  readonly hurryLeave = (): void => {};
  readonly forgetTopics = (): void => {};
  readonly #host: RoleHost;
  readonly #parts: MembershipHost;
  readonly #coordinator: Coordinator;
  readonly #settings: MemberSettings;
  readonly #memberId: string;
  #state: MemberState = 'UNSUBSCRIBED';
  #epoch = joinEpoch;
  readonly #content: HeartbeatContent;
  #matcher: TopicMatcher | null = null;
  readonly #target: AssignmentTarget;
  #isReconciling = false;
  /** Counts joins. Answers to requests of an earlier join are ignored. */
  #join = 0;
  readonly #pace: HeartbeatPace;
  readonly #trouble: Trouble;
  readonly #instance: InstanceWait;
  /** The application knows that it may not read some of its topics. */
  #isDenialTold = false;
  /** A join was sent since the member was last out of the group: the coordinator may know it. */
  #hasAsked = false;
  /** Not null in the state LEAVING. */
  #leave: LeaveCall | null = null;

  constructor(host: RoleHost, parts: MembershipHost, coordinator: Coordinator, settings: MemberSettings) {
    this.#host = host;
    this.#parts = parts;
    this.#coordinator = coordinator;
    this.#settings = settings;
    this.#trouble = new Trouble(settings.troubleLimitMs);
    this.#instance = new InstanceWait(host, settings, (level, text) => parts.log(level, `${this.#name}: ${text}`));
    this.#pace = new HeartbeatPace(settings.retryBackoffMs, () => host.random());
    this.#memberId = settings.newMemberId();
    this.#content = new HeartbeatContent(settings, this.#memberId, host.cluster);
    this.#target = new AssignmentTarget(host.cluster, (...names) => this.#content.assignedBy(...names));
  }

  get state(): MemberState {
    return this.#state;
  }

  get identity(): Identity {
    const { instanceId } = this.#settings;
    return this.isMember
      ? { memberId: this.#memberId, epoch: this.#epoch, instanceId }
      : { memberId: '', epoch: -1, instanceId: null };
  }

  get isMember(): boolean {
    return this.#epoch > 0 && this.#state !== 'LEAVING' && this.#state !== 'STALE' && this.#state !== 'FATAL';
  }

  subscribe(subscription: Subscription): void {
    this.#matcher = topicMatcher(subscription, this.#host.cluster, this.#settings.excludeInternalTopics);
    this.#content.subscribe(subscription, this.#matcher);
    this.#isDenialTold = false;
    if (this.#state === 'UNSUBSCRIBED') this.#joinGroup();
    else if (this.#leave !== null) this.#leave.joinsAfter = true;
  }

  poll(now: number): void {
    if (this.#matcher?.hasChanged() === true) this.#content.isSubscriptionNew = true;
    if (this.#state === 'RECONCILING') this.#reconcile(now);
    const isDue = this.#hasHeartbeats && this.#pace.isDue(this.#isUrgent, now);
    if (isDue && this.#coordinator.ready(now) !== null) this.#heartbeat(now);
    if (this.#leave?.limit.isOver(now) !== true) return;
    this.#parts.log('warn', `${this.#name} ${notToldLeave}`);
    this.#left();
  }

  nextDeadline(now: number): number {
    if (!this.#hasHeartbeats) return Number.POSITIVE_INFINITY;
    const leftAt = this.#leave?.limit.endsAt ?? Number.POSITIVE_INFINITY;
    return Math.min(leftAt, this.#pace.nextDeadline(this.#isUrgent, now));
  }

  onApplicationActive(): void {
    if (this.#state === 'STALE') this.#joinGroup();
    else if (this.#leave?.isWaitedFor === false) this.#leave.joinsAfter = true;
  }

  leaveForSlowness(now: number): void {
    if (this.#leave !== null || this.#state === 'STALE' || this.#state === 'FATAL') return;
    this.#parts.log('warn', `${this.#name} leaves the group: the application asked for nothing for maxPollIntervalMs`);
    this.#parts.lose(this.#parts.owned(), now);
    if (this.#mayBeKnown) this.#beginLeave('default', now + this.#settings.requestTimeoutMs, null, now);
    else this.#setState('STALE');
  }

  prepareLeave(): void {
    if (this.isMember || this.#state === 'JOINING') this.#setState('PREPARE_LEAVING');
  }

  leave(mode: LeaveMode, deadline: number, now: number, done: () => void): void {
    if (this.#leave === null && (mode === 'remain' || !this.#mayBeKnown)) {
      this.#setState('UNSUBSCRIBED');
      done();
      return;
    }
    // What was said already cannot be taken back.
    this.#beginLeave(mode === 'remain' ? this.#leave!.mode : mode, deadline, done, now);
  }

  /** Whether the coordinator may have it as a member, now or when it has read what was sent. */
  get #mayBeKnown(): boolean {
    const isJoining = this.#state === 'JOINING' || this.#state === 'PREPARE_LEAVING';
    return this.isMember || (isJoining && this.#hasAsked);
  }

  #beginLeave(mode: LeaveMode, deadline: number, onLeft: (() => void) | null, now: number): void {
    this.#leave = new LeaveCall(mode, new LeaveLimit(this.#host.requests, deadline), onLeft, this.#leave);
    this.#setState('LEAVING');
    this.poll(now);
  }

  onFenced(epoch: number, why: Fencing, now: number): void {
    if (epoch === this.#epoch && this.isMember) this.#fenced(why, now);
  }

  onFencedInstance(epoch: number): void {
    if (epoch === this.#epoch && this.isMember)
      this.#fatal(refusedBy(this.#settings.groupId, codes.fencedInstanceId, null));
  }

  // --- heartbeats

  get #hasHeartbeats(): boolean {
    // What is under way may make it a member. There is nothing else to say.
    if (this.#state === 'PREPARE_LEAVING') return this.isMember;
    return (
      this.#state !== 'UNSUBSCRIBED' && this.#state !== 'FENCED' && this.#state !== 'STALE' && this.#state !== 'FATAL'
    );
  }

  get #isUrgent(): boolean {
    if (this.#content.isSubscriptionNew) return true;
    return this.#state === 'JOINING' || this.#state === 'ACKNOWLEDGING' || this.#state === 'LEAVING';
  }

  get #kind(): HeartbeatKind {
    if (this.#state === 'JOINING') return 'join';
    if (this.#state !== 'LEAVING') return 'alive';
    return this.#settings.instanceId !== null && this.#leave!.mode === 'default' ? 'leaveStatic' : 'leave';
  }

  #heartbeat(now: number): void {
    const join = this.#join;
    const owned = this.#parts.owned();
    const request = this.#content.request(this.#kind, this.#epoch, owned);
    const isRegex = request.subscribedTopicRegex !== undefined && request.subscribedTopicRegex !== null;
    const isLeaving = this.#state === 'LEAVING';
    this.#hasAsked = true;
    if (this.#state === 'ACKNOWLEDGING') this.#setState(this.#target.isReached(owned) ? 'STABLE' : 'RECONCILING');
    this.#content.isSubscriptionNew = false;
    this.#pace.sent(now);
    const toldOwned = request.topicPartitions == null ? null : textOf(owned);
    this.#host.requests.send(
      {
        to: this.#coordinator.to!,
        api: ConsumerGroupHeartbeat,
        request,
        ...(isRegex ? { minVersion: 1 } : {}),
        timeoutMs: this.#settings.requestTimeoutMs,
        onResponse: (response, _version, at) => {
          this.#pace.ended();
          this.#parts.report.heartbeatAnswered(at - now, at);
          if (join !== this.#join) return;
          if (isLeaving) this.#onLeaveAnswer(response!.errorCode, at);
          else this.#onResponse(response!, toldOwned, at);
        },
        onFailure: (error, at) => {
          this.#pace.ended();
          if (join === this.#join) this.#onFailure(error, at);
        },
      },
      now,
    );
  }

  #onResponse(response: ConsumerGroupHeartbeatResponseView, toldOwned: string | null, now: number): void {
    const { errorCode } = response;
    if (this.#state === 'FATAL' || this.#state === 'UNSUBSCRIBED' || this.#state === 'STALE') return;
    if (errorCode !== codes.none) {
      // Of a heartbeat that was under way: what is left to say is that the member leaves.
      if (this.#state === 'LEAVING' && errorCode === codes.topicAuthorizationFailed) return;
      if (this.#state === 'LEAVING') this.#onLeaveAnswer(errorCode, now);
      else this.#onError(errorCode, response.errorMessage, now);
      return;
    }
    const { memberEpoch, heartbeatIntervalMs, assignment } = response;
    this.#pace.accepted(heartbeatIntervalMs, now);
    this.#trouble.over();
    this.#instance.over(now);
    this.#isDenialTold = false;
    this.#content.answered(toldOwned);
    if (memberEpoch !== this.#epoch) {
      this.#epoch = memberEpoch;
      this.#parts.onChange();
    }
    if (this.#state === 'LEAVING' || this.#state === 'PREPARE_LEAVING') return;
    if (assignment !== null) {
      const problem = this.#target.replace(assignment.topicPartitions);
      if (problem !== null) {
        this.#fatal(problem);
        return;
      }
      if (this.#target.isReached(this.#parts.owned())) this.#setState('STABLE');
      else this.#setState('RECONCILING');
    } else if (this.#state === 'JOINING') {
      this.#target.rows = [];
      this.#setState('STABLE');
    }
    if (this.#state === 'RECONCILING') this.#reconcile(now);
  }

  #onFailure(error: Error, now: number): void {
    if (error instanceof UnsupportedVersionError) {
      if (this.#state === 'LEAVING') this.#left();
      else this.#fatal(new GroupFatalError(unsupportedMembership, { cause: error }));
      return;
    }
    // The member stays in the group until the broker's session timeout.
    this.#coordinator.unknown();
    this.#tryAgain(now);
  }

  #tryAgain(now: number): void {
    this.#content.sayEverything();
    this.#pace.again();
    this.#pace.backOff(now);
  }

  #onError(errorCode: number, message: string | null, now: number): void {
    switch (errorCode) {
      case codes.notCoordinator:
      case codes.coordinatorNotAvailable:
        this.#coordinator.unknown();
        this.#content.sayEverything();
        this.#pace.again();
        return;
      case codes.coordinatorLoadInProgress:
        this.#instance.restarted();
        this.#tryAgain(now);
        return;
      case codes.fencedMemberEpoch:
      case codes.unknownMemberId:
        this.#fenced({ api: ConsumerGroupHeartbeat.name, errorCode }, now);
        return;
      case codes.topicAuthorizationFailed:
        this.#denied(message, now);
        return;
      case codes.unreleasedInstanceId:
        if (this.#instance.goesOn(this.#coordinator.to, now)) this.#pace.notBefore(now + unreleasedRetryMs);
        else this.#fatal(refusedBy(this.#settings.groupId, errorCode, null, this.#instance.help));
        return;
      case codes.unknownServerError:
        // Brokers whose coordinators move may answer so. The membership lasts until the session's end.
        if (this.#trouble.maySettle(now)) this.#tryAgain(now);
        else this.#fatal(refusedBy(this.#settings.groupId, errorCode, message));
        return;
      case codes.unsupportedVersion:
        this.#fatal(refusedBy(this.#settings.groupId, errorCode, message, unsupportedMembership));
        return;
      default:
        this.#fatal(refusedBy(this.#settings.groupId, errorCode, message));
    }
  }

  /** Whoever is not told of it, or cannot take it now, is told again. */
  #onLeaveAnswer(errorCode: number, now: number): void {
    const action = leaveAction(errorCode);
    if (action === 'find') this.#coordinator.unknown();
    if (action === 'left') this.#left();
    else this.#tryAgain(now);
  }

  /** Permission may come at any time. Until then the member stays what it is; a join is repeated after a wait. */
  #denied(message: string | null, now: number): void {
    if (!this.#isDenialTold) this.#parts.onError(deniedTopics(this.#matcher?.names() ?? [], message));
    this.#isDenialTold = true;
    this.#content.sayEverything();
    this.#pace.backOff(now);
  }

  // --- transitions

  #joinGroup(): void {
    this.#join++;
    this.#epoch = joinEpoch;
    this.#target.rows = [];
    this.#isReconciling = false;
    this.#content.beginAnew();
    this.#setState('JOINING');
    this.#host.wake();
  }

  #fenced(why: Fencing, now: number): void {
    const reason = this.#pace.times.explain(why, now);
    const leaves = this.#state === 'PREPARE_LEAVING';
    const text = `was fenced (${reason}): it has lost its partitions and ${leaves ? 'is out of the group' : 'joins again'}`;
    this.#parts.log('warn', `${this.#name} at epoch ${this.#epoch} ${text}`);
    // A coordinator that fences members that join must not be asked as fast as it answers.
    if (this.#state === 'JOINING') this.#pace.backOff(now);
    this.#setState('FENCED');
    this.#epoch = joinEpoch;
    this.#parts.lose(this.#parts.owned(), now);
    if (leaves) this.#setState('UNSUBSCRIBED');
    else this.#joinGroup();
  }

  #fatal(error: Error): void {
    this.#setState('FATAL');
    this.#epoch = joinEpoch;
    this.#parts.onFatal(error);
  }

  #left(): void {
    const leave = this.#leave!;
    this.#leave = null;
    this.#epoch = joinEpoch;
    this.#join++;
    this.#hasAsked = false;
    this.#setState(leave.isWaitedFor ? 'UNSUBSCRIBED' : 'STALE');
    if (leave.joinsAfter) this.#joinGroup();
    leave.end();
  }

  #setState(state: MemberState): void {
    if (state === this.#state) return;
    this.#parts.log('debug', `${this.#name} at epoch ${this.#epoch}: ${this.#state} -> ${state}`);
    this.#state = state;
    this.#parts.onChange();
  }

  get #name(): string {
    return `member ${this.#memberId} of group ${this.#settings.groupId}`;
  }

  // --- reconciliation

  #reconcile(now: number): void {
    if (this.#isReconciling) return;
    const { toRelease, toTake, isWhole } = this.#target.differenceTo(this.#parts.owned());
    if (!isWhole) this.#host.cluster.requestUpdate();
    if (toRelease.length === 0 && toTake.length === 0) {
      if (isWhole) this.#setState('ACKNOWLEDGING');
      return;
    }
    if (toRelease.length === 0) {
      this.#parts.take(toTake, now);
      this.#setState('ACKNOWLEDGING');
      return;
    }
    this.#isReconciling = true;
    const join = this.#join;
    const released = (at: number): void => {
      if (join !== this.#join) return;
      this.#isReconciling = false;
      if (this.#state !== 'RECONCILING' && this.#state !== 'STABLE') return;
      // The target may be another by now.
      const { toTake: wanted } = this.#target.differenceTo(this.#parts.owned());
      if (wanted.length > 0) this.#parts.take(wanted, at);
      this.#setState('ACKNOWLEDGING');
      this.#host.wake();
    };
    this.#parts.release(toRelease, now + releaseLimitMs(this.#settings.rebalanceTimeoutMs), released, now);
  }
}
