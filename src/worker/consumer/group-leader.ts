// Owns the work of a classic group's leader: it needs the topics of all members and computes which member gets which partitions.
// Network thread. Must not send: classic-group-member.ts does.

import { IllegalStateError, KafkaProtocolError } from '../../common/errors/errors.ts';
import type { JoinGroupResponseView } from '../../protocol/flat/generated/join-group.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import type { AssignorMember } from './assignors/assignor.ts';
import { assignors } from './assignors/index.ts';
import { decodeSubscription, encodeAssignment, type MemberSubscription } from './consumer-protocol.ts';

export interface EncodedAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

export class GroupLeader {
  readonly #cluster: ClusterView;
  #members: readonly AssignorMember[] | null = null;
  #topics: ReadonlySet<string> = new Set();
  /** The partition counts from which the assignment was computed. Null while this member is not the leader. */
  #countsText: string | null = null;
  #seenUpdateId = -1;
  /** Why the members' subscriptions cannot be used. */
  #problem: Error | null = null;
  /** The coordinator keeps the assignment that it has. */
  #isAssigned = false;

  constructor(cluster: ClusterView) {
    this.#cluster = cluster;
  }

  /** @param response the response to the leader's join; null for a member that is not the leader */
  begin(response: JoinGroupResponseView | null): void {
    this.#countsText = null;
    this.#problem = null;
    this.#isAssigned = response?.skipAssignment === true;
    if (response === null) {
      this.#members = null;
      this.#track(new Set());
      return;
    }
    try {
      this.#members = response.members.map(({ memberId, groupInstanceId, metadata }) => {
        const { topics, owned, generation, userData, rackId } = readSubscription(memberId, metadata);
        return { id: memberId, instanceId: groupInstanceId, topics, owned, generation, userData, rackId };
      });
    } catch (error) {
      this.#members = [];
      this.#problem = error as Error;
    }
    this.#track(new Set(this.#members.flatMap(({ topics }) => topics)));
  }

  /**
   * Returns null while metadata of a topic is missing, and an empty list for a member that is not the leader, or whose coordinator
   * wants no assignment (KIP-814): it watches the topics all the same.
   * Throws: KafkaProtocolError when the subscription of a member cannot be read
   */
  assign(protocolName: string): readonly EncodedAssignment[] | null {
    if (this.#members === null) return [];
    if (this.#problem !== null && this.#isAssigned) return [];
    if (this.#problem !== null) throw this.#problem;
    for (const topic of this.#topics) {
      if (this.#cluster.partitionCount(topic) !== null || (this.#cluster.topicError(topic) ?? 0) !== 0) continue;
      this.#cluster.requestUpdate();
      return null;
    }
    const entry = Object.hasOwn(assignors, protocolName)
      ? assignors[protocolName as keyof typeof assignors]
      : undefined;
    if (entry === undefined)
      throw new IllegalStateError(`the group chose the assignor '${protocolName}', which this member did not offer`);
    const counts = this.#counts();
    this.#countsText = this.#textOf(counts);
    this.#seenUpdateId = this.#cluster.updateId;
    if (this.#isAssigned) return [];
    const racks = (topic: string, partition: number): ReadonlySet<string> =>
      this.#cluster.replicaRacks(topic, partition);
    const assignment = entry.assign(this.#members, counts, racks);
    return [...assignment].map(([memberId, partitions]) => ({ memberId, assignment: encodeAssignment(partitions) }));
  }

  /** Whether topics were added, removed or given more partitions, or replicas are in other racks, since the assignment was computed. */
  hasTopicsChanged(): boolean {
    if (this.#countsText === null || this.#seenUpdateId === this.#cluster.updateId) return false;
    this.#seenUpdateId = this.#cluster.updateId;
    if (this.#textOf(this.#counts()) === this.#countsText) return false;
    this.#countsText = null;
    return true;
  }

  /** The member is not the leader any more. */
  end(): void {
    this.#members = null;
    this.#countsText = null;
  }

  /** The member is none any more, or for now. */
  close(): void {
    this.end();
    this.#cluster.forget(this);
    this.#topics = new Set();
  }

  #counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const topic of this.#topics) {
      const count = this.#cluster.partitionCount(topic);
      if (count !== null) counts.set(topic, count);
    }
    return counts;
  }

  /** What the assignment depends on. Racks count only if a member has one. */
  #textOf(counts: ReadonlyMap<string, number>): string {
    const hasRacks = this.#members?.some(({ rackId }) => rackId !== null) === true;
    const racksOf = (topic: string, count: number): string =>
      Array.from({ length: count }, (_, i) => [...this.#cluster.replicaRacks(topic, i)].sort().join('+')).join('/');
    return [...counts]
      .map(([topic, count]) => `${topic}:${count}${hasRacks ? `:${racksOf(topic, count)}` : ''}`)
      .sort()
      .join();
  }

  #track(topics: ReadonlySet<string>): void {
    for (const topic of topics) if (!this.#topics.has(topic)) this.#cluster.addTopic(this, topic);
    for (const topic of this.#topics) if (!topics.has(topic)) this.#cluster.removeTopic(this, topic);
    this.#topics = topics;
  }
}

function readSubscription(memberId: string, metadata: Uint8Array): MemberSubscription {
  try {
    return decodeSubscription(metadata);
  } catch (cause) {
    throw new KafkaProtocolError(`the subscription of member ${memberId} cannot be read`, { cause });
  }
}
