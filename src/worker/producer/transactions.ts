// Owns the transactions of a producer: their states, and the next step. Network thread. Must not know records. transaction-errors.ts
// has the meaning of error codes, transaction-steps.ts the steps.
// Source: KIP-98, KIP-360, KIP-447, KIP-890 (transaction.version 2); Kafka's TransactionManager.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import {
  errorFor,
  IllegalStateError,
  KafkaClientError,
  KafkaTimeoutError,
  TransactionAbortableError,
  TransactionAbortedError,
} from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import { anyone } from '../client/broker-requests.ts';
import type { RoleHost } from '../client/role.ts';
import type { Accumulator } from './accumulator.ts';
import { GROUP } from './coordinators.ts';
import type { PartitionState } from './partition-state.ts';
import type { ProducerNumbers } from './producer-numbers.ts';
import type { ProducerReport } from './producer-report.ts';
import { abortableError, type TransactionAction } from './transaction-errors.ts';
import type { TransactionGate } from './transaction-gate.ts';
import { maxOldVersion, minNewVersion } from './transaction-requests.ts';
import { TransactionSteps } from './transaction-steps.ts';
import { type OnDone, Waiters } from './transaction-waiters.ts';

type State = 'starting' | 'stopped' | 'ready' | 'open' | 'committing' | 'aborting' | 'failed' | 'fatal';

/** Error codes of Produce that end the producer, not only the transaction. */
const fatalProduceCodes: ReadonlySet<number> = new Set([
  errorCodes.CLUSTER_AUTHORIZATION_FAILED,
  errorCodes.UNSUPPORTED_VERSION,
  errorCodes.INVALID_PRODUCER_ID_MAPPING,
  errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  errorCodes.PRODUCER_FENCED,
]);

