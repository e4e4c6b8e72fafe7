// Owns a network thread whose codec pool the test steers: fetches with big compressed answers, and when each is decoded. Test code only.

import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { Fetch } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchResponseView } from '../../../../src/protocol/flat/generated/fetch.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import {
  assertRecords,
  byName,
  fetchRequest,
  fetchResponse,
  KiB,
  noise,
  noisyBatch,
  thresholdBytes,
} from './big-messages.ts';
import type { FakeApplication, SentRequest } from './fake-application.ts';
import { FakeCodecThreads } from './fake-codec-threads.ts';
import { FakeNetwork } from './fake-network.ts';
import type { FakeBroker } from './fake-peer.ts';

export let net: FakeNetwork;
export let broker: FakeBroker;
export let threads: FakeCodecThreads;

export function start(options: KafkaClientOptions = {}): void {
  threads = new FakeCodecThreads();
  net = new FakeNetwork({ codecPoolThresholdBytes: thresholdBytes, ...options }, threads);
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.log.length = 0;
}

export type SentFetch = SentRequest<FetchResponseView>;

/** The same with no pool: the network thread decodes everything. */
export function startWithoutPool(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

export function sendFetch(nodeId = 1, app: FakeApplication = net.app): SentFetch {
  return app.send(nodeId, Fetch, fetchRequest, byName);
}

/** A fetch that is answered with these batches, and not settled yet. */
export async function fetched(batches: readonly RecordBatchInput[], nodeId = 1, from: FakeBroker = broker) {
  const sent = sendFetch(nodeId);
  net.run();
  from.reply(fetchResponse(batches));
  await run();
  return sent;
}

/** Until network thread and pool have done what they can. */
export async function run(): Promise<void> {
  net.run();
  await threads.settled();
}

export function bigBatch(seed: number, bytes = 100 * KiB): RecordBatchInput {
  return noisyBatch(bytes, seed);
}

/** So many fetches, all answered, each with another batch. */
export async function fetchedBig(count: number): Promise<{ sent: SentFetch; batch: RecordBatchInput }[]> {
  const fetches: { sent: SentFetch; batch: RecordBatchInput }[] = [];
  for (let i = 1; i <= count; i++) fetches.push({ batch: bigBatch(i), sent: await fetched([bigBatch(i)]) });
  return fetches;
}

export function assertDelivered(requests: readonly { sent: SentFetch; batch: RecordBatchInput }[]): void {
  for (const { sent, batch } of requests) assertRecords(sent.view, [batch]);
}

export const responses = (...requests: readonly SentRequest<unknown>[]) =>
  requests.map(({ requestId, state }) => `${state === 'failed' ? 'failure' : 'response'} ${requestId}`);

export async function finish(index: number): Promise<void> {
  await threads.finish(index);
  await run();
}

/** More than half of what the pool may hold. */
export function largeBatch(seed: number): RecordBatchInput {
  const records = [{ key: 'large', value: noise(33 * 1024 * KiB, seed), timestamp: seed }];
  return { records, compression: 'snappy' };
}
