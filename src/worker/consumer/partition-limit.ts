// Owns the limit of the partitions that one consumer has: a coordinator, or the leader of a classic group, can name any number, and each
// is kept. Network thread.

import { IllegalArgumentError } from '../../common/errors/errors.ts';

/** Far more than any cluster has for one consumer. The state that applications read has room for so many (state/consumer-snapshot.ts). */
export const maxPartitions = 200_000;

/** What is wrong with so many partitions, as the end of a message. Null if nothing is. */
export function tooManyPartitions(count: number): string | null {
  if (count <= maxPartitions) return null;
  return `${count} partitions; a consumer takes no more than ${maxPartitions}: add members to the group, or give each consumer fewer`;
}

/** Throws IllegalArgumentError when an application assigns so many by hand. */
export function checkPartitionCount(count: number): void {
  const problem = tooManyPartitions(count);
  if (problem !== null) throw new IllegalArgumentError(`assign was given ${problem}`);
}
