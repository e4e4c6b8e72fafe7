// Owns the list of assignors by name. Network thread.

import type { AssignorName, TopicPartition } from '../../../common/config/consumer-config.ts';
import type { Assign } from './assignor.ts';
import { assignRange } from './range.ts';
import { assignRoundRobin } from './round-robin.ts';
import { assignCooperativeSticky, assignSticky, cooperativeUserData, stickyUserData } from './sticky.ts';

export interface AssignorEntry {
  readonly assign: Assign;
  /** Whether members may keep partitions while they join. */
  readonly isCooperative: boolean;
  /** The bytes that a member adds to its subscription. @param owned the partitions of the generation; -1 before the first generation */
  userData(owned: readonly TopicPartition[], generation: number): Uint8Array | null;
}

export const assignors: Readonly<Record<AssignorName, AssignorEntry>> = {
  range: { assign: assignRange, isCooperative: false, userData: () => null },
  roundrobin: { assign: assignRoundRobin, isCooperative: false, userData: () => null },
  sticky: { assign: assignSticky, isCooperative: false, userData: stickyUserData },
  'cooperative-sticky': { assign: assignCooperativeSticky, isCooperative: true, userData: cooperativeUserData },
};
