// Owns the groups of an embedded cluster by id: one state for all nodes, as if each coordinator read its log at once; who
// may ask which node is checked by the handlers. Runs in the broker's thread.

import type { GroupDescription } from '../actions.ts';
import type { BrokerClock } from '../clock.ts';
import { errorCodes } from '../error-codes.ts';
import type { GroupOptions } from '../options.ts';
import { indexOf, topicIdOf } from './assignors.ts';
import { ClassicGroup } from './classic-group.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { GroupOffsets } from './group-offsets.ts';

export type GroupLimits = Required<GroupOptions>;

export function groupLimits(options: GroupOptions = {}): GroupLimits {
  return {
    initialRebalanceDelayMs: 0,
    minSessionTimeoutMs: 6000,
    maxSessionTimeoutMs: 1_800_000,
    maxSize: 0x7fff_ffff,
    consumerSessionTimeoutMs: 45_000,
    consumerHeartbeatIntervalMs: 5000,
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

  classic(id: string): ClassicGroup {
    const group = this.findOrCreate(id);
    group.classic ??= new ClassicGroup(id, this.#clock, this.limits);
    return group.classic;
  }

  /** The KIP-848 group of that id, which a member that joins makes; null when there is none, or another kind with members. */
  consumer(id: string, mayMake: boolean): ConsumerGroup | null {
    const group = mayMake ? this.findOrCreate(id) : this.#groups.get(id);
    if (group === undefined) return null;
    if (group.consumer !== null || !mayMake) return group.consumer;
    if (group.classic !== null && !group.classic.isEmpty) return null;
    group.consumer = new ConsumerGroup(id, this.#clock, this.#topics, this.limits, group.classic?.generationId ?? 0);
    group.classic?.dissolve();
    group.classic = null;
    return group.consumer;
  }

  /** Whether those may commit offsets to the group; makes it for who is in no group. */
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

  delete(id: string): void {
    this.#groups.delete(id);
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
