// Owns whether the numbers of one producer are recorded: if metrics are configured, or once brokers want them. Network thread.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { createProducerMetrics, type ProducerMetricsMemory } from '../../state/producer-metrics.ts';
import type { Attributes, Measured, ProducerSource } from '../telemetry/source.ts';
import { ProducerRecorder } from './producer-recorder.ts';

export class ProducerMeasures implements ProducerSource {
  readonly kind = 'producer';
  /** Null: nothing is recorded. */
  recorder: ProducerRecorder | null = null;
  readonly #config: Pick<ProducerConfig, 'transactionalId' | 'clientRack'>;
  #measured: Measured<ProducerMetricsMemory> | null = null;
  /** Of the metadata that was there in the last round. Null: there was no round. */
  #updateId: number | null = null;

  /** @param memory null: metrics are not configured */
  constructor(
    config: Pick<ProducerConfig, 'transactionalId' | 'clientRack'>,
    memory: ProducerMetricsMemory | null,
    now: number,
  ) {
    this.#config = config;
    if (memory !== null) this.#begin(memory, now);
  }

  /** In each round: a round follows each update of metadata. */
  metadataIs(updateId: number, now: number): void {
    if (this.#updateId !== null && updateId !== this.#updateId) this.recorder?.metadataCame(now);
    this.#updateId = updateId;
  }

  labels(): Attributes {
    const { transactionalId, clientRack } = this.#config;
    return [
      ...(transactionalId === null ? [] : [['transactional_id', transactionalId] as const]),
      ...(clientRack === '' ? [] : [['client_rack', clientRack] as const]),
    ];
  }

  measure(now: number): Measured<ProducerMetricsMemory> {
    return this.#measured ?? this.#begin(createProducerMetrics(), now);
  }

  #begin(memory: ProducerMetricsMemory, now: number): Measured<ProducerMetricsMemory> {
    this.recorder = new ProducerRecorder(memory, now);
    this.#measured = { memory, since: now };
    return this.#measured;
  }
}
