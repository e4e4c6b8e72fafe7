// Owns the values of metrics: MetricsWriter records on the network thread, MetricsReader reads on any, without a message.
// Must not know what a metric is called outside, or which unit it is shown in: main/metrics/client-metrics.ts does.

import {
  CURRENT_START,
  FIRST_ROW,
  type MetricsMemory,
  maxSlots,
  openMetrics,
  PREVIOUS_START,
  ROW_VALUES,
  SLOTS,
  type SlotName,
  type SlotNumbers,
  slotOf,
  VERSION_WORD,
} from './shared-metrics-layout.ts';

export { createMetrics, DEFAULT_WINDOW_MS, type SlotName, TOTALS_ROW } from './shared-metrics-layout.ts';

/** The row of the node in that row of the node table. */
export function metricsRow(nodeRow: number): number {
  return nodeRow + 1;
}

/** Where a row's slot is; the row's first with slot 0. */
export function indexOfSlot(row: number, slot: number): number {
  return FIRST_ROW + row * ROW_VALUES + slot;
}

/** The row of an index that `indexOfSlot` gave. */
export function rowOfIndex(index: number): number {
  return Math.floor((index - FIRST_ROW) / ROW_VALUES);
}

/** Windows that count: the current one and the one before. */
const windowCount = 2;

export class MetricsWriter {
  readonly #memory: MetricsMemory;
  readonly #f64: Float64Array;
  #rowsInUse = 1;
  readonly #maxSlots: readonly number[];
  #moveAt: number;

  /**
   * @param nowMs    when the first window begins
   * @param ofMaxima slots of maxima; default: those of a client
   */
  constructor(buffer: SharedArrayBuffer, nowMs: number, ofMaxima = maxSlots) {
    this.#maxSlots = ofMaxima;
    this.#memory = openMetrics(buffer);
    this.#f64 = this.#memory.f64;
    this.#f64[CURRENT_START] = nowMs;
    this.#f64[PREVIOUS_START] = Number.NEGATIVE_INFINITY;
    this.#moveAt = nowMs + this.#memory.windowMs;
  }

  /** Adds to a total. @param index of `indexOf` */
  add(index: number, amount: number): void {
    this.#f64[index]! += amount;
  }

  set(index: number, value: number): void {
    this.#f64[index] = value;
  }

