// Owns the snapshot of a consumer's state that applications read. Network thread.

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { ConsumerSnapshot } from '../../common/consumer-calls.ts';
import { KafkaClientError } from '../../common/errors/errors.ts';
import type { Group } from './group.ts';
import type { Partition } from './partition.ts';

export function snapshotOf(
  partitions: readonly Partition[],
  group: Group | null,
  error: Error | null,
  isFatal: boolean,
  config: ConsumerConfig,
): ConsumerSnapshot {
  const membership = group?.membership ?? null;
  const identity = membership?.identity ?? null;
  const unmanaged = partitions.length === 0 ? 'UNASSIGNED' : 'ASSIGNED';
  const isCommitted = config.isolationLevel === 'read_committed';
  return {
    state: isFatal ? 'FATAL' : (membership?.state ?? (group?.isManaged === true ? 'UNJOINED' : unmanaged)),
    protocol: membership?.protocol ?? null,
    memberId: identity?.memberId ?? '',
    epoch: identity?.epoch ?? -1,
    lastError:
      error === null
        ? null
        : { code: error instanceof KafkaClientError ? error.code : error.name, message: error.message },
    partitions: partitions.map((partition) => ({
      topic: partition.topic,
      partition: partition.index,
      position: known(partition.handPosition.offset),
      done: known(partition.donePosition.offset),
      committed: partition.committed?.offset ?? null,
      begin: known(partition.logStartOffset),
      end: known(isCommitted ? partition.lastStableOffset : partition.highWatermark),
      isPaused: partition.isPaused,
      preferredReplica: partition.preferredReplica,
    })),
  };
}

function known(offset: bigint): bigint | null {
  return offset < 0n ? null : offset;
}
