// Owns the counters that a producer and one application thread share: what became of the thread's records. The network thread writes,
// the application reads at any time. Must not know what a record is.

/*
 * One SharedArrayBuffer of float64, each written in one piece by a 64-bit machine; see shared-metrics-layout.ts.
 */

const names = ['acknowledged', 'failed', 'retried', 'acknowledgedBytes', 'usedBytes', 'maxBytes', 'isFatal'] as const;

export type ProducerCounter = (typeof names)[number];

const slotOf = Object.fromEntries(names.map((name, slot) => [name, slot])) as Record<ProducerCounter, number>;

export function createProducerCounters(): SharedArrayBuffer {
  return new SharedArrayBuffer(names.length * 8);
}

export class ProducerCountersWriter {
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#values = new Float64Array(buffer);
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
  readonly #values: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#values = new Float64Array(buffer);
  }

  get(name: ProducerCounter): number {
    return this.#values[slotOf[name]]!;
  }
}
