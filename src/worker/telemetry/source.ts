// Owns the shape of what is pushed (KIP-714): the numbers of one producer or consumer. Network thread. Types only.

import type { PartitionSnapshot } from '../../common/consumer-calls.ts';
import type { ConsumerMetricsMemory } from '../../state/consumer-metrics.ts';
import type { ProducerMetricsMemory } from '../../state/producer-metrics.ts';

/** Names and values of attributes. */
export type Attributes = readonly (readonly [name: string, value: string])[];

export interface Measured<Memory> {
  readonly memory: Memory;
  /** Since when totals are counted, ms on the monotonic clock. */
  readonly since: number;
}

interface Source<Memory> {
  /** What tells this producer or consumer from others. Asked for each push: a member's id may change. */
  labels(): Attributes;
  /** Its numbers are wanted: they are recorded from now on, if they were not so far. It may be called any number of times. */
  measure(now: number): Measured<Memory>;
}

export interface ProducerSource extends Source<ProducerMetricsMemory> {
  readonly kind: 'producer';
}

export interface ConsumerSource extends Source<ConsumerMetricsMemory> {
  readonly kind: 'consumer';
  /** Whether it has a group, and so a coordinator. */
  readonly hasGroup: boolean;
  partitions(): readonly PartitionSnapshot[];
}

export type PushSource = ProducerSource | ConsumerSource;
