// Owns one group of the classic protocol: JoinGroup, SyncGroup, Heartbeat and LeaveGroup as the group coordinator of
// brokers 4.x answers them. Runs in the broker's thread. Timeouts use the broker's clock. It does not handle offsets.

import { greatest } from '../../common/lists.ts';
import type { BrokerClock } from '../clock.ts';
import { errorCodes } from '../error-codes.ts';
import { nodeCrypto } from '../node-modules.ts';
import {
  ClassicMember,
  type JoinAnswer,
  type JoinRequest,
  joinRefusal,
  noAssignment,
  type SyncAnswer,
  syncRefusal,
} from './classic-member.ts';
import {
  joinAnswer,
  type MemberIdentity,
  membersForLeader,
  type SyncRequest,
  selectProtocol,
  supportsProtocols,
  syncAnswer,
} from './classic-protocols.ts';
import type { GroupLimits } from './group-coordinator.ts';

export type { MemberIdentity, SyncRequest } from './classic-protocols.ts';

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable';

export class ClassicGroup {
  readonly id: string;
  readonly #clock: BrokerClock;
  readonly #limits: GroupLimits;
  readonly #members = new Map<string, ClassicMember>();
  /** Instance id to member id. */
  readonly #statics = new Map<string, string>();
  /** New members that got an id and have not joined with it yet, each with a function that cancels its timer. */
  readonly #pending = new Map<string, () => void>();
  readonly #unsynced = new Set<string>();
  #state: ClassicState = 'Empty';
  #generationId = 0;
  #protocolType: string | null = null;
  #protocolName: string | null = null;
  #leaderId: string | null = null;
  #isInitialDelay = false;
  #forgetRebalance: () => void = () => {};
  #forgetSync: () => void = () => {};

  /** @param generationId  of the group that was there before */
  constructor(id: string, clock: BrokerClock, limits: GroupLimits, generationId = 0) {
    this.#generationId = generationId;
    this.id = id;
    this.#clock = clock;
    this.#limits = limits;
  }

  get state(): ClassicState {
    return this.#state;
  }

  get generationId(): number {
    return this.#generationId;
  }

  get protocolType(): string | null {
    return this.#protocolType;
  }

  get protocolName(): string | null {
    return this.#protocolName;
  }

  get leaderId(): string | null {
    return this.#leaderId;
  }

