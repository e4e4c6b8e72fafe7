// Owns the output while the job runs: a progress bar on a terminal, or a line now and then. Main thread. It writes to stderr, so that
// stdout has only the result.

const barWidth = 30;
const redrawMs = 100;
const linesPerPhase = 5;

export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  #phase = '';
  #startedAt = 0;
  #drawnAt = 0;
  #nextLineAt = 0;

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
    this.#isTerminal = out.isTTY === true;
  }

  /** Prints one line. */
  say(text: string): void {
    this.#out.write(`${text}\n`);
  }

  begin(phase: string): void {
    this.#phase = phase;
    this.#startedAt = performance.now();
    this.#drawnAt = 0;
    this.#nextLineAt = 1 / linesPerPhase;
  }

  /** @param share 0 to 1  @param bytes done so far */
  update(share: number, bytes: number): void {
    const now = performance.now();
    if (this.#isTerminal) {
      if (now - this.#drawnAt < redrawMs) return;
      this.#drawnAt = now;
      this.#out.write(`\r${this.#bar(share, bytes, now)}`);
    } else if (share >= this.#nextLineAt && share < 1) {
      this.#nextLineAt = (Math.floor(share * linesPerPhase) + 1) / linesPerPhase;
      this.say(this.#line(share, bytes, now));
    }
  }

  end(bytes: number): void {
    const now = performance.now();
    if (this.#isTerminal) this.#out.write(`\r${this.#bar(1, bytes, now)}\n`);
    else this.say(this.#line(1, bytes, now));
  }

  #bar(share: number, bytes: number, now: number): string {
    const filled = Math.round(Math.min(share, 1) * barWidth);
    return `${this.#phase.padEnd(8)} [${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${this.#figures(share, bytes, now)}  `;
  }

  #line(share: number, bytes: number, now: number): string {
    return `${this.#phase.padEnd(8)} ${this.#figures(share, bytes, now)}`;
  }

  #figures(share: number, bytes: number, now: number): string {
    const seconds = Math.max((now - this.#startedAt) / 1000, 0.001);
    const percent = `${Math.round(Math.min(share, 1) * 100)} %`.padStart(5);
    return `${percent}  ${(bytes / 1e6).toFixed(1)} MB  ${(bytes / 1e6 / seconds).toFixed(1)} MB/s`;
  }
}
