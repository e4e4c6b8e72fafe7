// Owns the tracing channel of batches: who listens hears of each batch when it is handed to the application, and when it is settled.
// Application thread. Costs one look at each batch while nobody listens.

import { tracingChannel } from 'node:diagnostics_channel';
import { consumeChannelName } from '../../common/channel-names.ts';
import type { ConsumerBatch } from './consumer-batch.ts';

/** `returned`: the application gave it back, and it comes again. */
export type BatchOutcome = 'done' | 'lost' | 'returned';

/** One message for all events of a batch. */
export interface ConsumeTrace {
  readonly topic: string;
  readonly partition: number;
  /** Null without a group. */
  readonly groupId: string | null;
  readonly batch: ConsumerBatch;
  /** What became of the batch; set before `asyncStart`. */
  result?: BatchOutcome;
  /** What a handler of `run` has thrown; set before `error`. */
  error?: unknown;
}

const channel = tracingChannel<unknown, ConsumeTrace>(consumeChannelName);
const open = new WeakMap<ConsumerBatch, ConsumeTrace>();

/** A batch goes to the application. `work` runs inside the stores that are bound to the channel. Throws: what `work` throws */
export function handedOut<T>(batch: ConsumerBatch, groupId: string | null, work: () => T): T {
  if (!channel.hasSubscribers) return work();
  const { topic, partition } = batch;
  const trace: ConsumeTrace = { topic, partition, groupId, batch };
  open.set(batch, trace);
  return channel.start.runStores(trace, () => {
    try {
      return work();
    } finally {
      channel.end.publish(trace);
    }
  });
}

/** A handler of `run` has failed. */
export function handlerFailed(batch: ConsumerBatch, error: unknown): void {
  const trace = open.get(batch);
  if (trace === undefined) return;
  trace.error = error;
  channel.error.publish(trace);
}

/** The application is through with the batch. */
export function settled(batch: ConsumerBatch, outcome: BatchOutcome): void {
  const trace = open.get(batch);
  if (trace === undefined) return;
  open.delete(batch);
  trace.result = outcome;
  channel.asyncStart.publish(trace);
  channel.asyncEnd.publish(trace);
}
