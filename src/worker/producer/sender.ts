// Owns what happens to a batch after it was sent: by its answer, without an answer, or after its time limit. Network thread. drain.ts
// decides what is sent.

import { DeliveryTimeoutError, KafkaClientError, NodeNotReadyError } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { missingInAnswer } from '../../common/errors/missing-in-answer.ts';
import { numberOf } from '../../common/numbers.ts';
import { Produce } from '../../protocol/flat/generated/apis.ts';
import { anyone } from '../client/broker-requests.ts';
import { Drain, type DrainParts, produceLane } from './drain.ts';
import { outcomeOf } from './outcomes.ts';
import { isAboutMetadata, isInDoubt, isRetriable, produceError } from './produce-answer.ts';
import type { PartitionAnswer, ProduceListener, ProduceRequest } from './produce-request.ts';
import type { ProducerBatch } from './producer-batch.ts';
import type { ProducerReport } from './producer-report.ts';

const noErrorCode = 0;
const unknownErrorCode = -1;

export interface SenderParts extends DrainParts {
  readonly report: ProducerReport;
  /** Called when the producer can only be closed. */
  readonly onFatal: (error: Error, now: number) => void;
}

export class Sender implements ProduceListener {
  /** The time at which a batch becomes ready or expires even if nothing happens, in ms on the monotonic clock. */
  nextDeadline = Number.POSITIVE_INFINITY;
  /** How many requests are not answered. */
  requestCount = 0;
  readonly #parts: SenderParts;
  readonly #drain: Drain;

  constructor(parts: SenderParts) {
    this.#parts = parts;
    this.#drain = new Drain(parts, this);
  }

  /** Fails batches that have expired, and sends batches that are ready. */
  poll(now: number): void {
    const { accumulator } = this.#parts;
    this.nextDeadline = Number.POSITIVE_INFINITY;
    this.#expire(now);
    accumulator.tidy();
    this.#drain.poll(now);
    this.#noteDeadline(this.#drain.nextDeadline);
  }

  // --- ProduceListener

  onSending(request: ProduceRequest): void {
    this.requestCount++;
    this.#parts.report.requestSent(request, request.sentAt);
    for (const batch of request.batches) {
      this.#noteDeadline(batch.createdAt + this.#parts.config.deliveryTimeoutMs);
    }
  }

  onAnswer(batch: ProducerBatch, answer: PartitionAnswer | null, now: number): void {
    batch.requests--;
    if (this.#parts.config.acks === 0) {
      this.#succeed(batch, -1, -1, -1, now);
      return;
    }
    if (answer === null) {
      // The broker had the request, but its answer does not have this partition.
      batch.maybeWritten = true;
      this.#parts.host.cluster.requestUpdate();
      const error = missingInAnswer(Produce, nameOf(batch), detailsOf(batch));
      this.#fail(batch, error, unknownErrorCode, true, now);
      return;
    }
    const { errorCode } = answer;
    if (errorCode === noErrorCode) {
      const { low, high } = answer.baseOffset;
      this.#succeed(batch, low, high, answer.logAppendTimeMs.toNumber(), now);
    } else {
      this.#refused(batch, answer, errorCode, now);
    }
  }

