// Owns how long rebalances of this member take, and which of them fail, told by the states that it passes through. Network thread.

import type { ConsumerReport } from './consumer-report.ts';

/** The states of both protocols in which a rebalance is under way. */
const changing = new Set(['JOINING', 'RECONCILING', 'ACKNOWLEDGING', 'PREPARING_REBALANCE', 'COMPLETING_REBALANCE']);

export class RebalanceTimer {
  readonly #report: ConsumerReport;
  #startedAt: number | null = null;

  constructor(report: ConsumerReport) {
    this.#report = report;
  }

  /** Called in each round. */
  see(state: string, now: number): void {
    if (changing.has(state)) {
      this.#startedAt ??= now;
      return;
    }
    if (this.#startedAt === null) return;
    if (state === 'STABLE') this.#report.rebalanced(now - this.#startedAt, now);
    else this.#report.rebalanceFailed(now);
    this.#startedAt = null;
  }
}
