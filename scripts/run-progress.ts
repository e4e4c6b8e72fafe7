// Owns what a person sees of a run with a time limit: how much of the time is over, on stderr, in a bar or in plain lines. Main thread. Must not
// write to stdout, which holds the result, and must not keep the process alive.

import { Progress } from '../src/cli/io/progress.ts';

const updateMs = 250;

export interface RunPhase {
  readonly name: string;
  /** How long it takes. Null: nobody knows. */
  readonly limitMs: number | null;
  /** How many records have come through until now. Default: that is not told. */
  readonly records?: () => number;
}

export class RunProgress {
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout;
  #phase: RunPhase | null = null;
  #beganAt = 0;

  private constructor(progress: Progress) {
    this.#progress = progress;
    this.#timer = setInterval(() => this.update(), updateMs).unref();
  }

  static async open(out: NodeJS.WriteStream = process.stderr): Promise<RunProgress> {
    return new RunProgress(await Progress.open(out));
  }

  /** Ends the phase before. */
  begin(phase: RunPhase): void {
    this.#endPhase();
    this.#phase = phase;
    this.#beganAt = performance.now();
    this.#progress.begin(phase.name);
  }

  /** Shows how far the phase is. A timer calls it, too, unless this thread is blocked. */
  update(): void {
    const phase = this.#phase;
    if (phase === null) return;
    const { limitMs } = phase;
    const share = limitMs === null ? null : Math.min((performance.now() - this.#beganAt) / limitMs, 1);
    this.#progress.update({ share, records: phase.records?.() });
  }

  /** A line that stays. */
  say(text: string): void {
    this.#progress.say(text);
  }

  /** The last phase is over. Must be called before the result is printed. */
  end(): void {
    this.#endPhase();
    clearInterval(this.#timer);
  }

  /** The run has failed: what was shown last stays. */
  stop(): void {
    clearInterval(this.#timer);
    this.#phase = null;
    this.#progress.stop();
  }

  #endPhase(): void {
    const phase = this.#phase;
    if (phase === null) return;
    this.#phase = null;
    this.#progress.end({ share: phase.limitMs === null ? null : 1, records: phase.records?.() });
  }
}
