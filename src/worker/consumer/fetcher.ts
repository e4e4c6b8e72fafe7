// Owns the fetching of records: from which broker each partition is read, how much, and what an answer means. Network thread. Must
// not decode records, and must not keep more than `prefetchBytes`.
// Source: KIP-74 (limits), KIP-227 (sessions), KIP-392 (nearest replica), KIP-951 (leader hints).

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import { Fetch } from '../../protocol/flat/generated/apis.ts';
import type { FetchResponsePartitionDataView, FetchResponseView } from '../../protocol/flat/generated/fetch.ts';
import { OpenTransactions } from '../../protocol/flat/records/aborted-transactions.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import type { Destination } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import { backoffMs } from './backoff.ts';
import { codes } from './codes.ts';
import type { ConsumerReport } from './consumer-report.ts';
import { fetchAction } from './fetch-actions.ts';
import { type FetchConnection, FetchConnections } from './fetch-connection.ts';
import { FetchLimits, noteBatchBytes } from './fetch-limits.ts';
import { type FetchRow, keyOfRow } from './fetch-session.ts';
import type { FetchedMemory } from './fetched-memory.ts';
import { FetchedRecords } from './fetched-records.ts';
import { errorAbout, unexpectedFetchError } from './named-errors.ts';
import type { Partition } from './partition.ts';

const sessionsVersion = 7;
const topicIdsVersion = 13;

export interface FetchListener {
  /** A fetch has brought records or other news of partitions. */
  onFetched(): void;
  /** The position is outside of the broker's log. */
  onOutOfRange(partition: Partition, now: number): void;
  /** An error for the application. The partition is not fetched until the application seeks. */
  onPartitionFailed(partition: Partition, error: Error): void;
  /** The cluster refuses to give access to the partition. It is tried again; other partitions go on. */
  onDenied(partition: Partition, error: Error): void;
}

interface Sent {
  readonly row: FetchRow;
  readonly partition: Partition;
  readonly version: number;
}

export interface FetcherSettings {
  readonly config: ConsumerConfig;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly metadataMaxAgeMs: number;
  readonly report: ConsumerReport;
  readonly memory: FetchedMemory;
}

export class Fetcher {
  readonly #host: RoleHost;
  readonly #settings: FetcherSettings;
  readonly #listener: FetchListener;
  readonly #connections = new FetchConnections();
  readonly #limits: FetchLimits;
  #isClosed = false;
  #hasAnswers = false;
  /** Give the memory of answers back. */
  readonly #lent: (() => void)[] = [];

  constructor(host: RoleHost, settings: FetcherSettings, listener: FetchListener) {
    this.#host = host;
    this.#settings = settings;
    this.#listener = listener;
    this.#limits = new FetchLimits(settings.config);
  }

  /** Whether an answer has come since the last poll. */
  get hasAnswers(): boolean {
    return this.#hasAnswers;
  }

