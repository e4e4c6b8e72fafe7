// Owns the search for the positions of partitions: committed offsets, resets by `autoOffsetReset`, the comparison with the log of a
// new leader. Network thread. Must not fetch records.
// Source: KIP-320 (truncation), KIP-1106 (reset by duration), reference of Java's OffsetsRequestManager.

import type { OffsetReset, StartAt } from '../../common/config/consumer-config.ts';
import {
  AuthorizationError,
  BrokerError,
  KafkaClientError,
  LogTruncationError,
  NoOffsetForPartitionError,
  PositionOutsideLogError,
} from '../../common/errors/errors.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import type { RoleHost } from '../client/role.ts';
import { backoffMs } from './backoff.ts';
import type { GroupOffsets } from './group-offsets.ts';
import {
  type EpochQuestion,
  earliestTimestamp,
  type FoundEpoch,
  type FoundOffset,
  type LogQuestions,
  latestTimestamp,
  type OffsetQuestion,
} from './log-questions.ts';
import type { Partition } from './partition.ts';

export interface Truncation {
  readonly topic: string;
  readonly partition: number;
  /** The position, and the end of the part of the log that both leaders have. */
  readonly from: bigint;
  readonly to: bigint;
}

export interface PositionListener {
  onPartitionFailed(partition: Partition, error: Error): void;
  /** The cluster refuses to give access to the partition. Called once; the look-up is tried again. */
  onDenied(partition: Partition, error: Error): void;
  onTruncated(truncation: Truncation): void;
  onLog(level: 'info' | 'warn', text: string): void;
}

interface Asked {
  readonly partition: Partition;
  readonly version: number;
}

/** The epoch is that of the leader that is asked. */
type AskedReset = Asked & OffsetQuestion & { readonly leaderEpoch: number };

export interface ResolverParts {
  readonly host: RoleHost;
  readonly questions: LogQuestions;
  /** Null without a group, because then there are no committed offsets. */
  readonly offsets: GroupOffsets | null;
  readonly autoOffsetReset: OffsetReset;
  readonly isCommitted: boolean;
  readonly retryBackoffMs: number;
  readonly listener: PositionListener;
}

export class PositionResolver {
  readonly #parts: ResolverParts;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  poll(partitions: Iterable<Partition>, now: number): void {
    const initializing: Partition[] = [];
    const resets = new Map<number, AskedReset[]>();
    const validations = new Map<number, (Asked & EpochQuestion)[]>();
    for (const partition of partitions) {
      this.#noteLeader(partition);
      if (partition.isLookUpInFlight || partition.retryAt > now || partition.isReleasing) continue;
      const { state, topic, index, key, version } = partition;
      if (state === 'initializing' && this.#parts.offsets?.isCommitting(key) !== true) initializing.push(partition);
      if (state !== 'reset' && state !== 'validating') continue;
      const brokerId = this.#parts.questions.askable(partition, now);
      if (brokerId < 0) continue;
      if (state === 'reset') {
        const { leaderEpoch } = this.#parts.host.cluster.leader(topic, index)!;
        const timestamp = this.#timestampOf(partition.resetTo);
        add(resets, brokerId, { partition, version, topic, index, timestamp, leaderEpoch });
      } else if (!this.#parts.questions.canCompare(brokerId)) {
        this.#validated(partition);
      } else {
        const { leaderEpoch } = partition.fetchPosition;
        add(validations, brokerId, { partition, version, topic, index, leaderEpoch });
      }
    }
    if (initializing.length > 0) this.#initialize(initializing, now);
    for (const [brokerId, asked] of resets) this.#ask(brokerId, asked, now);
    for (const [brokerId, asked] of validations) this.#compare(brokerId, asked, now);
  }

