// Owns the reasons that an application thread is told when its producer or consumer ends by a fault. Network thread.

import { NetworkThreadError } from '../../common/errors/errors.ts';
import { type PlainError, toPlainError } from '../../common/errors/plain-error.ts';

/** A role has thrown. @param cause what it has thrown */
export function endedByFault(role: 'producer' | 'consumer', cause: Error): PlainError {
  return toPlainError(
    new NetworkThreadError(`the ${role} has ended by a fault in the network thread: ${cause.message}`, { cause }),
  );
}

/** The memory that the two threads share cannot be read. */
export function brokenMemory(cause: Error): PlainError {
  const text =
    'the memory that this thread shares with the network thread holds an impossible value; something has overwritten it';
  return toPlainError(new NetworkThreadError(text, { cause }));
}