  /** Sends fetches for the partitions that have room. */
  poll(partitions: Iterable<Partition>, now: number): void {
    this.#hasAnswers = false;
    if (this.#isClosed) return;
    const all = [...partitions];
    this.#limits.begin(all);
    const byBroker = new Map<number, Partition[]>();
    for (const partition of all) {
      if (partition.state === 'initializing' || partition.state === 'reset') this.#connect(partition, now);
      if (!this.#isFetchable(partition, now)) continue;
      const brokerId = this.#brokerFor(partition, now);
      if (brokerId < 0) continue;
      const list = byBroker.get(brokerId);
      if (list === undefined) byBroker.set(brokerId, [partition]);
      else list.push(partition);
    }
    for (const [brokerId, wanted] of byBroker) this.#fetchFrom(brokerId, wanted, byBroker.size, now);
  }

  nextDeadline(partitions: Iterable<Partition>, now: number): number {
    if (this.#isClosed) return Number.POSITIVE_INFINITY;
    let deadline = this.#limits.nextDeadline;
    for (const partition of partitions) {
      if (partition.state === 'fetching' && partition.retryAt > now) deadline = Math.min(deadline, partition.retryAt);
    }
    for (const { to, isBusy } of this.#connections.all)
      if (!isBusy) {
        const readyAt = this.#host.requests.readyAt(to, now);
        if (readyAt > now) deadline = Math.min(deadline, readyAt);
      }
    return deadline;
  }

  /**
   * What could be decoded in this round has been. The rest is copied out of the answers, and their memory is given back. Otherwise the
   * slowest partition would keep the memory of all.
   */
  settle(partitions: Iterable<Partition>): void {
    if (this.#lent.length === 0) return;
    for (const partition of partitions) partition.keepFetched(this.#settings.memory);
    for (const release of this.#lent.splice(0)) release();
  }

  /** Ends all fetches. Nothing is read or settled any more, so the memory of answers is given back, now and when the last ones come. */
  close(now: number): void {
    this.#isClosed = true;
    this.settle([]);
    this.#connections.close(this.#host.requests, this.#settings.requestTimeoutMs, now);
  }

  #isFetchable(partition: Partition, now: number): boolean {
    if (partition.state !== 'fetching' || partition.isPaused || partition.isReleasing) return false;
    if (partition.isFetchInFlight || partition.error !== null || partition.retryAt > now) return false;
    return this.#limits.hasRoom(partition);
  }

  /** Begins the connection for fetches while the position is looked up. */
  #connect({ topic, index }: Partition, now: number): void {
    const leaderId = this.#host.cluster.leader(topic, index)?.leaderId ?? -1;
    if (leaderId >= 0) this.#host.requests.isReady(this.#connections.first(leaderId).to, now);
  }

  #brokerFor(partition: Partition, now: number): number {
    const { cluster } = this.#host;
    if (partition.preferredReplica >= 0) {
      if (partition.preferredUntil > now && cluster.brokers.has(partition.preferredReplica))
        return partition.preferredReplica;
      partition.preferredReplica = -1;
    }
    const leader = cluster.leader(partition.topic, partition.index);
    if (leader !== null && leader.leaderId >= 0) return leader.leaderId;
    cluster.requestUpdate();
    this.#backOff(partition, now);
    return -1;
  }

  #fetchFrom(brokerId: number, wanted: readonly Partition[], brokers: number, now: number): void {
    const connection = this.#connections.free(brokerId);
    if (connection === undefined) return;
    if (!this.#host.requests.isReady(connection.to, now)) {
      this.#noteUnreachable(connection.to, wanted, now);
      return;
    }
    const maxBytes = this.#limits.ofRequest(wanted, brokers, this.#connections.all, now);
    if (maxBytes !== null) this.#send(connection, wanted, maxBytes, now);
  }

  #noteUnreachable(to: Destination, wanted: readonly Partition[], now: number): void {
    if (this.#host.requests.lastError(to) === null) return;
    for (const partition of wanted)
      if (partition.preferredReplica === to.brokerId) {
        // The partition is fetched from the leader again. It has everything that the follower has.
        partition.preferredReplica = -1;
        this.#backOff(partition, now);
      }
  }

  #send(connection: FetchConnection, wanted: readonly Partition[], maxBytes: number, now: number): void {
    const { config, requestTimeoutMs } = this.#settings;
    const { requests, cluster } = this.#host;
    const range = requests.versionRange(connection.to.brokerId, Fetch);
    const sent = new Map<string, Sent>();
    const rows: FetchRow[] = [];
    let hasIds = true;
    for (const partition of wanted) {
      const { topic, index, version, fetchPosition } = partition;
      const leader = cluster.leader(topic, index);
      const topicId = cluster.topicId(topic);
      if (topicId === null || topicId === zeroUuid) hasIds = false;
      const row = {
        topic,
        topicId,
        index,
        offset: fetchPosition.offset,
        leaderEpoch: leader?.leaderEpoch ?? -1,
        maxBytes: this.#limits.ofPartition(partition),
      };
      rows.push(row);
      sent.set(keyOfRow(row), { row, partition, version });
      partition.askedBroker = connection.to.brokerId;
    }
    const { isFull, ...request } = connection.session.next(rows, range === null || range.max >= sessionsVersion);
    connection.isBusy = true;
    connection.askedBytes = maxBytes;
    requests.send(
      {
        to: connection.to,
        api: Fetch,
        request: {
          maxWaitMs: config.fetchMaxWaitMs,
          minBytes: config.fetchMinBytes,
          maxBytes,
          isolationLevel: config.isolationLevel === 'read_committed' ? 1 : 0,
          rackId: config.clientRack,
          ...request,
        },
        ...(hasIds ? {} : { maxVersion: topicIdsVersion - 1 }),
        timeoutMs: requestTimeoutMs + config.fetchMaxWaitMs,
        records: 'lent',
        onResponse: (response, _version, at, release) => {
          this.#lent.push(release);
          const bytes = this.#onResponse(connection, response!, isFull, sent, at);
          this.#settings.report.fetched(at - now, bytes, response!.throttleTimeMs, at);
          if (this.#isClosed) this.settle([]);
        },
        onFailure: (error, at) => this.#onFailure(connection, error, sent, at),
      },
      now,
    );
    requests.flush(connection.to, now);
  }

  /** @returns how many bytes of records came */
  #onResponse(
    connection: FetchConnection,
    response: FetchResponseView,
    isFull: boolean,
    sent: Map<string, Sent>,
    now: number,
  ): number {
    this.#release(connection, sent);
    if (this.#isClosed) return 0;
    this.#hasAnswers = true;
    const { errorCode } = response;
    if (errorCode !== 0) {
      connection.session.restart(errorCode !== codes.fetchSessionIdNotFound);
      if (errorCode === codes.fetchSessionTopicIdError) this.#host.cluster.requestUpdate();
      const isSessionError = errorCode === codes.fetchSessionIdNotFound || errorCode === codes.invalidFetchSessionEpoch;
      // A request that began a session cannot have been of a wrong one.
      if (!isSessionError || isFull) this.#backOffAll(sent, now);
      return 0;
    }
    const topicById = new Map<string, string>();
    for (const { row } of sent.values()) if (row.topicId !== null) topicById.set(row.topicId, row.topic);
    const answers = new Map<string, FetchResponsePartitionDataView>();
    for (const topic of response.responses) {
      const name = topic.topic !== '' ? topic.topic : (topicById.get(topic.topicId) ?? `id ${topic.topicId}`);
      for (const answer of topic.partitions)
        answers.set(keyOfRow({ topic: name, index: answer.partitionIndex }), answer);
    }
    if (connection.session.answered(response, isFull, new Set(answers.keys())) !== null) {
      this.#backOffAll(sent, now);
      return 0;
    }
    this.#listener.onFetched();
    let bytes = 0;
    for (const [key, answer] of answers) {
      const byteLength = answer.records.raw?.byteLength ?? 0;
      bytes += byteLength;
      const asked = sent.get(key);
      if (asked === undefined) continue;
      noteBatchBytes(asked.row, byteLength, sent.values());
      this.#onPartition(connection.to.brokerId, asked, answer, now);
    }
    return bytes;
  }

  #onFailure(connection: FetchConnection, _error: Error, sent: Map<string, Sent>, now: number): void {
    this.#release(connection, sent);
    connection.session.restart(true);
    if (this.#isClosed) return;
    this.#host.cluster.requestUpdate();
    for (const { partition } of sent.values())
      if (partition.preferredReplica === connection.to.brokerId) partition.preferredReplica = -1;
    this.#backOffAll(sent, now);
  }

  #release(connection: FetchConnection, sent: Map<string, Sent>): void {
    connection.isBusy = false;
    connection.askedBytes = 0;
    for (const { partition, version } of sent.values()) if (partition.version === version) partition.askedBroker = -1;
  }

  #onPartition(
    brokerId: number,
    { row, partition, version }: Sent,
    answer: FetchResponsePartitionDataView,
    now: number,
  ): void {
    // The partition was sought, released or assigned again in the meantime, so the answer is out of date.
    if (partition.version !== version || partition.fetchPosition.offset !== row.offset) return;
    if (partition.state !== 'fetching') return;
    const { errorCode } = answer;
    if (errorCode !== 0) {
      this.#onPartitionError(brokerId, partition, errorCode, answer, now);
      return;
    }
    partition.failures = 0;
    partition.highWatermark = answer.highWatermark.toBigInt();
    partition.lastStableOffset = answer.lastStableOffset.toBigInt();
    partition.logStartOffset = answer.logStartOffset.toBigInt();
    partition.movedAt = now;
    if (answer.preferredReadReplica >= 0) {
      partition.preferredReplica = answer.preferredReadReplica;
      partition.preferredUntil = now + this.#settings.metadataMaxAgeMs;
    }
    const { records } = answer;
    const { raw } = records;
    if (raw === null || raw.byteLength === 0) return;
    const isCommitted = this.#settings.config.isolationLevel === 'read_committed';
    const aborted = isCommitted ? new OpenTransactions(answer.abortedTransactions) : null;
    const fetched = new FetchedRecords(raw, aborted, true);
    if (fetched.isEmpty) return;
    partition.fetched.push(fetched);
    const next = records.nextOffset.toBigInt();
    if (next > row.offset) partition.fetchedTo({ offset: next, leaderEpoch: fetched.leaderEpoch });
  }

  #onPartitionError(
    brokerId: number,
    partition: Partition,
    errorCode: number,
    answer: FetchResponsePartitionDataView,
    now: number,
  ): void {
    switch (fetchAction(errorCode)) {
      case 'outOfRange':
        if (brokerId === partition.preferredReplica) partition.preferredReplica = -1;
        else if (!comesLater(partition) && !this.#wouldTakeBatches(partition)) {
          this.#listener.onOutOfRange(partition, now);
          return;
        }
        this.#backOff(partition, now);
        return;
      case 'fail':
        if (comesLater(partition)) this.#backOff(partition, now);
        else this.#listener.onPartitionFailed(partition, unexpectedFetchError(partition, errorCode));
        return;
      case 'again':
        this.#backOff(partition, now);
        return;
      case 'denied':
        this.#listener.onDenied(partition, errorAbout(errorCode, partition.topic));
        break;
      case 'moved':
        partition.preferredReplica = -1;
        // If the answer names a leader, the cluster view has it already.
        if (this.#leaderOf(partition) !== brokerId && answer.currentLeader.leaderId >= 0) return;
        break;
      case 'refresh':
        partition.preferredReplica = -1;
    }
    this.#host.cluster.requestUpdate();
    this.#backOff(partition, now);
  }

  /** Whether a reset of the position would take batches from the application that it works on: nobody gives them to it again. */
  #wouldTakeBatches({ handed }: Partition): boolean {
    return handed.length > 0 && this.#settings.config.autoOffsetReset !== 'none';
  }

  #leaderOf({ topic, index }: Partition): number {
    return this.#host.cluster.leader(topic, index)?.leaderId ?? -1;
  }

  /** Those that were given up meanwhile are read elsewhere, or from another position. */
  #backOffAll(sent: ReadonlyMap<string, Sent>, now: number): void {
    for (const { partition, version } of sent.values())
      if (partition.version === version) this.#backOff(partition, now);
  }

  #backOff(partition: Partition, now: number): void {
    partition.failures++;
    partition.retryAt = now + backoffMs(this.#settings.retryBackoffMs, partition.failures, this.#host.random());
  }
}

/**
 * Whether records before the place of an error were fetched and not handed out yet. They come first: an application that seeks past the
 * error must not skip them. Meanwhile the same fetch is tried again.
 */
function comesLater({ bufferedBytes }: Partition): boolean {
  return bufferedBytes > 0;
}
