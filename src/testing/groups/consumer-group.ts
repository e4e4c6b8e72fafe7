// Owns one group of the KIP-848 protocol: members, epochs, target assignment, reconciliation, as brokers 4.3 do it. Runs in
// the broker's thread. Timeouts use the broker's clock. It does not handle offsets.

import type { BrokerClock } from '../clock.ts';
import { errorCodes } from '../error-codes.ts';
import { nodeCrypto } from '../node-modules.ts';
import { type AssignmentTopic, assignors, defaultAssignor, type PartitionKey } from './assignors.ts';
import { ConsumerMember, leftButStatic } from './consumer-member.ts';
import type { GroupLimits, GroupTopics } from './group-coordinator.ts';

export interface ConsumerHeartbeat {
  readonly memberId: string;
  /** 0 joins, -1 leaves, -2 leaves but keeps a static member's place. */
  readonly memberEpoch: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  /** -1 for unchanged; so is null below. */
  readonly rebalanceTimeoutMs: number;
  readonly topicNames: readonly string[] | null;
  readonly regex: string | null;
  readonly serverAssignor: string | null;
  readonly owned: ReadonlySet<PartitionKey> | null;
  readonly clientId: string;
}

export interface ConsumerHeartbeatAnswer {
  readonly errorCode: number;
  readonly errorMessage?: string;
  readonly memberId: string | null;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Null for unchanged. */
  readonly assigned: readonly PartitionKey[] | null;
}

export interface CommitRequest {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly memberEpoch: number;
  readonly version: number;
  readonly isTransactional: boolean;
}

export interface ConsumerGroupParts {
  readonly clock: BrokerClock;
  readonly topics: GroupTopics;
  readonly limits: GroupLimits;
}

export type ConsumerGroupState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable';

const firstEpoch = 1;
const leaving = -1;
/** Version of OffsetCommit. */
const memberEpochFrom = 9;

export class ConsumerGroup {
  readonly id: string;
  readonly #clock: BrokerClock;
  readonly #topics: GroupTopics;
  readonly #limits: GroupLimits;
  readonly #left: () => void;
  readonly #members = new Map<string, ConsumerMember>();
  /** Instance id to member id. */
  readonly #statics = new Map<string, string>();
  readonly #revokingSince = new Map<ConsumerMember, number>();
  #target = new Map<string, Set<PartitionKey>>();
  #epoch = firstEpoch;
  #assignmentEpoch = 0;
  #subscribed = '';
  /** There is one assignment for each interval. A request in between gets the result of the last assignment. */
  #nextAssignmentAt = 0;

  /**
   * @param epoch  that of the classic group before it, 0 for none
   * @param left  called after a member has gone
   */
  constructor(id: string, parts: ConsumerGroupParts, epoch: number, left: () => void) {
    this.id = id;
    this.#clock = parts.clock;
    this.#topics = parts.topics;
    this.#limits = parts.limits;
    this.#epoch = Math.max(epoch, firstEpoch);
    this.#left = left;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get assignmentEpoch(): number {
    return this.#assignmentEpoch;
  }

