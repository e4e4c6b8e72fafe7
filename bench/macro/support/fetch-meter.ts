// Owns the measurement inside a contender of a fetch benchmark: rates and CPU time after the warm-up. It also owns the work that keeps the
// main thread busy; its time does not count. Main thread of a contender.

import { threadTimeMs } from '../../main-job/thread-time.ts';

export interface MeterSettings {
  /** The main thread is kept 90 % busy in blocks of this length. 0: it is idle. */
  readonly busyMs: number;
  readonly warmUpRecords: number;
  readonly records: number;
}

export interface FetchResult {
  readonly recordsPerSecond: number;
  readonly megabytesPerSecond: number;
  readonly mainThreadMicrosecondsPerRecord: number;
  /** All threads of the process. */
  readonly cpuMicrosecondsPerRecord: number;
  readonly checksum: number;
}

export class FetchMeter {
  readonly finished: Promise<FetchResult>;
  readonly #settings: MeterSettings;
  #finish: (result: FetchResult) => void = () => {};
  #seen = 0;
  #bytesSeen = 0;
  #sum = 0;
  #startedAt = 0;
  #startedCpuMs = 0;
  #startedUsage = process.cpuUsage();
  #startedBusyMs = 0;
  #startedBytes = 0;
  #startedRecords = 0;
  #busyCpuMs = 0;

  constructor(settings: MeterSettings) {
    this.#settings = settings;
    this.finished = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** Counts the records of one response. @param sum a sum over the read bytes, so that the engine cannot leave out the reads */
  count(records: number, valueBytes: number, sum: number): void {
    const before = this.#seen;
    this.#seen += records;
    this.#bytesSeen += valueBytes;
    this.#sum = (this.#sum + sum) | 0;
    const { warmUpRecords } = this.#settings;
    if (before < warmUpRecords && this.#seen >= warmUpRecords) {
      this.#startedAt = performance.now();
      this.#startedCpuMs = threadTimeMs() - this.#busyCpuMs;
      this.#startedUsage = process.cpuUsage();
      this.#startedBusyMs = this.#busyCpuMs;
      this.#startedBytes = this.#bytesSeen;
      this.#startedRecords = this.#seen;
    }
    const measured = this.#seen - this.#startedRecords;
    if (this.#startedAt === 0 || measured < this.#settings.records) return;
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const { user, system } = process.cpuUsage(this.#startedUsage);
    const busyUs = (this.#busyCpuMs - this.#startedBusyMs) * 1000;
    this.#finish({
      recordsPerSecond: Math.round(measured / seconds),
      megabytesPerSecond: Math.round((this.#bytesSeen - this.#startedBytes) / seconds / 1e6),
      mainThreadMicrosecondsPerRecord: ((threadTimeMs() - this.#busyCpuMs - this.#startedCpuMs) * 1000) / measured,
      cpuMicrosecondsPerRecord: (user + system - busyUs) / measured,
      checksum: this.#sum,
    });
  }

  /** Starts the work that keeps the thread busy. */
  keepBusy(): void {
    const { busyMs } = this.#settings;
    if (busyMs === 0) return;
    const before = threadTimeMs();
    for (const end = performance.now() + busyMs; performance.now() < end; );
    this.#busyCpuMs += threadTimeMs() - before;
    setTimeout(() => this.keepBusy(), busyMs / 9);
  }
}
