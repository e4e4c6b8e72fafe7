// Measures what the network thread does for each record of a producer: it reads the frame, checks the record and writes it into a batch. The
// bare copy of the same bytes in the same rounds is what it is compared with. One thread: the records were written just before.

import { parseProducerConfig } from '../../src/common/config/producer-config.ts';
import { CopyMemory, copyBytes } from '../../src/common/copy-bytes.ts';
import { LINGER_AS_CONFIGURED, TrackKind } from '../../src/common/record-tracking.ts';
import { createProducerMemory } from '../../src/main/producer/producer-memory.ts';
import { RecordWriter } from '../../src/main/producer/record-writer.ts';
import { type NetworkEnd, openApplicationEnd, openNetworkEnd } from '../../src/ring/attachment.ts';
import { createDoorbell } from '../../src/ring/doorbell.ts';
import { writeFrame } from '../../src/ring/frames/frame.ts';
import { type RecordFields, topicFrame } from '../../src/ring/frames/record-frames.ts';
import type { LinkWriter } from '../../src/ring/link.ts';
import { createCounters } from '../../src/state/counters.ts';
import { ProducerCountersWriter } from '../../src/state/producer-counters.ts';
import type { BrokerRequests } from '../../src/worker/client/broker-requests.ts';
import type { RoleHost } from '../../src/worker/client/role.ts';
import { ProducerAdapter } from '../../src/worker/link/producer-adapter.ts';
import { ProducerProxy } from '../../src/worker/link/producer-proxy.ts';
import { outcomeOf } from '../../src/worker/producer/outcomes.ts';
import type { ProducerReport } from '../../src/worker/producer/producer-report.ts';
import { ProducerRole } from '../../src/worker/producer/producer-role.ts';
import type { BenchRow } from '../support/rows.ts';

const rounds = 60;
/** How many rounds run before the measured ones, so that the code is compiled. */
const warmUpRounds = 20;
/** The records of one round take so many bytes of the ring, and of batches: the caches of the processor hold some of it. */
const roundBytes = 2 ** 20;
const partitions = 3;
const topic = 't';
const kindNames = ['counted only', 'a Future for each', 'a Future for all'];

/** A producer without broker: records are written into its link, taken from there, and then count as acknowledged. */
class Intake {
  readonly #role: ProducerRole;
  readonly #adapter: ProducerAdapter;
  readonly #requests: LinkWriter;
  readonly #networkEnd: NetworkEnd;
  readonly #writer: RecordWriter;
  readonly #route: RecordFields;
  #now = 5000.25;

