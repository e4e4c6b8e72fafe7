// Owns what an assignor of the classic protocol is given and gives back, and the order of members that all share. Network thread.
// Must not know the wire: consumer-protocol.ts does.

import type { TopicPartition } from '../../../common/config/consumer-config.ts';

export interface AssignorMember {
  readonly id: string;
  readonly instanceId: string | null;
  readonly topics: readonly string[];
  /** What it says it has, and since which generation; -1 for unknown. */
  readonly owned: readonly TopicPartition[];
  readonly generation: number;
  /** Bytes of the assignor; null for none. */
  readonly userData: Uint8Array | null;
}

/** Partitions of each member, by its id. */
export type GroupAssignment = Map<string, TopicPartition[]>;

/** @param partitionCounts of topics that exist; others get no partitions */
export type Assign = (
  members: readonly AssignorMember[],
  partitionCounts: ReadonlyMap<string, number>,
) => GroupAssignment;

/** UTF-16 order, as Java has it. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Static members first, by instance id, so that a restart keeps their place; then the others by member id. */
export function compareMembers(a: AssignorMember, b: AssignorMember): number {
  if (a.instanceId !== null && b.instanceId !== null) return compareText(a.instanceId, b.instanceId);
  if (a.instanceId !== null) return -1;
  if (b.instanceId !== null) return 1;
  return compareText(a.id, b.id);
}

export function emptyAssignment(members: readonly AssignorMember[]): GroupAssignment {
  return new Map(members.map(({ id }) => [id, []]));
}
