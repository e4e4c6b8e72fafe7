// Owns the reports of a producer: its log records, and its metrics if they are configured. Network thread. Must only report: no
// decision may depend on it.

import { errorFor, TransactionAbortedError } from '../../common/errors/errors.ts';
import type { ProduceRequest } from '../producer/produce-request.ts';
import type { ProducerBatch } from '../producer/producer-batch.ts';
import type { ProducerReport, TimedCall } from '../producer/producer-report.ts';
import type { Log } from '../report/log.ts';
import type { ProducerRecorder } from './producer-recorder.ts';

export class ProducerLog implements ProducerReport {
  readonly #log: Log;
  readonly #metrics: ProducerRecorder | null;

  /** @param metrics null: nothing is recorded */
  constructor(log: Log, metrics: ProducerRecorder | null) {
    this.#log = log;
    this.#metrics = metrics;
  }

  requestSent(request: ProduceRequest, now: number): void {
    this.#metrics?.requestSent(request, now);
  }

  requestEnded(latencyMs: number | null, throttleTimeMs: number, now: number): void {
    this.#metrics?.requestEnded(latencyMs, throttleTimeMs, now);
  }

  batchRefused(batch: ProducerBatch, errorCode: number, now: number): void {
    const { partition } = batch;
    const error = errorFor(errorCode)!;
    const text = `${nameOf(batch)} refused a batch: ${error.message}; the batch is sent again`;
    this.#log.fault(`produce ${partition.topic.name} ${errorCode}`, 'info', 'batch-refused', text, { error }, now);
  }

  batchRetried({ partition, count }: ProducerBatch, now: number): void {
    this.#metrics?.recordsRetried(partition.topic.name, count, now);
  }

  batchWritten(batch: ProducerBatch, now: number): void {
    this.#metrics?.batchWritten(batch, now);
  }

  batchFailed(batch: ProducerBatch, error: Error, now: number): void {
    const { partition, count } = batch;
    this.#metrics?.recordsFailed(partition.topic.name, count, now);
    const text = `a batch of ${count} records for ${nameOf(batch)} failed: ${error.message}`;
    // Records of a transaction that is aborted are to fail.
    const level = error instanceof TransactionAbortedError ? 'debug' : 'warn';
    this.#log.fault(`batch ${partition.topic.name} ${error.name}`, level, 'batch-failed', text, { error }, now);
  }

  batchSplit(batch: ProducerBatch, now: number): void {
    this.#metrics?.count('splits', now);
    this.#log.write(
      'debug',
      'batch-split',
      `a batch of ${batch.count} records for ${nameOf(batch)} is too large for the broker, and was split`,
    );
  }

  recordRefused(topic: string, now: number): void {
    this.#metrics?.recordsFailed(topic, 1, now);
  }

  memoryExhausted(now: number): void {
    this.#metrics?.count('bufferExhausted', now);
  }

  callEnded(call: TimedCall, durationMs: number, now: number): void {
    this.#metrics?.callEnded(call, durationMs, now);
  }

  state(level: 'debug' | 'info' | 'warn' | 'error', event: string, message: string, error?: Error): void {
    this.#log.write(level, event, message, error === undefined ? {} : { error });
  }
}

function nameOf({ partition }: ProducerBatch): string {
  return `partition ${partition.index} of topic '${partition.topic.name}'`;
}