  onNoAnswer(batch: ProducerBatch, error: Error, now: number): void {
    batch.requests--;
    // If the connection did not accept the request, it was not sent.
    if (!(error instanceof NodeNotReadyError)) batch.maybeWritten = true;
    this.#parts.host.cluster.requestUpdate();
    const isWorthRetrying = error instanceof KafkaClientError && error.retriable;
    if (isWorthRetrying && this.#hasAttemptsLeft(batch, now)) this.#retry(batch, now);
    else this.#fail(batch, this.#finalError(batch, error), unknownErrorCode, batch.maybeWritten, now);
  }

  onDone(_request: ProduceRequest, throttleTimeMs: number, latencyMs: number | null, now: number): void {
    this.requestCount--;
    this.#parts.report.requestEnded(latencyMs, throttleTimeMs, now);
  }

  onMemoryFree(request: ProduceRequest): void {
    for (const batch of request.batches) {
      batch.readers--;
      this.#parts.accumulator.release(batch);
    }
    this.#parts.host.wake();
  }

  /** Fails every batch with the error, even batches under way. */
  failAll(errorOf: (batch: ProducerBatch) => Error, now: number): void {
    for (const batch of this.#parts.accumulator.unsettled()) this.#settleFailed(batch, errorOf(batch), now);
  }

  /** Fails the batches that were never sent. The others go on. */
  failUnsent(errorOf: (batch: ProducerBatch) => Error, now: number): void {
    for (const batch of this.#parts.accumulator.unsettled()) {
      if (!batch.hasSequence) this.#settleFailed(batch, errorOf(batch), now);
    }
  }

  // --- what an answer means

  #refused(batch: ProducerBatch, answer: PartitionAnswer, errorCode: number, now: number): void {
    const { accumulator, host, numbers, transaction } = this.#parts;
    if (isAboutMetadata(errorCode)) host.cluster.requestUpdate();
    if (batch.isSettled) {
      accumulator.release(batch);
      return;
    }
    if (errorCode === errorCodes.MESSAGE_TOO_LARGE && batch.count > 1) {
      accumulator.split(batch);
      this.#parts.report.batchSplit(batch, now);
      return;
    }
    if (errorCode === errorCodes.DUPLICATE_SEQUENCE_NUMBER && numbers !== null) {
      this.#succeed(batch, -1, -1, -1, now);
      return;
    }
    if (isInDoubt(errorCode)) batch.maybeWritten = true;
    const isByNumbers = numbers?.retries(batch, errorCode, answer.logStartOffset.toNumber());
    const isWorthRetrying = isByNumbers ?? isRetriable(errorCode);
    if (isWorthRetrying && this.#hasAttemptsLeft(batch, now)) {
      this.#parts.report.batchRefused(batch, errorCode, now);
      this.#retry(batch, now);
      return;
    }
    const error = produceError(errorCode, answer.errorMessage, detailsOf(batch));
    // A transaction must be told too, or a commit that is under way would go on without the batch.
    if (errorCode === errorCodes.CLUSTER_AUTHORIZATION_FAILED && numbers !== null && transaction === null) {
      this.#parts.onFatal(error, now);
      return;
    }
    this.#fail(batch, this.#finalError(batch, error), errorCode, isWorthRetrying || batch.maybeWritten, now, answer);
  }

  #hasAttemptsLeft(batch: ProducerBatch, now: number): boolean {
    const { retries, deliveryTimeoutMs } = this.#parts.config;
    return !batch.isSettled && batch.attempts < retries && now < batch.createdAt + deliveryTimeoutMs;
  }

