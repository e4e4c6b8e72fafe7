// Owns the error made of an error code in a response. Every thread. Must not decide what happens about it: a code in a
// response is data, and an error of it is made only when someone asks.

import type { BrokerError } from './broker-error.ts';
import { brokerErrorClasses, UnknownError } from './generated/broker-errors.ts';
import type { ErrorDetails } from './kafka-client-error.ts';

/**
 * The error for a code in a response, of the class that belongs to the code; null for 0.
 * A code this client does not know keeps its number; it is an UnknownError and not retriable.
 */
export function errorFor(errorCode: number, details: ErrorDetails = {}): BrokerError | null {
  if (errorCode === 0) return null;
  const type = brokerErrorClasses.get(errorCode);
  if (type !== undefined) return new type(undefined, details);
  const text = `[Error ${errorCode}] UnknownError: a code that this client does not know`;
  return new UnknownError(text, { ...details, errorCode });
}
