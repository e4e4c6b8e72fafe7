// Owns the transactions of a producer: their states, and the next step. Network thread. Must not know records. transaction-errors.ts
// has the meaning of error codes, transaction-steps.ts the steps.
// Source: KIP-98, KIP-360, KIP-447, KIP-890 (transaction.version 2); Kafka's TransactionManager.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import {
  errorFor,
  IllegalStateError,
  KafkaClientError,
  ProducerClosedError,
  TransactionAbortableError,
  TransactionAbortedError,
} from '../../common/errors/errors.ts';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import { anyone } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import type { Accumulator } from './accumulator.ts';
import { TRANSACTION } from './coordinators.ts';
import { OffsetsInLine, offsetsTimeout, type PendingOffsets } from './offsets-in-line.ts';
import type { PartitionState } from './partition-state.ts';
import type { ProducerNumbers } from './producer-numbers.ts';
import type { ProducerReport } from './producer-report.ts';
import {
  abortableError,
  fatalProduceCodes,
  type TransactionAction,
  type TransactionCall,
} from './transaction-errors.ts';
import type { TransactionGate } from './transaction-gate.ts';
import { TransactionNames, unnamed } from './transaction-names.ts';
import { maxOldVersion, minNewVersion } from './transaction-requests.ts';
import { TransactionSteps } from './transaction-steps.ts';
import { type OnDone, Waiters } from './transaction-waiters.ts';

type State = 'starting' | 'stopped' | 'ready' | 'open' | 'committing' | 'aborting' | 'failed' | 'fatal';

export interface TransactionParts {
  readonly config: ProducerConfig;
  readonly host: RoleHost;
  readonly accumulator: Accumulator;
  readonly numbers: ProducerNumbers;
  readonly report: ProducerReport;
  /** Whether every record is settled. */
  readonly isSettled: () => boolean;
  /** Fails the records that were never sent. */
  readonly failUnsent: (errorOf: () => Error, now: number) => void;
  /** Called when the producer can only be closed. */
  readonly onFatal: (error: Error, now: number) => void;
}

export class Transactions implements TransactionGate {
  readonly #parts: TransactionParts;
  readonly #steps: TransactionSteps;
  #state: State = 'starting';
  /** When a producer id, or another epoch, was first needed; NaN while none is. */
  #startedAt = Number.NaN;
  /** The reason why the transaction can only be aborted, or why the producer can only be closed. */
  #error: Error | null = null;
  /** Whether the open transaction uses the new protocol. It is chosen when the transaction begins. */
  #isNew = false;
  /** The epoch must be raised before the next transaction (old protocol). */
  #needsBump = false;
  /** The coordinator or a leader may know the open transaction. */
  #isKnown = false;
  /** The coordinator was asked to open the transaction (old protocol). While it has not answered, it may know it or not. */
  #isInDoubt = false;
  readonly #adding = new Set<PartitionState>();
  readonly #added = new Set<PartitionState>();
  readonly #offsets = new OffsetsInLine();
  readonly #begins: Waiters;
  readonly #names = new TransactionNames();
  readonly #unreachable = (): Error | null => this.#parts.host.requests.lastError(anyone);
  #ending: { readonly isCommit: boolean; readonly waiters: Waiters } | null = null;

