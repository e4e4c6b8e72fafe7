// Owns `run`: calls a handler for each batch, several at once, but the batches of a partition one after the other. Application thread.

import { IllegalArgumentError } from '../../common/errors/errors.ts';
import { shown } from '../../common/text.ts';
import type { ConsumerBatch } from './consumer-batch.ts';
import type { ConsumerSession } from './consumer-session.ts';
import { handedOut, handlerFailed } from './tracing.ts';

export interface RunOptions {
  /** How many handlers run at once. Default 1. */
  readonly concurrency?: number | undefined;
  /** When it is aborted, `run` ends after the running handlers have returned. */
  readonly signal?: AbortSignal | undefined;
}

export async function runHandler(
  session: ConsumerSession,
  handler: (batch: ConsumerBatch) => Promise<void> | void,
  { concurrency = 1, signal }: RunOptions,
): Promise<void> {
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new IllegalArgumentError(`concurrency must be an integer of 1 or more, not ${shown(concurrency)}`);
  let isStopped = signal?.aborted === true;
  // Ends a wait for a batch: at the end, and when a handler returns, since a batch of its partition may be waiting already.
  let waking = new AbortController();
  const stop = (): void => {
    isStopped = true;
    waking.abort();
  };
  signal?.addEventListener('abort', stop, { once: true });
  // Called when a handler has returned. To race all handlers each time would leave a reaction with one that runs for long.
  let onReturned = (): void => {};
  const busy = new Set<string>();
  const errors: unknown[] = [];
  const work = async (batch: ConsumerBatch): Promise<void> => {
    const key = `${batch.topic}-${batch.partition}`;
    try {
      await handedOut(batch, session.groupId, () => handler(batch));
      batch.done();
    } catch (error) {
      errors.push(error);
      handlerFailed(batch, error);
      batch.giveBack();
      stop();
    } finally {
      batch.recycleLent();
      busy.delete(key);
      waking.abort();
    }
  };
  const running = new Set<Promise<void>>();
  try {
    while (!isStopped) {
      if (running.size >= concurrency) {
        await new Promise<void>((resolve) => {
          onReturned = resolve;
        });
        continue;
      }
      waking = new AbortController();
      const isFree = ({ topic, partition }: ConsumerBatch): boolean => !busy.has(`${topic}-${partition}`);
      const batch = await session.poll(Number.POSITIVE_INFINITY, waking.signal, isFree);
      if (batch === null) {
        if (session.isClosed) break;
        continue;
      }
      batch.isInUse = true;
      busy.add(`${batch.topic}-${batch.partition}`);
      const one = work(batch).finally(() => {
        running.delete(one);
        onReturned();
      });
      running.add(one);
    }
  } catch (error) {
    errors.push(error);
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all(running);
  }
  if (errors.length > 0) throw errors[0];
}
