// Owns the writing of the metrics of one producer or consumer: totals, and a row for each topic. Network thread. Must not know what is
// measured: producer-recorder.ts and consumer-recorder.ts do.

import { MetricsWriter, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { TopicRowsWriter } from '../../state/topic-rows.ts';

export interface TopicMetricsMemory {
  readonly values: SharedArrayBuffer;
  readonly topics: SharedArrayBuffer;
}

export class TopicRecorder<Slot extends string> {
  readonly #writer: MetricsWriter;
  readonly #topics: TopicRowsWriter;
  readonly #slotOf: Readonly<Record<Slot, number>>;
  readonly #totals: number;
  /** Where each topic's row begins; -1: it has none. */
  readonly #rows = new Map<string, number>();

  /** @param maxSlots the slots that hold maxima */
  constructor(
    { values, topics }: TopicMetricsMemory,
    slotOf: Readonly<Record<Slot, number>>,
    maxSlots: readonly number[],
    now: number,
  ) {
    this.#writer = new MetricsWriter(values, now, maxSlots);
    this.#topics = new TopicRowsWriter(topics);
    this.#slotOf = slotOf;
    this.#totals = this.#writer.indexOf(TOTALS_ROW, 0);
  }

  moveOn(now: number): void {
    this.#writer.moveOn(now);
  }

  add(slot: Slot, amount: number): void {
    this.#writer.add(this.#totals + this.#slotOf[slot], amount);
  }

  max(slot: Slot, value: number): void {
    this.#writer.max(this.#totals + this.#slotOf[slot], value);
  }

  set(slot: Slot, value: number): void {
    this.#writer.set(this.#totals + this.#slotOf[slot], value);
  }

  /** Adds to the total and to the topic's row, if it has one. */
  addBoth(topic: string, slot: Slot, amount: number): void {
    this.add(slot, amount);
    const start = this.#rowOf(topic);
    if (start >= 0) this.#writer.add(start + this.#slotOf[slot], amount);
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
