// Owns whether the numbers of one consumer are recorded: if metrics are configured, or once brokers want them. Network thread.

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { ConsumerSnapshot, PartitionSnapshot } from '../../common/consumer-calls.ts';
import { type ConsumerMetricsMemory, createConsumerMetrics } from '../../state/consumer-metrics.ts';
import type { BufferedBytes, ConsumerReport } from '../consumer/consumer-report.ts';
import type { Attributes, ConsumerSource, Measured } from '../telemetry/source.ts';
import { ConsumerRecorder } from './consumer-recorder.ts';

/** The report of the consumer's role. A call costs one comparison while nothing is recorded. */
export class ConsumerMeasures implements ConsumerReport, ConsumerSource {
  readonly kind = 'consumer';
  /** Null: nothing is recorded. */
  recorder: ConsumerRecorder | null = null;
  readonly #config: Pick<ConsumerConfig, 'groupId' | 'groupInstanceId' | 'clientRack'>;
  readonly #snapshot: () => ConsumerSnapshot;
  #measured: Measured<ConsumerMetricsMemory> | null = null;

  /**
   * @param memory   null: metrics are not configured
   * @param snapshot the state of the consumer now
   */
  constructor(
    config: Pick<ConsumerConfig, 'groupId' | 'groupInstanceId' | 'clientRack'>,
    memory: ConsumerMetricsMemory | null,
    snapshot: () => ConsumerSnapshot,
    now: number,
  ) {
    this.#config = config;
    this.#snapshot = snapshot;
    if (memory !== null) this.#begin(memory, now);
  }

  // --- ConsumerSource

  get hasGroup(): boolean {
    return this.#config.groupId !== null;
  }

  labels(): Attributes {
    const { groupId, groupInstanceId, clientRack } = this.#config;
    const labels: readonly (readonly [string, string | null])[] = [
      ['group_id', groupId],
      ['group_instance_id', groupInstanceId],
      ['group_member_id', this.hasGroup ? this.#snapshot().memberId : null],
      ['client_rack', clientRack],
    ];
    return labels.flatMap(([name, value]) => (value === null || value === '' ? [] : [[name, value] as const]));
  }

  measure(now: number): Measured<ConsumerMetricsMemory> {
    return this.#measured ?? this.#begin(createConsumerMetrics(), now);
  }

  partitions(): readonly PartitionSnapshot[] {
    return this.#snapshot().partitions;
  }

  // --- ConsumerReport

  fetched(durationMs: number, bytes: number, throttleTimeMs: number, now: number): void {
    this.recorder?.fetched(durationMs, bytes, throttleTimeMs, now);
  }

  handedOut(topic: string, records: number, bytes: number, now: number): void {
    this.recorder?.handedOut(topic, records, bytes, now);
  }

  roundEnded(partitions: readonly BufferedBytes[], now: number): void {
    this.recorder?.roundEnded(partitions, now);
  }

  commitEnded(durationMs: number, isCommitted: boolean, now: number): void {
    this.recorder?.commitEnded(durationMs, isCommitted, now);
  }

  committedAnswered(durationMs: number, now: number): void {
    this.recorder?.committedAnswered(durationMs, now);
  }

  heartbeatAnswered(durationMs: number, now: number): void {
    this.recorder?.heartbeatAnswered(durationMs, now);
  }

  joined(durationMs: number, now: number): void {
    this.recorder?.joined(durationMs, now);
  }

  synced(durationMs: number, now: number): void {
    this.recorder?.synced(durationMs, now);
  }

  rebalanced(durationMs: number, now: number): void {
    this.recorder?.rebalanced(durationMs, now);
  }

  rebalanceFailed(now: number): void {
    this.recorder?.rebalanceFailed(now);
  }

  #begin(memory: ConsumerMetricsMemory, now: number): Measured<ConsumerMetricsMemory> {
    this.recorder = new ConsumerRecorder(memory, now);
    this.#measured = { memory, since: now };
    return this.#measured;
  }
}
