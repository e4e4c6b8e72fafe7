// Owns the reports of a producer: its log records, and its metrics if they are recorded. Network thread. Must only report: no
// decision may depend on it.

import { errorFor, TransactionAbortedError } from '../../common/errors/errors.ts';
import type { ProduceRequest } from '../producer/produce-request.ts';
import type { ProducerBatch } from '../producer/producer-batch.ts';
import type { ProducerReport, TimedCall } from '../producer/producer-report.ts';
import type { Log } from '../report/log.ts';
import type { ProducerMeasures } from './producer-measures.ts';

export class ProducerLog implements ProducerReport {
  readonly #log: Log;
  readonly #measures: Pick<ProducerMeasures, 'recorder'>;

  constructor(log: Log, measures: Pick<ProducerMeasures, 'recorder'>) {
    this.#log = log;
    this.#measures = measures;
  }

  requestSent(request: ProduceRequest, now: number): void {
    this.#measures.recorder?.requestSent(request, now);
  }

  requestEnded(latencyMs: number | null, throttleTimeMs: number, now: number): void {
    this.#measures.recorder?.requestEnded(latencyMs, throttleTimeMs, now);
  }

  batchRefused(batch: ProducerBatch, errorCode: number, now: number): void {
    const { partition } = batch;
    const error = errorFor(errorCode)!;
    const text = `${nameOf(batch)} refused a batch: ${error.message}; the batch is sent again`;
    this.#log.fault(`produce ${partition.topic.name} ${errorCode}`, 'info', 'batch-refused', text, { error }, now);
  }

  batchRetried({ partition, count }: ProducerBatch, now: number): void {
    this.#measures.recorder?.recordsRetried(partition.topic.name, count, now);
  }

  batchWritten(batch: ProducerBatch, now: number): void {
    this.#measures.recorder?.batchWritten(batch, now);
  }

  batchFailed(batch: ProducerBatch, error: Error, now: number): void {
    const { partition, count } = batch;
    this.#measures.recorder?.recordsFailed(partition.topic.name, count, now);
    const text = `a batch of ${count} records for ${nameOf(batch)} failed: ${error.message}`;
    // Records of a transaction that is aborted are to fail.
    const level = error instanceof TransactionAbortedError ? 'debug' : 'warn';
    this.#log.fault(`batch ${partition.topic.name} ${error.name}`, level, 'batch-failed', text, { error }, now);
  }

  batchSplit(batch: ProducerBatch, now: number): void {
    this.#measures.recorder?.count('splits', now);
    this.#log.write(
      'debug',
      'batch-split',
      `a batch of ${batch.count} records for ${nameOf(batch)} is too large for the broker, and was split`,
    );
  }

  recordRefused(topic: string, now: number): void {
    this.#measures.recorder?.recordsFailed(topic, 1, now);
  }

  memoryExhausted(now: number): void {
    this.#measures.recorder?.count('bufferExhausted', now);
  }

  callEnded(call: TimedCall, durationMs: number, now: number): void {
    this.#measures.recorder?.callEnded(call, durationMs, now);
  }

  state(level: 'debug' | 'info' | 'warn' | 'error', event: string, message: string, error?: Error): void {
    this.#log.write(level, event, message, error === undefined ? {} : { error });
  }
}

function nameOf({ partition }: ProducerBatch): string {
  return `partition ${partition.index} of topic '${partition.topic.name}'`;
}
