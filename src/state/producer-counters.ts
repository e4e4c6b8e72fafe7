// Owns the counters that a producer and one application thread share: what became of the thread's records. The network thread writes,
// the application reads at any time. Must not know what a record is.

import { INSTANCE_ID_BYTES, readInstanceId, writeInstanceId } from './instance-id.ts';

/*
 * One SharedArrayBuffer of float64, each written in one piece by a 64-bit machine; see shared-metrics-layout.ts. Behind them the producer's
 * client instance id.
 */

const names = ['acknowledged', 'failed', 'retried', 'acknowledgedBytes', 'usedBytes', 'maxBytes', 'isFatal'] as const;

export type ProducerCounter = (typeof names)[number];

const slotOf = Object.fromEntries(names.map((name, slot) => [name, slot])) as Record<ProducerCounter, number>;

const ID_OFFSET = names.length * 8;

export function createProducerCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(ID_OFFSET + INSTANCE_ID_BYTES);
}

export class ProducerCountersWriter {
  readonly #buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.#values = new Float64Array(buffer);
  }

  setInstanceId(id: string): void {
    writeInstanceId(this.#buffer, ID_OFFSET, id);
  }

  add(name: ProducerCounter, amount: number): void {
    const slot = slotOf[name];
    this.#values[slot] = this.#values[slot]! + amount;
  }

  set(name: ProducerCounter, value: number): void {
    this.#values[slotOf[name]] = value;
  }
}

export class ProducerCountersReader {
  readonly #buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.#values = new Float64Array(buffer);
  }

  get instanceId(): string | null {
    return readInstanceId(this.#buffer, ID_OFFSET);
  }

  get(name: ProducerCounter): number {
    return this.#values[slotOf[name]]!;
  }
}
