// Owns the offset requests to the group's coordinator: commits (one request at a time and in order), look-ups of committed offsets,
// and what each error means. Network thread. Must not decide what is committed.
// Source: protocol guide, OffsetCommit and OffsetFetch; KIP-447 (requireStable), KIP-709 (groups), KIP-848 (member epochs).

import { CommitFailedError, errorFor, KafkaTimeoutError } from '../../common/errors/errors.ts';
import { missingInAnswer } from '../../common/errors/missing-in-answer.ts';
import { least } from '../../common/lists.ts';
import { OffsetCommit, OffsetFetch } from '../../protocol/flat/generated/apis.ts';
import type { OffsetCommitResponseView } from '../../protocol/flat/generated/offset-commit.ts';
import type { OffsetFetchResponseView } from '../../protocol/flat/generated/offset-fetch.ts';
import type { RoleHost } from '../client/role.ts';
import { backoffMs } from './backoff.ts';
import { codes } from './codes.ts';
import { CommitJob, notOwned, type OffsetToCommit, type Tenure } from './commit-job.ts';
import type { ConsumerReport } from './consumer-report.ts';
import type { Coordinator } from './coordinator.ts';
import { byTopic, type LogPlace } from './log-questions.ts';
import type { Fencing, Identity } from './membership.ts';
import { errorAbout } from './named-errors.ts';
import { keyOf, type Position } from './partition.ts';

export interface CommittedOffset extends Position {
  readonly metadata: string | null;
}

/** Called with the committed offset of a partition or with an error. Offset -1: none is committed. */
export type FoundCommitted = (key: string, found: CommittedOffset | Error, now: number) => void;

/** The part of the membership that commits need. */
export interface IdentitySource {
  /** The member id and epoch for commits now. */
  identity(): Identity;
  /** Whether the coordinator would not read what is sent to it now, for as long as other members need to join. */
  isHeldUp(now: number): boolean;
  readonly tenure: Tenure;
  /** The coordinator has answered that the membership with this epoch is over. */
  onFenced(epoch: number, why: Fencing, now: number): void;
  /** Another process has taken the static member's place: that is for good, if the membership with this epoch still is. */
  onFencedInstance(epoch: number): void;
}

export interface OffsetsSettings {
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly report: ConsumerReport;
}

/** The newest version that names topics. Version 10 has topic ids, which are not needed here. */
const maxNamedVersion = 9;
const groupsVersion = 8;
const requireStableVersion = 7;
/** Partitions that one error names. */
const maxNamed = 5;

export class GroupOffsets {
  readonly #host: RoleHost;
  readonly #coordinator: Coordinator;
  readonly #groupId: string;
  readonly #source: IdentitySource;
  readonly #settings: OffsetsSettings;
  readonly #jobs: CommitJob[] = [];
  #isBusy = false;
  #retryAt = Number.NEGATIVE_INFINITY;

  constructor(
    host: RoleHost,
    coordinator: Coordinator,
    groupId: string,
    source: IdentitySource,
    settings: OffsetsSettings,
  ) {
    this.#host = host;
    this.#coordinator = coordinator;
    this.#groupId = groupId;
    this.#source = source;
    this.#settings = settings;
  }

  /** Commits offsets, after all earlier commits. `done` is called once, at the latest at the deadline. */
  commit(offsets: readonly OffsetToCommit[], deadline: number, done: CommitJob['done'], now: number): void {
    const isMember = this.#source.identity().epoch >= 0;
    this.#jobs.push(
      new CommitJob(offsets, { begunAt: now, deadline }, done, (key) => this.#source.tenure(key), isMember),
    );
    this.poll(now);
  }