  nextDeadline(partitions: Iterable<Partition>, now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const { state, retryAt } of partitions)
      if (state !== 'fetching' && state !== 'failed' && retryAt > now) deadline = Math.min(deadline, retryAt);
    return deadline;
  }

  /** Begins at `start`. Null: at the committed offset, or by `autoOffsetReset`. */
  start(partition: Partition, start: StartAt | null): void {
    if (start === null) {
      this.resetByPolicy(partition, null);
    } else if (typeof start === 'object' && 'offset' in start) {
      partition.startAt(BigInt(start.offset), -1);
    } else {
      partition.resetAt(start);
    }
  }

  /** There is no valid position: resets it by `autoOffsetReset`, or fails. @param why the reason; null when there was no position */
  resetByPolicy(partition: Partition, why: Error | null): void {
    const { autoOffsetReset, listener } = this.#parts;
    if (autoOffsetReset !== 'none') {
      partition.resetAt(autoOffsetReset);
      this.#parts.host.wake();
      return;
    }
    const { topic, index } = partition;
    const error =
      why ??
      new NoOffsetForPartitionError(
        `${topic}-${index} has no committed offset and autoOffsetReset is 'none': seek to the offset at which to begin`,
        { topic, partition: index },
      );
    listener.onPartitionFailed(partition, error);
  }

  /** The position is outside of the leader's log. */
  outOfRange(partition: Partition): void {
    if (partition.fetchPosition.leaderEpoch < 0) {
      this.#isOutside(partition);
      return;
    }
    // The log may have been cut off by a leader that is not known yet: then reading goes on where both logs part.
    partition.isOutOfRange = true;
    partition.state = 'validating';
    this.#parts.host.cluster.requestUpdate();
    this.#parts.host.wake();
  }

  #isOutside(partition: Partition): void {
    const { topic, index, fetchPosition } = partition;
    const { offset } = fetchPosition;
    const text = `${topic}-${index}: offset ${offset} is outside of the log`;
    this.#parts.listener.onLog('warn', text);
    const error = new PositionOutsideLogError(
      `${text} and autoOffsetReset is 'none': seek to an offset inside of the log`,
      {
        topic,
        partition: index,
        recordOffset: String(offset),
      },
    );
    this.resetByPolicy(partition, error);
  }

  /** The log of a new leader may differ from the log that was read, so it must be compared. */
  #noteLeader(partition: Partition): void {
    if (this.#isRecreated(partition) || partition.state !== 'fetching') return;
    const leader = this.#parts.host.cluster.leader(partition.topic, partition.index);
    if (leader === null) return;
    const isNew = leader.leaderEpoch >= 0 && leader.leaderEpoch !== partition.validatedEpoch;
    // The new leader says which replica is to be read.
    if (isNew && partition.validatedEpoch >= 0) partition.preferredReplica = -1;
    if (this.#isAskedInVain(partition, leader.leaderId)) partition.giveUpFetch();
    if (!isNew) return;
    if (partition.fetchPosition.leaderEpoch < 0) partition.validatedEpoch = leader.leaderEpoch;
    else if (!partition.isFetchInFlight) partition.state = 'validating';
  }

  /** A broker that has lost the partition because it fell silent would hold it up until the request times out. */
  #isAskedInVain({ askedBroker, preferredReplica }: Partition, leaderId: number): boolean {
    if (askedBroker < 0 || leaderId < 0 || askedBroker === leaderId) return false;
    return askedBroker !== preferredReplica || !this.#parts.host.cluster.brokers.has(askedBroker);
  }

  /** A topic that was deleted and made anew has the same name, but other records at the same offsets. */
  #isRecreated(partition: Partition): boolean {
    const { topic, index, topicId, fetchPosition } = partition;
    const newest = this.#parts.host.cluster.topicId(topic);
    if (newest === null || newest === zeroUuid || newest === topicId) return false;
    partition.topicId = newest;
    if (topicId === null || partition.state !== 'fetching') return false;
    const text = `${topic}-${index}: the topic was deleted and made anew, so offset ${fetchPosition.offset} means nothing there`;
    this.#parts.listener.onLog('warn', text);
    const details = { topic, partition: index, recordOffset: String(fetchPosition.offset) };
    this.resetByPolicy(partition, new PositionOutsideLogError(`${text}: seek to where it is to be read from`, details));
    return true;
  }

  #validated(partition: Partition): void {
    if (partition.isOutOfRange) {
      this.#isOutside(partition);
      return;
    }
    const leader = this.#parts.host.cluster.leader(partition.topic, partition.index);
    partition.validatedEpoch = leader?.leaderEpoch ?? -1;
    partition.state = 'fetching';
    partition.failures = 0;
  }

  #initialize(partitions: Partition[], now: number): void {
    const { offsets } = this.#parts;
    if (offsets === null) {
      for (const partition of partitions) this.resetByPolicy(partition, null);
      return;
    }
    const asked = partitions.map((partition) => ({ partition, version: partition.version }));
    // Before it is sent, since it may fail at once.
    for (const partition of partitions) partition.isLookUpInFlight = true;
    const isSent = offsets.fetch(
      partitions,
      (key, found, at) => {
        const one = asked.find(({ partition }) => partition.key === key);
        if (one === undefined) return;
        one.partition.isLookUpInFlight = false;
        if (one.partition.version !== one.version || one.partition.state !== 'initializing') return;
        if (found instanceof Error) {
          this.#failed(one.partition, found, at);
        } else if (found.offset < 0n) {
          this.resetByPolicy(one.partition, null);
        } else {
          one.partition.startAt(found.offset, found.leaderEpoch);
          one.partition.committed = found;
        }
      },
      now,
    );
    if (!isSent) for (const partition of partitions) partition.isLookUpInFlight = false;
  }

  #timestampOf(resetTo: Partition['resetTo']): bigint {
    if (resetTo === 'earliest') return earliestTimestamp;
    if (typeof resetTo === 'object' && 'timestampMs' in resetTo) return BigInt(resetTo.timestampMs);
    if (typeof resetTo === 'object' && 'agoMs' in resetTo)
      return BigInt(Math.max(0, Math.floor(this.#parts.host.wallClock() - resetTo.agoMs)));
    return latestTimestamp;
  }

  #ask(brokerId: number, asked: AskedReset[], now: number): void {
    for (const { partition } of asked) partition.isLookUpInFlight = true;
    const { questions, isCommitted } = this.#parts;
    questions.offsets(brokerId, asked, isCommitted, (question, found, at) => this.#found(question, found, at), now);
  }

  #found({ partition, version, leaderEpoch }: AskedReset, found: FoundOffset | Error, now: number): void {
    partition.isLookUpInFlight = false;
    if (partition.version !== version || partition.state !== 'reset') return;
    if (found instanceof Error) this.#failed(partition, found, now);
    // There is no record of this time or later, so reading begins at the end.
    else if (found.offset < 0n) partition.resetAt('latest');
    else {
      partition.startAt(found.offset, found.leaderEpoch);
      // It is of the log of this very leader.
      partition.validatedEpoch = leaderEpoch;
    }
  }

  #compare(brokerId: number, asked: (Asked & EpochQuestion)[], now: number): void {
    for (const { partition } of asked) partition.isLookUpInFlight = true;
    this.#parts.questions.epochs(brokerId, asked, (question, found, at) => this.#compared(question, found, at), now);
  }

  #compared({ partition, version }: Asked & EpochQuestion, found: FoundEpoch | Error, now: number): void {
    partition.isLookUpInFlight = false;
    if (partition.version !== version || partition.state !== 'validating') return;
    if (found instanceof Error) {
      this.#failed(partition, found, now);
      return;
    }
    const { offset } = partition.fetchPosition;
    if (found.endOffset >= offset) {
      this.#validated(partition);
      return;
    }
    const isUndefined = found.endOffset < 0n || found.leaderEpoch < 0;
    if (!isUndefined && found.endOffset >= partition.handPosition.offset) {
      // Only records that the application has not seen were truncated.
      partition.isOutOfRange = false;
      partition.dropFetched();
      this.#validated(partition);
      return;
    }
    this.#truncated(partition, isUndefined ? null : found);
  }

  #truncated(partition: Partition, to: FoundEpoch | null): void {
    const { topic, index, handPosition } = partition;
    const from = handPosition.offset;
    if (this.#parts.autoOffsetReset !== 'none' && to !== null) {
      this.#parts.listener.onTruncated({ topic, partition: index, from, to: to.endOffset });
      partition.startAt(to.endOffset, to.leaderEpoch);
      return;
    }
    const where = to === null ? 'the offset is not known' : `at offset ${to.endOffset}`;
    const error = new LogTruncationError(
      `the log of ${topic}-${index} was truncated below offset ${from} (${where}): seek to the offset at which to go on`,
      { topic, partition: index, ...(to === null ? {} : { recordOffset: String(to.endOffset) }) },
    );
    this.resetByPolicy(partition, error);
  }

  /** Look-ups are tried again until they succeed. Only an error that no retry can solve is raised. */
  #failed(partition: Partition, error: Error, now: number): void {
    const { retryBackoffMs, host, listener } = this.#parts;
    const isRetriable = error instanceof KafkaClientError && error.retriable;
    // What brokers say of their logs may be otherwise in a moment, whatever it is.
    const isAboutLog = error instanceof BrokerError && partition.state !== 'initializing';
    if (error instanceof AuthorizationError) listener.onDenied(partition, error);
    else if (!isRetriable && !isAboutLog) {
      listener.onPartitionFailed(partition, error);
      return;
    }
    partition.failures++;
    partition.retryAt = now + backoffMs(retryBackoffMs, partition.failures, host.random());
  }
}

function add<T>(map: Map<number, T[]>, key: number, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
