// Owns the meaning of error codes in answers to a transaction's requests. Network thread. Must not act on them: transactions.ts does.
// Source: Kafka's TransactionManager; KIP-360, KIP-447, KIP-890, KIP-1050.

import { errorFor } from '../../common/errors/errors.ts';

export type TransactionCall =
  | 'InitProducerId'
  | 'AddPartitionsToTxn'
  | 'AddOffsetsToTxn'
  | 'TxnOffsetCommit'
  | 'EndTxn';

/**
 * `retry`: send the same request again. `find`: look up the coordinator, then send again. `abort`: the transaction can only be aborted.
 * `fenced`: another producer has taken over. `fatal`: the producer can only be closed. `restart`: the producer must begin again.
 */
export type TransactionAction = 'done' | 'retry' | 'find' | 'abort' | 'fenced' | 'fatal' | 'restart';

const codes = {
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  REQUEST_TIMED_OUT: 7,
  COORDINATOR_LOAD_IN_PROGRESS: 14,
  COORDINATOR_NOT_AVAILABLE: 15,
  NOT_COORDINATOR: 16,
  ILLEGAL_GENERATION: 22,
  UNKNOWN_MEMBER_ID: 25,
  TOPIC_AUTHORIZATION_FAILED: 29,
  GROUP_AUTHORIZATION_FAILED: 30,
  CLUSTER_AUTHORIZATION_FAILED: 31,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 43,
  INVALID_PRODUCER_EPOCH: 47,
  INVALID_TXN_STATE: 48,
  INVALID_PRODUCER_ID_MAPPING: 49,
  CONCURRENT_TRANSACTIONS: 51,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 53,
  OPERATION_NOT_ATTEMPTED: 55,
  UNKNOWN_PRODUCER_ID: 59,
  GROUP_ID_NOT_FOUND: 69,
  FENCED_INSTANCE_ID: 82,
  PRODUCER_FENCED: 90,
  UNKNOWN_TOPIC_ID: 100,
  STALE_MEMBER_EPOCH: 113,
  TRANSACTION_ABORTABLE: 120,
} as const;

export const CONCURRENT_TRANSACTIONS = codes.CONCURRENT_TRANSACTIONS;

const groupMovedOn: ReadonlySet<number> = new Set([
  codes.FENCED_INSTANCE_ID,
  codes.UNKNOWN_MEMBER_ID,
  codes.ILLEGAL_GENERATION,
  codes.STALE_MEMBER_EPOCH,
  codes.GROUP_ID_NOT_FOUND,
]);

/**
 * The action for an error code.
 * @param canBump whether the epoch can be raised by InitProducerId
 * @param isCommit for EndTxn: whether it commits
 */
export function transactionAction(
  call: TransactionCall,
  errorCode: number,
  canBump: boolean,
  isCommit = false,
): TransactionAction {
  if (errorCode === 0) return 'done';
  const common = commonAction(call, errorCode, isCommit);
  if (common !== null) return common;
  switch (call) {
    case 'InitProducerId':
      if (errorCode === codes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED) return 'restart';
      return errorCode === codes.CLUSTER_AUTHORIZATION_FAILED ? 'restart' : 'fatal';
    case 'AddPartitionsToTxn':
      if (errorCode === codes.UNKNOWN_TOPIC_OR_PARTITION) return 'retry';
      if (errorCode === codes.UNKNOWN_PRODUCER_ID) return canBump ? 'abort' : 'fatal';
      // All other codes of a partition, for example OPERATION_NOT_ATTEMPTED and TOPIC_AUTHORIZATION_FAILED.
      return isRetriable(errorCode) ? 'retry' : 'abort';
    case 'AddOffsetsToTxn':
      if (errorCode === codes.UNKNOWN_PRODUCER_ID) return canBump ? 'abort' : 'fatal';
      return errorCode === codes.GROUP_AUTHORIZATION_FAILED ? 'abort' : 'fatal';
    case 'TxnOffsetCommit':
      if (errorCode === codes.UNKNOWN_TOPIC_OR_PARTITION || errorCode === codes.UNKNOWN_TOPIC_ID) return 'retry';
      if (errorCode === codes.GROUP_AUTHORIZATION_FAILED || errorCode === codes.TOPIC_AUTHORIZATION_FAILED)
        return 'abort';
      return groupMovedOn.has(errorCode) ? 'abort' : 'fatal';
    default:
      if (errorCode === codes.UNKNOWN_PRODUCER_ID) return canBump ? 'abort' : 'fatal';
      return 'fatal';
  }
}

/** Whether the group does not accept offsets from this consumer any more. */
export function hasGroupMovedOn(errorCode: number): boolean {
  return groupMovedOn.has(errorCode);
}

/** Whether a request may succeed later after this error code. */
export function isRetriable(errorCode: number): boolean {
  return errorCode === codes.CONCURRENT_TRANSACTIONS || errorFor(errorCode)?.retriable === true;
}

function commonAction(call: TransactionCall, errorCode: number, isCommit: boolean): TransactionAction | null {
  switch (errorCode) {
    case codes.COORDINATOR_NOT_AVAILABLE:
    case codes.NOT_COORDINATOR:
      return 'find';
    case codes.REQUEST_TIMED_OUT:
      return call === 'TxnOffsetCommit' ? 'find' : 'retry';
    case codes.COORDINATOR_LOAD_IN_PROGRESS:
    case codes.CONCURRENT_TRANSACTIONS:
      return 'retry';
    case codes.INVALID_PRODUCER_EPOCH:
    case codes.PRODUCER_FENCED:
      return 'fenced';
    case codes.INVALID_PRODUCER_ID_MAPPING:
    case codes.INVALID_TXN_STATE:
    case codes.UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return 'fatal';
    case codes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return call === 'InitProducerId' ? null : 'fatal';
    case codes.TRANSACTION_ABORTABLE:
      return call === 'EndTxn' && !isCommit ? 'fatal' : 'abort';
    case codes.UNKNOWN_TOPIC_OR_PARTITION:
      return null;
    default:
      return errorFor(errorCode)?.retriable === true && call !== 'TxnOffsetCommit' ? 'retry' : null;
  }
}
