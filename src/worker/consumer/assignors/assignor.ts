// Owns the input and output of the classic protocol's assignors, and the order of members that all of them use. Network thread. Must
// not know the wire format: consumer-protocol.ts does.

import type { TopicPartition } from '../../../common/config/consumer-config.ts';

export interface AssignorMember {
  readonly id: string;
  readonly instanceId: string | null;
  readonly topics: readonly string[];
  /** The partitions that the member says it owns, and the generation of that. -1 for unknown. */
  readonly owned: readonly TopicPartition[];
  readonly generation: number;
  /** Null: unknown. */
  readonly rackId: string | null;
  /** The assignor's own bytes. Null for none. */
  readonly userData: Uint8Array | null;
}

/** The partitions of each member, by member id. */
export type GroupAssignment = Map<string, TopicPartition[]>;

/** The racks in which a partition has replicas. Brokers without a rack do not count. */
export type ReplicaRacks = (topic: string, partition: number) => ReadonlySet<string>;

/** @param partitionCounts the partition counts of existing topics; partitions of other topics are not assigned */
export type Assign = (
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
  replicaRacks?: ReplicaRacks,
) => GroupAssignment;

/** Compares by UTF-16 units, like Java. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Static members come first, by instance id, so that they keep their place after a restart. The others follow by member id. */
export function compareMembers(a: AssignorMember, b: AssignorMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compareText(a.instanceId, b.instanceId);
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return compareText(a.id, b.id);
}

export function emptyAssignment(members: readonly AssignorMember[]): GroupAssignment {
  return new Map(members.map(({ id }) => [id, []]));
}
