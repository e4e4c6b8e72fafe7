// Owns what Produce, Fetch and ListOffsets have in common: finding a partition and checking that this node leads it, and
// the hint at the leader when it does not (KIP-951). Runs in the broker's thread.

import { zeroUuid } from '../../protocol/flat/uuid.ts';
import type { Partition, Topic } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { RequestContext } from '../handler.ts';

export type FoundPartition =
  | { readonly errorCode: 0; readonly topic: Topic; readonly partition: Partition }
  | { readonly errorCode: number; readonly partition: Partition | null };

/** By id from the versions on that have ids, else by name. */
export interface TopicKey {
  readonly name: string;
  readonly topicId: string;
}

/** @param leaderEpoch  what the client believes, -1 for nothing */
export function findLedPartition(
  context: RequestContext,
  key: TopicKey,
  byId: boolean,
  index: number,
  leaderEpoch = -1,
): FoundPartition {
  return findReplica(context, key, byId, index, leaderEpoch, false);
}

/** @param mayFollow  another replica than the leader serves as well */
export function findReplica(
  context: RequestContext,
  key: TopicKey,
  byId: boolean,
  index: number,
  leaderEpoch: number,
  mayFollow: boolean,
): FoundPartition {
  const topic = byId ? context.cluster.topicById(key.topicId) : context.cluster.topic(key.name);
  if (topic === undefined && byId && key.topicId !== zeroUuid)
    return { errorCode: errorCodes.UNKNOWN_TOPIC_ID, partition: null };
  const partition = topic?.partitions[index];
  if (topic === undefined || partition === undefined) {
    return { errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION, partition: null };
  }
  const serves =
    partition.leaderId === context.node.id ||
    (mayFollow && partition.leaderId !== -1 && partition.replicas.includes(context.node.id));
  if (!serves) return { errorCode: errorCodes.NOT_LEADER_OR_FOLLOWER, partition };
  if (leaderEpoch !== -1 && leaderEpoch < partition.leaderEpoch) {
    return { errorCode: errorCodes.FENCED_LEADER_EPOCH, partition };
  }
  if (leaderEpoch > partition.leaderEpoch) return { errorCode: errorCodes.UNKNOWN_LEADER_EPOCH, partition };
  return { errorCode: errorCodes.NONE, topic, partition };
}

export interface LeaderHint {
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** The nodes to which hints of one answer point, with their addresses. */
export class LeaderHints {
  readonly #context: RequestContext;
  readonly #fromVersion: number;
  readonly #endpointsFromVersion: number;
  readonly #endpoints = new Map<number, { nodeId: number; host: string; port: number; rack: string | null }>();

  /** @param endpointsFromVersion  from when on the answer has room for the addresses too */
  constructor(context: RequestContext, fromVersion: number, endpointsFromVersion: number) {
    this.#context = context;
    this.#fromVersion = fromVersion;
    this.#endpointsFromVersion = endpointsFromVersion;
  }

  /** The hint for a partition that another node leads; undefined for any other error and for older versions. */
  of(found: FoundPartition): LeaderHint | undefined {
    const { version, cluster } = this.#context;
    const { errorCode, partition } = found;
    const isMoved = errorCode === errorCodes.NOT_LEADER_OR_FOLLOWER || errorCode === errorCodes.FENCED_LEADER_EPOCH;
    if (!isMoved || partition === null || version < this.#fromVersion) return undefined;
    const { leaderId, leaderEpoch } = partition;
    if (version >= this.#endpointsFromVersion && cluster.hasNode(leaderId)) {
      const { host, port, rack } = cluster.node(leaderId);
      this.#endpoints.set(leaderId, { nodeId: leaderId, host, port, rack });
    }
    return { leaderId, leaderEpoch };
  }

  get endpoints(): { nodeId: number; host: string; port: number; rack: string | null }[] {
    return [...this.#endpoints.values()];
  }
}
