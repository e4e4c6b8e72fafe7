// Owns the meaning of error codes in Produce responses, and the errors made from them. Network thread. producer-numbers.ts handles
// the codes about sequences.

import { errorFor } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import type { ErrorDetails } from '../../common/errors/kafka-client-error.ts';

/** Whether the leader may have written the batch in spite of this error code. */
export function isInDoubt(errorCode: number): boolean {
  return errorCode === errorCodes.REQUEST_TIMED_OUT || errorCode === errorCodes.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
}

/** Whether the same batch may be accepted later. */
export function isRetriable(errorCode: number): boolean {
  if (errorCode === errorCodes.CORRUPT_MESSAGE || errorCode === errorCodes.THROTTLING_QUOTA_EXCEEDED) return true;
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
