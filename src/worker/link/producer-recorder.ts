// Owns the metrics of one producer: what is recorded, and when. Network thread. Must not compute rates: readers do that, from totals and
// windows.

import {
  type ProducerMetricsMemory,
  type ProducerSlot,
  producerMaxSlots,
  producerSlotOf,
} from '../../state/producer-metrics.ts';
import type { ProduceRequest } from '../producer/produce-request.ts';
import type { ProducerBatch } from '../producer/producer-batch.ts';
import type { TimedCall } from '../producer/producer-report.ts';
import { TopicRecorder } from './topic-recorder.ts';

const timedSlots: Readonly<Record<TimedCall, ProducerSlot>> = {
  flush: 'flushMs',
  init: 'initMs',
  begin: 'beginMs',
  sendOffsets: 'sendOffsetsMs',
  commit: 'commitMs',
  abort: 'abortMs',
};

/** What a producer has and waits for at the end of a round. */
export interface ProducerGauges {
  readonly usedBytes: number;
  readonly maxBytes: number;
  readonly waitingThreads: number;
}

export class ProducerRecorder {
  readonly #metrics: TopicRecorder<ProducerSlot>;
  #inFlight = 0;

  constructor(memory: ProducerMetricsMemory, now: number) {
    this.#metrics = new TopicRecorder(memory, producerSlotOf, producerMaxSlots, now);
  }

  requestSent({ batches }: ProduceRequest, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('requests', 1);
    this.#metrics.set('requestsInFlight', ++this.#inFlight);
    for (const { attempts, createdAt } of batches) {
      if (attempts > 0) continue;
      this.#metrics.add('sentBatches', 1);
      this.#metrics.add('queueMs', now - createdAt);
      this.#metrics.max('queueMsMax', now - createdAt);
    }
  }

  requestEnded(latencyMs: number | null, throttleTimeMs: number, now: number): void {
    this.#metrics.moveOn(now);
    // Requests that were sent before the recording began are not counted.
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    this.#metrics.set('requestsInFlight', this.#inFlight);
    if (latencyMs === null) return;
    this.#metrics.add('answeredRequests', 1);
    this.#metrics.add('latencyMs', latencyMs);
    this.#metrics.max('latencyMsMax', latencyMs);
    this.#metrics.add('throttleMs', throttleTimeMs);
    this.#metrics.max('throttleMsMax', throttleTimeMs);
  }

  batchWritten({ partition, count, end, uncompressedBytes, maxRecordBytes }: ProducerBatch, now: number): void {
    this.#metrics.moveOn(now);
    const topic = partition.topic.name;
    this.#metrics.addBoth(topic, 'records', count);
    this.#metrics.addBoth(topic, 'bytes', end);
    this.#metrics.addBoth(topic, 'uncompressedBytes', uncompressedBytes);
    this.#metrics.addBoth(topic, 'compressedBytes', end);
    this.#metrics.add('batches', 1);
    this.#metrics.max('batchBytesMax', end);
    this.#metrics.max('recordBytesMax', maxRecordBytes);
  }

  recordsFailed(topic: string, count: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.addBoth(topic, 'failedRecords', count);
  }

  recordsRetried(topic: string, count: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.addBoth(topic, 'retriedRecords', count);
  }

  count(slot: 'splits' | 'bufferExhausted', now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add(slot, 1);
  }

  callEnded(call: TimedCall, durationMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add(timedSlots[call], durationMs);
  }

  metadataCame(now: number): void {
    this.#metrics.set('metadataAt', now);
  }

  roundEnded({ usedBytes, maxBytes, waitingThreads }: ProducerGauges, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.set('bufferBytes', maxBytes);
    this.#metrics.set('bufferFreeBytes', Math.max(0, maxBytes - usedBytes));
    this.#metrics.set('waitingThreads', waitingThreads);
  }
}
