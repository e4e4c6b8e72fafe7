// Owns a member of a KIP-848 group that sends its heartbeats by hand. Test thread.

import { ConsumerGroupHeartbeat } from '../../../src/protocol/flat/generated/apis.ts';
import { waitFor } from '../wait-for.ts';
import { type Asker, freshId } from './asker.ts';

export interface HeartbeatChanges {
  readonly memberId?: string;
  readonly epoch?: number;
  /** The partitions of the topic that it says it owns. Null: it does not say. */
  readonly owned?: readonly number[] | null;
  readonly names?: readonly string[] | null;
  readonly regex?: string | null;
  readonly instanceId?: string | null;
  readonly rebalanceTimeoutMs?: number;
  readonly serverAssignor?: string | null;
  readonly groupId?: string;
  readonly version?: number;
}

export interface HeartbeatSeen {
  readonly code: number;
  readonly epoch: number;
  /** Null for unchanged. */
  readonly partitions: readonly number[] | null;
}

/** A member that remembers its epoch. */
export class ConsumerMember {
  readonly ask: Asker;
  readonly group: string;
  readonly topic: string;
  readonly topicId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
  epoch = 0;

  constructor(ask: Asker, group: string, topic: string, topicId: string, instanceId: string | null = null) {
    this.ask = ask;
    this.group = group;
    this.topic = topic;
    this.topicId = topicId;
    this.memberId = freshId('m').slice(0, 36);
    this.instanceId = instanceId;
  }

  async send(changes: HeartbeatChanges = {}): Promise<HeartbeatSeen> {
    const epoch = changes.epoch ?? this.epoch;
    const isJoining = epoch === 0;
    const owned = changes.owned === undefined ? (isJoining ? [] : null) : changes.owned;
    const owns = owned === null || owned.length === 0 ? owned : [{ topicId: this.topicId, partitions: owned }];
    const answer = await this.ask.send(ConsumerGroupHeartbeat, changes.version ?? 1, {
      groupId: changes.groupId ?? this.group,
      memberId: changes.memberId ?? this.memberId,
      memberEpoch: epoch,
      instanceId: changes.instanceId === undefined ? this.instanceId : changes.instanceId,
      rebalanceTimeoutMs: changes.rebalanceTimeoutMs ?? (isJoining ? 12_000 : -1),
      subscribedTopicNames: changes.names === undefined ? (isJoining ? [this.topic] : null) : changes.names,
      ...(changes.version !== 0 && { subscribedTopicRegex: changes.regex ?? null }),
      serverAssignor: changes.serverAssignor ?? null,
      topicPartitions: owns as { topicId: string; partitions: number[] }[] | null,
    });
    if (answer.errorCode === 0 && answer.memberEpoch > 0) this.epoch = answer.memberEpoch;
    const assigned = answer.assignment?.topicPartitions;
    return {
      code: answer.errorCode,
      epoch: answer.memberEpoch,
      partitions:
        assigned === undefined ? null : assigned.toArray().flatMap(({ partitions }) => [...partitions].sort()),
    };
  }

  /** Sends heartbeats until an assignment of so many partitions comes. */
  async assigned(count: number): Promise<readonly number[]> {
    return waitFor(`${count} partitions`, async () => {
      const { code, partitions } = await this.send();
      if (code !== 0) throw new Error(`heartbeat answers ${code}`);
      return partitions !== null && partitions.length === count ? partitions : null;
    });
  }
}

/** Members of a new group. Waits until its coordinator knows the topic, because a coordinator hears of new topics a little late. */
export async function newGroup(ask: Asker, partitions = 1) {
  const topic = await ask.topic({}, partitions);
  const topicId = await ask.topicId(topic);
  // "Aa" and "BB" have the same hash code in Java, so both groups are in the same shard of the coordinator.
  const id = freshId('g');
  const [group, twin] = [`${id}Aa`, `${id}BB`];
  await ask.groupCoordinator(twin);
  const scout = new ConsumerMember(ask, twin, topic, topicId);
  await scout.assigned(partitions);
  await scout.send({ epoch: -1 });
  await ask.groupCoordinator(group);
  return (instanceId?: string) => new ConsumerMember(ask, group, topic, topicId, instanceId ?? null);
}
