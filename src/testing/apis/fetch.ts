// Fetch (key 1), versions 0 to 18, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: partitions are read in the order of the request, within `maxBytes` altogether (from version 3 on) and
// `partitionMaxBytes` each; the first batch of the first partition that has one comes whole from version 3 on, other
// partitions then get nothing unless a whole batch fits. A field is cut at the limit, not at a batch. With less than
// `minBytes` and no error the answer waits for `maxWaitMs` on the broker's clock or for records, whichever is first.
// Topics go by id from version 13 on. Sessions: as fetch-request.ts; at most 1000 for each node, else session id 0.
// Wrong leaders get code 6 with a hint, wrong epochs 74 and 75, offsets out of range 1, positions of an epoch that parts
// from the log a diverging epoch (KIP-320). Followers serve from version 11 on, with the leader's records. In a rack-aware
// cluster a leader answers a client of another rack with a follower there and no records. Read committed: up to the last
// stable offset, with aborted transactions; beyond it nothing, at once. Nothing is converted for old versions: 0 and 1 read
// logs of format v0 only, 2 and 3 also v1, else code 35. The high watermark is the end of the log. `failure`: the code on
// every partition.

import {
  Fetch,
  type FetchRequestView,
  type FetchResponse,
  type FetchResponsePartitionData,
} from '../../protocol/flat/generated/apis.ts';
import type { Partition } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { FetchSession } from '../fetch-sessions.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import type { EpochEnd } from '../leader-epochs.ts';
import type { LogRead } from '../partition-log.ts';
import { topicIdsFrom, type Wanted, wantedFetch, wantedPartitions } from './fetch-request.ts';
import { type FoundPartition, findReplica, LeaderHints, type TopicKey } from './partitions.ts';

const leaderHintsFrom = 12;
const leaderAddressesFrom = 16;
const wholeFirstBatchFrom = 3;
const isolationFrom = 4;
const followersFrom = 11;
const readCommitted = 1;
const noReplica = -1;
const noRecords = new Uint8Array(0);

interface Outcome {
  readonly wanted: Wanted;
  readonly found: FoundPartition;
  readonly errorCode: number;
  readonly read: LogRead | null;
  /** The offset to which the client has to go back. Null: it does not have to. */
  readonly diverging: EpochEnd | null;
  readonly preferredReplica: number;
  /** The answer does not wait for more. */
  readonly isUrgent: boolean;
}

/** What is the same for all partitions of one request. */
interface FetchTerms {
  readonly maxBytes: number;
  readonly minBytes: number;
  readonly maxWaitMs: number;
  readonly isReadCommitted: boolean;
  readonly rackId: string;
  readonly session: FetchSession | null;
  readonly isIncremental: boolean;
}

export const fetch: ApiHandler<FetchRequestView, FetchResponse> = {
  api: Fetch,

  handle(context, request) {
    const fetched = wantedFetch(context, request);
    if ('errorCode' in fetched) return fetched;
    const { wanted, session, isIncremental } = fetched;
    const { version } = context;
    const terms: FetchTerms = {
      maxBytes: version >= wholeFirstBatchFrom ? request.maxBytes : Number.POSITIVE_INFINITY,
      minBytes: request.minBytes,
      maxWaitMs: request.maxWaitMs,
      isReadCommitted: version >= isolationFrom && request.isolationLevel === readCommitted,
      rackId: version >= followersFrom ? request.rackId : '',
      session,
      isIncremental,
    };
    const outcomes = readAll(context, wanted, terms);
    if (terms.maxWaitMs <= 0 || isEnough(outcomes, terms.minBytes)) return answer(context, outcomes, terms);
    return new Promise((resolve) => {
      waitForRecords(context, wanted, terms, (latest) => {
        resolve(latest === null ? null : answer(context, latest, terms));
      });
    });
  },

  failure(context, request, errorCode) {
    const outcomes = wantedPartitions(context, request).map(
      (wanted): Outcome => refused(wanted, { errorCode, partition: null }, errorCode),
    );
    return { sessionId: 0, ...inTopics(context, outcomes, false) };
  },
};

function readAll(context: RequestContext, wanted: readonly Wanted[], terms: FetchTerms): Outcome[] {
  let left = terms.maxBytes;
  let hasRecords = false;
  return wanted.map((each) => {
    const outcome = readOne(context, each, terms, left, !hasRecords);
    left -= outcome.read?.bytes ?? 0;
    hasRecords ||= (outcome.read?.bytes ?? 0) > 0;
    return outcome;
  });
}

