// Owns the count of the main thread's time while it fetches: the application's work, the library, the rest. Main thread.
//
//   wall   |-- between blocks --|------------- block: work, and reading of records --------------|-- between ...
//   CPU    outside of blocks, everything counts for the library, even the event loop and the progress bar; inside of
//          blocks, only the reading of records counts, in wall time

import { createHistogram, type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { threadTimeMs } from './thread-time.ts';

export interface TimeShares {
  readonly phaseMs: number;
  /** The application's work as a part of the wall time, 0 to 1. */
  readonly workShare: number;
  /** The CPU time of the main thread without the application's work, in ms. */
  readonly libraryMs: number;
  /** The part of it for reading records inside of blocks, in ms of wall time. */
  readonly readingMs: number;
  readonly eventLoopDelayP99Ms: number;
  /** How long the blocks of user work are, which make the event-loop delay. */
  readonly blockP99Ms: number;
  readonly blocks: number;
}

export class PhaseTimes {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 });
  readonly #blockLengths = createHistogram();
  #startedAt = 0;
  #cpuAtStart = 0;
  #blockStartedAt = 0;
  #cpuAtBlockStart = 0;
  #lastBlockEndedAt = 0;
  #blockMs = 0;
  #blockCpuMs = 0;
  #readingMs = 0;
  #blocks = 0;

  start(): void {
    this.#delay.enable();
    this.#cpuAtStart = threadTimeMs();
    this.#startedAt = performance.now();
    this.#lastBlockEndedAt = this.#startedAt;
  }

  /** Returns the ms since the last block ended. */
  enterBlock(): number {
    this.#cpuAtBlockStart = threadTimeMs();
    this.#blockStartedAt = performance.now();
    return this.#blockStartedAt - this.#lastBlockEndedAt;
  }

  /** The library's ms inside of blocks so far. */
  get readingMs(): number {
    return this.#readingMs;
  }

  /** Adds ms of the library inside of a block. */
  addReading(ms: number): void {
    this.#readingMs += ms;
  }

  leaveBlock(): void {
    const now = performance.now();
    this.#blockMs += now - this.#blockStartedAt;
    // A histogram counts integers from 1 on: microseconds.
    this.#blockLengths.record(Math.max(1, Math.round((now - this.#blockStartedAt) * 1000)));
    this.#blockCpuMs += threadTimeMs() - this.#cpuAtBlockStart;
    this.#lastBlockEndedAt = now;
    this.#blocks++;
  }

  /** Runs `act` without counting its time, and returns the time in ms. The event-loop delay still includes it. */
  leaveOut(act: () => void): number {
    const cpuBefore = threadTimeMs();
    const startedAt = performance.now();
    act();
    const ms = performance.now() - startedAt;
    const cpuMs = threadTimeMs() - cpuBefore;
    // The start of the phase is moved by the same time.
    this.#startedAt += ms;
    this.#cpuAtStart += cpuMs;
    this.#lastBlockEndedAt += ms;
    return ms;
  }

  stop(): TimeShares {
    this.#delay.disable();
    const phaseMs = performance.now() - this.#startedAt;
    const cpuMs = threadTimeMs() - this.#cpuAtStart;
    return {
      phaseMs,
      workShare: (this.#blockMs - this.#readingMs) / phaseMs,
      libraryMs: cpuMs - this.#blockCpuMs + this.#readingMs,
      readingMs: this.#readingMs,
      eventLoopDelayP99Ms: this.#delay.percentile(99) / 1e6,
      blockP99Ms: this.#blocks === 0 ? 0 : this.#blockLengths.percentile(99) / 1000,
      blocks: this.#blocks,
    };
  }
}
