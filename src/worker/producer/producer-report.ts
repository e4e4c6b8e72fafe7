// Owns the log records and numbers that a producer reports. Types only. Network thread.

import type { ProduceRequest } from './produce-request.ts';
import type { ProducerBatch } from './producer-batch.ts';

/** Calls whose duration is measured. */
export type TimedCall = 'flush' | 'init' | 'begin' | 'sendOffsets' | 'commit' | 'abort';

export interface ProducerReport {
  requestSent(request: ProduceRequest, now: number): void;
  /** `latencyMs` is null for a request without an answer. */
  requestEnded(latencyMs: number | null, throttleTimeMs: number, now: number): void;
  /** The broker refused a batch, which is sent again. */
  batchRefused(batch: ProducerBatch, errorCode: number, now: number): void;
  /** A batch is to be sent again, for whatever reason. */
  batchRetried(batch: ProducerBatch, now: number): void;
  /** The batch is in the log; with acks 0, the socket has it. */
  batchWritten(batch: ProducerBatch, now: number): void;
  batchFailed(batch: ProducerBatch, error: Error, now: number): void;
  batchSplit(batch: ProducerBatch, now: number): void;
  /** A record failed before it was in a batch. */
  recordRefused(topic: string, now: number): void;
  /** A record found no memory, and waits in its link. */
  memoryExhausted(now: number): void;
  callEnded(call: TimedCall, durationMs: number, now: number): void;
  /** A change of state, for the log. */
  state(level: 'debug' | 'info' | 'warn' | 'error', event: string, message: string, error?: Error): void;
}
