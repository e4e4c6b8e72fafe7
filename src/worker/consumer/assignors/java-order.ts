// Owns the order in which Java's hash tables go through their entries: the sticky assignors decide ties by it, so that two leaders,
// one of them Java's, decide alike. Network thread.

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

/** @param maxSize the most entries the table ever had; it never shrinks */
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