  get members(): readonly ConsumerMember[] {
    return [...this.#members.values()];
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  get state(): ConsumerGroupState {
    if (this.#members.size === 0) return 'Empty';
    if (this.#epoch > this.#assignmentEpoch) return 'Assigning';
    const isDone = this.members.every(({ state, epoch }) => state === 'stable' && epoch === this.#assignmentEpoch);
    return isDone ? 'Stable' : 'Reconciling';
  }

  /** The assignor that most members ask for. */
  get assignorName(): string {
    const votes = this.members.flatMap(({ serverAssignor }) => (serverAssignor === null ? [] : [serverAssignor]));
    const count = (name: string): number => votes.filter((vote) => vote === name).length;
    return votes.reduce((best, name) => (count(name) > count(best) ? name : best), votes[0] ?? defaultAssignor);
  }

  member(id: string): ConsumerMember | undefined {
    return this.#members.get(id);
  }

  targetOf(memberId: string): ReadonlySet<PartitionKey> {
    return this.#target.get(memberId) ?? new Set();
  }

  heartbeat(request: ConsumerHeartbeat): ConsumerHeartbeatAnswer {
    if (request.memberEpoch < 0) return this.#leave(request);
    const isJoining = request.memberEpoch === 0;
    const found = isJoining ? this.#joining(request) : this.#known(request);
    if (typeof found === 'number') return refusal(found);
    const before = new Set(found.assigned.keys());
    this.#enter(found, isJoining);
    const isChanged = subscribe(found, request);
    this.advance(found, isChanged, request.owned);
    this.keepAlive(found);
    const isFull =
      isJoining ||
      (request.rebalanceTimeoutMs !== -1 &&
        (request.topicNames !== null || request.regex !== null) &&
        request.owned !== null);
    const isNew = before.size !== found.assigned.size || [...found.assigned.keys()].some((key) => !before.has(key));
    return {
      errorCode: errorCodes.NONE,
      memberId: found.id,
      memberEpoch: found.epoch,
      heartbeatIntervalMs: this.#limits.consumerHeartbeatIntervalMs,
      assigned: isFull || isNew ? [...found.assigned.keys()] : null,
    };
  }

  /** Whether this committer may commit offsets. `mayCommit` tells for which partitions. */
  checkCommit(request: CommitRequest): number {
    const { memberId, instanceId, memberEpoch, version, isTransactional } = request;
    if (memberEpoch < 0 && this.#members.size === 0) return errorCodes.NONE;
    if (isTransactional && memberEpoch === -1 && memberId === '' && instanceId === null) return errorCodes.NONE;
    const member = this.#members.get(memberId);
    if (member === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
    if (!isTransactional && member.classic === null && version < memberEpochFrom) return errorCodes.UNSUPPORTED_VERSION;
    const stale = member.classic === null ? errorCodes.STALE_MEMBER_EPOCH : errorCodes.ILLEGAL_GENERATION;
    return memberEpoch > member.epoch ? stale : errorCodes.NONE;
  }

  /** With an older epoch a member may commit only partitions that it has had since that epoch. */
  mayCommit(memberId: string, memberEpoch: number, key: PartitionKey): boolean {
    const member = this.#members.get(memberId);
    if (member === undefined || memberEpoch < 0 || memberEpoch === member.epoch) return true;
    const since = member.assigned.get(key);
    return since !== undefined && since <= memberEpoch;
  }

  /** Whether a member may read offsets. Null and -1 mean that the reader is not a member. */
  checkFetch(memberId: string | null, memberEpoch: number): number {
    if (memberId === null && memberEpoch < 0) return errorCodes.NONE;
    const member = this.#members.get(memberId ?? '');
    if (member === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
    return memberEpoch === member.epoch ? errorCodes.NONE : errorCodes.STALE_MEMBER_EPOCH;
  }

  /** Moves the group and then one member one step forward. */
  advance(member: ConsumerMember, isChanged: boolean, owned: ReadonlySet<PartitionKey> | null): void {
    const subscribed = this.#subscriptionText();
    if (isChanged || subscribed !== this.#subscribed) this.#epoch++;
    this.#subscribed = subscribed;
    if (this.#epoch > this.#assignmentEpoch && this.#clock.now() >= this.#nextAssignmentAt) this.#assign();
    const others = this.members.filter((each) => each !== member);
    const isFree = (key: PartitionKey): boolean => !others.some((other) => other.holds(key));
    member.reconcile(this.targetOf(member.id), this.#assignmentEpoch, owned, isFree);
    this.#watchRebalance(member);
  }

  /** A member that comes from the classic protocol with its partitions. */
  adopt(member: ConsumerMember): void {
    this.add(member);
    this.#target.set(member.id, new Set(member.assigned.keys()));
    this.#assignmentEpoch = this.#epoch;
    this.#subscribed = this.#subscriptionText();
  }

  /** Whether a partition that the member waits for is free now. */
  hasRoomFor(member: ConsumerMember): boolean {
    const others = this.members.filter((each) => each !== member);
    return [...this.targetOf(member.id)].some(
      (key) => !member.assigned.has(key) && !others.some((other) => other.holds(key)),
    );
  }

  /** Ends all time-outs, when the group is of the classic protocol again. */
  dissolve(): void {
    for (const member of this.#members.values()) member.endTimers();
  }

  add(member: ConsumerMember): void {
    this.#members.set(member.id, member);
    if (member.instanceId !== null) this.#statics.set(member.instanceId, member.id);
  }

  staticMember(instanceId: string): ConsumerMember | undefined {
    return this.#members.get(this.#statics.get(instanceId) ?? '');
  }

  /** Takes over the assignment and the target of a static member that has left with -2. */
  replace(old: ConsumerMember, member: ConsumerMember): void {
    old.endTimers();
    this.#members.delete(old.id);
    Object.assign(member, {
      rackId: old.rackId,
      rebalanceTimeoutMs: old.rebalanceTimeoutMs,
      topicNames: old.topicNames,
      regex: old.regex,
      serverAssignor: old.serverAssignor,
      assigned: new Map(old.assigned),
      previousEpoch: 0,
    });
    const target = this.#target.get(old.id);
    this.#target.delete(old.id);
    if (target !== undefined) this.#target.set(member.id, target);
    this.add(member);
  }

  keepAlive(member: ConsumerMember): void {
    member.forgetSession();
    const sessionTimeoutMs = member.classic?.sessionTimeoutMs ?? this.#limits.consumerSessionTimeoutMs;
    member.forgetSession = this.#clock.after(sessionTimeoutMs, () => this.remove(member));
  }

  remove(member: ConsumerMember): void {
    member.endTimers();
    this.#members.delete(member.id);
    this.#revokingSince.delete(member);
    this.#target.delete(member.id);
    if (member.instanceId !== null && this.#statics.get(member.instanceId) === member.id)
      this.#statics.delete(member.instanceId);
    this.#subscribed = this.#subscriptionText();
    this.#epoch++;
    this.#left();
  }

  /** Removes a member as if its session were over. False if there is no such member. */
  expel(memberId: string): boolean {
    const member = this.#members.get(memberId);
    if (member === undefined) return false;
    this.remove(member);
    return true;
  }

  #joining(request: ConsumerHeartbeat): ConsumerMember | number {
    const { instanceId, clientId } = request;
    const id = request.memberId === '' ? nodeCrypto().randomUUID() : request.memberId;
    const known = this.#members.get(id);
    const holder = instanceId === null ? known : this.staticMember(instanceId);
    if (holder !== undefined && holder.id === id) return holder;
    if (holder !== undefined) {
      if (holder.epoch !== leftButStatic) return errorCodes.UNRELEASED_INSTANCE_ID;
      const member = new ConsumerMember({ id, instanceId, clientId });
      this.replace(holder, member);
      return member;
    }
    if (known === undefined && this.#members.size >= this.#limits.maxSize) return errorCodes.GROUP_MAX_SIZE_REACHED;
    return new ConsumerMember({ id, instanceId, clientId });
  }

  #known(request: ConsumerHeartbeat): ConsumerMember | number {
    const { memberId, memberEpoch, instanceId, owned } = request;
    const member = instanceId === null ? this.#members.get(memberId) : this.staticMember(instanceId);
    if (member === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
    if (member.id !== memberId) return errorCodes.FENCED_INSTANCE_ID;
    if (memberEpoch === member.epoch) return member;
    // The answer was lost, so that the member does not know its new epoch.
    const isPrevious = memberEpoch < member.epoch && memberEpoch === member.previousEpoch;
    const isWithin = owned !== null && [...owned].every((key) => member.assigned.has(key));
    return isPrevious && isWithin ? member : errorCodes.FENCED_MEMBER_EPOCH;
  }

  #enter(member: ConsumerMember, isJoining: boolean): void {
    if (!this.#members.has(member.id)) this.add(member);
    if (isJoining && member.epoch === leftButStatic) member.epoch = 0;
  }

  #leave(request: ConsumerHeartbeat): ConsumerHeartbeatAnswer {
    const { memberId, memberEpoch, instanceId } = request;
    const member = instanceId === null ? this.#members.get(memberId) : this.staticMember(instanceId);
    if (member === undefined) return refusal(errorCodes.UNKNOWN_MEMBER_ID);
    if (member.id !== memberId) return refusal(errorCodes.FENCED_INSTANCE_ID);
    if (memberEpoch === leaving) {
      this.remove(member);
    } else {
      member.epoch = leftButStatic;
      member.forgetRebalance();
      // The member has given up what it had to give up.
      member.revoking = new Set();
      member.state = 'stable';
    }
    return { errorCode: errorCodes.NONE, memberId, memberEpoch, heartbeatIntervalMs: 0, assigned: null };
  }

  #watchRebalance(member: ConsumerMember): void {
    member.forgetRebalance();
    if (member.state !== 'unrevoked') {
      this.#revokingSince.delete(member);
      return;
    }
    const { epoch } = member;
    const startedAt = this.#revokingSince.get(member) ?? this.#clock.now();
    this.#revokingSince.set(member, startedAt);
    const left = startedAt + member.rebalanceTimeoutMs - this.#clock.now();
    member.forgetRebalance = this.#clock.after(left, () => {
      if (member.state === 'unrevoked' && member.epoch === epoch) this.remove(member);
    });
  }

  #assign(): void {
    const topics = this.#topics.topics;
    const wanted = new Set<string>();
    const members = this.members.map((member) => {
      const topicIds = new Set(topics.filter(({ name }) => wants(member, name)).map(({ id }) => id));
      for (const id of topicIds) wanted.add(id);
      return { id: member.id, instanceId: member.instanceId, topicIds, current: this.targetOf(member.id) };
    });
    const described: AssignmentTopic[] = topics
      .filter(({ id }) => wanted.has(id))
      .map(({ id, partitions }) => ({ id, partitions: partitions.length }));
    this.#target = assignors.get(this.assignorName)!(members, described);
    this.#assignmentEpoch = this.#epoch;
    if (described.length > 0) this.#nextAssignmentAt = this.#clock.now() + this.#limits.consumerAssignmentIntervalMs;
  }

  /** Changes with the topics that members want, their ids and partitions. */
  #subscriptionText(): string {
    const { topics } = this.#topics;
    return topics
      .filter(({ name }) => this.members.some((member) => wants(member, name)))
      .map(({ id, partitions }) => `${id}:${partitions.length}`)
      .join();
  }
}

function refusal(errorCode: number): ConsumerHeartbeatAnswer {
  return {
    errorCode,
    errorMessage: `error ${errorCode}`,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assigned: null,
  };
}

/** Stores the fields of the request. Returns whether the member's wishes have changed. */
function subscribe(member: ConsumerMember, request: ConsumerHeartbeat): boolean {
  const { topicNames, regex } = request;
  const before = subscriptionOf(member);
  if (topicNames !== null) member.topicNames = [...new Set(topicNames)].sort();
  if (regex !== null) member.regex = regex;
  if (request.rackId !== null) member.rackId = request.rackId;
  if (request.rebalanceTimeoutMs !== -1) member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
  if (request.serverAssignor !== null) member.serverAssignor = request.serverAssignor;
  return subscriptionOf(member) !== before;
}

function subscriptionOf({ topicNames, regex }: ConsumerMember): string {
  return JSON.stringify([topicNames, regex]);
}

export function wants({ topicNames, regex }: ConsumerMember, topic: string): boolean {
  return topicNames.includes(topic) || (regex !== '' && (compiled(regex)?.test(topic) ?? false));
}

export function isRegex(text: string): boolean {
  return text === '' || compiled(text) !== null;
}

/** Null for an invalid pattern. Brokers use RE2J. Patterns that only JavaScript knows are accepted here too. */
function compiled(regex: string): RegExp | null {
  try {
    return new RegExp(`^(?:${regex})$`, 'u');
  } catch {
    return null;
  }
}
