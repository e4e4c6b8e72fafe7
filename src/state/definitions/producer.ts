// Owns the names and meanings of a producer's metrics: application threads show them, the network thread pushes them. Every thread. It only
// reads: it must not write and must not send messages. Source: names of Kafka's own producer.

import type { ProducerSlot } from '../producer-metrics.ts';
import type { MetricsRow } from '../shared-metrics.ts';
import { Definer, type Metric } from './metric.ts';

export interface ProducerContext {
  readonly row: MetricsRow<ProducerSlot>;
  /** ms on the monotonic clock. */
  readonly now: number;
}

const of = new Definer<ProducerSlot, ProducerContext>();

/** A duration in ns, as Kafka's producer tells it. */
function callTime(name: string, slot: ProducerSlot, doc: string): Metric<ProducerContext> {
  const read = ({ row }: ProducerContext): number => row.total(slot) * 1e6;
  return { name: `${name}-time-ns-total`, scope: 'producer', kind: 'total', unit: 'ns', doc, read };
}

export const producerMetrics: readonly Metric<ProducerContext>[] = [
  ...of.counted('both', 'record-send', 'records', 'Records that were acknowledged; with acks 0, handed to the socket'),
  ...of.counted('both', 'byte', 'bytes', 'Bytes of the batches with these records, as they were sent', 'bytes'),
  ...of.counted('both', 'record-error', 'failedRecords', 'Records that failed'),
  ...of.counted('both', 'record-retry', 'retriedRecords', 'Records that were sent again, each time'),
  of.average(
    'both',
    'compression-rate',
    'ratio',
    ['compressedBytes', 'uncompressedBytes'],
    'size of a batch as it was sent, in proportion to its size before compression',
  ),
  of.average('producer', 'batch-size', 'bytes', ['bytes', 'batches'], 'size of a batch as it was sent'),
  of.greatest('producer', 'batch-size', 'bytes', 'batchBytesMax', 'size of a batch as it was sent'),
  of.average('producer', 'records-per-batch', 'events', ['records', 'batches'], 'number of records in a batch'),
  of.average(
    'producer',
    'record-size',
    'bytes',
    ['uncompressedBytes', 'records'],
    'size of a record before compression',
  ),
  of.greatest('producer', 'record-size', 'bytes', 'recordBytesMax', 'size of a record before compression'),
  of.average(
    'producer',
    'record-queue-time',
    'ms',
    ['queueMs', 'sentBatches'],
    'time from the making of a batch to its first sending',
  ),
  of.greatest(
    'producer',
    'record-queue-time',
    'ms',
    'queueMsMax',
    'time from the making of a batch to its first sending',
  ),
  ...of.counted('producer', 'batch-split', 'splits', 'Batches that were too large for the broker, and were split'),
  ...of.counted('producer', 'produce-request', 'requests', 'Produce requests'),
  of.average(
    'producer',
    'request-latency',
    'ms',
    ['latencyMs', 'answeredRequests'],
    'time from a Produce request to its answer',
  ),
  of.greatest('producer', 'request-latency', 'ms', 'latencyMsMax', 'time from a Produce request to its answer'),
  of.average(
    'producer',
    'produce-throttle-time',
    'ms',
    ['throttleMs', 'answeredRequests'],
    'time for which an answer throttles the producer',
  ),
  of.greatest(
    'producer',
    'produce-throttle-time',
    'ms',
    'throttleMsMax',
    'time for which an answer throttles the producer',
  ),
  of.now('producer', 'requests-in-flight', 'requestsInFlight', 'Produce requests that await their answer'),
  of.now('producer', 'buffer-total-bytes', 'bufferBytes', 'Bytes that all batches may take together', 'bytes'),
  of.now('producer', 'buffer-available-bytes', 'bufferFreeBytes', 'Bytes of them that are free', 'bytes'),
  of.now('producer', 'waiting-threads', 'waitingThreads', 'Threads that wait for room'),
  ...of.counted(
    'producer',
    'buffer-exhausted',
    'bufferExhausted',
    'How often a record found no memory for its batch, and had to wait',
  ),
  callTime('flush', 'flushMs', 'Time that flushes took'),
  callTime('txn-init', 'initMs', 'Time until there was a producer id, or the next epoch'),
  callTime('txn-begin', 'beginMs', 'Time that beginnings of transactions took, with their wait in line'),
  callTime('txn-send-offsets', 'sendOffsetsMs', 'Time that offsets took to become part of a transaction'),
  callTime('txn-commit', 'commitMs', 'Time that commits took'),
  callTime('txn-abort', 'abortMs', 'Time that aborts took'),
  of.gauge('producer', 'metadata-age', 'ms', 'Time since metadata came', ({ row, now }) => {
    const at = row.total('metadataAt');
    return at === 0 ? 0 : Math.max(0, now - at);
  }),
];
