// Owns a membership in the classic protocol: joins, the assignment of a leader, heartbeats, what each error means. Network thread.
// Must not fetch or commit: the host does when it releases partitions.
// Source: protocol guide, JoinGroup to LeaveGroup; KIP-345 (static members), KIP-394 (member ids), KIP-429 (cooperative).

import type { Subscription, TopicPartition } from '../../common/config/consumer-config.ts';
import { GroupFatalError, KafkaClientError, UnsupportedVersionError } from '../../common/errors/errors.ts';
import { Heartbeat, JoinGroup, SyncGroup } from '../../protocol/flat/generated/apis.ts';
import type { JoinGroupResponseView } from '../../protocol/flat/generated/join-group.ts';
import type { SyncGroupResponseView } from '../../protocol/flat/generated/sync-group.ts';
import type { RoleHost } from '../client/role.ts';
import { RetryWait } from './backoff.ts';
import { heartbeatAction, isBrokerFault, type JoinAction, joinAction, syncAction } from './classic-actions.ts';
import { ClassicHeartbeat, type OnBeat } from './classic-heartbeat.ts';
import { ClassicLeave } from './classic-leave.ts';
import { ClassicPartitions } from './classic-partitions.ts';
import { type ClassicIdentity, ClassicRequests, type ClassicSettings, type Outcome } from './classic-requests.ts';
import { codes } from './codes.ts';
import { decodeAssignment } from './consumer-protocol.ts';
import type { Coordinator } from './coordinator.ts';
import { GroupLeader } from './group-leader.ts';
import type { ClassicState, JoinStep } from './member-states.ts';
import type { Fencing, Identity, LeaveMode, Membership, MembershipHost } from './membership.ts';
import { patternNotForClassic, refusedBy } from './named-errors.ts';
import { type TopicMatcher, topicMatcher } from './topic-matcher.ts';
import { Trouble } from './trouble.ts';

const noGeneration = -1;

export class ClassicGroupMember implements Membership {
  readonly protocol = 'classic';
  readonly forgetTopics = (): void => this.#leader.close();
  readonly #host: RoleHost;
  readonly #parts: MembershipHost;
  readonly #coordinator: Coordinator;
  readonly #settings: ClassicSettings;
  readonly #requests: ClassicRequests;
  readonly #heartbeat: ClassicHeartbeat;
  readonly #leave: ClassicLeave;
  readonly #leader: GroupLeader;
  readonly #trouble: Trouble;
  readonly #wait: RetryWait;
  readonly #partitions: ClassicPartitions;
  #state: ClassicState = 'UNJOINED';
  #memberId = '';
  #generation = noGeneration;
  #protocolName: string | null = null;
  #matcher: TopicMatcher | null = null;
  #step: JoinStep = 'none';
  #isRejoinWanted = false;
  #isPreparingLeave = false;
  /** Counts identities and joins. Answers to requests of an earlier one are ignored. */
  #serial = 0;

  constructor(host: RoleHost, parts: MembershipHost, coordinator: Coordinator, settings: ClassicSettings) {
    this.#host = host;
    this.#parts = parts;
    this.#coordinator = coordinator;
    this.#settings = settings;
    this.#requests = new ClassicRequests(host, coordinator, settings);
    const onBeat: OnBeat = (...answer) => this.#onHeartbeat(...answer);
    this.#heartbeat = new ClassicHeartbeat(host, this.#requests, coordinator, settings, () => this.#who, onBeat);
    this.#leave = new ClassicLeave(host, parts, this.#requests, coordinator, settings);
    this.#leader = new GroupLeader(host.cluster);
    this.#trouble = new Trouble(settings.sessionTimeoutMs);
    this.#wait = new RetryWait(settings.retryBackoffMs, () => host.random());
    this.#partitions = new ClassicPartitions(parts, settings);
  }

  get state(): ClassicState {
    return this.#state;
  }

