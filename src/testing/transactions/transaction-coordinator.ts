// Owns the transactions of an embedded cluster. All nodes share one state, as if each coordinator read its log at once. The handlers
// check whether the right node is asked. Runs in the broker's thread. Markers are written a moment after the answer to EndTxn, as in
// real brokers, so that tests meet the time between them.

import type { BrokerClock } from '../clock.ts';
import { errorCodes } from '../error-codes.ts';
import { type ProducerIdentity, Transaction } from './transaction.ts';

/** What transactions do to logs and groups. */
export interface TransactionTargets {
  writeMarker(topic: string, partition: number, producer: ProducerIdentity, isCommit: boolean): void;
  endOffsets(groupId: string, producerId: number, isCommit: boolean): void;
}

export interface TransactionLimits {
  /** Between the answer to EndTxn and its markers. */
  readonly markerDelayMs: number;
  readonly maxTimeoutMs: number;
}

export type InitResult = { readonly errorCode: number } | { readonly producer: ProducerIdentity };

export interface TransactionDescription extends ProducerIdentity {
  readonly state: string;
  /** "topic/partition". */
  readonly partitions: readonly string[];
  readonly groups: readonly string[];
}

export class TransactionCoordinator {
  readonly #clock: BrokerClock;
  readonly #targets: TransactionTargets;
  readonly #limits: TransactionLimits;
  readonly #transactions = new Map<string, Transaction>();
  readonly #waiting = new Map<Transaction, (() => void)[]>();
  readonly #timeouts = new Map<Transaction, () => void>();

  constructor(clock: BrokerClock, targets: TransactionTargets, limits: TransactionLimits) {
    this.#clock = clock;
    this.#targets = targets;
    this.#limits = limits;
  }

  /** @param claimed  the id and epoch that the producer sends (InitProducerId 3 and newer); null for a new producer */
  init(
    transactionalId: string,
    timeoutMs: number,
    claimed: ProducerIdentity | null,
    newProducerId: () => number | null,
  ): InitResult {
    if (transactionalId === '') return { errorCode: errorCodes.INVALID_REQUEST };
    if (timeoutMs <= 0 || timeoutMs > this.#limits.maxTimeoutMs)
      return { errorCode: errorCodes.INVALID_TRANSACTION_TIMEOUT };
    let transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) {
      const producerId = newProducerId();
      if (producerId === null) return { errorCode: errorCodes.COORDINATOR_LOAD_IN_PROGRESS };
      transaction = new Transaction(transactionalId, producerId, timeoutMs);
      this.#transactions.set(transactionalId, transaction);
    }
    if (!transaction.isKnown(claimed)) return { errorCode: errorCodes.PRODUCER_FENCED };
    if (transaction.isCompleting) return { errorCode: errorCodes.CONCURRENT_TRANSACTIONS };
    if (transaction.state === 'Ongoing') {
      this.#complete(transaction, transaction.abort());
      return { errorCode: errorCodes.CONCURRENT_TRANSACTIONS };
    }
    const errorCode = transaction.initialize(claimed, newProducerId);
    if (errorCode !== errorCodes.NONE) return { errorCode };
    transaction.timeoutMs = timeoutMs;
    return { producer: transaction.identity };
  }

  /** Null, or a promise of the moment when the markers of that id's last transaction are written. */
  completion(transactionalId: string): Promise<void> | null {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined || !transaction.isCompleting) return null;
    return new Promise((resolve) => {
      this.#waiting.set(transaction, [...(this.#waiting.get(transaction) ?? []), resolve]);
    });
  }

  /** The error code for adding partitions or groups. 0: they can be added. */
  checkAdd(transactionalId: string | null, producer: ProducerIdentity): number {
    if (transactionalId === null || transactionalId === '') return errorCodes.INVALID_REQUEST;
    const transaction = this.#transactions.get(transactionalId);
    return transaction === undefined ? errorCodes.INVALID_PRODUCER_ID_MAPPING : transaction.checkAdd(producer);
  }

  /** After `checkAdd`. */
  addPartition(transactionalId: string, topic: string, index: number, isVersion2: boolean): void {
    this.#begun(transactionalId, isVersion2).partitions.set(`${topic}/${index}`, { topic, index });
  }

  /** After `checkAdd`. */
  addGroup(transactionalId: string, groupId: string, isVersion2: boolean): void {
    this.#begun(transactionalId, isVersion2).groups.add(groupId);
  }

  hasPartition(transactionalId: string, topic: string, index: number): boolean {
    return this.#transactions.get(transactionalId)?.partitions.has(`${topic}/${index}`) ?? false;
  }

  hasGroup(transactionalId: string, groupId: string): boolean {
    return this.#transactions.get(transactionalId)?.groups.has(groupId) ?? false;
  }

  /** EndTxn. Returns the producer id and epoch for the next transaction, or an error code. */
  end(
    transactionalId: string,
    producer: ProducerIdentity,
    isCommit: boolean,
    version: number,
    newProducerId: () => number | null,
  ): InitResult {
    if (transactionalId === '') return { errorCode: errorCodes.INVALID_REQUEST };
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) return { errorCode: errorCodes.INVALID_PRODUCER_ID_MAPPING };
    const decision = transaction.end(producer, isCommit, version, newProducerId);
    if ('errorCode' in decision) return decision;
    if ('answered' in decision) return { producer: decision.answered };
    this.#complete(transaction, decision.marker);
    return { producer: decision.begun };
  }

  describe(transactionalId: string): TransactionDescription | null {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) return null;
    const { state, partitions, groups, identity } = transaction;
    return { ...identity, state, partitions: [...partitions.keys()], groups: [...groups] };
  }

  #begun(transactionalId: string, isVersion2: boolean): Transaction {
    const transaction = this.#transactions.get(transactionalId)!;
    const isNew = transaction.state !== 'Ongoing';
    transaction.begin(this.#clock.now(), isVersion2);
    if (isNew) this.#watch(transaction);
    return transaction;
  }

  #watch(transaction: Transaction): void {
    const forget = this.#clock.after(transaction.timeoutMs, () => {
      if (transaction.state === 'Ongoing') this.#complete(transaction, transaction.abort());
    });
    this.#timeouts.set(transaction, forget);
  }

  #complete(transaction: Transaction, marker: ProducerIdentity): void {
    this.#timeouts.get(transaction)?.();
    this.#timeouts.delete(transaction);
    this.#clock.after(this.#limits.markerDelayMs, () => {
      const isCommit = transaction.state === 'PrepareCommit';
      for (const { topic, index } of transaction.partitions.values()) {
        this.#targets.writeMarker(topic, index, marker, isCommit);
      }
      for (const groupId of transaction.groups) this.#targets.endOffsets(groupId, marker.producerId, isCommit);
      transaction.completed();
      const waiting = this.#waiting.get(transaction) ?? [];
      this.#waiting.delete(transaction);
      for (const go of waiting) go();
    });
  }
}