  /** Raises a maximum to `value` if it is lower. */
  max(index: number, value: number): void {
    if (value > this.#f64[index]!) this.#f64[index] = value;
  }

  /** Where a row's slot is; the row's first with slot 0. */
  indexOf(row: number, slot: number): number {
    return indexOfSlot(row, slot);
  }

  /** Sets a row to zero, since another node has it now. */
  clearRow(row: number): void {
    this.#change();
    const start = this.indexOf(row, 0);
    this.#f64.fill(0, start, start + ROW_VALUES);
    this.#rowsInUse = Math.max(this.#rowsInUse, row + 1);
    this.#changed();
  }

  /** Begins a new window when the current one is over. Once a round, before anything is recorded. */
  moveOn(nowMs: number): void {
    if (nowMs < this.#moveAt) return;
    const { windowMs } = this.#memory;
    const f64 = this.#f64;
    // Nothing was recorded since the last round, so the time between is an empty window.
    const wasIdle = nowMs >= this.#moveAt + windowMs;
    this.#change();
    for (let row = 0; row < this.#rowsInUse; row++) {
      const start = this.indexOf(row, 0);
      const [current, previous] = [start + SLOTS, start + 2 * SLOTS];
      f64.copyWithin(previous, wasIdle ? start : current, (wasIdle ? start : current) + SLOTS);
      f64.copyWithin(current, start, start + SLOTS);
      for (const slot of this.#maxSlots) {
        if (wasIdle) f64[current + slot] = 0;
        f64[start + slot] = 0;
      }
    }
    f64[PREVIOUS_START] = wasIdle ? nowMs - windowMs : f64[CURRENT_START]!;
    f64[CURRENT_START] = nowMs;
    this.#changed();
    this.#moveAt = nowMs + windowMs;
  }

  #change(): void {
    // Atomic: odd before any of the values that follow can be seen.
    Atomics.add(this.#memory.i32, VERSION_WORD, 1);
  }

  #changed(): void {
    // Atomic: even again after all of them can be seen.
    Atomics.add(this.#memory.i32, VERSION_WORD, 1);
  }
}

/** The values of one row, as they were at one moment. */
export class MetricsRow<Name extends string = SlotName> {
  readonly #slotOf: SlotNumbers<Name>;
  readonly #values: Float64Array;
  /** Where the values from the start of the oldest counted window are; -1 without a counted window. */
  readonly #since: number;
  readonly #hasPrevious: boolean;
  readonly #elapsedMs: number;

  constructor(
    values: Float64Array,
    starts: { currentMs: number; previousMs: number },
    nowMs: number,
    windowMs: number,
    slotNumbers: SlotNumbers<Name>,
  ) {
    this.#slotOf = slotNumbers;
    const limitMs = windowCount * windowMs;
    const hasCurrent = nowMs - starts.currentMs < limitMs;
    this.#values = values;
    this.#hasPrevious = nowMs - starts.previousMs < limitMs;
    this.#since = this.#hasPrevious ? 2 * SLOTS : hasCurrent ? SLOTS : -1;
    const elapsedMs = nowMs - (this.#hasPrevious ? starts.previousMs : starts.currentMs);
    // The divisor is at least one full window, so that a new client's first events make no huge rate.
    this.#elapsedMs = elapsedMs < windowMs ? elapsedMs + windowMs : elapsedMs;
  }

  /** Since the client started; of a gauge, now. */
  total(name: Name): number {
    return this.#values[this.#slotOf[name]]!;
  }

  /** How much a total grew in the windows that count. */
  recent(name: Name): number {
    return this.#since < 0 ? 0 : this.total(name) - this.#values[this.#since + this.#slotOf[name]]!;
  }

  /** The same per second. */
  perSecond(name: Name): number {
    return (this.recent(name) * 1000) / this.#elapsedMs;
  }

  /** Greatest value in the windows that count, 0 without any. */
  max(name: Name): number {
    if (this.#since < 0) return 0;
    return Math.max(this.total(name), this.#hasPrevious ? this.#values[SLOTS + this.#slotOf[name]]! : 0);
  }

  /** `sum` for each of `count` in the windows that count, 0 without any. */
  average(sum: Name, count: Name): number {
    const events = this.recent(count);
    return events > 0 ? this.recent(sum) / events : 0;
  }
}

/** How often a reader starts again before it accepts what it has. Windows move once in half a minute. */
const maxAttempts = 100;

export class MetricsReader<Name extends string = SlotName> {
  readonly buffer: SharedArrayBuffer;
  readonly #memory: MetricsMemory;
  readonly #slotOf: SlotNumbers<Name>;

  /** @param slotNumbers default: those of a client */
  constructor(buffer: SharedArrayBuffer, slotNumbers: SlotNumbers<Name> = slotOf as SlotNumbers<Name>) {
    this.buffer = buffer;
    this.#slotOf = slotNumbers;
    this.#memory = openMetrics(buffer);
  }

  /** What is in a row's slot now. */
  peek(row: number, name: Name): number {
    return this.#memory.f64[FIRST_ROW + row * ROW_VALUES + this.#slotOf[name]]!;
  }

  /** The rows, all of one moment as far as windows are concerned. */
  read(rows: readonly number[], nowMs: number): MetricsRow<Name>[] {
    const { i32, f64, windowMs } = this.#memory;
    for (let attempt = 0; ; attempt++) {
      // Atomic: what is read after it is no older than that version.
      const version = Atomics.load(i32, VERSION_WORD);
      const starts = { currentMs: f64[CURRENT_START]!, previousMs: f64[PREVIOUS_START]! };
      const values = rows.map((row) => {
        const start = FIRST_ROW + row * ROW_VALUES;
        return f64.slice(start, start + ROW_VALUES);
      });
      // Atomic: unchanged, so nothing was moved meanwhile.
      const isWhole = (version & 1) === 0 && Atomics.load(i32, VERSION_WORD) === version;
      if (isWhole || attempt >= maxAttempts) {
        return values.map((row) => new MetricsRow(row, starts, nowMs, windowMs, this.#slotOf));
      }
    }
  }
}
