// Owns the meaning of error codes in Produce responses, and the errors made from them. Network thread. producer-numbers.ts handles
// the codes about sequences.

import { errorFor } from '../../common/errors/errors.ts';
import type { ErrorDetails } from '../../common/errors/kafka-client-error.ts';

export const REQUEST_TIMED_OUT = 7;
export const MESSAGE_TOO_LARGE = 10;
export const NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20;
export const CLUSTER_AUTHORIZATION_FAILED = 31;
export const DUPLICATE_SEQUENCE_NUMBER = 46;
const CORRUPT_MESSAGE = 2;
const THROTTLING_QUOTA_EXCEEDED = 89;

/** Whether the leader may have written the batch in spite of this error code. */
export function isInDoubt(errorCode: number): boolean {
  return errorCode === REQUEST_TIMED_OUT || errorCode === NOT_ENOUGH_REPLICAS_AFTER_APPEND;
}

/** Whether the same batch may be accepted later. */
export function isRetriable(errorCode: number): boolean {
  if (errorCode === CORRUPT_MESSAGE || errorCode === THROTTLING_QUOTA_EXCEEDED) return true;
  return errorFor(errorCode)?.retriable === true;
}

/** Whether metadata must be refreshed before the next attempt. */
export function isAboutMetadata(errorCode: number): boolean {
  return errorFor(errorCode)?.invalidMetadata === true;
}

/** The error for the records of a batch. */
export function produceError(errorCode: number, message: string | null, details: ErrorDetails): Error {
  const error = errorFor(errorCode, details)!;
  if (message !== null && message !== '') error.message += `: ${message}`;
  return error;
}