  get members(): readonly ClassicMember[] {
    return [...this.#members.values()];
  }

  /** True if there are no members and no new members that have only an id. */
  get isEmpty(): boolean {
    return this.#members.size === 0 && this.#pending.size === 0;
  }

  join(request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const { memberId, instanceId } = request;
    if (!supportsProtocols(request, this.#protocolType, this.members))
      return joinRefusal(errorCodes.INCONSISTENT_GROUP_PROTOCOL, memberId);
    const isNew = !this.#members.has(memberId) && !this.#pending.has(memberId);
    if (isNew && this.#members.size >= this.#limits.maxSize)
      return joinRefusal(errorCodes.GROUP_MAX_SIZE_REACHED, memberId);
    if (memberId === '') return instanceId === null ? this.#joinNew(request) : this.#joinStatic(request, instanceId);
    if (this.#pending.has(memberId) && instanceId === null) return this.#add(memberId, request);
    const problem = this.#check(request);
    if (problem !== errorCodes.NONE) return joinRefusal(problem, memberId);
    return this.#rejoin(this.#members.get(memberId)!, request);
  }

  sync(request: SyncRequest): SyncAnswer | Promise<SyncAnswer> {
    const problem = this.#check(request);
    if (problem !== errorCodes.NONE) return syncRefusal(problem);
    if (request.generationId !== this.#generationId) return syncRefusal(errorCodes.ILLEGAL_GENERATION);
    const { protocolType, protocolName } = request;
    if (
      (protocolType !== null && protocolType !== this.#protocolType) ||
      (protocolName !== null && protocolName !== this.#protocolName)
    ) {
      return syncRefusal(errorCodes.INCONSISTENT_GROUP_PROTOCOL);
    }
    const member = this.#members.get(request.memberId)!;
    switch (this.#state) {
      case 'Empty':
        return syncRefusal(errorCodes.UNKNOWN_MEMBER_ID);
      case 'PreparingRebalance':
        return syncRefusal(errorCodes.REBALANCE_IN_PROGRESS);
      case 'Stable':
        this.#keepAlive(member);
        return syncAnswer(this, member);
      case 'CompletingRebalance': {
        const answer = member.awaitSync();
        this.#unsynced.delete(member.id);
        if (member.id === this.#leaderId) this.#assigned(request.assignments);
        return answer;
      }
    }
  }

  heartbeat(request: MemberIdentity & { readonly generationId: number }): number {
    const problem = this.#check(request);
    if (problem !== errorCodes.NONE) return problem;
    if (this.#state === 'Empty') return errorCodes.UNKNOWN_MEMBER_ID;
    if (request.generationId !== this.#generationId) return errorCodes.ILLEGAL_GENERATION;
    this.#keepAlive(this.#members.get(request.memberId)!);
    return this.#state === 'PreparingRebalance' ? errorCodes.REBALANCE_IN_PROGRESS : errorCodes.NONE;
  }

  leave({ memberId, instanceId }: MemberIdentity): number {
    if (this.#pending.has(memberId) && instanceId === null) {
      this.#forgetPending(memberId);
      this.#maybeCompleteJoin();
      return errorCodes.NONE;
    }
    // A static member can be removed by its instance id alone.
    const known = instanceId === null ? memberId : (this.#statics.get(instanceId) ?? '');
    if (!this.#members.has(known)) return errorCodes.UNKNOWN_MEMBER_ID;
    if (memberId !== '' && memberId !== known) return errorCodes.FENCED_INSTANCE_ID;
    this.#remove(this.#members.get(known)!);
    return errorCodes.NONE;
  }

  /** Whether this committer may commit offsets. */
  checkCommit(request: MemberIdentity & { readonly generationId: number; readonly isTransactional: boolean }): number {
    const { memberId, instanceId, generationId, isTransactional } = request;
    if (generationId < 0 && this.#state === 'Empty') return errorCodes.NONE;
    if (generationId >= 0 || memberId !== '' || instanceId !== null) {
      const problem = this.#check(request);
      if (problem !== errorCodes.NONE) return problem;
      if (generationId !== this.#generationId) return errorCodes.ILLEGAL_GENERATION;
      this.#keepAlive(this.#members.get(memberId)!);
    } else if (!isTransactional) {
      return errorCodes.UNKNOWN_MEMBER_ID;
    }
    const isRebalancing = !isTransactional && this.#state === 'CompletingRebalance';
    return isRebalancing ? errorCodes.REBALANCE_IN_PROGRESS : errorCodes.NONE;
  }

  /** Removes the member as if its session were over, for tests. False if there is no such member. */
  expel(memberId: string): boolean {
    const member = this.#members.get(memberId);
    if (member === undefined) return false;
    this.#remove(member);
    return true;
  }

  /** The coordinator has moved: waiting members are told to find the new one. */
  abandon(errorCode: number): void {
    for (const member of this.#members.values()) {
      member.answerJoin(joinRefusal(errorCode, member.id));
      member.answerSync(syncRefusal(errorCode));
    }
  }

  /** Takes members of the other protocol with their partitions, in that generation. Then every member joins again. */
  takeOver(
    generationId: number,
    members: readonly { readonly id: string; readonly request: JoinRequest; readonly assignment: Buffer }[],
  ): void {
    this.#generationId = generationId;
    for (const { id, request, assignment } of members) {
      const member = new ClassicMember(id, request);
      member.assignment = assignment;
      this.#protocolType = request.protocolType;
      this.#members.set(id, member);
      if (request.instanceId !== null) this.#statics.set(request.instanceId, id);
      this.#leaderId ??= id;
      this.#keepAlive(member);
    }
    this.#protocolName = selectProtocol(this.members);
    this.#state = 'Stable';
    this.#prepareRebalance();
  }

  /** Ends all sessions, when the group is no longer a classic group. */
  dissolve(): void {
    for (const member of this.#members.values()) member.endSession();
    for (const id of [...this.#pending.keys()]) this.#forgetPending(id);
    this.#forgetRebalance();
    this.#forgetSync();
  }

  #check({ memberId, instanceId }: MemberIdentity): number {
    if (instanceId !== null) {
      const known = this.#statics.get(instanceId);
      if (known === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
      return known === memberId ? errorCodes.NONE : errorCodes.FENCED_INSTANCE_ID;
    }
    return this.#members.has(memberId) ? errorCodes.NONE : errorCodes.UNKNOWN_MEMBER_ID;
  }

  #joinNew(request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const memberId = `${request.clientId}-${nodeCrypto().randomUUID()}`;
    if (!request.needsKnownId) return this.#add(memberId, request);
    const forget = this.#clock.after(request.sessionTimeoutMs, () => {
      this.#pending.delete(memberId);
      this.#maybeCompleteJoin();
    });
    this.#pending.set(memberId, forget);
    return joinRefusal(errorCodes.MEMBER_ID_REQUIRED, memberId);
  }

  #joinStatic(request: JoinRequest, instanceId: string): JoinAnswer | Promise<JoinAnswer> {
    const memberId = `${instanceId}-${nodeCrypto().randomUUID()}`;
    const oldId = this.#statics.get(instanceId);
    if (oldId === undefined) return this.#add(memberId, request);
    const oldLeader = this.#leaderId;
    const member = this.#members.get(oldId)!;
    this.#members.delete(oldId);
    member.answerJoin(joinRefusal(errorCodes.FENCED_INSTANCE_ID, oldId));
    member.answerSync(syncRefusal(errorCodes.FENCED_INSTANCE_ID));
    this.#unsynced.delete(oldId);
    member.id = memberId;
    this.#members.set(memberId, member);
    this.#statics.set(instanceId, memberId);
    if (oldLeader === oldId) this.#leaderId = memberId;
    member.update(request);
    this.#keepAlive(member);
    if (this.#state !== 'Stable') return this.#awaitJoin(member);
    if (selectProtocol(this.members) !== this.#protocolName) return this.#awaitJoin(member);
    // No other member has to rejoin. A leader whose version cannot skip the assignment is told that another member leads.
    const isLeader = this.#leaderId === memberId;
    const leader = isLeader && !request.maySkipAssignment ? oldLeader! : this.#leaderId!;
    return {
      ...joinAnswer(this, member),
      leader,
      skipAssignment: isLeader && request.maySkipAssignment,
      members: isLeader && request.maySkipAssignment ? this.#metadata() : [],
    };
  }

  #rejoin(member: ClassicMember, request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const isSame = member.hasSameProtocols(request.protocols);
    const needsRebalance =
      this.#state === 'PreparingRebalance' || !isSame || (this.#state === 'Stable' && member.id === this.#leaderId);
    member.update(request);
    this.#keepAlive(member);
    if (needsRebalance) return this.#awaitJoin(member);
    return { ...joinAnswer(this, member), members: member.id === this.#leaderId ? this.#metadata() : [] };
  }

  #add(memberId: string, request: JoinRequest): Promise<JoinAnswer> {
    this.#forgetPending(memberId);
    const member = new ClassicMember(memberId, request);
    if (this.#members.size === 0) this.#protocolType = request.protocolType;
    this.#members.set(memberId, member);
    if (request.instanceId !== null) this.#statics.set(request.instanceId, memberId);
    this.#leaderId ??= memberId;
    this.#keepAlive(member);
    return this.#awaitJoin(member);
  }

  #awaitJoin(member: ClassicMember): Promise<JoinAnswer> {
    const answer = member.awaitJoin();
    this.#prepareRebalance();
    return answer;
  }

  #prepareRebalance(): void {
    if (this.#state === 'PreparingRebalance') {
      this.#maybeCompleteJoin();
      return;
    }
    const wasEmpty = this.#state === 'Empty';
    this.#forgetSync();
    this.#unsynced.clear();
    for (const member of this.#members.values()) {
      if (this.#state === 'CompletingRebalance') member.assignment = noAssignment;
      member.answerSync(syncRefusal(errorCodes.REBALANCE_IN_PROGRESS));
    }
    this.#state = 'PreparingRebalance';
    this.#isInitialDelay = wasEmpty && this.#limits.initialRebalanceDelayMs > 0;
    const longest = greatest(
      [...this.#members.values()].map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs),
      0,
    );
    this.#forgetRebalance = this.#clock.after(
      this.#isInitialDelay ? this.#limits.initialRebalanceDelayMs : longest,
      () => this.#completeJoin(),
    );
    this.#maybeCompleteJoin();
  }

  #maybeCompleteJoin(): void {
    if (this.#state !== 'PreparingRebalance' || this.#isInitialDelay || this.#pending.size > 0) return;
    if ([...this.#members.values()].every(({ isJoining }) => isJoining)) this.#completeJoin();
  }

  /** All members have joined, or the time is over. Then members that have not joined are removed, except static members. */
  #completeJoin(): void {
    this.#forgetRebalance();
    this.#isInitialDelay = false;
    for (const member of [...this.#members.values()]) {
      if (!member.isJoining && member.instanceId === null) this.#drop(member);
    }
    const joined = [...this.#members.values()].filter(({ isJoining }) => isJoining);
    this.#generationId++;
    if (joined.length === 0) {
      for (const member of [...this.#members.values()]) this.#drop(member);
      this.#state = 'Empty';
      this.#protocolName = null;
      return;
    }
    if (this.#leaderId === null || !this.#members.get(this.#leaderId)?.isJoining) this.#leaderId = joined[0]!.id;
    this.#protocolName = selectProtocol(this.members);
    this.#state = 'CompletingRebalance';
    for (const member of this.#members.values()) this.#unsynced.add(member.id);
    const longest = greatest(joined.map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs));
    this.#forgetSync = this.#clock.after(longest, () => this.#syncIsLate());
    for (const member of joined) {
      member.answerJoin({
        ...joinAnswer(this, member),
        members: member.id === this.#leaderId ? this.#metadata() : [],
      });
      this.#keepAlive(member);
    }
  }

  #syncIsLate(): void {
    for (const id of [...this.#unsynced]) {
      const member = this.#members.get(id);
      if (member !== undefined) this.#drop(member);
    }
    this.#prepareRebalance();
  }

  #assigned(assignments: ReadonlyMap<string, Buffer>): void {
    this.#forgetSync();
    this.#unsynced.clear();
    this.#state = 'Stable';
    for (const member of this.#members.values()) {
      member.assignment = assignments.get(member.id) ?? noAssignment;
      this.#keepAlive(member);
      member.answerSync(syncAnswer(this, member));
    }
  }

  #remove(member: ClassicMember): void {
    this.#drop(member);
    if (this.#state === 'PreparingRebalance') this.#maybeCompleteJoin();
    else this.#prepareRebalance();
  }

  #drop(member: ClassicMember): void {
    member.endSession();
    this.#members.delete(member.id);
    this.#unsynced.delete(member.id);
    if (member.instanceId !== null) this.#statics.delete(member.instanceId);
    if (this.#leaderId === member.id) this.#leaderId = this.#members.keys().next().value ?? null;
    member.answerJoin(joinRefusal(errorCodes.UNKNOWN_MEMBER_ID, member.id));
    member.answerSync(syncRefusal(errorCodes.UNKNOWN_MEMBER_ID));
  }

  #keepAlive(member: ClassicMember): void {
    member.keepAlive(this.#clock, () => this.#remove(member));
  }

  #forgetPending(memberId: string): void {
    this.#pending.get(memberId)?.();
    this.#pending.delete(memberId);
  }

  #metadata(): JoinAnswer['members'] {
    return membersForLeader(this.members, this.#protocolName!);
  }
}
