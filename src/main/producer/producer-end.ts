// Owns the counters of a producer, and how it is closed. Application thread.

import { monotonicNowMs } from '../../common/clock.ts';
import { thrownError } from '../../common/thrown.ts';
import { type Future, fail, succeed } from '../link/future.ts';
import { startTimer } from '../link/wait-limits.ts';
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

/** The close of a producer, and of its own client if it has one. */
export class Closing {
  readonly future: Future<DeliveryReport>;
  readonly #session: ProducerSession;
  /** No record waits for its serializer any more, or the time for that is over. */
  #isTold: boolean;
  /** Until then records may wait for their serializers; ms on the monotonic clock. */
  #deadline = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #stopWaiting: () => void = () => {};

  /** @param serialized resolves when no record waits for its serializer any more; null: no record waits */
  constructor(
    session: ProducerSession,
    serialized: Promise<void> | null,
    client: { close(): Promise<void> } | null,
    timeoutMs: number,
  ) {
    this.#session = session;
    this.#isTold = serialized === null;
    const ended = serialized === null ? session.close(timeoutMs) : null;
    if (ended !== null && client === null) {
      this.future = ended;
      return;
    }
    this.future = session.newFuture<DeliveryReport>();
    this.#finish(ended ?? this.#whenSerialized(serialized!), client).catch((error: unknown) =>
      fail(this.future, thrownError(error)),
    );
    if (ended === null) this.#limit(timeoutMs);
  }

  /** It was called again. The earliest time limit counts. */
  again(timeoutMs: number): Future<DeliveryReport> {
    if (this.#isTold) this.#session.close(timeoutMs);
    else this.#limit(timeoutMs);
    return this.future;
  }

  /** Closes the session. A record whose serializer is not done by then fails. */
  async #whenSerialized(serialized: Promise<void>): Promise<DeliveryReport> {
    const isLate = new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
    });
    await Promise.race([serialized, isLate]);
    clearTimeout(this.#timer);
    this.#isTold = true;
    return this.#session.close(Math.max(0, this.#deadline - monotonicNowMs()));
  }

  async #finish(ended: PromiseLike<DeliveryReport>, client: { close(): Promise<void> } | null): Promise<void> {
    try {
      const report = await ended;
      await client?.close();
      succeed(this.future, report);
    } catch (error) {
      await client?.close();
      throw error;
    }
  }

  #limit(timeoutMs: number): void {
    const deadline = monotonicNowMs() + timeoutMs;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    clearTimeout(this.#timer);
    this.#timer = startTimer(() => this.#stopWaiting(), timeoutMs);
  }
}
