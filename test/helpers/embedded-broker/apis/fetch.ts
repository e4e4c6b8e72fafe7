// Fetch (key 1), versions 0 to 18, of an embedded broker. Runs in the broker's thread.
//
// Behaviour: partitions are read in the order of the request, within `maxBytes` altogether (from version 3 on) and
// `partitionMaxBytes` each; the first batch of the first partition that has one comes whole from version 3 on, other
// partitions then get nothing unless a whole batch fits. A field is cut at the limit, not at a batch. With less than
// `minBytes` and no error the answer waits for `maxWaitMs` or for records, whichever is first. Topics go by id from
// version 13 on. Wrong leaders get code 6 with a hint, wrong epochs 74 and 75, offsets out of range 1. Only leaders serve.
// Sessions are not kept: an answer opens none, and a request that continues one gets code 70. Nothing is converted for
// old versions: 0 and 1 read logs of format v0 only, 2 and 3 also v1, else code 35. High watermark and last stable offset
// are the end of the log. `failure`: the code on every partition.

import {
  Fetch,
  type FetchRequestFetchPartitionView,
  type FetchRequestView,
  type FetchResponse,
  type FetchResponsePartitionData,
} from '../../../../src/protocol/flat/generated/apis.ts';
import type { Partition } from '../cluster-state.ts';
import { errorCodes } from '../error-codes.ts';
import type { ApiHandler, RequestContext } from '../handler.ts';
import type { LogRead } from '../partition-log.ts';
import { type FoundPartition, findLedPartition, LeaderHints, type TopicKey } from './partitions.ts';

const topicIdsFrom = 13;
const leaderHintsFrom = 12;
const leaderAddressesFrom = 16;
const wholeFirstBatchFrom = 3;
const noRecords = new Uint8Array(0);

/** One partition of the request, as far as it does not change while the request waits. */
interface Wanted {
  readonly key: TopicKey;
  readonly index: number;
  readonly offset: number;
  readonly maxBytes: number;
  readonly leaderEpoch: number;
}

interface Outcome {
  readonly wanted: Wanted;
  readonly found: FoundPartition;
  readonly errorCode: number;
  readonly read: LogRead | null;
}

export const fetch: ApiHandler<FetchRequestView, FetchResponse> = {
  api: Fetch,

  handle(context, request) {
    if (request.sessionId !== 0 && request.sessionEpoch > 0)
      return { errorCode: errorCodes.FETCH_SESSION_ID_NOT_FOUND };
    const wanted = wantedPartitions(context, request);
    const maxBytes = context.version >= wholeFirstBatchFrom ? request.maxBytes : Number.POSITIVE_INFINITY;
    const { minBytes, maxWaitMs } = request;
    const outcomes = readAll(context, wanted, maxBytes);
    if (maxWaitMs <= 0 || isEnough(outcomes, minBytes)) return answer(context, outcomes);
    return new Promise((resolve) => {
      waitForRecords(context, wanted, { maxBytes, minBytes, maxWaitMs }, (latest) => {
        resolve(latest === null ? null : answer(context, latest));
      });
    });
  },

  failure(context, request, errorCode) {
    return answer(
      context,
      wantedPartitions(context, request).map((wanted) => ({
        wanted,
        found: { errorCode, partition: null },
        errorCode,
        read: null,
      })),
    );
  },
};

function wantedPartitions(context: RequestContext, request: FetchRequestView): Wanted[] {
  const all: Wanted[] = [];
  for (const topic of request.topics) {
    const key = { name: topic.topic, topicId: topic.topicId };
    for (const partition of topic.partitions) all.push(wantedPartition(context, key, partition));
  }
  return all;
}

function wantedPartition(context: RequestContext, key: TopicKey, partition: FetchRequestFetchPartitionView): Wanted {
  return {
    key,
    index: partition.partition,
    offset: partition.fetchOffset.toNumber(),
    maxBytes: partition.partitionMaxBytes,
    leaderEpoch: context.version >= 9 ? partition.currentLeaderEpoch : -1,
  };
}

function readAll(context: RequestContext, wanted: readonly Wanted[], maxBytes: number): Outcome[] {
  let left = maxBytes;
  let hasRecords = false;
  return wanted.map((each) => {
    const outcome = readOne(context, each, left, !hasRecords);
    left -= outcome.read?.bytes ?? 0;
    hasRecords ||= (outcome.read?.bytes ?? 0) > 0;
    return outcome;
  });
}