  #retry(batch: ProducerBatch, now: number): void {
    const { config, host, accumulator, report } = this.#parts;
    const backoffMs = Math.min(config.retryBackoffMs * 2 ** Math.min(batch.attempts, 30), config.retryBackoffMaxMs);
    batch.attempts++;
    batch.retryAt = now + backoffMs * (0.8 + 0.4 * host.random());
    accumulator.stats.retries += batch.count;
    batch.partition.requeue(batch);
    report.batchRetried(batch, now);
  }

  #succeed(batch: ProducerBatch, offsetLow: number, offsetHigh: number, logAppendTimeMs: number, now: number): void {
    const { accumulator, numbers } = this.#parts;
    const { topic, index } = batch.partition;
    const lastOffset = offsetHigh < 0 ? -1 : numberOf(offsetLow, offsetHigh) + batch.count - 1;
    if (numbers !== null) batch.partition.acknowledged(batch, lastOffset);
    if (batch.isSettled) {
      accumulator.release(batch);
      return;
    }
    this.#parts.report.batchWritten(batch, now);
    const outcome = { topic: topic.name, partition: index, offsetLow, offsetHigh, logAppendTimeMs };
    accumulator.settle(batch, { ...outcome, error: null, recordErrors: [] }, now);
  }

  #fail(
    batch: ProducerBatch,
    error: Error,
    errorCode: number,
    isDoubtful: boolean,
    now: number,
    answer: PartitionAnswer | null = null,
  ): void {
    if (batch.isSettled) {
      this.#parts.accumulator.release(batch);
      return;
    }
    const { numbers, transaction } = this.#parts;
    const told = transaction === null ? error : transaction.onBatchFailed(error, errorCode, now);
    numbers?.failed(batch, errorCode, isDoubtful);
    this.#settleFailed(batch, told, now, answer);
  }

  #settleFailed(batch: ProducerBatch, error: Error, now: number, answer: PartitionAnswer | null = null): void {
    // The end of its transaction, or of the producer, may have settled it.
    if (batch.isSettled) return;
    const { topic, index } = batch.partition;
    const recordErrors =
      answer === null
        ? []
        : [...answer.recordErrors].map(({ batchIndex, batchIndexErrorMessage }) => ({
            index: batchIndex,
            error: produceError(answer.errorCode, batchIndexErrorMessage, detailsOf(batch)),
          }));
    if (recordErrors.length > 0 && batch.count > 1) {
      error.message += `; the batch was refused for ${recordErrors.length} of its ${batch.count} records, and none of its records was written`;
    }
    this.#parts.report.batchFailed(batch, error, now);
    this.#parts.accumulator.settle(batch, outcomeOf(topic.name, index, error, recordErrors), now);
  }

  /** The error for the owners of the records, with topic, partition and `maybeWritten`. */
  #finalError(batch: ProducerBatch, error: Error): Error {
    if (error instanceof KafkaClientError) {
      error.topic ??= batch.partition.topic.name;
      error.partition ??= batch.partition.index;
      error.maybeWritten = batch.maybeWritten;
    }
    return error;
  }

  // --- time

  #expire(now: number): void {
    const { accumulator, config } = this.#parts;
    const bornBefore = now - config.deliveryTimeoutMs;
    for (const partition of accumulator.listed) {
      const { queue, sent } = partition;
      while (queue.length > 0 && queue[0]!.createdAt <= bornBefore) this.#giveUp(queue[0]!, now);
      for (let i = sent.length - 1; i >= 0; i--) {
        if (sent[i]!.createdAt <= bornBefore) this.#giveUp(sent[i]!, now);
      }
      const oldest = Math.min(queue[0]?.createdAt ?? Infinity, sent[0]?.createdAt ?? Infinity);
      this.#noteDeadline(oldest + config.deliveryTimeoutMs);
    }
  }

  #giveUp(batch: ProducerBatch, now: number): void {
    const { numbers, transaction, config, host } = this.#parts;
    const wasSent = batch.requests > 0 || batch.attempts > 0;
    const leader = host.cluster.leader(batch.partition.topic.name, batch.partition.index);
    const ofLeader = leader === null ? null : host.requests.lastError({ brokerId: leader.leaderId, lane: produceLane });
    // Without a broker there is no producer id either, and then the leader is not even tried.
    const cause = ofLeader ?? host.requests.lastError(anyone);
    const what = wasSent
      ? `was sent ${batch.attempts + Math.min(batch.requests, 1)} times without success`
      : 'was not sent';
    const text = `${batch.count} records for ${nameOf(batch)} expired: the batch ${what} within ${Math.round(now - batch.createdAt)} ms (deliveryTimeoutMs is ${config.deliveryTimeoutMs})`;
    const isDoubtful = batch.maybeWritten || batch.requests > 0;
    const details = { ...detailsOf(batch), maybeWritten: isDoubtful };
    const error = new DeliveryTimeoutError(text, cause === null ? details : { ...details, cause });
    const told = transaction === null ? error : transaction.onBatchFailed(error, unknownErrorCode, now);
    if (numbers !== null && batch.hasSequence) numbers.givenUp(batch);
    this.#settleFailed(batch, told, now);
  }

  #noteDeadline(at: number): void {
    if (at < this.nextDeadline) this.nextDeadline = at;
  }
}

function nameOf({ partition }: ProducerBatch): string {
  return `partition ${partition.index} of topic '${partition.topic.name}'`;
}

function detailsOf(batch: ProducerBatch): { topic: string; partition: number; maybeWritten: boolean } {
  const { partition, maybeWritten } = batch;
  return { topic: partition.topic.name, partition: partition.index, maybeWritten };
}
