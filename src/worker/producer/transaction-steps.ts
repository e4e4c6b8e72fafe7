// Owns the steps of a transaction: each is a request to a coordinator, in the right version. Network thread. Must not know states:
// transactions.ts decides which step comes next, and is told how it ended.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import { AddOffsetsToTxn, AddPartitionsToTxn, EndTxn, InitProducerId } from '../../protocol/flat/generated/apis.ts';
import type { RoleHost } from '../client/role.ts';
import { type CoordinatorType, TRANSACTION } from './coordinators.ts';
import type { PartitionState } from './partition-state.ts';
import type { ProducerNumbers } from './producer-numbers.ts';
import { TransactionCalls } from './transaction-calls.ts';
import type { TransactionAction, TransactionCall } from './transaction-errors.ts';
import {
  addPartitionsCodes,
  addPartitionsRequest,
  identity,
  maxOldVersion,
  minNewVersion,
  offsetCommitCall,
} from './transaction-requests.ts';

/** From this version on, InitProducerId can raise the epoch. */
const minBumpVersion = 3;

export interface StepsListener {
  /** `action` is none of done, retry and find. */
  onRefused(call: TransactionCall, action: TransactionAction, error: Error, now: number): void;
  onCoordinatorRefused(type: CoordinatorType, key: string, error: Error, now: number): void;
}

export interface TransactionEnd {
  readonly isCommit: boolean;
  /** Whether the transaction uses the new protocol. */
  readonly isNew: boolean;
  /** Whether it is not known that the coordinator knows the transaction. */
  readonly isInDoubt: boolean;
}

export class TransactionSteps {
  readonly transactionalId: string;
  readonly #config: ProducerConfig;
  readonly #host: RoleHost;
  readonly #numbers: ProducerNumbers;
  readonly #calls: TransactionCalls;
  readonly #listener: StepsListener;

  constructor(config: ProducerConfig, host: RoleHost, numbers: ProducerNumbers, listener: StepsListener) {
    this.transactionalId = config.transactionalId!;
    this.#config = config;
    this.#host = host;
    this.#numbers = numbers;
    this.#listener = listener;
    this.#calls = new TransactionCalls(host, config, (type, key, error, now) =>
      listener.onCoordinatorRefused(type, key, error, now),
    );
  }

  get isAsking(): boolean {
    return this.#calls.isAsking;
  }

  get nextDeadline(): number {
    return this.#calls.nextDeadline;
  }

  /** A round begins. The next deadline is computed again. */
  beginTurn(): void {
    this.#calls.nextDeadline = Number.POSITIVE_INFINITY;
  }

  /** Whether the cluster supports the new protocol (transaction.version 2). */
  get isNewSupported(): boolean {
    return (this.#host.requests.finalizedFeature('transaction.version') ?? 0) >= 2;
  }

  /** Whether InitProducerId can raise the epoch of a producer. */
  get canBump(): boolean {
    const { requests, cluster } = this.#host;
    for (const id of cluster.brokers.keys()) {
      const range = requests.versionRange(id, InitProducerId);
      if (range !== null) return range.max >= minBumpVersion;
    }
    return true;
  }

  /** Requests a producer id, or, with `isBump`, the next epoch of the present id. */
  start(isBump: boolean, onDone: (text: string, now: number) => void, now: number): void {
    const { producerId, producerEpoch } = this.#who;
    this.#calls.ask(
      {
        ...this.#common('InitProducerId'),
        api: InitProducerId,
        request: {
          transactionalId: this.transactionalId,
          transactionTimeoutMs: this.#config.transactionTimeoutMs,
          ...(isBump && { producerId, producerEpoch }),
        },
        ...(isBump && { minVersion: minBumpVersion }),
        codes: (response) => [response],
        onDone: (response, at) => {
          const given = response.producerId;
          this.#numbers.take(given.low, given.high, response.producerEpoch);
          onDone(
            `transactional id '${this.transactionalId}' has producer id ${given} and epoch ${response.producerEpoch}`,
            at,
          );
        },
      },
      now,
    );
  }

  /** @param isFirst true if nothing was added to the transaction yet */
  addPartitions(partitions: readonly PartitionState[], isFirst: boolean, onDone: () => void, now: number): void {
    this.#calls.ask(
      {
        ...this.#common('AddPartitionsToTxn'),
        api: AddPartitionsToTxn,
        request: addPartitionsRequest(this.#who, partitions),
        maxVersion: maxOldVersion.addPartitions,
        isFirst,
        codes: addPartitionsCodes,
        asked: partitions.map(({ topic, index }) => ({ topic: topic.name, partition: index })),
        onDone,
      },
      now,
    );
  }

  addOffsets(groupId: string, isFirst: boolean, onDone: () => void, now: number): void {
    this.#calls.ask(
      {
        ...this.#common('AddOffsetsToTxn'),
        api: AddOffsetsToTxn,
        request: { ...this.#who, groupId },
        isFirst,
        codes: (response) => [response],
        onDone,
      },
      now,
    );
  }

  commitOffsets(offsets: TransactionOffsets, isNew: boolean, onDone: () => void, now: number): void {
    const { cluster } = this.#host;
    const call = offsetCommitCall(this.#who, offsets, isNew, (name) => cluster.topicId(name));
    this.#calls.ask({ ...this.#common('TxnOffsetCommit'), ...call, onDone }, now);
  }

  /** In the new protocol, the answer has the producer id and epoch for the next transaction. */
  end({ isCommit, isNew, isInDoubt }: TransactionEnd, onDone: (now: number) => void, now: number): void {
    this.#calls.ask(
      {
        ...this.#common('EndTxn'),
        api: EndTxn,
        request: { ...this.#who, committed: isCommit },
        minVersion: isNew ? minNewVersion.endTxn : 0,
        maxVersion: isNew ? EndTxn.maxVersion : maxOldVersion.endTxn,
        isCommit,
        isInDoubt,
        codes: (response) => [response],
        onDone: ({ producerId, producerEpoch }, at) => {
          if (isNew && producerEpoch >= 0) this.#numbers.take(producerId.low, producerId.high, producerEpoch);
          onDone(at);
        },
      },
      now,
    );
  }

  get #who(): ReturnType<typeof identity> {
    return identity(this.transactionalId, this.#numbers);
  }

  #common<Call extends TransactionCall>(call: Call) {
    return {
      call,
      coordinator: { type: TRANSACTION, key: this.transactionalId },
      canBump: this.canBump,
      onRefused: (action: TransactionAction, error: Error, now: number) =>
        this.#listener.onRefused(call, action, error, now),
    } as const;
  }
}
