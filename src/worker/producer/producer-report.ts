// Owns the interface for log records and metrics of a producer. Types only. Network thread.

import type { ProduceRequest } from './produce-request.ts';
import type { ProducerBatch } from './producer-batch.ts';

export interface ProducerReport {
  requestSent(request: ProduceRequest): void;
  requestEnded(latencyMs: number, throttleTimeMs: number): void;
  /** The broker refused a batch. The batch is sent again. */
  batchRefused(batch: ProducerBatch, errorCode: number, now: number): void;
  batchFailed(batch: ProducerBatch, error: Error): void;
  batchSplit(batch: ProducerBatch): void;
  /** A change of state, for the log. */
  state(level: 'debug' | 'info' | 'warn' | 'error', event: string, message: string, error?: Error): void;
}
