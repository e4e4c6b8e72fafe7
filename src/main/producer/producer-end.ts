// Owns the counters of a producer, and how it is closed. Application thread.

import { thrownError } from '../../common/thrown.ts';
import { type Future, fail, settleLike } from '../link/future.ts';
import type { ProducerSession } from './producer-session.ts';
import type { DeliveryReport, ProducerCounters } from './producer-types.ts';

export function countersOf({ counters, appended }: ProducerSession): ProducerCounters {
  return {
    appended,
    acknowledged: counters.get('acknowledged'),
    failed: counters.get('failed'),
    retried: counters.get('retried'),
    usedBytes: counters.get('usedBytes'),
  };
}

/**
 * Closes the producer, then its own client if it has one.
 * @param tail resolves when no record waits for its serializer any more; null: no record waits, and no more records are accepted
 */
export function closeAll(
  session: ProducerSession,
  tail: Promise<void> | null,
  client: { close(): Promise<void> } | null,
  timeoutMs: number,
): Future<DeliveryReport> {
  if (tail === null && client === null) return session.close(timeoutMs);
  const future = session.newFuture<DeliveryReport>();
  const ended = tail === null ? session.close(timeoutMs) : null;
  const finish = async (): Promise<void> => {
    await tail;
    const closing = ended ?? session.close(timeoutMs);
    await closing.then(
      () => {},
      () => {},
    );
    await client?.close();
    settleLike(future, closing);
  };
  finish().catch((error: unknown) => fail(future, thrownError(error)));
  return future;
}
