// Owns the metrics of one producer: what is recorded, and when. Network thread. Must not compute rates: readers do that, from totals and
// windows.

import {
  type ProducerMetricsMemory,
  type ProducerSlot,
  producerMaxSlots,
  producerSlotOf,
} from '../../state/producer-metrics.ts';
import { MetricsWriter, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { TopicRowsWriter } from '../../state/topic-rows.ts';
import type { ProduceRequest } from '../producer/produce-request.ts';
import type { ProducerBatch } from '../producer/producer-batch.ts';
import type { TimedCall } from '../producer/producer-report.ts';

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
  readonly #writer: MetricsWriter;
  readonly #topics: TopicRowsWriter;
  readonly #totals: number;
  /** Where each topic's row begins; -1: it has none. */
  readonly #rows = new Map<string, number>();
  #inFlight = 0;

  constructor({ values, topics }: ProducerMetricsMemory, now: number) {
    this.#writer = new MetricsWriter(values, now, producerMaxSlots);
    this.#topics = new TopicRowsWriter(topics);
    this.#totals = this.#writer.indexOf(TOTALS_ROW, 0);
  }

  requestSent({ batches }: ProduceRequest, now: number): void {
    this.#writer.moveOn(now);
    this.#add('requests', 1);
    this.#set('requestsInFlight', ++this.#inFlight);
    for (const { attempts, createdAt } of batches) {
      if (attempts > 0) continue;
      this.#add('sentBatches', 1);
      this.#add('queueMs', now - createdAt);
      this.#max('queueMsMax', now - createdAt);
    }
  }

  requestEnded(latencyMs: number | null, throttleTimeMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#set('requestsInFlight', --this.#inFlight);
    if (latencyMs === null) return;
    this.#add('answeredRequests', 1);
    this.#add('latencyMs', latencyMs);
    this.#max('latencyMsMax', latencyMs);
    this.#add('throttleMs', throttleTimeMs);
    this.#max('throttleMsMax', throttleTimeMs);
  }

  batchWritten({ partition, count, end, uncompressedBytes, maxRecordBytes }: ProducerBatch, now: number): void {
    this.#writer.moveOn(now);
    const topic = partition.topic.name;
    this.#addBoth(topic, 'records', count);
    this.#addBoth(topic, 'bytes', end);
    this.#addBoth(topic, 'uncompressedBytes', uncompressedBytes);
    this.#addBoth(topic, 'compressedBytes', end);
    this.#add('batches', 1);
    this.#max('batchBytesMax', end);
    this.#max('recordBytesMax', maxRecordBytes);
  }

  recordsFailed(topic: string, count: number, now: number): void {
    this.#writer.moveOn(now);
    this.#addBoth(topic, 'failedRecords', count);
  }

  recordsRetried(topic: string, count: number, now: number): void {
    this.#writer.moveOn(now);
    this.#addBoth(topic, 'retriedRecords', count);
  }

  count(slot: 'splits' | 'bufferExhausted', now: number): void {
    this.#writer.moveOn(now);
    this.#add(slot, 1);
  }

  callEnded(call: TimedCall, durationMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add(timedSlots[call], durationMs);
  }

  metadataCame(now: number): void {
    this.#set('metadataAt', now);
  }

  roundEnded({ usedBytes, maxBytes, waitingThreads }: ProducerGauges, now: number): void {
    this.#writer.moveOn(now);
    this.#set('bufferBytes', maxBytes);
    this.#set('bufferFreeBytes', Math.max(0, maxBytes - usedBytes));
    this.#set('waitingThreads', waitingThreads);
  }

  #add(slot: ProducerSlot, amount: number): void {
    this.#writer.add(this.#totals + producerSlotOf[slot], amount);
  }

  #max(slot: ProducerSlot, value: number): void {
    this.#writer.max(this.#totals + producerSlotOf[slot], value);
  }

  #set(slot: ProducerSlot, value: number): void {
    this.#writer.set(this.#totals + producerSlotOf[slot], value);
  }

  #addBoth(topic: string, slot: ProducerSlot, amount: number): void {
    this.#add(slot, amount);
    const start = this.#rowOf(topic);
    if (start >= 0) this.#writer.add(start + producerSlotOf[slot], amount);
  }

  #rowOf(topic: string): number {
    let start = this.#rows.get(topic);
    if (start === undefined) {
      const { row, isNew } = this.#topics.row(topic);
      start = row < 0 ? -1 : this.#writer.indexOf(row, 0);
      if (isNew) this.#writer.clearRow(row);
      this.#rows.set(topic, start);
    }
    return start;
  }
}