function refused(wanted: Wanted, found: FoundPartition, errorCode: number): Outcome {
  return {
    wanted,
    found,
    errorCode,
    read: null,
    diverging: null,
    preferredReplica: noReplica,
    isUrgent: errorCode !== errorCodes.NONE,
  };
}

function readOne(
  context: RequestContext,
  wanted: Wanted,
  terms: FetchTerms,
  maxBytes: number,
  isFirst: boolean,
): Outcome {
  const { version } = context;
  const found = find(context, wanted);
  if (!('topic' in found)) return refused(wanted, found, found.errorCode);
  const { log } = found.partition;
  const { offset, lastFetchedEpoch } = wanted;
  const empty = refused(wanted, found, errorCodes.NONE);
  if (lastFetchedEpoch >= 0) {
    const end = log.epochEnd(lastFetchedEpoch);
    if (end.endOffset === -1 || offset < log.startOffset) return refused(wanted, found, errorCodes.OFFSET_OUT_OF_RANGE);
    if (end.leaderEpoch < lastFetchedEpoch || end.endOffset < offset)
      return { ...empty, diverging: end, isUrgent: true };
  }
  if (offset < log.startOffset || offset > log.endOffset) return refused(wanted, found, errorCodes.OFFSET_OUT_OF_RANGE);
  if (log.highestMagic > readableMagic(version)) return refused(wanted, found, errorCodes.UNSUPPORTED_VERSION);
  const preferredReplica = nearerReplica(context, found.partition, terms.rackId);
  if (preferredReplica !== noReplica) return { ...empty, preferredReplica, isUrgent: true };
  const mayCutFirst = version < wholeFirstBatchFrom;
  const below = terms.isReadCommitted ? log.lastStableOffset : Number.POSITIVE_INFINITY;
  if (offset > below) return { ...empty, isUrgent: true };
  const limit = Math.min(wanted.maxBytes, maxBytes);
  const read = log.read(offset, limit, isFirst && !mayCutFirst, mayCutFirst, below);
  return { ...empty, read };
}

function find(context: RequestContext, { key, index, leaderEpoch, told }: Wanted): FoundPartition {
  const { cluster, version } = context;
  const mayFollow = version >= followersFrom;
  // A topic that a session knows by id and name is looked up by name.
  if (told !== null && version >= topicIdsFrom && told.name !== '') {
    const topic = cluster.topic(told.name);
    if (topic === undefined) return { errorCode: errorCodes.UNKNOWN_TOPIC_OR_PARTITION, partition: null };
    if (topic.id !== told.topicId) return { errorCode: errorCodes.INCONSISTENT_TOPIC_ID, partition: null };
  }
  return findReplica(context, key, version >= topicIdsFrom, index, leaderEpoch, mayFollow);
}

/** The id of a live replica in the client's rack, if this node is the leader and in another rack. Else -1. */
function nearerReplica({ cluster, node }: RequestContext, partition: Partition, rackId: string): number {
  if (!cluster.defaults.isRackAware || rackId === '' || partition.leaderId !== node.id || node.rack === rackId)
    return noReplica;
  const near = partition.replicas.find((id) => cluster.hasNode(id) && cluster.node(id).rack === rackId);
  return near ?? noReplica;
}

function readableMagic(version: number): number {
  if (version < 2) return 0;
  return version < 4 ? 1 : 2;
}

function isEnough(outcomes: readonly Outcome[], minBytes: number): boolean {
  let bytes = 0;
  for (const outcome of outcomes) {
    if (outcome.isUrgent) return true;
    bytes += outcome.read?.bytes ?? 0;
  }
  return bytes >= minBytes || outcomes.length === 0;
}

