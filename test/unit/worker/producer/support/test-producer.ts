// Owns a producer's role over a fake cluster, and an owner of records that remembers what it was told.

import { type ProducerConfigInput, parseProducerConfig } from '../../../../../src/common/config/producer-config.ts';
import { CopyMemory } from '../../../../../src/common/copy-bytes.ts';
import { TrackKind } from '../../../../../src/common/record-tracking.ts';
import { putSigned } from '../../../../../src/protocol/flat/varints.ts';
import type { Compressor } from '../../../../../src/worker/producer/batch-packer.ts';
import type { LastPlace } from '../../../../../src/worker/producer/last-place.ts';
import { ProducerRole } from '../../../../../src/worker/producer/producer-role.ts';
import type { BatchOutcome, RecordOwner, RecordRuns } from '../../../../../src/worker/producer/record-owner.ts';
import { FakeCluster } from './fake-cluster.ts';

export type TestOptions = ProducerConfigInput & { memoryBytes?: number; compressor?: Compressor };

/** What one record came to. */
export interface Settled {
  readonly offset: number;
  readonly outcome: BatchOutcome;
}

export class TestProducer implements RecordOwner {
  readonly cluster: FakeCluster;
  readonly role: ProducerRole;
  /** By trackId. */
  readonly settled = new Map<number, Settled>();
  /** Records of every kind. */
  acknowledged = 0;
  failed = 0;
  fatal: Error | null = null;
  /** How many records the metrics count as failed in a batch. */
  reportedFailures = 0;
  #lastTrackId = 0;

  constructor(options: TestOptions = {}, cluster = new FakeCluster()) {
    const { memoryBytes = 1 << 20, compressor = null, ...config } = options;
    this.cluster = cluster;
    this.role = new ProducerRole({
      config: parseProducerConfig(config),
      batchMemoryBytes: memoryBytes,
      host: cluster,
      compressor,
      report: {
        requestSent: () => {},
        requestEnded: () => {},
        batchRefused: () => {},
        batchFailed: (batch) => {
          this.reportedFailures += batch.count;
        },
        batchRetried: () => {},
        batchWritten: () => {},
        recordRefused: () => {},
        memoryExhausted: () => {},
        callEnded: () => {},
        batchSplit: () => {},
        state: () => {},
      },
      onFatal: (error) => {
        this.fatal = error;
      },
    });
  }

  /** One with a producer id, and a topic. */
  static started(options: TestOptions = {}, partitions = 1): TestProducer {
    const producer = new TestProducer(options);
    producer.cluster.addTopic('t', partitions);
    producer.poll();
    if (producer.cluster.others.length > 0) producer.cluster.giveProducerId();
    return producer;
  }

  onBatchSettled(outcome: BatchOutcome, runs: RecordRuns): void {
    let index = 0;
    for (let run = 0; run < runs.counts.length; run++) {
      const count = runs.counts[run]!;
      if (runs.owners[run] === this) {
        if (outcome.error === null) this.acknowledged += count;
        else this.failed += count;
        for (let i = 0; i < count && runs.kinds[run] === TrackKind.SINGLE; i++) {
          const trackId = runs.trackIds[run]! + i;
          if (this.settled.has(trackId)) throw new Error(`record ${trackId} was settled twice`);
          this.settled.set(trackId, { offset: outcome.offsetLow + index + i, outcome });
        }
      }
      index += count;
    }
  }

  /** Appends a record that is tracked by itself; its id, or null when there was no room. */
  append(
    value: string,
    options: {
      topic?: string;
      partition?: number;
      key?: string;
      lingerMs?: number;
      owner?: RecordOwner;
      waitsSince?: number;
      /** Where the last record went, as its link's adapter has it. */
      place?: LastPlace;
    } = {},
  ): number | null {
    const { topic = 't', partition = -1, key, lingerMs = -1, owner = this, waitsSince = this.cluster.now } = options;
    const { place = null } = options;
    const { bytes, keyFrom, keyTo } = bodyOf(key ?? null, value);
    const trackId = ++this.#lastTrackId;
    const record = {
      owner,
      topic: this.role.topic(topic, this.cluster.now),
      kind: TrackKind.SINGLE,
      trackId,
      timestampMs: this.cluster.wallClock(),
      lingerMs,
      memory: new CopyMemory(bytes),
      from: 0,
      to: bytes.length,
      partition,
      keyFrom,
      keyTo,
      waitsSince,
    };
    const isTaken = place?.append(record) === true || this.role.append(record, this.cluster.now, place);
    if (!isTaken) this.#lastTrackId--;
    return isTaken ? trackId : null;
  }

  /** Has a record of each partition acknowledged: the leaders know the producer from then on. */
  warmUp(topic = 't'): void {
    const partitions = this.cluster.topicsByName.get(topic)!;
    for (let partition = 0; partition < partitions.length; partition++)
      this.append('warm', { topic, partition, lingerMs: 0 });
    this.poll();
    while (this.cluster.produces.length > 0) {
      this.cluster.answer();
      this.poll();
    }
  }

  poll(): void {
    this.role.poll(this.cluster.now);
  }

  /** Lets time pass, with a turn at its end. */
  advance(ms: number): void {
    this.cluster.now += ms;
    this.poll();
  }

  /** What became of a record, in a word or two. */
  outcome(trackId: number | null): string {
    const settled = this.settled.get(trackId!);
    if (settled === undefined) return 'open';
    return settled.outcome.error === null ? `at ${settled.offset}` : settled.outcome.error.name;
  }

  error(trackId: number | null): Error & { maybeWritten?: boolean; retriable?: boolean } {
    return this.settled.get(trackId!)!.outcome.error!;
  }
}

/** A record from its key's length on, in wire format, without headers. */
export function bodyOf(key: string | null, value: string): { bytes: Uint8Array; keyFrom: number; keyTo: number } {
  const keyBytes = key === null ? null : Buffer.from(key);
  const valueBytes = Buffer.from(value);
  const bytes = new Uint8Array((keyBytes?.length ?? 0) + valueBytes.length + 16);
  let at = putSigned(bytes, 0, keyBytes?.length ?? -1);
  const keyFrom = keyBytes === null ? -1 : at;
  if (keyBytes !== null) {
    bytes.set(keyBytes, at);
    at += keyBytes.length;
  }
  const keyTo = at;
  at = putSigned(bytes, at, valueBytes.length);
  bytes.set(valueBytes, at);
  at = putSigned(bytes, at + valueBytes.length, 0);
  return { bytes: bytes.slice(0, at), keyFrom, keyTo };
}
