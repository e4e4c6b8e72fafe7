// Owns requests to leaders about their logs: the offset of a time or of an end (ListOffsets), the end of a leader epoch
// (OffsetForLeaderEpoch). Each is tried once; the caller decides about another try. Network thread.
// Source: KIP-79, KIP-320.

import { missingInAnswer } from '../../common/errors/missing-in-answer.ts';
import { mainLane } from '../../common/node-ids.ts';
import { ListOffsets, OffsetForLeaderEpoch } from '../../protocol/flat/generated/apis.ts';
import type { Destination } from '../client/broker-requests.ts';
import { brokerWaitMs } from '../client/broker-wait.ts';
import type { RoleHost } from '../client/role.ts';
import { codes } from './codes.ts';
import { errorAbout } from './named-errors.ts';
import { keyOf } from './partition.ts';

/** Special values of a timestamp in ListOffsets: the end and the beginning of a log. */
export const latestTimestamp = -1n;
export const earliestTimestamp = -2n;
/** The first connection for fetches to a broker. */
export const fetchLane = 'fetch';
/** The first version whose response has one offset instead of a list. */
const singleOffsetVersion = 1;
const epochVersion = 2;

export interface LogPlace {
  readonly topic: string;
  readonly index: number;
}

export interface OffsetQuestion extends LogPlace {
  /** In ms since the epoch, or one of the two values above. */
  readonly timestamp: bigint;
  /** Of the leader that is asked; another one refuses to answer. Default: of the present leader. */
  readonly leaderEpoch?: number;
}

export interface EpochQuestion extends LogPlace {
  readonly leaderEpoch: number;
}

export interface FoundOffset {
  /** -1 when there is no record of this time or later. */
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly leaderEpoch: number;
}

export interface FoundEpoch {
  /** Both fields are -1 when the broker does not know the epoch. */
  readonly leaderEpoch: number;
  readonly endOffset: bigint;
}

export type Answer<Q, A> = (question: Q, answer: A | Error, now: number) => void;

export class LogQuestions {
  readonly #host: RoleHost;
  readonly #requestTimeoutMs: number;
  readonly #usesFetchLane: boolean;
  /** Where each broker was found to be askable last. */
  readonly #places = new Map<number, Destination>();

  /**
   * @param usesFetchLane whether questions go over the connection for fetches while there is no fetch on it. A new consumer then needs no
   * other connection to the broker
   */
  constructor(host: RoleHost, requestTimeoutMs: number, usesFetchLane: boolean) {
    this.#host = host;
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#usesFetchLane = usesFetchLane;
  }

  /** The id of the partition's leader if it can be asked now. -1 if not; then a connection or metadata was requested. */
  askable({ topic, index }: LogPlace, now: number): number {
    const { cluster } = this.#host;
    const leaderId = cluster.leader(topic, index)?.leaderId ?? -1;
    if (leaderId < 0) {
      cluster.requestUpdate();
      return -1;
    }
    const to = this.#freeLane(leaderId, now);
    if (to === null) return -1;
    this.#places.set(leaderId, to);
    return leaderId;
  }

