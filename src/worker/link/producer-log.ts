// Owns the log records about producers. Network thread. Must only report: no decision may depend on it.

import { errorFor } from '../../common/errors/errors.ts';
import type { ProducerBatch } from '../producer/producer-batch.ts';
import type { ProducerReport } from '../producer/producer-report.ts';
import type { Log } from '../report/log.ts';

export class ProducerLog implements ProducerReport {
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  requestSent(): void {}

  requestEnded(): void {}

  batchRefused(batch: ProducerBatch, errorCode: number, now: number): void {
    const { partition } = batch;
    const where = `partition ${partition.index} of topic '${partition.topic.name}'`;
    const error = errorFor(errorCode)!;
    const text = `${where} refused a batch: ${error.message}; the batch is sent again`;
    this.#log.fault(`produce ${partition.topic.name} ${errorCode}`, 'info', 'batch-refused', text, { error }, now);
  }

  batchFailed(): void {}

  batchSplit(batch: ProducerBatch): void {
    const { partition } = batch;
    this.#log.write(
      'debug',
      'batch-split',
      `a batch of ${batch.count} records for partition ${partition.index} of topic '${partition.topic.name}' is too large for the broker, and was split`,
    );
  }

  state(level: 'debug' | 'info' | 'warn' | 'error', event: string, message: string, error?: Error): void {
    this.#log.write(level, event, message, error === undefined ? {} : { error });
  }
}