  constructor(parts: TransactionParts) {
    this.#parts = parts;
    this.#begins = new Waiters('beginning', parts.config.maxBlockMs);
    this.#steps = new TransactionSteps(parts.config, parts.host, parts.numbers, {
      onRefused: (call, action, error, now) => this.#refused(call, action, error, now),
      onCoordinatorRefused: (type, key, error, now) => {
        if (type === TRANSACTION)
          this.#refused('FindCoordinator', this.#state === 'starting' ? 'restart' : 'fatal', error, now);
        // Offsets for that group may have been given up meanwhile.
        else if (this.#offsets.hasGroup(key)) this.#refused('FindCoordinator', 'abort', error, now);
      },
    });
  }

  get nextDeadline(): number {
    return Math.min(
      this.#steps.nextDeadline,
      this.#begins.nextDeadline,
      this.#offsets.deadline,
      this.#ending?.waiters.nextDeadline ?? Number.POSITIVE_INFINITY,
    );
  }

  get isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'failed';
  }

  get isEnding(): boolean {
    return this.#ending !== null;
  }

  /** The error if a record is not accepted now. Null if it is. */
  refusal(): KafkaClientError | null {
    if (this.#state === 'open') return null;
    if (this.#state === 'failed') {
      const text = `the transaction can only be aborted: ${this.#error!.message}`;
      return new TransactionAbortableError(text, { cause: this.#error });
    }
    return new IllegalStateError('a transactional producer only takes records inside a transaction: begin one first');
  }

  // --- calls of the application

  begin(onDone: OnDone, now: number, name = unnamed): void {
    if (this.#state === 'fatal') {
      onDone(this.#error);
      return;
    }
    if (this.#state === 'stopped') this.#state = 'starting';
    this.#begins.add(onDone, now, name);
    this.#serveBegins();
  }

  sendOffsets(offsets: TransactionOffsets, onDone: OnDone, now: number, name = unnamed): void {
    const refusal = this.#names.isCurrent(name) ? this.refusal() : notOpen('sendOffsets');
    if (refusal !== null) onDone(refusal);
    else this.#offsets.add(offsets, onDone, now + this.#parts.config.maxBlockMs);
  }

  end(isCommit: boolean, onDone: OnDone, now: number, name = unnamed): void {
    const what = isCommit ? 'commit' : 'abort';
    const wasCommitted = this.#names.wasCommitted(name);
    if (wasCommitted !== null) {
      // A call that is made again because its time was over.
      const end = wasCommitted ? 'committed' : 'aborted';
      onDone(wasCommitted === isCommit ? null : new IllegalStateError(`${what}: the transaction was ${end} already`));
    } else if (this.#state === 'fatal') {
      onDone(this.#error);
    } else if (!this.#names.isCurrent(name)) {
      onDone(notOpen(what));
    } else if (this.#ending !== null) {
      if (this.#ending.isCommit === isCommit) this.#ending.waiters.add(onDone, now);
      else onDone(new IllegalStateError(`${what} while the ${isCommit ? 'abort' : 'commit'} is under way`));
    } else if (this.#state === 'failed' && isCommit) {
      onDone(this.refusal());
    } else {
      const waiters = new Waiters(what, this.#parts.config.maxBlockMs);
      waiters.add(onDone, now);
      this.#ending = { isCommit, waiters };
      this.#state = isCommit ? 'committing' : 'aborting';
      if (isCommit) this.#parts.accumulator.isCompleting = true;
      else this.#dropUnsent(now);
    }
  }

  /**
   * The thread makes no more calls, so nobody ends its transaction or uses one that it waits for. Null: all threads.
   * @param whenEnded called once when no transaction of the thread is open or ending, which may be at once
   */
  left(owner: object | null, whenEnded: () => void, now: number): void {
    const text = 'the producer was closed before the transaction began';
    const error = new ProducerClosedError(text, { maybeWritten: false });
    if (owner === null) this.#begins.doneAll(error);
    else this.#begins.failOf(owner, error);
    if (this.#names.left(owner, whenEnded) && this.isOpen) this.#abortOrphan(now);
  }

  #abortOrphan(now: number): void {
    this.end(false, () => {}, now, this.#names.current!);
  }

  // --- questions of the sender

  get maxProduceVersion(): number | undefined {
    return this.#isNew ? undefined : maxOldVersion.produce;
  }

  get minProduceVersion(): number {
    return this.#isNew ? minNewVersion.produce : 0;
  }

  maySend(partition: PartitionState): boolean {
    if (this.#state !== 'open' && this.#state !== 'committing') {
      // Batches that were sent before are sent again until their outcome is known.
      return this.#ending !== null || this.#state === 'failed' ? this.#isNew || this.#added.has(partition) : false;
    }
    if (this.#isNew) {
      this.#isKnown = true;
      return true;
    }
    if (this.#added.has(partition)) return true;
    if (!this.#adding.has(partition)) {
      this.#adding.add(partition);
      this.#parts.host.wake();
    }
    return false;
  }

  onBatchFailed(error: Error, errorCode: number, now: number): Error {
    if (fatalProduceCodes.has(errorCode)) {
      this.#fatal(error, now);
      return this.#error ?? error;
    }
    const isRetriable = error instanceof KafkaClientError && error.retriable;
    const told = isRetriable ? abortableError(error) : error;
    this.#fail(told, now);
    return told;
  }

  /** A record of the transaction failed before it was in a batch. */
  onRecordFailed(error: Error, now: number): void {
    this.#fail(error, now);
  }

  onGap({ index, topic }: PartitionState, now: number): void {
    const text = `it is not known whether all records for partition ${index} of topic '${topic.name}' were written`;
    this.#fail(new TransactionAbortableError(text, { topic: topic.name, partition: index, maybeWritten: true }), now);
  }

  // --- one round

  poll(now: number): void {
    this.#steps.beginTurn();
    this.#parts.numbers.poll({ onGap: (partition) => this.onGap(partition, now) });
    this.#begins.expire(this.#unreachable, now);
    if (this.#offsets.deadline <= now)
      this.#fail(offsetsTimeout(this.#parts.config.maxBlockMs, this.#unreachable()), now);
    this.#ending?.waiters.expire(this.#unreachable, now);
    if (this.#state === 'fatal' || this.#steps.isAsking) return;
    const offsets = this.#state === 'aborting' ? undefined : this.#offsets.first;
    if (this.#state === 'starting') this.#start(now);
    else if (this.#state === 'ready') this.#serveBegins();
    else if (this.#adding.size > 0 && this.#state !== 'aborting') this.#addPartitions(now);
    else if (offsets !== undefined) this.#commitOffsets(offsets, now);
    else if (this.#ending !== null) this.#finish(now);
  }

  #start(now: number): void {
    if (Number.isNaN(this.#startedAt)) this.#startedAt = now;
    const isBump = this.#needsBump && this.#parts.numbers.producerEpoch >= 0;
    this.#steps.start(
      isBump,
      (text, at) => {
        this.#needsBump = false;
        this.#state = 'ready';
        this.#parts.report.callEnded('init', at - this.#startedAt, at);
        this.#startedAt = Number.NaN;
        this.#parts.report.state('info', 'transactional-producer', text);
        this.#serveBegins();
      },
      now,
    );
  }

  #addPartitions(now: number): void {
    const asked = [...this.#adding];
    this.#steps.addPartitions(
      asked,
      !this.#isKnown,
      () => {
        this.#isKnown = true;
        for (const partition of asked) {
          this.#adding.delete(partition);
          this.#added.add(partition);
        }
      },
      now,
    );
    this.#isInDoubt ||= this.#steps.isAsking;
  }

  /** In the old protocol, the group must be added first. */
  #commitOffsets(pending: PendingOffsets, now: number): void {
    if (!this.#isNew && !pending.isAdded) {
      this.#steps.addOffsets(
        pending.group.groupId,
        !this.#isKnown,
        () => {
          this.#isKnown = true;
          pending.isAdded = true;
        },
        now,
      );
      this.#isInDoubt ||= this.#steps.isAsking;
      return;
    }
    if (this.#isNew) this.#isKnown = true;
    this.#steps.commitOffsets(pending, this.#isNew, () => this.#offsets.done(pending), now);
  }

  #finish(now: number): void {
    // Every batch must be settled first: nothing may be written after the end of the transaction.
    if (!this.#parts.isSettled()) return;
    const end = { isCommit: this.#ending!.isCommit, isNew: this.#isNew, isInDoubt: !this.#isKnown };
    if (this.#isKnown || this.#isInDoubt) this.#steps.end(end, (at) => this.#ended(at), now);
    else this.#ended(now);
  }

  #ended(now: number): void {
    const { isCommit, waiters } = this.#ending!;
    this.#ending = null;
    this.#parts.accumulator.isCompleting = false;
    this.#adding.clear();
    this.#added.clear();
    this.#isKnown = false;
    this.#isInDoubt = false;
    this.#error = null;
    // The cluster was upgraded. The new protocol needs a new epoch.
    if (!this.#isNew && this.#steps.isNewSupported && this.#steps.canBump) this.#needsBump = true;
    this.#state = this.#needsBump ? 'starting' : 'ready';
    this.#parts.report.state('debug', 'transaction-ended', `the transaction was ${isCommit ? 'committed' : 'aborted'}`);
    waiters.doneAll(null);
    this.#names.end(isCommit);
    if (this.#state === 'ready') this.#serveBegins();
    else this.#start(now);
  }

  // --- helpers

  #serveBegins(): void {
    const first = this.#state === 'ready' ? this.#begins.takeFirst() : undefined;
    if (first === undefined) return;
    this.#state = 'open';
    this.#isNew = this.#steps.isNewSupported;
    this.#names.begin(first.name);
    first.onDone(null);
  }

  /** The transaction can only be aborted from now on. */
  #fail(error: Error, now: number): void {
    if (this.#state !== 'open' && this.#state !== 'committing') return;
    this.#error = error;
    this.#needsBump ||= !this.#isNew && this.#steps.canBump;
    this.#state = 'failed';
    this.#parts.report.state(
      'warn',
      'transaction-failed',
      `the transaction can only be aborted: ${error.message}`,
      error,
    );
    const ending = this.#ending;
    this.#ending = null;
    this.#parts.accumulator.isCompleting = false;
    this.#adding.clear();
    this.#offsets.failAll(error);
    ending?.waiters.doneAll(this.refusal());
    this.#parts.failUnsent(() => this.refusal()!, now);
    if (this.#names.isOrphan) this.#abortOrphan(now);
  }

  #dropUnsent(now: number): void {
    const aborted = (): Error =>
      new TransactionAbortedError('the transaction was aborted before the records were sent', { maybeWritten: false });
    this.#offsets.failAll(aborted());
    this.#adding.clear();
    this.#parts.failUnsent(aborted, now);
  }

  #refused(call: TransactionCall | 'FindCoordinator', action: TransactionAction, error: Error, now: number): void {
    // Before a transaction there is nothing to abort.
    if (this.#state === 'starting' && (action === 'restart' || action === 'abort')) {
      this.#state = 'stopped';
      this.#startedAt = Number.NaN;
      this.#parts.report.state('error', 'transactional-id-refused', error.message, error);
      this.#begins.doneAll(error);
    } else if (action === 'abort' && this.#state !== 'aborting') {
      this.#fail(error, now);
    } else if (action === 'abort' && call !== 'EndTxn') {
      // The answer to what was under way when the abort was called. What it leaves is the abort.
      this.#needsBump ||= !this.#isNew && this.#steps.canBump;
    } else if (action === 'fenced') {
      const text = `another producer has taken over transactional id '${this.#steps.transactionalId}'`;
      this.#fatal(errorFor(90, { cause: error, fatal: true }) ?? new Error(text), now);
    } else {
      this.#fatal(error, now);
    }
  }

  #fatal(error: Error, now: number): void {
    if (this.#state === 'fatal') return;
    this.#state = 'fatal';
    this.#error = error;
    const ending = this.#ending;
    this.#ending = null;
    this.#offsets.failAll(error);
    this.#begins.doneAll(error);
    ending?.waiters.doneAll(error);
    this.#names.end(null);
    this.#parts.onFatal(error, now);
  }
}

function notOpen(what: string): IllegalStateError {
  return new IllegalStateError(`${what} without an open transaction`);
}