  poll(now: number): void {
    // Also those behind another one and the one that is under way: partitions are released after their commit, and the group does not wait.
    for (const job of [...this.#jobs]) if (now >= job.deadline) this.#giveUp(job, now);
    for (;;) {
      const job = this.#jobs[0];
      if (job === undefined) return;
      // What is under way may be committed already: its answer decides.
      if (!this.#isBusy) job.dropLost();
      if (job.open.size === 0) this.#end(job, now);
      else if (this.#isBusy || now < this.#retryAt) return;
      else {
        const identity = this.#source.identity();
        if (job.staleEpoch !== null && job.staleEpoch === identity.epoch) return;
        // It would be read in the next generation, with the number of this one, or end the connection that the join is on.
        if (this.#source.isHeldUp(now)) return;
        const to = this.#coordinator.ready(now);
        if (to === null) return;
        this.#send(job, identity, now);
      }
    }
  }

  nextDeadline(now: number): number {
    if (this.#jobs.length === 0) return Number.POSITIVE_INFINITY;
    const deadline = least(this.#jobs.map((job) => job.deadline));
    return this.#isBusy || this.#retryAt <= now ? deadline : Math.min(deadline, this.#retryAt);
  }

  /** Calls `done` when the commits that were asked for so far have ended, at the latest at the deadline. */
  afterCommits(deadline: number, done: (now: number) => void, now: number): void {
    this.commit([], deadline, (_outcome, at) => done(at), now);
  }

  /** Whether an offset of the partition is to be committed, so that a look-up could find an older one. */
  isCommitting(key: string): boolean {
    return this.#jobs.some((job) => job.wants(key));
  }

  /** Looks up committed offsets. `found` is called once for each key. @returns false when the coordinator cannot be asked now */
  fetch(places: readonly LogPlace[], found: FoundCommitted, now: number): boolean {
    const to = this.#source.isHeldUp(now) ? null : this.#coordinator.ready(now);
    if (to === null) return false;
    const range = this.#host.requests.versionRange(to.brokerId, OffsetFetch);
    const highest = range?.max ?? maxNamedVersion;
    const hasGroups = highest >= groupsVersion;
    const open = new Set(places.map(({ topic, index }) => keyOf(topic, index)));
    const rows = byTopic(places, ({ index }) => index).map(([name, partitionIndexes]) => ({ name, partitionIndexes }));
    const { memberId, epoch } = this.#source.identity();
    const group =
      epoch < 0 || highest < maxNamedVersion
        ? { groupId: this.#groupId, topics: rows }
        : { groupId: this.#groupId, memberId, memberEpoch: epoch, topics: rows };
    this.#coordinator.send(
      {
        to,
        api: OffsetFetch,
        request: {
          ...(hasGroups ? { groups: [group] } : { groupId: this.#groupId, topics: rows }),
          ...(highest >= requireStableVersion ? { requireStable: true } : {}),
        },
        ...(hasGroups ? { minVersion: groupsVersion } : {}),
        maxVersion: hasGroups ? maxNamedVersion : groupsVersion - 1,
        timeoutMs: this.#settings.requestTimeoutMs,
        onResponse: (response, _version, at) => this.#onFetched(response!, hasGroups, open, found, epoch, at),
        onFailure: (error, at) => {
          this.#coordinator.unknown();
          for (const key of open) found(key, error, at);
        },
      },
      now,
    );
    return true;
  }

  #onFetched(
    response: OffsetFetchResponseView,
    hasGroups: boolean,
    open: Set<string>,
    found: FoundCommitted,
    epoch: number,
    now: number,
  ): void {
    const answer = hasGroups ? response.groups.find(({ groupId }) => groupId === this.#groupId) : response;
    if (answer === undefined) {
      const error = missingInAnswer(OffsetFetch, `group ${this.#groupId}`);
      for (const key of open) found(key, error, now);
      return;
    }
    if (answer.errorCode !== codes.none) {
      const error = this.#fetchError(answer.errorCode, epoch, [...open].slice(0, maxNamed).join(', '), now);
      for (const key of open) found(key, error, now);
      return;
    }
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, errorCode: code, committedOffset, committedLeaderEpoch, metadata } of partitions) {
        const key = keyOf(name, partitionIndex);
        if (!open.delete(key)) continue;
        const offset = { offset: committedOffset.toBigInt(), leaderEpoch: committedLeaderEpoch, metadata };
        found(key, code === codes.none ? offset : this.#fetchError(code, epoch, key, now), now);
      }
    }
    for (const key of open) found(key, missingInAnswer(OffsetFetch, `partition ${key}`), now);
  }

  /** The error for an error code of OffsetFetch. The caller asks again if it is retriable. */
  #fetchError(errorCode: number, epoch: number, keys: string, now: number): Error {
    switch (errorCode) {
      case codes.notCoordinator:
      case codes.coordinatorNotAvailable:
      case codes.requestTimedOut:
        this.#coordinator.unknown();
        break;
      case codes.unknownMemberId:
        this.#source.onFenced(epoch, { api: OffsetFetch.name, errorCode }, now);
        return errorFor(codes.unstableOffsetCommit)!;
      case codes.staleMemberEpoch:
      case codes.illegalGeneration:
        // The next try uses the epoch of that time.
        return errorFor(codes.unstableOffsetCommit)!;
    }
    return this.#errorOf(errorCode, keys);
  }

  /** Names the group, or the topics. */
  #errorOf(errorCode: number, keys: string): Error {
    if (errorCode === codes.groupAuthorizationFailed || errorCode === codes.groupIdNotFound)
      return errorAbout(errorCode, `group ${this.#groupId}`);
    return errorAbout(errorCode, keys);
  }

  #send(job: CommitJob, identity: Identity, now: number): void {
    this.#isBusy = true;
    const offsets = [...job.open.values()];
    this.#coordinator.send(
      {
        to: this.#coordinator.to!,
        api: OffsetCommit,
        request: {
          groupId: this.#groupId,
          generationIdOrMemberEpoch: identity.epoch,
          memberId: identity.memberId,
          ...(identity.instanceId === null ? {} : { groupInstanceId: identity.instanceId }),
          topics: byTopic(offsets, ({ index, offset, leaderEpoch, metadata }) => ({
            partitionIndex: index,
            committedOffset: offset,
            committedLeaderEpoch: leaderEpoch,
            committedMetadata: metadata,
          })).map(([name, partitions]) => ({ name, partitions })),
        },
        maxVersion: maxNamedVersion,
        // Not the time that the job has left: the end of a request ends the connection, which heartbeats use, too.
        timeoutMs: this.#settings.requestTimeoutMs,
        onResponse: (response, _version, at) => {
          this.#isBusy = false;
          if (this.#jobs.includes(job)) this.#onCommitted(job, response!, identity, at);
          this.poll(at);
        },
        onFailure: (error, at) => {
          this.#isBusy = false;
          this.#coordinator.unknown();
          if (this.#jobs.includes(job)) this.#again(job, error, at);
          this.poll(at);
        },
      },
      now,
    );
  }

  #onCommitted(job: CommitJob, response: OffsetCommitResponseView, identity: Identity, now: number): void {
    job.staleEpoch = null;
    let retry: Error | null = null;
    const left = new Set(job.open.keys());
    for (const { name, partitions } of response.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        const key = keyOf(name, partitionIndex);
        if (!job.open.has(key)) continue;
        left.delete(key);
        if (errorCode === codes.none) {
          job.open.delete(key);
          job.committed.add(key);
        } else if (this.#isWorthAnother(job, key, errorCode, identity)) {
          retry = errorFor(errorCode)!;
        } else {
          job.open.delete(key);
          job.error ??= this.#commitError(errorCode, key, identity, now);
        }
      }
    }
    // To send them again at once would never end with a broker that always leaves them out.
    for (const key of left) {
      job.open.delete(key);
      job.error ??= missingInAnswer(OffsetCommit, `partition ${key}`);
    }
    if (retry !== null) this.#again(job, retry, now);
  }

  #isWorthAnother(job: CommitJob, key: string, errorCode: number, identity: Identity): boolean {
    switch (errorCode) {
      case codes.notCoordinator:
      case codes.coordinatorNotAvailable:
      case codes.requestTimedOut:
        this.#coordinator.unknown();
        return true;
      case codes.coordinatorLoadInProgress:
      case codes.unknownTopicOrPartition:
      case codes.unknownTopicId:
        return true;
      case codes.rebalanceInProgress:
        // The rebalance ends without the application; the answer to SyncGroup is on its way.
        return job.holds(key);
      case codes.staleMemberEpoch:
        // Every rebalance of the group makes epochs stale. Partitions that this member still owns are committed with the new epoch.
        if (!job.holds(key)) return false;
        job.staleEpoch = identity.epoch;
        return true;
      case codes.illegalGeneration:
        // A rebalance has ended between the request and its answer. What the member has kept is committed in its new generation.
        return this.#source.identity().epoch > identity.epoch && job.holds(key);
      default:
        return false;
    }
  }

  #commitError(errorCode: number, key: string, identity: Identity, now: number): Error {
    const cause = errorFor(errorCode)!;
    switch (errorCode) {
      case codes.fencedInstanceId:
        this.#source.onFencedInstance(identity.epoch);
        return new CommitFailedError(`offset of ${key} not committed: another member has this one's instance id`, {
          cause,
        });
      case codes.unknownMemberId:
      case codes.illegalGeneration:
      case codes.fencedMemberEpoch:
        if (identity.epoch >= 0) this.#source.onFenced(identity.epoch, { api: OffsetCommit.name, errorCode }, now);
        return new CommitFailedError(`offset of ${key} not committed: the group has continued without this member`, {
          cause,
        });
      case codes.staleMemberEpoch:
        return new CommitFailedError(notOwned(key), { cause });
      case codes.rebalanceInProgress:
        return new CommitFailedError(
          `offset of ${key} not committed: the group is rebalancing, and the partition is not this member's any more`,
          { cause },
        );
      default:
        return this.#errorOf(errorCode, key);
    }
  }

  #again(job: CommitJob, error: Error, now: number): void {
    job.failures++;
    job.retryError = error;
    this.#retryAt = now + backoffMs(this.#settings.retryBackoffMs, job.failures, this.#host.random());
  }

  #giveUp(job: CommitJob, now: number): void {
    if (job.open.size === 0) {
      this.#end(job, now);
      return;
    }
    const text = `offsets not committed in time: ${[...job.open.keys()].slice(0, 5).join(', ')}`;
    const cause = job.retryError ?? this.#coordinator.whyNotReady() ?? undefined;
    job.error = new KafkaTimeoutError(text, { cause });
    this.#end(job, now);
  }

  #end(job: CommitJob, now: number): void {
    const at = this.#jobs.indexOf(job);
    if (at < 0) return;
    this.#jobs.splice(at, 1);
    if (job.committed.size > 0 || job.error !== null)
      this.#settings.report.commitEnded(now - job.begunAt, job.error === null, now);
    job.done({ error: job.error, committed: job.committed }, now);
  }
}
