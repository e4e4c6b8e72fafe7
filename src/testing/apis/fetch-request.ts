// Owns what a Fetch request asks for, as far as it does not change while the request waits, and its fetch session
// (KIP-227). Runs in the broker's thread.

import type { FetchRequestFetchPartitionView, FetchRequestView } from '../../protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import { errorCodes } from '../error-codes.ts';
import type { FetchSession, SessionPartition } from '../fetch-sessions.ts';
import type { RequestContext } from '../handler.ts';
import type { TopicKey } from './partitions.ts';

export const topicIdsFrom = 13;
const leaderEpochFrom = 9;
const lastFetchedEpochFrom = 12;
const closing = -1;

/** One partition to read. */
export interface Wanted {
  readonly key: TopicKey;
  readonly index: number;
  readonly offset: number;
  readonly maxBytes: number;
  readonly leaderEpoch: number;
  readonly lastFetchedEpoch: number;
  /** Null outside of a session. */
  readonly told: SessionPartition | null;
}

export type WantedFetch =
  | { readonly errorCode: number }
  | {
      readonly wanted: readonly Wanted[];
      /** Null for none: the answer's session id is 0. */
      readonly session: FetchSession | null;
      /** Only what is new to the client is answered. */
      readonly isIncremental: boolean;
    };

/** Opens, continues or closes the session that the request names. */
export function wantedFetch(context: RequestContext, request: FetchRequestView): WantedFetch {
  const { sessions } = context.node;
  const { sessionId, sessionEpoch } = request;
  const now = context.cluster.clock.now();
  const usesTopicIds = context.version >= topicIdsFrom;
  if (sessionEpoch <= 0) {
    sessions.close(sessionId);
    const session = sessionEpoch === closing ? null : sessions.open(usesTopicIds, now);
    if (session === null) return { wanted: wantedPartitions(context, request), session, isIncremental: false };
    update(context, session, request);
    return { wanted: wantedOf(session), session, isIncremental: false };
  }
  const session = sessions.find(sessionId);
  if (session === undefined) return { errorCode: errorCodes.FETCH_SESSION_ID_NOT_FOUND };
  if (session.usesTopicIds !== usesTopicIds) return { errorCode: errorCodes.FETCH_SESSION_TOPIC_ID_ERROR };
  if (session.epoch !== sessionEpoch) return { errorCode: errorCodes.INVALID_FETCH_SESSION_EPOCH };
  update(context, session, request);
  sessions.use(session, now);
  if (session.partitions.size === 0) {
    sessions.close(session.id);
    return { wanted: [], session: null, isIncremental: false };
  }
  return { wanted: wantedOf(session), session, isIncremental: true };
}

/** All partitions that the request names itself. */
export function wantedPartitions(context: RequestContext, request: FetchRequestView): Wanted[] {
  const all: Wanted[] = [];
  for (const topic of request.topics) {
    const key = { name: topic.topic, topicId: topic.topicId };
    for (const partition of topic.partitions) {
      const { leaderEpoch, lastFetchedEpoch } = epochsOf(context, partition);
      all.push({
        key,
        index: partition.partition,
        offset: partition.fetchOffset.toNumber(),
        maxBytes: partition.partitionMaxBytes,
        leaderEpoch,
        lastFetchedEpoch,
        told: null,
      });
    }
  }
  return all;
}

function epochsOf({ version }: RequestContext, partition: FetchRequestFetchPartitionView) {
  return {
    leaderEpoch: version >= leaderEpochFrom ? partition.currentLeaderEpoch : -1,
    lastFetchedEpoch: version >= lastFetchedEpochFrom ? partition.lastFetchedEpoch : -1,
  };
}

function update(context: RequestContext, session: FetchSession, request: FetchRequestView): void {
  const { partitions } = session;
  for (const topic of request.topics) {
    const { name, topicId } = resolved(context, { name: topic.topic, topicId: topic.topicId });
    for (const partition of topic.partitions) {
      const key = keyOf(session, name, topicId, partition.partition);
      let entry = partitions.get(key);
      if (entry === undefined) {
        entry = {
          name,
          topicId,
          index: partition.partition,
          offset: 0,
          maxBytes: 0,
          leaderEpoch: -1,
          lastFetchedEpoch: -1,
          toldHighWatermark: -1,
          toldStartOffset: -1,
        };
        partitions.set(key, entry);
      }
      entry.offset = partition.fetchOffset.toNumber();
      entry.maxBytes = partition.partitionMaxBytes;
      Object.assign(entry, epochsOf(context, partition));
    }
  }
  for (const topic of request.forgottenTopicsData) {
    for (const index of topic.partitions) partitions.delete(keyOf(session, topic.topic, topic.topicId, index));
  }
}

/** A session remembers the name that goes with an id, so that a topic deleted later is unknown by name (code 3). */
function resolved({ cluster, version }: RequestContext, key: TopicKey): TopicKey {
  if (version < topicIdsFrom) return { name: key.name, topicId: zeroUuid };
  return { name: cluster.topicById(key.topicId)?.name ?? '', topicId: key.topicId };
}

function keyOf(session: FetchSession, name: string, topicId: string, index: number): string {
  return `${session.usesTopicIds ? topicId : name}/${index}`;
}

function wantedOf(session: FetchSession): Wanted[] {
  const keys = new Map<string, TopicKey>();
  return [...session.partitions.values()].map((told) => {
    const { name, topicId, index, offset, maxBytes, leaderEpoch, lastFetchedEpoch } = told;
    const id = session.usesTopicIds ? topicId : name;
    const key = keys.get(id) ?? { name, topicId };
    keys.set(id, key);
    return { key, index, offset, maxBytes, leaderEpoch, lastFetchedEpoch, told };
  });
}