  constructor(kind: TrackKind) {
    // A copy, as in the network thread: the engine reads the original, which is frozen, much more slowly.
    const config = structuredClone(parseProducerConfig({ enableIdempotence: false }, () => {}));
    const memory = createProducerMemory(config, createDoorbell(), createCounters());
    this.#requests = openApplicationEnd(memory.application.link).requests;
    this.#networkEnd = openNetworkEnd(memory.network.link);
    this.#role = new ProducerRole({
      config,
      batchMemoryBytes: memory.batchMemoryBytes,
      host,
      compressor: null,
      report,
      onFatal: () => {},
    });
    const proxy = new ProducerProxy(this.#networkEnd, new ProducerCountersWriter(memory.network.counters));
    // Nobody reads outcomes.
    proxy.close();
    this.#adapter = new ProducerAdapter(this.#networkEnd, proxy, this.#role, () => {});
    this.#writer = new RecordWriter(this.#requests, config.maxRequestSizeBytes);
    this.#route = {
      topicHandle: 0,
      kind,
      trackId: kind === TrackKind.NONE ? 0 : 1,
      partition: -1,
      lingerMs: LINGER_AS_CONFIGURED,
      timestampMs: Number.NaN,
    };
    if (!writeFrame(this.#requests, topicFrame({ topicHandle: 0, name: topic }))) throw new Error('no room');
    // The first records of a program wait for metadata. That counts, because the engine sees other objects then.
    cluster.updateId = 0;
    this.write(8, null, new Uint8Array(100));
    this.take(9);
    cluster.updateId = 1;
    this.#role.poll(this.#now);
    this.settle();
  }

  write(count: number, key: Uint8Array | null, value: Uint8Array): void {
    const route = this.#route;
    for (let i = 0; i < count; i++) {
      if (!this.#writer.write(route, key, value, null)) throw new Error('the ring is too small');
      if (route.kind === TrackKind.SINGLE) route.trackId = (route.trackId + 1) >>> 0;
    }
  }

  /** Takes the records that were written. */
  take(count: number): void {
    this.#now += 1.25;
    const taken = this.#adapter.drain(this.#now, 1_700_000_000_000 + Math.floor(this.#now), count);
    if (taken !== count) throw new Error(`${taken} of ${count} frames were taken`);
  }

  /** All batches are acknowledged. */
  settle(): void {
    const { accumulator } = this.#role;
    for (const batch of accumulator.unsettled())
      accumulator.settle(batch, outcomeOf(topic, batch.partition.index, null), this.#now);
  }

  close(): void {
    this.#networkEnd.close();
  }
}

const nothing = (): void => {};
const report: ProducerReport = {
  requestSent: nothing,
  requestEnded: nothing,
  batchRefused: nothing,
  batchRetried: nothing,
  batchWritten: nothing,
  batchFailed: nothing,
  batchSplit: nothing,
  recordRefused: nothing,
  memoryExhausted: nothing,
  callEnded: nothing,
  state: nothing,
};
/** Before the first update no topic is known. */
const cluster = {
  updateId: 0,
  partitionCount: () => (cluster.updateId === 0 ? null : partitions),
  topicError: () => 0,
  requestUpdate: nothing,
  leader: (_topic: string, partition: number) => ({ leaderId: partition, leaderEpoch: 0 }),
  addTopic: nothing,
  onUpdate: () => nothing,
};
const requests: Partial<BrokerRequests> = {
  lastError: () => null,
  isReady: () => false,
  readyAt: () => Number.POSITIVE_INFINITY,
  flush: nothing,
  inFlight: () => 0,
};
const host = {
  cluster,
  requests,
  wake: nothing,
  random: Math.random,
  wallClock: Date.now,
} as unknown as RoleHost;

function measure(kind: TrackKind, keyBytes: number, valueBytes: number): BenchRow {
  const intake = new Intake(kind);
  const key = keyBytes === 0 ? null : new Uint8Array(keyBytes).fill(0x6b);
  const value = new Uint8Array(valueBytes).fill(0x76);
  const count = Math.floor(roundBytes / (keyBytes + valueBytes));
  const bodyBytes = keyBytes + valueBytes + 4;
  const source = new CopyMemory(new Uint8Array(new SharedArrayBuffer(2 * roundBytes)));
  const target = new CopyMemory(new Uint8Array(2 * roundBytes));
  let ours = Number.POSITIVE_INFINITY;
  let theirs = Number.POSITIVE_INFINITY;
  for (let round = -warmUpRounds; round < rounds; round++) {
    source.bytes.fill(round);
    let start = performance.now();
    for (let i = 0, at = 0; i < count; i++) at = copyBytes(target, at, source, at, at + bodyBytes);
    const copied = performance.now() - start;
    intake.write(count, key, value);
    start = performance.now();
    intake.take(count);
    const taken = performance.now() - start;
    intake.settle();
    if (round < 0) continue;
    ours = Math.min(ours, taken);
    theirs = Math.min(theirs, copied);
  }
  intake.close();
  const nsPerRecord = (ms: number): number => (ms * 1e6) / count;
  return {
    name: 'take a record into a batch',
    unit: 'ns/record',
    ours: nsPerRecord(ours),
    comparison: 'copy of its bytes alone',
    theirs: nsPerRecord(theirs),
    ratio: ours / theirs,
    parameters: { kind: kindNames[kind], keyBytes, valueBytes, count, rounds },
  };
}

export async function run(): Promise<BenchRow[]> {
  return [measure(TrackKind.NONE, 0, 100), measure(TrackKind.SINGLE, 10, 100), measure(TrackKind.NONE, 0, 1024)];
}
