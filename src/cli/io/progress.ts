// Owns the progress output of long work: a moving bar in one line of a terminal, and a line now and then without a terminal.
// Main thread. Must write to stderr only, so that stdout holds the result alone.

import type { SingleBar } from 'cli-progress';
import { monotonicNowMs } from '../../common/clock.ts';

const redrawMs = 100;
const linesPerPhase = 5;
/** The interval of plain lines if the end is not known. */
const plainLineMs = 10_000;
const maxBarColumns = 30;
const clearLine = '\u001b[K';
/** `[` and `] `. */
const barFrameColumns = 3;

type Terminal = Pick<NodeJS.WriteStream, 'write'> & { readonly isTTY?: boolean; readonly columns?: number };
type ProgressLibrary = typeof import('cli-progress');

/** How far the work is. */
export interface Done {
  /** 0 to 1; null when the end is not known. */
  readonly share: number | null;
  /** Undefined: nobody counts them. */
  readonly bytes?: number | undefined;
  readonly records?: number | undefined;
}

export class Progress {
  readonly #out: Terminal;
  readonly #library: ProgressLibrary | null;
  readonly #plainAfterMs: number;
  #bar: SingleBar | null = null;
  #phase = '';
  #startedAt = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #nextLineAt = 0;
  #lastLineAt = 0;

  private constructor(out: Terminal, library: ProgressLibrary | null, plainAfterMs: number) {
    this.#out = out;
    this.#library = library;
    this.#plainAfterMs = plainAfterMs;
  }

  /** @param options `plainAfterMs`: without a terminal, shorter work prints nothing; default 0 */
  static async open(
    out: Terminal = process.stderr,
    { plainAfterMs = 0 }: { readonly plainAfterMs?: number } = {},
  ): Promise<Progress> {
    const isTerminal = out.isTTY === true && process.env.TERM !== 'dumb';
    return new Progress(out, isTerminal ? await loadLibrary() : null, plainAfterMs);
  }

  /** One line of information. A bar that is shown goes on in the line below it. */
  say(text: string): void {
    if (this.#bar === null) {
      this.#out.write(`${text}\n`);
      return;
    }
    this.#out.write(`\r${clearLine}${text}\n`);
    this.#bar.render();
  }

  begin(phase: string): void {
    this.#phase = phase;
    this.#startedAt = monotonicNowMs();
    this.#drawnAt = Number.NEGATIVE_INFINITY;
    this.#nextLineAt = 1 / linesPerPhase;
    this.#lastLineAt = this.#startedAt;
    if (this.#library === null) return;
    this.#bar = new this.#library.SingleBar({
      stream: this.#out as NodeJS.WriteStream,
      fps: 1000 / redrawMs,
      linewrap: true,
      clearOnComplete: false,
      hideCursor: false,
      // Another line may stand where the bar was.
      forceRedraw: true,
      format: (_options, { progress }, { done }: { done: Done }) =>
        this.#line({ ...done, share: done.share === null ? null : progress }, this.#out.columns || 80),
    });
    this.#bar.start(1, 0, { done: { share: 0 } });
  }

  update(done: Done): void {
    const now = monotonicNowMs();
    if (this.#bar !== null) {
      if (now - this.#drawnAt < redrawMs) return;
      this.#drawnAt = now;
      this.#bar.update(Math.min(done.share ?? 0, 1), { done });
      // The library draws by a timer, which does not run while this thread is busy.
      this.#bar.render();
      return;
    }
    const { share } = done;
    if (now - this.#startedAt < this.#plainAfterMs) return;
    if (share === null) {
      if (now - this.#lastLineAt < plainLineMs) return;
    } else if (share < this.#nextLineAt || share >= 1) return;
    this.#lastLineAt = now;
    if (share !== null) this.#nextLineAt = (Math.floor(share * linesPerPhase) + 1) / linesPerPhase;
    this.say(this.#line(done, Number.POSITIVE_INFINITY));
  }

  /** The last line of the phase, which stays. */
  end(done: Done): void {
    if (this.#bar === null) {
      const isShort = monotonicNowMs() - this.#startedAt < this.#plainAfterMs;
      if (!isShort) this.say(this.#line(done, Number.POSITIVE_INFINITY));
      return;
    }
    this.#bar.update(Math.min(done.share ?? 0, 1), { done });
    this.#bar.stop();
    this.#bar = null;
  }

  /** Ends the bar of work that did not come to its end, whose timer would keep the process alive. What it showed last stays. */
  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }

  #line(done: Done, columns: number): string {
    const figures = figuresOf(done, (monotonicNowMs() - this.#startedAt) / 1000);
    const name = this.#phase.padEnd(8);
    if (!Number.isFinite(columns)) return `${name} ${figures.join('  ')}`;
    // One column is left free: a full line moves the cursor to the next one.
    const room = columns - 1;
    // A narrow terminal loses the less important parts first.
    while (figures.length > 1 && name.length + 1 + figures.join('  ').length > room) figures.pop();
    const text = figures.join('  ');
    const barColumns = Math.min(maxBarColumns, room - name.length - 1 - text.length - barFrameColumns);
    if (done.share === null || barColumns < 5) return `${name} ${text}`.slice(0, Math.max(room, 0));
    const filled = Math.round(Math.min(done.share, 1) * barColumns);
    return `${name} [${'#'.repeat(filled)}${'-'.repeat(barColumns - filled)}] ${text}`;
  }
}

/** The parts of the line, the most important first. */
function figuresOf({ share, bytes, records }: Done, elapsedSeconds: number): string[] {
  const seconds = Math.max(elapsedSeconds, 0.001);
  const figures: string[] = [];
  if (share !== null) figures.push(`${Math.round(Math.min(share, 1) * 100)} %`.padStart(5));
  if (bytes !== undefined) figures.push(`${(bytes / 1e6).toFixed(1)} MB`, `${(bytes / 1e6 / seconds).toFixed(1)} MB/s`);
  if (records !== undefined) {
    figures.push(`${records.toLocaleString('en')} records`);
    figures.push(`${Math.round(records / seconds).toLocaleString('en')} records/s`);
  }
  if (figures.length === 0) figures.push(timeText(seconds));
  if (share !== null && share > 0.01 && share < 1) figures.push(`${timeText((seconds / share) * (1 - share))} left`);
  return figures;
}

function timeText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An optional package: without it there are plain lines. */
async function loadLibrary(): Promise<ProgressLibrary | null> {
  try {
    const loaded = (await import('cli-progress')) as ProgressLibrary & { readonly default?: ProgressLibrary };
    return loaded.default ?? loaded;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}
