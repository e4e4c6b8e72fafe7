// Owns the groups of an embedded cluster by id. All nodes share one state, as if each coordinator read its log at once. The handlers
// check whether the right node is asked. Runs in the broker's thread.

import type { GroupDescription } from '../actions.ts';
import type { BrokerClock } from '../clock.ts';
import { errorCodes } from '../error-codes.ts';
import type { GroupOptions } from '../options.ts';
import { indexOf, topicIdOf } from './assignors.ts';
import { ClassicGroup, type MemberIdentity, type SyncRequest } from './classic-group.ts';
import { type JoinAnswer, type JoinRequest, joinRefusal, type SyncAnswer, syncRefusal } from './classic-member.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { GroupOffsets } from './group-offsets.ts';
import {
  downgrade,
  heartbeatMixed,
  isDowngradable,
  isUpgradable,
  joinMixed,
  leaveMixed,
  syncMixed,
  upgrade,
} from './mixed-group.ts';

export type GroupLimits = Required<GroupOptions>;

export function groupLimits(options: GroupOptions = {}): GroupLimits {
  return {
    initialRebalanceDelayMs: 0,
    minSessionTimeoutMs: 6000,
    maxSessionTimeoutMs: 1_800_000,
    maxSize: 0x7fff_ffff,
    consumerSessionTimeoutMs: 45_000,
    consumerHeartbeatIntervalMs: 5000,
    consumerAssignmentIntervalMs: 1000,
    ...options,
  };
}

/** The topics that groups can subscribe to. */
export interface GroupTopics {
  readonly topics: readonly {
    readonly name: string;
    readonly id: string;
    readonly partitions: readonly { readonly index: number }[];
  }[];
}

export interface Group {
  readonly id: string;
  readonly offsets: GroupOffsets;
  /** At most one of both. */
  classic: ClassicGroup | null;
  consumer: ConsumerGroup | null;
}

export interface Committer {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Generation of a classic group, or member epoch. */
  readonly epoch: number;
}

export interface CommitKind {
  /** Of OffsetCommit, or of TxnOffsetCommit. */
  readonly version: number;
  readonly isTransactional: boolean;
}

const memberEpochFrom = 9;

export class GroupCoordinator {
  readonly limits: GroupLimits;
  readonly #clock: BrokerClock;
  readonly #topics: GroupTopics;
  readonly #groups = new Map<string, Group>();

  constructor(clock: BrokerClock, topics: GroupTopics, limits: GroupLimits) {
    this.limits = limits;
    this.#clock = clock;
    this.#topics = topics;
  }

