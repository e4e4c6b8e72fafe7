// Owns the difference between the partitions that a member has and those that it shall have. Network thread.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import { keyOf } from './partition.ts';

export interface Difference {
  readonly toRelease: readonly TopicPartition[];
  readonly toTake: readonly TopicPartition[];
}

export function differenceOf(owned: readonly TopicPartition[], wanted: readonly TopicPartition[]): Difference {
  const wantedKeys = keysOf(wanted);
  const ownedKeys = keysOf(owned);
  return {
    toRelease: owned.filter(({ topic, partition }) => !wantedKeys.has(keyOf(topic, partition))),
    toTake: wanted.filter(({ topic, partition }) => !ownedKeys.has(keyOf(topic, partition))),
  };
}

function keysOf(partitions: readonly TopicPartition[]): ReadonlySet<string> {
  return new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)));
}
