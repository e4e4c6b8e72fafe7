// Owns one consumer in the network thread: its parts, its turn in each round, the calls of applications, its end. Network thread.
// Must not know rings: it reaches applications through `Application`, and their calls are plain data.

import type {
  AssignedStart,
  ConsumerConfig,
  Subscription,
  TopicPartition,
} from '../../common/config/consumer-config.ts';
import type { ConsumerEvent, ConsumerSnapshot, LeaveModeName } from '../../common/consumer-calls.ts';
import { Cancelled, type GroupFatalError, IllegalStateError } from '../../common/errors/errors.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import type { Role, RoleHost } from '../client/role.ts';
import { Attention } from './attention.ts';
import { AutoCommit, autoCommitSettings } from './auto-commit.ts';
import { ConnectAhead } from './connect-ahead.ts';
import { Dealer } from './dealer.ts';
import { FetchedMemory } from './fetched-memory.ts';
import { Fetcher } from './fetcher.ts';
import { Group } from './group.ts';
import type { Application } from './handed-batch.ts';
import { LogQuestions } from './log-questions.ts';
import type { MembershipHost } from './membership.ts';
import { MembershipWatch } from './membership-watch.ts';
import { MissingTopics } from './missing-topics.ts';
import { OffsetQueries } from './offset-queries.ts';
import type { Partition } from './partition.ts';
import { checkPartitionCount } from './partition-limit.ts';
import { PartitionSet } from './partition-set.ts';
import { PositionResolver } from './position-resolver.ts';
import { RefusalWatch } from './refusal-watch.ts';
import type { RoleSettings } from './role-settings.ts';
import { Snapshots, snapshotOf } from './snapshot.ts';
import { TopicTracker } from './topic-tracker.ts';

/** A turn looks at every partition, some 4,000 in half a millisecond. With many partitions it waits as long as that before the next one. */
const partitionsPerTurnMs = 4000;
const manyPartitions = 1000;
const infinity = Number.POSITIVE_INFINITY;

export class ConsumerRole implements Role {
  readonly config: ConsumerConfig;
  readonly partitions: PartitionSet;
  readonly dealer: Dealer;
  readonly fetchedMemory: FetchedMemory;
  readonly fetcher: Fetcher;
  readonly group: Group | null;
  readonly queries: OffsetQueries;
  readonly resolver: PositionResolver;
  readonly autoCommit: AutoCommit;
  readonly #host: RoleHost;
  readonly #settings: RoleSettings;
  readonly #attention: Attention;
  readonly #refusals: RefusalWatch;
  readonly #topics: TopicTracker;
  readonly #missing: MissingTopics;
  readonly #watch: MembershipWatch;
  readonly #ahead: ConnectAhead;
  readonly #snapshots: Snapshots;
  /** With many partitions there is no turn before this time, so that one turn serves many batches. */
  #turnFrom = Number.NEGATIVE_INFINITY;
  #isTurnDue = false;
  #lastError: Error | null = null;
  #fatal: Error | null = null;
  #isPausedByPolicy = false;
  #closing: { deadline: number; readonly done: (() => void)[] } | null = null;
  #isClosed = false;