  get groups(): readonly Group[] {
    return [...this.#groups.values()];
  }

  get topics(): GroupTopics {
    return this.#topics;
  }

  find(id: string): Group | undefined {
    return this.#groups.get(id);
  }

  findOrCreate(id: string): Group {
    const known = this.#groups.get(id);
    if (known !== undefined) return known;
    const group: Group = { id, offsets: new GroupOffsets(), classic: null, consumer: null };
    this.#groups.set(id, group);
    return group;
  }

  /** The KIP-848 group of that id. A joining member creates it. Null if it does not exist or is of another kind. */
  consumer(id: string, mayMake: boolean): ConsumerGroup | null {
    const group = mayMake ? this.findOrCreate(id) : this.#groups.get(id);
    if (group === undefined) return null;
    const { classic } = group;
    if (group.consumer !== null || !mayMake) return group.consumer;
    if (classic !== null && !classic.isEmpty && !isUpgradable(classic)) return null;
    const parts = { clock: this.#clock, topics: this.#topics, limits: this.limits };
    const consumer = new ConsumerGroup(id, parts, classic?.generationId ?? 0, () => this.#left(group, consumer));
    if (classic !== null) upgrade(classic, consumer, this.#topics);
    group.consumer = consumer;
    group.classic = null;
    return consumer;
  }

  join(id: string, request: JoinRequest): JoinAnswer | Promise<JoinAnswer> {
    const group = this.#groups.get(id);
    if (group?.consumer != null && !group.consumer.isEmpty) return joinMixed(group.consumer, this.#topics, request);
    if (request.memberId !== '' && (group?.classic ?? null) === null)
      return joinRefusal(errorCodes.UNKNOWN_MEMBER_ID, request.memberId);
    return this.#classic(id).join(request);
  }

  sync(id: string, request: SyncRequest): SyncAnswer | Promise<SyncAnswer> {
    const group = this.#groups.get(id);
    if (group?.consumer != null) return syncMixed(group.consumer, this.#topics, request);
    return group?.classic?.sync(request) ?? syncRefusal(errorCodes.UNKNOWN_MEMBER_ID);
  }

  heartbeat(id: string, request: MemberIdentity & { readonly generationId: number }): number {
    const group = this.#groups.get(id);
    if (group?.consumer != null) return heartbeatMixed(group.consumer, request);
    return group?.classic?.heartbeat(request) ?? errorCodes.UNKNOWN_MEMBER_ID;
  }

  leave(id: string, member: MemberIdentity): number {
    const group = this.#groups.get(id);
    if (group?.consumer != null) return leaveMixed(group.consumer, member);
    return group?.classic?.leave(member) ?? errorCodes.UNKNOWN_MEMBER_ID;
  }

  /** Whether this committer may commit offsets to the group. Creates the group for a committer without a group. */
  checkCommit(id: string, committer: Committer, { version, isTransactional }: CommitKind): number {
    const unknown =
      isTransactional || version >= memberEpochFrom ? errorCodes.GROUP_ID_NOT_FOUND : errorCodes.ILLEGAL_GENERATION;
    const { memberId, instanceId, epoch: generationId } = committer;
    const group = this.#groups.get(id);
    if (group === undefined) {
      if (generationId >= 0) return unknown;
      this.findOrCreate(id);
      return errorCodes.NONE;
    }
    if (group.consumer !== null) {
      const request = { memberId, instanceId, memberEpoch: generationId, version, isTransactional };
      return group.consumer.checkCommit(request);
    }
    if (group.classic === null) return generationId >= 0 ? errorCodes.UNKNOWN_MEMBER_ID : errorCodes.NONE;
    return group.classic.checkCommit({ memberId, instanceId, generationId, isTransactional });
  }

  endTransaction(id: string, producerId: number, isCommit: boolean): void {
    this.#groups.get(id)?.offsets.endTransaction(producerId, isCommit);
  }

  forgetTopic(topic: string): void {
    for (const { offsets } of this.#groups.values()) offsets.forgetTopic(topic);
  }

  /** False when the group has no member of that id. */
  expel(id: string, memberId: string): boolean {
    const group = this.#groups.get(id);
    return group?.classic?.expel(memberId) ?? group?.consumer?.expel(memberId) ?? false;
  }

  #classic(id: string): ClassicGroup {
    const group = this.findOrCreate(id);
    group.classic ??= new ClassicGroup(id, this.#clock, this.limits, group.consumer?.epoch ?? 0);
    group.consumer = null;
    return group.classic;
  }

  /** When the last KIP-848 member has gone, the others go back to their own protocol. */
  #left(group: Group, consumer: ConsumerGroup): void {
    if (group.consumer !== consumer || !isDowngradable(consumer)) return;
    const classic = new ClassicGroup(group.id, this.#clock, this.limits);
    downgrade(consumer, classic, this.#topics);
    group.consumer = null;
    group.classic = classic;
  }
}

export function describeGroup({ classic, consumer }: Group, nameOf: (topicId: string) => string): GroupDescription {
  if (classic !== null) {
    const { state, generationId: epoch } = classic;
    const members = classic.members.map(({ id, instanceId }) => ({ memberId: id, instanceId, epoch, partitions: [] }));
    return { kind: 'classic', state, epoch, members };
  }
  if (consumer === null) return { kind: 'none', state: 'Empty', epoch: 0, members: [] };
  const members = consumer.members.map(({ id, instanceId, epoch, assigned }) => ({
    memberId: id,
    instanceId,
    epoch,
    partitions: [...assigned.keys()].map((key) => `${nameOf(topicIdOf(key))}/${indexOf(key)}`).sort(),
  }));
  return { kind: 'consumer', state: consumer.state, epoch: consumer.epoch, members };
}
