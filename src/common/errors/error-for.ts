// Owns the errors that are made from error codes in responses. Every thread. Must not decide what follows from an error: a code in
// a response is data, and an error is made from it only on request.

import type { BrokerError } from './broker-error.ts';
import { brokerErrorClasses, UnknownError } from './generated/broker-errors.ts';
import type { ErrorDetails } from './kafka-client-error.ts';

/**
 * The error for a code in a response, in the class of that code. Null for 0.
 * A code that this client does not know becomes an UnknownError with its number. It is not retriable.
 */
export function errorFor(errorCode: number, details: ErrorDetails = {}): BrokerError | null {
  if (errorCode === 0) return null;
  const type = brokerErrorClasses.get(errorCode);
  if (type !== undefined) return new type(undefined, details);
  const text = `[Error ${errorCode}] UnknownError: a code that this client does not know`;
  return new UnknownError(text, { ...details, errorCode });
}
