// Owns links of producers and consumers in tests of the network thread, opened as an application thread opens them. Test thread.

import assert from 'node:assert/strict';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { parseConsumerConfig } from '../../../../src/common/config/consumer-config-parser.ts';
import { type ProducerConfigInput, parseProducerConfig } from '../../../../src/common/config/producer-config.ts';
import type { Control } from '../../../../src/common/control.ts';
import { LINGER_AS_CONFIGURED, TrackKind } from '../../../../src/common/record-tracking.ts';
import { createProducerMemory } from '../../../../src/main/producer/producer-memory.ts';
import type { Api } from '../../../../src/protocol/flat/api.ts';
import { Fetch, ListOffsets } from '../../../../src/protocol/flat/generated/apis.ts';
import { type ApplicationEnd, createAttachment, openApplicationEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { commitRecord, RECORD_PREFIX_BYTES } from '../../../../src/ring/frames/record-frames.ts';
import { createLifeline } from '../../../../src/ring/lifeline.ts';
import type { LinkWriter } from '../../../../src/ring/link.ts';
import { createBatchTable } from '../../../../src/state/batch-table.ts';
import { createConsumerSnapshot } from '../../../../src/state/consumer-snapshot.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { ProducerCountersReader } from '../../../../src/state/producer-counters.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import type { FakeNetwork } from './fake-network.ts';
import type { FakeBroker, FakeRequest } from './fake-peer.ts';

/** Broker 1 leads partition 0 of topic t, whose log ends at offset 10. */
export function leadsTopic({ cluster }: FakeNetwork, broker: FakeBroker): void {
  const partition = { partitionIndex: 0, leaderId: 1, leaderEpoch: 5, replicaNodes: [1], isrNodes: [1] };
  cluster.topics = [{ name: 't', partitions: [partition] }];
  const found = { partitionIndex: 0, errorCode: 0, timestamp: -1n, offset: 10n, leaderEpoch: 5 };
  broker.handlers.set(ListOffsets.key, () => ({ topics: [{ name: 't', partitions: [found] }] }));
}

/** The request of that API that waits for its answer. */
export function waitingOf(broker: FakeBroker, { key, name }: Pick<Api, 'key' | 'name'>): FakeRequest {
  const found = broker.waiting.find(({ apiKey }) => apiKey === key);
  assert.ok(found !== undefined, `no ${name} waits`);
  return found;
}

/** Answers a consumer's fetch with one record of topic t, whose value has so many bytes. */
export function answerFetch(broker: FakeBroker, valueBytes: number): void {
  const records = buildBatch({ baseOffset: 10n, records: [{ value: 'x'.repeat(valueBytes) }] });
  const partition = { partitionIndex: 0, highWatermark: 11n, lastStableOffset: 11n, records };
  broker.reply({ responses: [{ topic: 't', partitions: [partition] }] }, waitingOf(broker, Fetch));
}

export interface ProducerEnd {
  readonly end: ApplicationEnd;
  readonly producerId: number;
  readonly counters: ProducerCountersReader;
  /** What the network thread has told over the lifeline. */
  readonly told: () => unknown;
  /** Tells the network thread to end the link within so many ms. */
  readonly closeWithin: (timeoutMs: number) => void;
}

/** Posts a record of some 500 bytes for the topic with number 0. @returns false when there is no room */
export function postRecord(
  requests: LinkWriter,
  { kind = TrackKind.NONE, trackId = 0 }: { kind?: TrackKind; trackId?: number } = {},
): boolean {
  const body = [1, 254, 7, ...new Array<number>(511).fill(120), 0];
  const length = RECORD_PREFIX_BYTES + body.length;
  if (!requests.begin(length)) return false;
  requests.u8.set(body, requests.base + RECORD_PREFIX_BYTES);
  const fields = {
    topicHandle: 0,
    kind,
    trackId,
    partition: -1,
    lingerMs: LINGER_AS_CONFIGURED,
    timestampMs: Number.NaN,
  };
  return commitRecord(requests, fields, -1, 0, length);
}

/**
 * A producer's link.
 * @param ports      to be closed at the end of the test
 * @param producerId of a producer that another thread has opened; undefined: opens a producer
 */
export async function openProducerLink(
  control: Control,
  ports: MessagePort[],
  options: ProducerConfigInput = {},
  producerId?: number,
): Promise<ProducerEnd> {
  const config = parseProducerConfig({ lingerMs: 0, enableIdempotence: false, ...options }, () => {});
  const memory = createProducerMemory(config, createDoorbell(), createCounters(), producerId !== undefined);
  const opening = { batchMemoryBytes: memory.batchMemoryBytes, metrics: null };
  const result =
    producerId === undefined
      ? await control.openProducer(config, opening, memory.network)
      : await control.attachProducer(producerId, memory.network);
  assert.ok('value' in result, JSON.stringify(result));
  const { lifePort, link, counters } = memory.application;
  ports.push(link.bodyPort, link.sparePort, lifePort);
  return {
    end: openApplicationEnd(link),
    producerId: producerId ?? result.value!,
    counters: new ProducerCountersReader(counters),
    told: () => receiveMessageOnPort(lifePort)?.message,
    closeWithin: (timeoutMs) => lifePort.postMessage(timeoutMs),
  };
}

/** A consumer's link, with small rings. @param snapshot the memory of its state */
export async function openConsumerLink(
  control: Control,
  ports: MessagePort[],
  snapshot: SharedArrayBuffer = createConsumerSnapshot(),
): Promise<{ end: ApplicationEnd; table: SharedArrayBuffer; told: () => unknown }> {
  const config = parseConsumerConfig({ assign: [{ topic: 't', partition: 0 }] });
  const sizes = { requestRingBytes: 8192, responseRingBytes: 8192, spillBytes: 1024, spillBudgetBytes: 65536 };
  const { application, handle } = createAttachment(sizes, createDoorbell(), createCounters());
  const life = createLifeline();
  const table = createBatchTable(16);
  const opening = { link: handle, table, snapshot, metrics: null, lifePort: life.network };
  const result = await control.openConsumer(config, opening);
  assert.ok('value' in result, JSON.stringify(result));
  ports.push(life.application, handle.bodyPort, handle.sparePort);
  return { end: application, table, told: () => receiveMessageOnPort(life.application)?.message };
}
