// Owns the durations of calls whose end is told without a time: they are taken in the round that follows. Network thread.

import type { ProducerReport, TimedCall } from './producer-report.ts';

export class TimedCalls {
  readonly #report: ProducerReport;
  #ended: { readonly call: TimedCall; readonly startedAt: number }[] = [];

  constructor(report: ProducerReport) {
    this.#report = report;
  }

  /** `onDone`, which also notes that the call has ended. */
  timed<Arguments extends unknown[]>(
    call: TimedCall,
    onDone: (...args: Arguments) => void,
    now: number,
  ): (...args: Arguments) => void {
    return (...args) => {
      this.#ended.push({ call, startedAt: now });
      onDone(...args);
    };
  }

  poll(now: number): void {
    if (this.#ended.length === 0) return;
    const ended = this.#ended;
    this.#ended = [];
    for (const { call, startedAt } of ended) this.#report.callEnded(call, now - startedAt, now);
  }
}
