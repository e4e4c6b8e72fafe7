// Owns the error of what only brokers do, when a client was started with controllers (KIP-919). Every thread.

import type { BrokerError } from './broker-error.ts';
import { errorFor } from './error-for.ts';
import { errorCodes } from './generated/error-codes.ts';

/** @param what in the plural, such as `producers` */
export function onlyBrokers(what: string): BrokerError {
  const error = errorFor(errorCodes.UNSUPPORTED_ENDPOINT_TYPE)!;
  error.message += `: ${what} need brokers, but this client was started with bootstrapControllers; start it with bootstrapServers`;
  return error;
}