  #freeLane(brokerId: number, now: number): Destination | null {
    const { requests } = this.#host;
    const fetches = { brokerId, lane: fetchLane };
    if (this.#usesFetchLane && requests.throttledUntil(fetches) <= now) {
      // What is in flight before it is ready is its handshake.
      if (requests.isReady(fetches, now)) {
        if (requests.inFlight(fetches) === 0) return fetches;
      } else if (requests.lastError(fetches) === null) return null;
    }
    const main = { brokerId, lane: mainLane };
    return requests.isReady(main, now) ? main : null;
  }

  #to(brokerId: number): Destination {
    return this.#places.get(brokerId) ?? { brokerId, lane: mainLane };
  }

  /** Whether the broker's versions allow the comparison of logs. */
  canCompare(brokerId: number): boolean {
    const range = this.#host.requests.versionRange(brokerId, OffsetForLeaderEpoch);
    return range !== null && range.max >= epochVersion;
  }

  /** Each question is answered once. A retriable Error allows another try. */
  offsets<Q extends OffsetQuestion>(
    brokerId: number,
    questions: readonly Q[],
    isCommitted: boolean,
    answer: Answer<Q, FoundOffset>,
    now: number,
  ): void {
    const open = new Map(questions.map((question) => [keyOf(question.topic, question.index), question]));
    this.#host.requests.send(
      {
        to: this.#to(brokerId),
        api: ListOffsets,
        request: {
          replicaId: -1,
          ...(isCommitted ? { isolationLevel: 1 } : {}),
          topics: byTopic(questions, ({ topic, index, timestamp, leaderEpoch }) => ({
            partitionIndex: index,
            currentLeaderEpoch: leaderEpoch ?? this.#host.cluster.leader(topic, index)?.leaderEpoch ?? -1,
            timestamp,
          })).map(([name, partitions]) => ({ name, partitions })),
          timeoutMs: brokerWaitMs(this.#requestTimeoutMs),
        },
        // The response of version 0 has lists of segments.
        minVersion: singleOffsetVersion,
        timeoutMs: this.#requestTimeoutMs,
        onResponse: (response, _version, at) => {
          for (const { name, partitions } of response!.topics) {
            for (const { partitionIndex, errorCode, offset, timestamp, leaderEpoch } of partitions) {
              const question = take(open, name, partitionIndex);
              if (question === undefined) continue;
              const found = { offset: offset.toBigInt(), timestamp: timestamp.toBigInt(), leaderEpoch };
              answer(question, this.#errorOf(errorCode, question) ?? found, at);
            }
          }
          this.#failRest(ListOffsets, open, answer, at);
        },
        onFailure: (error, at) => this.#fail(open, answer, error, at),
      },
      now,
    );
  }

  /** Asks for the ends of leader epochs. Each question is answered once. */
  epochs<Q extends EpochQuestion>(
    brokerId: number,
    questions: readonly Q[],
    answer: Answer<Q, FoundEpoch>,
    now: number,
  ): void {
    const open = new Map(questions.map((question) => [keyOf(question.topic, question.index), question]));
    this.#host.requests.send(
      {
        to: this.#to(brokerId),
        api: OffsetForLeaderEpoch,
        request: {
          topics: byTopic(questions, ({ index, topic, leaderEpoch }) => ({
            partition: index,
            currentLeaderEpoch: this.#host.cluster.leader(topic, index)?.leaderEpoch ?? -1,
            leaderEpoch,
          })).map(([topic, partitions]) => ({ topic, partitions })),
        },
        minVersion: epochVersion,
        timeoutMs: this.#requestTimeoutMs,
        onResponse: (response, _version, at) => {
          for (const { topic, partitions } of response!.topics) {
            for (const { partition, errorCode, leaderEpoch, endOffset } of partitions) {
              const question = take(open, topic, partition);
              if (question === undefined) continue;
              answer(
                question,
                this.#errorOf(errorCode, question) ?? { leaderEpoch, endOffset: endOffset.toBigInt() },
                at,
              );
            }
          }
          this.#failRest(OffsetForLeaderEpoch, open, answer, at);
        },
        onFailure: (error, at) => this.#fail(open, answer, error, at),
      },
      now,
    );
  }

  #errorOf(errorCode: number, { topic, index }: LogPlace): Error | null {
    if (errorCode === codes.none) return null;
    const about = errorCode === codes.topicAuthorizationFailed ? topic : keyOf(topic, index);
    const error = errorAbout(errorCode, about);
    if (error.invalidMetadata || errorCode === codes.fencedLeaderEpoch) this.#host.cluster.requestUpdate();
    return error;
  }

  #fail<Q, A>(open: Map<string, Q>, answer: Answer<Q, A>, error: Error, now: number): void {
    this.#host.cluster.requestUpdate();
    for (const question of open.values()) answer(question, error, now);
  }

  #failRest<Q, A>(api: { readonly name: string }, open: Map<string, Q>, answer: Answer<Q, A>, now: number): void {
    for (const [key, question] of open) answer(question, missingInAnswer(api, `partition ${key}`), now);
  }
}

function take<Q>(open: Map<string, Q>, topic: string, index: number): Q | undefined {
  const key = keyOf(topic, index);
  const question = open.get(key);
  open.delete(key);
  return question;
}

/** The rows of each topic. Topics are in the order of their first place. */
export function byTopic<P extends LogPlace, R>(places: readonly P[], row: (place: P) => R): [string, R[]][] {
  const topics = new Map<string, R[]>();
  for (const place of places) {
    const rows = topics.get(place.topic);
    if (rows === undefined) topics.set(place.topic, [row(place)]);
    else rows.push(row(place));
  }
  return [...topics];
}
