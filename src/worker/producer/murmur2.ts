// Owns the hash with which Java's producer finds the partition of a key: murmur2, 32 bits. Network thread. Every bit must be the same:
// otherwise two clients would write records of one key to two partitions.
// Source: the published test vectors of org.apache.kafka.common.utils.Utils.murmur2.

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** The hash of `bytes[start, end)` as int32. */
export function murmur2(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let hash = seed ^ (end - start);
  let at = start;
  for (const wholeEnd = start + ((end - start) & ~3); at < wholeEnd; at += 4) {
    let block = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    block = Math.imul(block, multiplier);
    block ^= block >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(block, multiplier);
  }
  const rest = end - at;
  if (rest > 2) hash ^= bytes[at + 2]! << 16;
  if (rest > 1) hash ^= bytes[at + 1]! << 8;
  if (rest > 0) hash = Math.imul(hash ^ bytes[at]!, multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return hash ^ (hash >>> 15);
}
