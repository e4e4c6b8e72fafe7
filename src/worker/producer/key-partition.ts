// Owns the choice of the partition of a key: a hash of its bytes, over all partitions of the topic, even those without a leader.
// Network thread.

import { crc32 } from '../../codec/crc32.ts';
import { murmur2 } from './murmur2.ts';

/** `murmur2`: like Java's producer and librdkafka's `murmur2_random`. `crc32`: like librdkafka's default, `consistent_random`. */
export type KeyHash = 'murmur2' | 'crc32';

/** The partition, from 0, of the key `bytes[start, end)` in a topic of `partitionCount` partitions. */
export function keyPartition(
  hash: KeyHash,
  bytes: Uint8Array,
  start: number,
  end: number,
  partitionCount: number,
): number {
  // Java clears the sign bit. librdkafka uses the number as unsigned.
  if (hash === 'murmur2') return (murmur2(bytes, start, end) & 0x7fffffff) % partitionCount;
  return crc32(bytes, start, end) % partitionCount;
}
