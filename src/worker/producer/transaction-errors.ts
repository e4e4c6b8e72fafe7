// Owns the meaning of error codes in answers to a transaction's requests. Network thread. Must not act on them: transactions.ts does.
// Source: Kafka's TransactionManager; KIP-360, KIP-447, KIP-890, KIP-1050.

import { errorFor, type KafkaClientError, TransactionAbortableError } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';

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

/** Error codes of Produce that end the producer, not only the transaction. */
export const fatalProduceCodes: ReadonlySet<number> = new Set([
  errorCodes.CLUSTER_AUTHORIZATION_FAILED,
  errorCodes.UNSUPPORTED_VERSION,
  errorCodes.INVALID_PRODUCER_ID_MAPPING,
  errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  errorCodes.PRODUCER_FENCED,
]);

const groupMovedOn: ReadonlySet<number> = new Set([
  errorCodes.FENCED_INSTANCE_ID,
  errorCodes.UNKNOWN_MEMBER_ID,
  errorCodes.ILLEGAL_GENERATION,
  errorCodes.STALE_MEMBER_EPOCH,
  errorCodes.GROUP_ID_NOT_FOUND,
]);

/**
 * The action for an error code.
 * @param canBump whether the epoch can be raised by InitProducerId
 * @param isCommit for EndTxn: whether it commits
 * @param isInDoubt for EndTxn: it is not known that the coordinator knows the transaction
 */
export function transactionAction(
  call: TransactionCall,
  errorCode: number,
  canBump: boolean,
  isCommit = false,
  isInDoubt = false,
): TransactionAction {
  if (errorCode === 0) return 'done';
  // What would have opened the transaction never came to the coordinator, so there is nothing to abort.
  if (isInDoubt && !isCommit && errorCode === errorCodes.INVALID_TXN_STATE) return 'done';
  const common = commonAction(call, errorCode, isCommit);
  if (common !== null) return common;
  switch (call) {
    case 'InitProducerId':
      if (errorCode === errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED) return 'restart';
      return errorCode === errorCodes.CLUSTER_AUTHORIZATION_FAILED ? 'restart' : 'fatal';
    case 'AddPartitionsToTxn':
      if (errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION) return 'retry';
      if (errorCode === errorCodes.UNKNOWN_PRODUCER_ID) return canBump ? 'abort' : 'fatal';
      // All other codes of a partition, for example OPERATION_NOT_ATTEMPTED and TOPIC_AUTHORIZATION_FAILED.
      return isRetriable(errorCode) ? 'retry' : 'abort';
    case 'AddOffsetsToTxn':
      if (errorCode === errorCodes.UNKNOWN_PRODUCER_ID) return canBump ? 'abort' : 'fatal';
      return errorCode === errorCodes.GROUP_AUTHORIZATION_FAILED ? 'abort' : 'fatal';
    case 'TxnOffsetCommit':
      if (errorCode === errorCodes.UNKNOWN_TOPIC_OR_PARTITION || errorCode === errorCodes.UNKNOWN_TOPIC_ID)
        return 'retry';
      if (errorCode === errorCodes.GROUP_AUTHORIZATION_FAILED || errorCode === errorCodes.TOPIC_AUTHORIZATION_FAILED)
        return 'abort';
      return groupMovedOn.has(errorCode) ? 'abort' : 'fatal';
    default:
      if (errorCode === errorCodes.UNKNOWN_PRODUCER_ID) return canBump ? 'abort' : 'fatal';
      return 'fatal';
  }
}

/** Whether a request may succeed later after this error code. */
export function isRetriable(errorCode: number): boolean {
  return errorCode === errorCodes.CONCURRENT_TRANSACTIONS || errorFor(errorCode)?.retriable === true;
}

function commonAction(call: TransactionCall, errorCode: number, isCommit: boolean): TransactionAction | null {
  switch (errorCode) {
    case errorCodes.COORDINATOR_NOT_AVAILABLE:
    case errorCodes.NOT_COORDINATOR:
      return 'find';
    case errorCodes.REQUEST_TIMED_OUT:
      return call === 'TxnOffsetCommit' ? 'find' : 'retry';
    case errorCodes.COORDINATOR_LOAD_IN_PROGRESS:
    case errorCodes.CONCURRENT_TRANSACTIONS:
      return 'retry';
    case errorCodes.INVALID_PRODUCER_EPOCH:
    case errorCodes.PRODUCER_FENCED:
      return 'fenced';
    case errorCodes.INVALID_PRODUCER_ID_MAPPING:
    case errorCodes.INVALID_TXN_STATE:
    case errorCodes.UNSUPPORTED_FOR_MESSAGE_FORMAT:
      return 'fatal';
    case errorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return call === 'InitProducerId' ? null : 'fatal';
    case errorCodes.TRANSACTION_ABORTABLE:
      return call === 'EndTxn' && !isCommit ? 'fatal' : 'abort';
    case errorCodes.UNKNOWN_TOPIC_OR_PARTITION:
      return null;
    default:
      return errorFor(errorCode)?.retriable === true ? 'retry' : null;
  }
}

/** What an error that may pass becomes when a transaction has no time left for it (KIP-1050). */
export function abortableError(error: KafkaClientError): TransactionAbortableError {
  const { topic, partition, maybeWritten = false } = error;
  return new TransactionAbortableError(`the transaction can only be aborted: ${error.message}`, {
    cause: error,
    ...(topic !== undefined && { topic }),
    ...(partition !== undefined && { partition }),
    maybeWritten,
  });
}