interface PendingOffsets extends TransactionOffsets {
  /** ms on the monotonic clock. */
  readonly deadline: number;
  readonly onDone: OnDone;
  /** Whether the group was added to the transaction (old protocol). */
  isAdded: boolean;
}

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
  readonly #adding = new Set<PartitionState>();
  readonly #added = new Set<PartitionState>();
  #offsets: PendingOffsets[] = [];
  readonly #begins: Waiters;
  readonly #unreachable = (): Error | null => this.#parts.host.requests.lastError(anyone);
  #ending: { readonly isCommit: boolean; readonly waiters: Waiters } | null = null;

  constructor(parts: TransactionParts) {
    this.#parts = parts;
    this.#begins = new Waiters('beginning', parts.config.maxBlockMs);
    this.#steps = new TransactionSteps(parts.config, parts.host, parts.numbers, {
      onRefused: (action, error, now) => this.#refused(action, error, now),
      onCoordinatorRefused: (type, error, now) => {
        if (type === GROUP) this.#refused('abort', error, now);
        else this.#refused(this.#state === 'starting' ? 'restart' : 'fatal', error, now);
      },
    });
  }

  get nextDeadline(): number {
    return Math.min(
      this.#steps.nextDeadline,
      this.#begins.nextDeadline,
      this.#offsetsDeadline,
      this.#ending?.waiters.nextDeadline ?? Number.POSITIVE_INFINITY,
    );
  }

  get #offsetsDeadline(): number {
    return this.#offsets[0]?.deadline ?? Number.POSITIVE_INFINITY;
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

  begin(onDone: OnDone, now: number): void {
    if (this.#state === 'fatal') {
      onDone(this.#error);
      return;
    }
    if (this.#state === 'stopped') this.#state = 'starting';
    this.#begins.add(onDone, now);
    this.#serveBegins();
  }

  sendOffsets(offsets: TransactionOffsets, onDone: OnDone, now: number): void {
    const refusal = this.refusal();
    if (refusal !== null) onDone(refusal);
    else this.#offsets.push({ ...offsets, onDone, isAdded: false, deadline: now + this.#parts.config.maxBlockMs });
  }

  end(isCommit: boolean, onDone: OnDone, now: number): void {
    const what = isCommit ? 'commit' : 'abort';
    if (this.#state === 'fatal') {
      onDone(this.#error);
    } else if (this.#ending !== null) {
      if (this.#ending.isCommit === isCommit) this.#ending.waiters.add(onDone, now);
      else onDone(new IllegalStateError(`${what} while the ${isCommit ? 'abort' : 'commit'} is under way`));
    } else if (this.#state === 'failed' && isCommit) {
      onDone(this.refusal());
    } else if (!this.isOpen) {
      onDone(new IllegalStateError(`${what} without an open transaction`));
    } else {
      const waiters = new Waiters(what, this.#parts.config.maxBlockMs);
      waiters.add(onDone, now);
      this.#ending = { isCommit, waiters };
      this.#state = isCommit ? 'committing' : 'aborting';
      if (isCommit) this.#parts.accumulator.isCompleting = true;
      else this.#dropUnsent(now);
    }
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
    if (this.#offsetsDeadline <= now)
      this.#fail(offsetsTimeout(this.#parts.config.maxBlockMs, this.#unreachable()), now);
    this.#ending?.waiters.expire(this.#unreachable, now);
    if (this.#state === 'fatal' || this.#steps.isAsking) return;
    if (this.#state === 'starting') this.#start(now);
    else if (this.#state === 'ready') this.#serveBegins();
    else if (this.#adding.size > 0 && this.#state !== 'aborting') this.#addPartitions(now);
    else if (this.#offsets.length > 0 && this.#state !== 'aborting') this.#commitOffsets(this.#offsets[0]!, now);
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
      return;
    }
    if (this.#isNew) this.#isKnown = true;
    this.#steps.commitOffsets(
      pending,
      this.#isNew,
      () => {
        // The transaction may have failed meanwhile, and these offsets with it.
        if (!this.#offsets.includes(pending)) return;
        this.#offsets = this.#offsets.filter((each) => each !== pending);
        pending.onDone(null);
      },
      now,
    );
  }

  #finish(now: number): void {
    // Every batch must be settled first: nothing may be written after the end of the transaction.
    if (!this.#parts.isSettled()) return;
    if (this.#isKnown) this.#steps.end(this.#ending!.isCommit, this.#isNew, (at) => this.#ended(at), now);
    else this.#ended(now);
  }

  #ended(now: number): void {
    const { isCommit, waiters } = this.#ending!;
    this.#ending = null;
    this.#parts.accumulator.isCompleting = false;
    this.#adding.clear();
    this.#added.clear();
    this.#isKnown = false;
    this.#error = null;
    // The cluster was upgraded. The new protocol needs a new epoch.
    if (!this.#isNew && this.#steps.isNewSupported && this.#steps.canBump) this.#needsBump = true;
    this.#state = this.#needsBump ? 'starting' : 'ready';
    this.#parts.report.state('debug', 'transaction-ended', `the transaction was ${isCommit ? 'committed' : 'aborted'}`);
    waiters.doneAll(null);
    if (this.#state === 'ready') this.#serveBegins();
    else this.#start(now);
  }

  // --- helpers

  #serveBegins(): void {
    if (this.#state !== 'ready' || this.#begins.isEmpty) return;
    this.#state = 'open';
    this.#isNew = this.#steps.isNewSupported;
    this.#begins.doneFirst();
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
    this.#failOffsets(error);
    ending?.waiters.doneAll(this.refusal());
    this.#parts.failUnsent(() => this.refusal()!, now);
  }

  #dropUnsent(now: number): void {
    const aborted = (): Error =>
      new TransactionAbortedError('the transaction was aborted before the records were sent', { maybeWritten: false });
    this.#failOffsets(aborted());
    this.#adding.clear();
    this.#parts.failUnsent(aborted, now);
  }

  #failOffsets(error: Error): void {
    const offsets = this.#offsets;
    this.#offsets = [];
    for (const { onDone } of offsets) onDone(error);
  }

  #refused(action: TransactionAction, error: Error, now: number): void {
    // Before a transaction there is nothing to abort.
    if (this.#state === 'starting' && (action === 'restart' || action === 'abort')) {
      this.#state = 'stopped';
      this.#startedAt = Number.NaN;
      this.#parts.report.state('error', 'transactional-id-refused', error.message, error);
      this.#begins.doneAll(error);
    } else if (action === 'abort' && this.#state !== 'aborting') {
      this.#fail(error, now);
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
    this.#failOffsets(error);
    this.#begins.doneAll(error);
    ending?.waiters.doneAll(error);
    this.#parts.onFatal(error, now);
  }
}

function offsetsTimeout(maxBlockMs: number, unreachable: Error | null): KafkaTimeoutError {
  const text = `the offsets were not added to the transaction within ${maxBlockMs} ms (maxBlockMs)`;
  return new KafkaTimeoutError(text, { cause: unreachable ?? undefined });
}