function readOne(context: RequestContext, wanted: Wanted, maxBytes: number, isFirst: boolean): Outcome {
  const { version } = context;
  const found = findLedPartition(context, wanted.key, version >= topicIdsFrom, wanted.index, wanted.leaderEpoch);
  if (!('topic' in found)) return { wanted, found, errorCode: found.errorCode, read: null };
  const { log } = found.partition;
  const fail = (errorCode: number): Outcome => ({ wanted, found, errorCode, read: null });
  if (wanted.offset < log.startOffset || wanted.offset > log.endOffset) return fail(errorCodes.OFFSET_OUT_OF_RANGE);
  if (log.highestMagic > readableMagic(version)) return fail(errorCodes.UNSUPPORTED_VERSION);
  const mayCutFirst = version < wholeFirstBatchFrom;
  const read = log.read(wanted.offset, Math.min(wanted.maxBytes, maxBytes), isFirst && !mayCutFirst, mayCutFirst);
  return { wanted, found, errorCode: errorCodes.NONE, read };
}

function readableMagic(version: number): number {
  if (version < 2) return 0;
  return version < 4 ? 1 : 2;
}

function isEnough(outcomes: readonly Outcome[], minBytes: number): boolean {
  let bytes = 0;
  for (const outcome of outcomes) {
    if (outcome.errorCode !== errorCodes.NONE) return true;
    bytes += outcome.read?.bytes ?? 0;
  }
  return bytes >= minBytes || outcomes.length === 0;
}

/** Calls `done` once: with what there is after enough came or time ran out, with null when the client has gone. */
function waitForRecords(
  context: RequestContext,
  wanted: readonly Wanted[],
  limits: { maxBytes: number; minBytes: number; maxWaitMs: number },
  done: (outcomes: Outcome[] | null) => void,
): void {
  const finish = (outcomes: Outcome[] | null): void => {
    clearTimeout(timer);
    for (const forget of forgets) forget();
    done(outcomes);
  };
  const look = (): void => {
    const outcomes = readAll(context, wanted, limits.maxBytes);
    if (isEnough(outcomes, limits.minBytes)) finish(outcomes);
  };
  const timer = setTimeout(() => finish(readAll(context, wanted, limits.maxBytes)), limits.maxWaitMs);
  const forgets = [context.onClosed(() => finish(null)), context.cluster.onChange(look)];
  for (const partition of partitionsOf(context, wanted)) forgets.push(partition.log.onAppend(look));
}

function* partitionsOf(context: RequestContext, wanted: readonly Wanted[]): Generator<Partition> {
  const byId = context.version >= topicIdsFrom;
  for (const { key, index } of wanted) {
    const topic = byId ? context.cluster.topicById(key.topicId) : context.cluster.topic(key.name);
    const partition = topic?.partitions[index];
    if (partition !== undefined) yield partition;
  }
}

function answer(context: RequestContext, outcomes: readonly Outcome[]): FetchResponse {
  const hints = new LeaderHints(context, leaderHintsFrom, leaderAddressesFrom);
  const responses: { topic: string; topicId: string; partitions: FetchResponsePartitionData[] }[] = [];
  let key: TopicKey | null = null;
  for (const outcome of outcomes) {
    if (outcome.wanted.key !== key) {
      key = outcome.wanted.key;
      responses.push({ topic: key.name, topicId: key.topicId, partitions: [] });
    }
    responses.at(-1)!.partitions.push(answerOne(context, outcome, hints));
  }
  return { sessionId: 0, responses, nodeEndpoints: hints.endpoints };
}

function answerOne(context: RequestContext, outcome: Outcome, hints: LeaderHints): FetchResponsePartitionData {
  const { wanted, found, errorCode, read } = outcome;
  const log = found.partition?.log;
  const currentLeader = hints.of(found);
  const isRefused = errorCode !== errorCodes.NONE || log === undefined;
  return {
    partitionIndex: wanted.index,
    errorCode,
    highWatermark: isRefused ? -1 : log.endOffset,
    lastStableOffset: isRefused ? -1 : log.endOffset,
    logStartOffset: isRefused ? -1 : log.startOffset,
    abortedTransactions: null,
    ...(currentLeader !== undefined && { currentLeader }),
    records: read === null || read.bytes === 0 ? noRecords : context.attach(read.slices),
  };
}
