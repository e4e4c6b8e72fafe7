// Owns the error for something that a broker was asked about and that its answer does not have. Every thread.

import { KafkaProtocolError } from './errors.ts';
import type { ErrorDetails } from './kafka-client-error.ts';

/** Not retriable: the same broker would probably leave it out again. @param what such as `partition 0 of topic 'logs'` */
export function missingInAnswer(
  api: { readonly name: string },
  what: string,
  details?: ErrorDetails,
): KafkaProtocolError {
  return new KafkaProtocolError(
    `the answer of the broker to ${api.name} does not have ${what}, which it was asked for`,
    details,
  );
}
