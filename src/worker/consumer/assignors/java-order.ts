// Owns the order of entries in Java's hash tables. The sticky assignors break ties by this order, so that a Java leader and our leader
// compute the same assignment. Network thread.

import type { TopicPartition } from '../../../common/config/consumer-config.ts';

const firstCapacity = 16;
const loadFactor = 0.75;

export function hashOfText(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

export function hashOfPartition({ topic, partition }: TopicPartition): number {
  return (Math.imul(31, 31 + partition) + hashOfText(topic)) | 0;
}

/** @param maxSize the largest number of entries that the table ever had; a table never shrinks */
export function inTableOrder<T>(entries: readonly T[], hashOf: (entry: T) => number, maxSize = entries.length): T[] {
  let capacity = firstCapacity;
  while (maxSize > capacity * loadFactor) capacity *= 2;
  const bucket = (entry: T): number => {
    const hash = hashOf(entry);
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return entries
    .map((entry) => ({ entry, at: bucket(entry) }))
    .sort((a, b) => a.at - b.at)
    .map(({ entry }) => entry);
}