/** Calls `done` once: with the records when there are enough or the time is over, or with null when the client has gone. */
function waitForRecords(
  context: RequestContext,
  wanted: readonly Wanted[],
  terms: FetchTerms,
  done: (outcomes: Outcome[] | null) => void,
): void {
  const { clock } = context.cluster;
  const finish = (outcomes: Outcome[] | null): void => {
    forgetTime();
    for (const forget of forgets) forget();
    done(outcomes);
  };
  const look = (): void => {
    const outcomes = readAll(context, wanted, terms);
    if (isEnough(outcomes, terms.minBytes)) finish(outcomes);
  };
  const forgetTime = clock.after(terms.maxWaitMs, () => finish(readAll(context, wanted, terms)));
  const forgets = [context.onClosed(() => finish(null)), context.cluster.onChange(look)];
  for (const partition of partitionsOf(context, wanted)) forgets.push(partition.log.onAppend(look));
}

function* partitionsOf(context: RequestContext, wanted: readonly Wanted[]): Generator<Partition> {
  for (const each of wanted) {
    const found = find(context, each);
    if ('topic' in found) yield found.partition;
  }
}

function answer(context: RequestContext, outcomes: readonly Outcome[], terms: FetchTerms): FetchResponse {
  const { session, isIncremental } = terms;
  const told = session === null ? outcomes : outcomes.filter((outcome) => tell(session, outcome) || !isIncremental);
  return { sessionId: session?.id ?? 0, ...inTopics(context, told, terms.isReadCommitted) };
}

/** Whether the session's client does not know the outcome yet. From now on it counts as known. */
function tell(session: FetchSession, { wanted, found, errorCode, read, ...outcome }: Outcome): boolean {
  const { told } = wanted;
  if (told === null) return true;
  const log = errorCode === errorCodes.NONE ? (found.partition?.log ?? null) : null;
  const hasRecords = (read?.bytes ?? 0) > 0;
  const highWatermark = log?.endOffset ?? -1;
  const startOffset = log?.startOffset ?? -1;
  const isNews =
    hasRecords ||
    errorCode !== errorCodes.NONE ||
    outcome.diverging !== null ||
    outcome.preferredReplica !== noReplica ||
    highWatermark !== told.toldHighWatermark ||
    startOffset !== told.toldStartOffset;
  told.toldHighWatermark = highWatermark;
  told.toldStartOffset = startOffset;
  if (hasRecords) {
    // Partitions that gave records come last the next time, so that every partition gets its turn.
    for (const [key, value] of session.partitions) {
      if (value !== told) continue;
      session.partitions.delete(key);
      session.partitions.set(key, told);
      break;
    }
  }
  return isNews;
}

function inTopics(context: RequestContext, outcomes: readonly Outcome[], isReadCommitted: boolean): FetchResponse {
  const hints = new LeaderHints(context, leaderHintsFrom, leaderAddressesFrom);
  const responses: { topic: string; topicId: string; partitions: FetchResponsePartitionData[] }[] = [];
  let key: TopicKey | null = null;
  for (const outcome of outcomes) {
    if (outcome.wanted.key !== key) {
      key = outcome.wanted.key;
      responses.push({ topic: key.name, topicId: key.topicId, partitions: [] });
    }
    responses.at(-1)!.partitions.push(answerOne(context, outcome, hints, isReadCommitted));
  }
  return { responses, nodeEndpoints: hints.endpoints };
}

function answerOne(
  context: RequestContext,
  outcome: Outcome,
  hints: LeaderHints,
  isReadCommitted: boolean,
): FetchResponsePartitionData {
  const { wanted, found, errorCode, read, diverging, preferredReplica } = outcome;
  const log = found.partition?.log;
  const currentLeader = hints.of(found);
  const isRefused = errorCode !== errorCodes.NONE || log === undefined;
  return {
    partitionIndex: wanted.index,
    errorCode,
    highWatermark: isRefused ? -1 : log.endOffset,
    lastStableOffset: isRefused ? -1 : log.lastStableOffset,
    logStartOffset: isRefused ? -1 : log.startOffset,
    abortedTransactions:
      isReadCommitted && !isRefused
        ? log
            .abortedBetween(wanted.offset, endOf(read, wanted))
            .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
        : null,
    preferredReadReplica: preferredReplica,
    ...(diverging !== null && { divergingEpoch: { epoch: diverging.leaderEpoch, endOffset: diverging.endOffset } }),
    ...(currentLeader !== undefined && { currentLeader }),
    records: read === null || read.bytes === 0 ? noRecords : context.attach(read.slices),
  };
}

function endOf(read: LogRead | null, wanted: Wanted): number {
  return read === null || read.bytes === 0 ? wanted.offset : read.endOffset;
}