  constructor(host: RoleHost, settings: RoleSettings, now: number) {
    const { config, requestTimeoutMs, retryBackoffMs, decode, decoder, prefixBytes, report } = settings;
    this.config = config;
    this.#host = host;
    this.#settings = settings;
    const isCommitted = config.isolationLevel === 'read_committed';
    this.#topics = new TopicTracker(host.cluster, this, config.allowAutoCreateTopics);
    this.#missing = new MissingTopics(host, (error) => this.#failed(error));
    this.#ahead = new ConnectAhead(host);
    this.#snapshots = new Snapshots(this.snapshot, settings.onSnapshot);
    const memory = new FetchedMemory();
    this.fetchedMemory = memory;
    this.dealer = new Dealer({ batchMaxBytes: config.batchMaxBytes, decode, decoder, prefixBytes, report, memory });
    this.partitions = new PartitionSet({
      dealer: this.dealer,
      whenRevoked: config.whenRevoked as 'wait' | 'drop',
      commitDone: (...args) => this.autoCommit.beforeRelease(...args),
      tell: (event) => this.#tell(event),
      onChange: () => this.#onPartitionsChanged(),
    });
    this.group =
      config.groupId === null
        ? null
        : new Group(host, this.#membershipHost(), (key) => this.partitions.byKey(key), {
            config,
            groupId: config.groupId,
            requestTimeoutMs,
            retryBackoffMs,
            newMemberId: settings.newMemberId,
          });
    this.#watch = new MembershipWatch(this.group, config.stalledMs, (error) => this.#failed(error));
    const offsets = this.group?.offsets ?? null;
    this.autoCommit = new AutoCommit(offsets, autoCommitSettings(config), (error) => this.#failed(error));
    this.queries = new OffsetQueries(
      host,
      new LogQuestions(host, requestTimeoutMs, false),
      isCommitted,
      retryBackoffMs,
    );
    const listener = this.#partitionListener();
    this.resolver = new PositionResolver({
      host,
      questions: new LogQuestions(host, requestTimeoutMs, true),
      offsets,
      autoOffsetReset: config.autoOffsetReset,
      isCommitted,
      retryBackoffMs,
      listener,
    });
    this.fetcher = new Fetcher(host, { ...settings, memory }, listener);
    this.#attention = new Attention(config, this.#attentionListener(), now);
    this.#refusals = new RefusalWatch(host, (error) => this.#failed(error));
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  add(application: Application): void {
    this.dealer.add(application);
    if (this.#fatal !== null) application.tell({ type: 'error', error: toPlainError(this.#fatal), isFatal: true });
    this.#host.wake();
  }

  remove(application: Application): void {
    this.dealer.remove(application, this.partitions.all);
    this.#host.wake();
  }

  // --- a turn

  poll(now: number): void {
    if (this.#isClosed) return;
    const { all } = this.partitions;
    // What was fetched is in memory of the connection, which must not wait.
    this.#isTurnDue = now < this.#turnFrom && !this.fetcher.hasAnswers && this.#closing === null;
    if (this.#isTurnDue) return;
    this.#turnFrom = all.length < manyPartitions ? now : now + all.length / partitionsPerTurnMs;
    // Brokers read the next records while those that have come are decoded.
    if (this.#mayFetch && this.fetcher.hasAnswers) this.fetcher.poll(all, now);
    // Whoever gets a batch may commit it in a transaction at once, as the member that has got it.
    this.#snapshots.writeNews();
    if (this.dealer.poll(all, now)) this.#snapshots.changed();
    this.fetcher.settle(all);
    this.group?.poll(now);
    this.partitions.poll(now);
    this.#attention.poll(this.dealer.applications, this.partitions.all, now);
    if (this.#closing === null) this.#refusals.poll(this.dealer.applications, now);
    this.autoCommit.poll(this.partitions.all, now);
    this.queries.poll(now);
    if (this.#closing === null) {
      if (this.#fatal === null) this.#watch.poll(this.partitions.all, now);
      if (this.#fatal === null) this.#missing.poll(this.#topics.subscribed, this.partitions.all, now);
      if (this.#fatal === null) this.#ahead.poll(this.#topics.subscribed, now);
      this.resolver.poll(this.partitions.all, now);
      if (this.#mayFetch) this.fetcher.poll(this.partitions.all, now);
    } else if (now >= this.#closing.deadline) {
      this.#endClose();
    }
    this.#settings.report.roundEnded(this.partitions.all, now);
    this.#snapshots.poll(now);
  }

  wasLate(lateMs: number, now: number): void {
    this.#attention.wasLate(this.dealer.applications, this.partitions.all, lateMs, now);
    this.#watch.wasLate(lateMs);
  }

  nextDeadline(now: number): number {
    if (this.#isClosed) return infinity;
    if (this.#isTurnDue) return this.#turnFrom;
    const { all } = this.partitions;
    return Math.min(
      this.group?.nextDeadline(now) ?? infinity,
      this.partitions.nextDeadline(now),
      this.autoCommit.nextDeadline(all, now),
      this.queries.nextDeadline(now),
      this.resolver.nextDeadline(all, now),
      this.fetcher.nextDeadline(all, now),
      this.#closing === null && this.#fatal === null ? this.#missing.nextDeadline() : infinity,
      this.#closing === null && this.#fatal === null ? this.#watch.nextDeadline() : infinity,
      this.#attention.nextDeadline(this.dealer.applications, all, now),
      this.#closing?.deadline ?? infinity,
      this.#snapshots.nextDeadline(),
    );
  }

  // --- calls of applications

  subscribe(subscription: Subscription, now: number): void {
    this.#checkAlive();
    if (this.group === null) throw new IllegalStateError('subscribe needs a groupId; without one use assign');
    if (!this.group.isManaged && this.partitions.all.length > 0)
      throw new IllegalStateError('partitions were assigned by hand; unsubscribe before you subscribe');
    this.#topics.subscribe(subscription);
    this.group.subscribe(subscription, now);
  }

  /** Replaces the partitions that are assigned by hand. */
  assign(partitions: readonly AssignedStart[], now: number): void {
    this.#checkAlive();
    if (this.group?.hasAssigned === true)
      throw new IllegalStateError(
        'partitions come from the group; unsubscribe before you assign, and wait for its end',
      );
    checkPartitionCount(partitions.length);
    this.partitions.replace(partitions, now + this.config.defaultApiTimeoutMs, now);
    for (const { topic, partition, start } of partitions)
      if (start !== null) this.resolver.start(this.partitions.get(topic, partition)!, start);
    this.#host.wake();
  }

  /** Releases all partitions and leaves the group. `done` is called once. */
  unsubscribe(now: number, done: () => void): void {
    this.#topics.subscribe({ names: [] });
    this.group?.prepareLeave();
    const deadline = now + this.config.defaultApiTimeoutMs;
    this.partitions.release(
      this.partitions.asTopicPartitions(),
      deadline,
      (at) => (this.group === null ? done() : this.group.leave('default', deadline, at, done)),
      now,
    );
  }

  /** Commits, releases partitions and leaves the group, in this order and by the earliest deadline. `done` is called once for each call. */
  close(timeoutMs: number, leave: LeaveModeName, now: number, done: () => void): void {
    if (this.#isClosed) {
      done();
      return;
    }
    if (this.#closing !== null) {
      this.#closing.done.push(done);
      this.#closing.deadline = Math.min(this.#closing.deadline, now + timeoutMs);
      this.#host.wake();
      return;
    }
    const deadline = now + timeoutMs;
    this.#closing = { deadline, done: [done] };
    this.fetcher.close(now);
    this.queries.close(new Cancelled('the consumer was closed'));
    this.group?.close(new Cancelled('the consumer was closed'), now);
    this.partitions.release(
      this.partitions.asTopicPartitions(),
      deadline,
      (at) => {
        if (this.#isClosed) return;
        if (this.group === null || this.#fatal !== null) this.#endClose();
        else this.group.leave(leave, deadline, at, () => this.#endClose());
      },
      now,
    );
    // An application that closes will not finish its batches.
    this.partitions.hurry(now);
    this.#host.wake();
  }

  /** The state of now. */
  readonly snapshot = (): ConsumerSnapshot =>
    snapshotOf(this.partitions.all, this.group, this.#fatal ?? this.#lastError, this.#fatal !== null, this.config);

  changed(): void {
    this.#snapshots.changed();
    this.#host.wake();
  }

  // --- inside

  get #mayFetch(): boolean {
    return this.#closing === null && !this.#isPausedByPolicy;
  }

  #checkAlive(): void {
    if (this.#fatal !== null) throw this.#fatal;
    if (this.#isClosed || this.#closing !== null) throw new IllegalStateError('the consumer is closed');
  }

  #endClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const left = this.partitions.asTopicPartitions();
    if (left.length > 0) this.#settings.log('warn', `closed before ${left.length} partitions were released in order`);
    this.partitions.lose(left);
    this.#snapshots.write();
    this.#tell({ type: 'closed' });
    this.#host.cluster.forget(this);
    this.#topics.close();
    const done = this.#closing?.done ?? [];
    this.#closing = null;
    this.#settings.onClosed();
    for (const one of done) one();
  }

  #onPartitionsChanged(): void {
    this.#topics.assigned(this.partitions.all.map(({ topic }) => topic));
    this.#hasNews();
  }

  #hasNews(): void {
    this.#snapshots.news();
    this.#host.wake();
  }

  /** Whoever hears of an event may read the state at once. */
  #tell(event: ConsumerEvent): void {
    this.#snapshots.writeNews();
    for (const application of this.dealer.applications)
      if (!application.tell(event))
        this.#settings.log('warn', 'a thread does not read its events: further ones are lost');
  }

  #failed(error: Error): void {
    this.#lastError = error;
    this.#settings.log('warn', error.message);
    this.#tell({ type: 'error', error: toPlainError(error), isFatal: false });
    this.changed();
  }

  #fatally(error: Error): void {
    if (this.#fatal !== null) return;
    this.#fatal = error;
    this.#lastError = error;
    this.#settings.log('error', error.message);
    this.partitions.lose(this.partitions.asTopicPartitions());
    this.#hasNews();
    this.#tell({ type: 'error', error: toPlainError(error), isFatal: true });
  }

  #membershipHost(): MembershipHost {
    return {
      report: this.#settings.report,
      owned: () => this.partitions.asTopicPartitions(),
      release: (...args) => this.partitions.release(...args),
      lose: (partitions: readonly TopicPartition[]) => this.partitions.lose(partitions),
      isReleaseWaiting: () => this.partitions.isReleaseWaiting,
      take: (partitions, now) => {
        this.partitions.take(partitions, now);
        // The coordinator answers in order, and the member's next heartbeat waits there for a write. So the committed offsets are asked first.
        this.resolver.poll(this.partitions.all, now);
      },
      onFatal: (error: GroupFatalError | Error) => this.#fatally(error),
      onError: (error) => this.#failed(error),
      log: (level, text) => this.#settings.log(level, text),
      onChange: () => this.#hasNews(),
    };
  }

  #partitionListener() {
    return {
      onFetched: () => this.#snapshots.changed(),
      onOutOfRange: (partition: Partition) => this.resolver.outOfRange(partition),
      onPartitionFailed: (partition: Partition, error: Error) => {
        partition.fail(error);
        this.#lastError = error;
        this.changed();
      },
      onDenied: (partition: Partition, error: Error) => {
        if (partition.failures === 0) this.#failed(error);
      },
      onTruncated: ({ topic, partition, from, to }: { topic: string; partition: number; from: bigint; to: bigint }) => {
        this.#settings.log(
          'warn',
          `${topic}-${partition}: the log was truncated below offset ${from}; reading continues at ${to}`,
        );
        this.#tell({ type: 'truncated', topic, partition, from: String(from), to: String(to) });
      },
      onLog: (level: 'info' | 'warn', text: string) => this.#settings.log(level, text),
    };
  }

  #attentionListener() {
    return {
      onBlocked: (sinceMs: number, now: number) => {
        const policy = this.config.whenBlocked;
        this.#settings.log('warn', `the application has asked for no records for ${Math.floor(sinceMs)} ms: ${policy}`);
        this.#tell({ type: 'blocked', sinceMs, policy });
        this.#isPausedByPolicy = policy !== 'keep';
        if (policy === 'leave') this.group?.leaveForSlowness(now);
      },
      onActive: (now: number) => {
        this.#isPausedByPolicy = false;
        this.group?.onApplicationActive(now);
      },
      onStalled: (partition: Partition, cause: string) => {
        const { topic, index } = partition;
        this.#settings.log('warn', `${topic}-${index} has made no progress for ${this.config.stalledMs} ms: ${cause}`);
        this.#tell({ type: 'stalled', topic, partition: index, cause });
      },
    };
  }
}
