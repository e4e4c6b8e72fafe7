// Owns one transactional id: its producer, epochs and state, and which calls are valid in which state. Runs in the
// broker's thread. Writes no markers and knows no log. Behaves as the coordinator of brokers 4.x was measured.

import { errorCodes } from '../error-codes.ts';

export type TransactionState =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort';

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** What EndTxn leads to: an answer at once, or markers to write. */
export type EndDecision =
  | { readonly errorCode: number }
  | { readonly answered: ProducerIdentity }
  | { readonly begun: ProducerIdentity; readonly marker: ProducerIdentity };

const noEpoch = -1;
/** From this one on a producer gets another id instead of the next epoch. */
const lastEpoch = 32_766;
/** From EndTxn 5 on each transaction has an epoch of its own (KIP-890, transaction version 2). */
const epochPerTransactionFrom = 5;

export class Transaction {
  readonly transactionalId: string;
  producerId: number;
  epoch = noEpoch;
  state: TransactionState = 'Empty';
  timeoutMs: number;
  /** When the open transaction began, on the broker's clock. */
  startedAt = 0;
  /** Whether the open transaction grew by requests of transaction version 2. */
  isVersion2 = false;
  /** "topic/partition" of the open transaction. */
  readonly partitions = new Map<string, { readonly topic: string; readonly index: number }>();
  readonly groups = new Set<string>();
  #lastEpoch = noEpoch;
  #lastProducerId = -1;

  constructor(transactionalId: string, producerId: number, timeoutMs: number) {
    this.transactionalId = transactionalId;
    this.producerId = producerId;
    this.timeoutMs = timeoutMs;
  }

  get isCompleting(): boolean {
    return this.state === 'PrepareCommit' || this.state === 'PrepareAbort';
  }

  get isExhausted(): boolean {
    return this.epoch >= lastEpoch;
  }

  get identity(): ProducerIdentity {
    return { producerId: this.producerId, producerEpoch: this.epoch };
  }

  /** Whether InitProducerId is allowed for a producer that claims to be `claimed`. Null: it claims nothing. */
  isKnown(claimed: ProducerIdentity | null): boolean {
    if (claimed === null || this.epoch === noEpoch || claimed.producerId === this.producerId) return true;
    return claimed.producerId === this.#lastProducerId && claimed.producerEpoch >= lastEpoch;
  }

  /** InitProducerId outside of a transaction. Returns the error code, or 0. `newProducerId` is used when no epochs are left. */
  initialize(claimed: ProducerIdentity | null, newProducerId: () => number | null): number {
    if (this.isExhausted) {
      const next = newProducerId();
      if (next === null) return errorCodes.COORDINATOR_LOAD_IN_PROGRESS;
      this.#lastProducerId = this.producerId;
      this.#lastEpoch = claimed === null ? noEpoch : this.epoch;
      this.producerId = next;
      this.epoch = 0;
    } else if (claimed === null) {
      this.epoch++;
      this.#lastEpoch = noEpoch;
    } else if (this.epoch === noEpoch || claimed.producerEpoch === this.epoch) {
      this.#lastEpoch = this.epoch;
      this.epoch++;
    } else if (claimed.producerEpoch !== this.#lastEpoch) {
      return errorCodes.PRODUCER_FENCED;
    }
    this.state = 'Empty';
    return errorCodes.NONE;
  }

  /** Whether that producer may add to the transaction: the error code. */
  checkAdd(producer: ProducerIdentity): number {
    if (producer.producerId !== this.producerId) return errorCodes.INVALID_PRODUCER_ID_MAPPING;
    if (producer.producerEpoch !== this.epoch) return errorCodes.PRODUCER_FENCED;
    return this.isCompleting ? errorCodes.CONCURRENT_TRANSACTIONS : errorCodes.NONE;
  }

  /** To be called before anything is added. */
  begin(now: number, isVersion2: boolean): void {
    this.isVersion2 = isVersion2;
    if (this.state === 'Ongoing') return;
    this.state = 'Ongoing';
    this.startedAt = now;
  }

  /** EndTxn of a client. */
  end(producer: ProducerIdentity, isCommit: boolean, version: number, newProducerId: () => number | null): EndDecision {
    const isVersion2 = version >= epochPerTransactionFrom;
    const isEpochRetry = producer.producerEpoch + 1 === this.epoch;
    const isIdRetry =
      producer.producerId === this.#lastProducerId && producer.producerEpoch === lastEpoch && this.epoch === 0;
    if (producer.producerId !== this.producerId && !isIdRetry)
      return { errorCode: errorCodes.INVALID_PRODUCER_ID_MAPPING };
    const isRetry = isVersion2 && (isEpochRetry || isIdRetry);
    if (!this.#isValidEpoch(producer.producerEpoch, isVersion2, isEpochRetry, isIdRetry)) {
      return { errorCode: errorCodes.PRODUCER_FENCED };
    }
    const invalid: EndDecision = { errorCode: errorCodes.INVALID_TXN_STATE };
    switch (this.state) {
      case 'Ongoing':
        return this.#complete(isCommit, isVersion2, newProducerId);
      case 'PrepareCommit':
        return isCommit ? { errorCode: errorCodes.CONCURRENT_TRANSACTIONS } : invalid;
      case 'PrepareAbort':
        return isCommit ? invalid : { errorCode: errorCodes.CONCURRENT_TRANSACTIONS };
      case 'CompleteCommit':
      case 'CompleteAbort': {
        const isSame = isCommit === (this.state === 'CompleteCommit');
        if (isRetry || !isVersion2) return isSame ? { answered: this.identity } : invalid;
        return isCommit ? invalid : this.#complete(false, true, newProducerId);
      }
      case 'Empty':
        return isCommit || !isVersion2 ? invalid : this.#complete(false, true, newProducerId);
    }
  }

  /** The coordinator aborts the open transaction and fences its producer. Returns the producer of the markers. */
  abort(): ProducerIdentity {
    this.#lastEpoch = this.isVersion2 ? this.epoch : noEpoch;
    this.epoch++;
    this.state = 'PrepareAbort';
    return this.identity;
  }

  /** All markers are written. */
  completed(): void {
    this.state = this.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
    this.partitions.clear();
    this.groups.clear();
  }

  #isValidEpoch(epoch: number, isVersion2: boolean, isEpochRetry: boolean, isIdRetry: boolean): boolean {
    if (!isVersion2) return epoch === this.epoch;
    if (this.isCompleting) return isEpochRetry || isIdRetry;
    if (this.state === 'Ongoing' || this.state === 'Empty') return epoch === this.epoch;
    return isEpochRetry || isIdRetry || epoch === this.epoch;
  }

  #complete(isCommit: boolean, isVersion2: boolean, newProducerId: () => number | null): EndDecision {
    let marker = this.identity;
    if (isVersion2) {
      marker = { producerId: this.producerId, producerEpoch: this.epoch + 1 };
      this.#lastEpoch = this.epoch;
      if (this.isExhausted) {
        const next = newProducerId();
        if (next === null) return { errorCode: errorCodes.COORDINATOR_LOAD_IN_PROGRESS };
        this.#lastProducerId = this.producerId;
        this.producerId = next;
        this.epoch = 0;
      } else {
        this.epoch++;
      }
    }
    this.state = isCommit ? 'PrepareCommit' : 'PrepareAbort';
    return { begun: this.identity, marker };
  }
}