  get identity(): Identity {
    if (!this.isMember) return { memberId: '', epoch: noGeneration, instanceId: null };
    return { memberId: this.#memberId, epoch: this.#generation, instanceId: this.#settings.instanceId };
  }

  get isMember(): boolean {
    return this.#generation !== noGeneration;
  }

  get heldUpSince(): number | null {
    return this.#requests.keptSince;
  }

  subscribe(subscription: Subscription, now: number): void {
    if ('brokerPattern' in subscription) {
      this.#fatal(patternNotForClassic());
      return;
    }
    this.#matcher = topicMatcher(subscription, this.#host.cluster, this.#settings.excludeInternalTopics);
    this.#isRejoinWanted = true;
    this.poll(now);
  }

  poll(now: number): void {
    this.#leave.poll(now);
    if (this.#state === 'FATAL' || this.#state === 'LEFT' || this.#matcher === null) return;
    if (this.#matcher.hasChanged() || this.#leader.hasTopicsChanged()) this.#isRejoinWanted = true;
    if (this.#step === 'none' && this.#isRejoinWanted && !this.#isPreparingLeave) this.#prepareJoin(now);
    if (this.#step === 'assign') this.#assign(now);
    const mayJoin = this.#step === 'send' && now >= this.#wait.until && !this.#isPreparingLeave;
    if (mayJoin && this.#coordinator.ready(now) !== null) this.#join(now);
    if (this.#hasHeartbeats) this.#heartbeat.poll(now);
  }

  nextDeadline(now: number): number {
    let deadline = this.#leave.nextDeadline(now);
    if (this.#state === 'FATAL' || this.#state === 'LEFT') return deadline;
    if (this.#step === 'send' && this.#wait.until > now) deadline = Math.min(deadline, this.#wait.until);
    return this.#hasHeartbeats ? Math.min(deadline, this.#heartbeat.nextDeadline(now)) : deadline;
  }

  onApplicationActive(now: number): void {
    if (this.#state !== 'LEFT') return;
    this.#setState('UNJOINED');
    this.#isRejoinWanted = true;
    this.poll(now);
  }

  leaveForSlowness(now: number): void {
    if (this.#state === 'FATAL' || this.#state === 'LEFT') return;
    this.#parts.log('warn', `${this.#name} leaves the group: the application asked for nothing for maxPollIntervalMs`);
    this.#parts.lose(this.#parts.owned(), now);
    const { instanceId, requestTimeoutMs } = this.#settings;
    this.hurryLeave(now);
    const id = this.#idToLeave;
    if (instanceId === null && id !== '') this.#leave.begin(id, now + requestTimeoutMs, () => {}, now);
    this.#forget(instanceId === null);
    this.#setState('LEFT');
  }

  prepareLeave(): void {
    this.#isPreparingLeave = true;
  }

  hurryLeave(now: number): void {
    // A commit or leave behind a join or sync that waits for other members would not be read before they are all there.
    if (!this.#requests.isKeptAlone) return;
    this.#serial++;
    this.#step = 'none';
    this.#requests.endKept(now);
  }

  leave(mode: LeaveMode, deadline: number, now: number, done: () => void): void {
    const isToTell = mode === 'leave' || (mode === 'default' && this.#settings.instanceId === null);
    this.hurryLeave(now);
    if (this.#state === 'FATAL' || !isToTell) done();
    else if (this.#idToLeave === '') this.#leave.finish(deadline, done);
    else this.#leave.begin(this.#idToLeave, deadline, done, now);
    this.#forget(true);
    this.forgetTopics();
    this.#matcher = null;
    this.#isPreparingLeave = false;
    this.#setState('UNJOINED');
  }

  /** Null: the answer to a join that waits for nobody will have it. The group waits for a member that has that id. */
  get #idToLeave(): string | null {
    return this.#memberId === '' && this.#step === 'sent' && this.#requests.keptSince === null ? null : this.#memberId;
  }

  onFenced(epoch: number, why: Fencing, now: number): void {
    // During a rebalance the answer to JoinGroup or SyncGroup decides: the new generation may have this member.
    if (epoch === this.#generation && this.#state === 'STABLE') this.#lost(why, now);
  }

  onFencedInstance(epoch: number): void {
    if (epoch === this.#generation && this.isMember) this.#refused(codes.fencedInstanceId);
  }

  // --- joining

  #prepareJoin(now: number): void {
    this.#isRejoinWanted = false;
    this.#step = 'release';
    const serial = this.#serial;
    const released = (at: number): void => {
      if (serial === this.#serial && this.#step === 'release') this.#again(at, 0);
    };
    if (!this.#partitions.releaseToJoin(this.#matcher!.names(), released, now)) this.#step = 'send';
  }

  #join(now: number): void {
    const serial = ++this.#serial;
    this.#step = 'sent';
    this.#setState('PREPARING_REBALANCE');
    const content = this.#partitions.contentOf(this.#matcher!.names());
    const outcome = this.#outcome<JoinGroupResponseView>(serial, (response, at) => this.#onJoined(response, now, at));
    this.#requests.join(this.#coordinator.to!, this.#who, content, this.#leave.namedBy(outcome), now);
  }

  #outcome<Response>(serial: number, use: (response: Response, now: number) => void): Outcome<Response> {
    return {
      onResponse: (response, at) => (serial === this.#serial ? use(response, at) : undefined),
      onFailure: (error, at) => (serial === this.#serial ? this.#onRequestFailed(error, at) : undefined),
    };
  }

  get #who(): ClassicIdentity {
    return { memberId: this.#memberId, generation: this.#generation };
  }

  #onJoined(response: JoinGroupResponseView, sentAt: number, now: number): void {
    const { errorCode, memberId } = response;
    // Neither is an answer to what was sent, so that the coordinator is not asked as fast as it answers.
    if (errorCode === (this.#memberId === '' ? codes.unknownMemberId : codes.memberIdRequired)) this.#wait.failed(now);
    if (joinAction(errorCode) === 'keepId') this.#memberId = memberId;
    if (!this.#goesOn(JoinGroup.name, joinAction(errorCode), errorCode, now)) return;
    this.#parts.report.joined(now - sentAt, now);
    this.#memberId = memberId;
    this.#generation = response.generationId;
    this.#protocolName = response.protocolName;
    this.#heard(now);
    this.#heartbeat.joined(now);
    this.#setState('COMPLETING_REBALANCE');
    const isLeader = response.leader === memberId;
    this.#parts.log('debug', `${this.#name} joined generation ${this.#generation}${isLeader ? ' as its leader' : ''}`);
    this.#leader.begin(isLeader ? response : null);
    this.#step = 'assign';
    this.#assign(now);
  }

  /** Acts on the error code of a JoinGroup or SyncGroup response. Returns whether there was no error. */
  #goesOn(api: string, action: JoinAction, errorCode: number, now: number): boolean {
    switch (action) {
      case 'ok':
        return true;
      case 'find':
        this.#coordinator.unknown();
        this.#again(now, 0);
        break;
      case 'keepId':
      case 'again':
        this.#again(now, 0);
        break;
      case 'backOff':
        this.#again(now, 1);
        break;
      case 'newIdentity':
      case 'lost':
        this.#lost({ api, errorCode }, now);
        break;
      case 'fatal':
        if (isBrokerFault(errorCode) && this.#trouble.maySettle(now)) this.#again(now, 1);
        else this.#refused(errorCode);
    }
    return false;
  }

  /** The leader computes the assignment. The other members wait for it. */
  #assign(now: number): void {
    const to = this.#coordinator.ready(now);
    if (to === null) return;
    let assignments: readonly { memberId: string; assignment: Buffer }[] | null;
    try {
      assignments = this.#leader.assign(this.#protocolName ?? '');
    } catch (error) {
      this.#fatal(new GroupFatalError(`the group ${this.#settings.groupId} cannot be assigned`, { cause: error }));
      return;
    }
    if (assignments === null) return;
    this.#step = 'syncing';
    const serial = this.#serial;
    this.#requests.sync(
      to,
      this.#who,
      this.#protocolName,
      assignments,
      this.#outcome(serial, (response, at) => this.#onSynced(response, now, at)),
      now,
    );
  }

  #onSynced(response: SyncGroupResponseView, sentAt: number, now: number): void {
    if (!this.#goesOn(SyncGroup.name, syncAction(response.errorCode), response.errorCode, now)) return;
    this.#parts.report.synced(now - sentAt, now);
    this.#heard(now);
    this.#step = 'none';
    this.#setState('STABLE');
    try {
      this.#takeOver(decodeAssignment(response.assignment), now);
    } catch (error) {
      this.#fatal(new GroupFatalError("the leader's assignment cannot be read", { cause: error }));
    }
  }

  #takeOver(assigned: readonly TopicPartition[], now: number): void {
    this.#partitions.assigned = assigned;
    if (this.#isPreparingLeave) return;
    // The new owners get the partitions in the next generation, after this member has joined without them.
    const serial = this.#serial;
    const released = (at: number): void => {
      if (serial === this.#serial) this.#isRejoinWanted = true;
      // The next generation may have given it what it was still releasing.
      else if (this.#state === 'STABLE' && this.#step === 'none' && !this.#isPreparingLeave)
        this.#partitions.takeMissing(at);
      this.#host.wake();
    };
    this.#partitions.takeOver(released, now);
  }

  // --- heartbeats

  get #hasHeartbeats(): boolean {
    return this.isMember && this.#step !== 'sent' && this.#state !== 'LEFT' && this.#state !== 'FATAL';
  }

  #onHeartbeat(errorCode: number, durationMs: number, now: number): void {
    this.#parts.report.heartbeatAnswered(durationMs, now);
    const action = heartbeatAction(errorCode);
    switch (action) {
      case 'ok':
      case 'rejoin':
        if (action === 'rejoin' && this.#state === 'STABLE' && this.#step === 'none') this.#isRejoinWanted = true;
        this.#heard(now);
        return;
      case 'find':
        this.#coordinator.unknown();
        this.#heartbeat.again();
        return;
      case 'backOff':
        this.#heartbeat.failed(now);
        return;
      case 'fatal':
        if (isBrokerFault(errorCode) && this.#trouble.maySettle(now)) this.#heartbeat.failed(now);
        else this.#refused(errorCode);
        return;
      default:
        this.onFenced(this.#generation, { api: Heartbeat.name, errorCode }, now);
    }
  }

  #heard(now: number): void {
    this.#trouble.over();
    this.#heartbeat.heard(now);
    this.#wait.succeeded();
  }

  // --- ends

  /** The group has continued without this member. The coordinator may still know its id, and would wait for a member that has another. */
  #lost(why: Fencing, now: number): void {
    const text = `generation ${this.#generation} is over (${this.#heartbeat.times.explain(why, now)})`;
    this.#parts.log('warn', `${this.#name}: ${text}; it has lost its partitions and joins again`);
    this.#forget(why.errorCode === codes.unknownMemberId);
    this.#parts.lose(this.#parts.owned(), now);
    this.#setState('UNJOINED');
    this.#isRejoinWanted = true;
    this.#host.wake();
  }

  #forget(needsNewId: boolean): void {
    this.#serial++;
    this.#generation = noGeneration;
    if (needsNewId) this.#memberId = '';
    this.#step = 'none';
    this.#isRejoinWanted = false;
    this.#leader.end();
    this.#parts.onChange();
  }

  #again(now: number, failures: number): void {
    this.#step = 'send';
    if (failures > 0) this.#wait.failed(now);
    this.#host.wake();
  }

  #onRequestFailed(error: Error, now: number): void {
    if (error instanceof UnsupportedVersionError || (error instanceof KafkaClientError && !error.retriable)) {
      this.#fatal(new GroupFatalError(`the group ${this.#settings.groupId} cannot be joined`, { cause: error }));
      return;
    }
    this.#coordinator.unknown();
    this.#again(now, 1);
  }

  #refused(errorCode: number): void {
    this.#fatal(refusedBy(this.#settings.groupId, errorCode, null));
  }

  #fatal(error: Error): void {
    this.#forget(true);
    this.forgetTopics();
    this.#setState('FATAL');
    this.#parts.onFatal(error);
  }

  #setState(state: ClassicState): void {
    if (state === this.#state) return;
    this.#parts.log('debug', `${this.#name}, generation ${this.#generation}: ${this.#state} -> ${state}`);
    this.#state = state;
    this.#parts.onChange();
  }

  get #name(): string {
    return `member ${this.#memberId || '(new)'} of group ${this.#settings.groupId}`;
  }
}
